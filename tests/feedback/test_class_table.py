"""The class table. Runs in under a second."""

import re

from autograder.feedback import render_class_table
from autograder.records import QuestionResult, Report


def student(name, first, second, *, score=None, status="graded", outcome="partial"):
    questions = (
        QuestionResult(id="windows", title="Windows", points=first, max_points=0.2, outcome=outcome),
        QuestionResult(id="discussion", points=second, max_points=0.6, outcome="manual"),
    )
    return Report(assignment="jena", student=name, status=status, score=score, max_score=0.8, questions=questions)


def rows(html):
    body = html[html.index("<tbody>") :]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr>(.*?)</tr>", body, flags=re.DOTALL)
    ]


def test_students_points_totals_and_means():
    html = render_class_table(
        [student("student-02", 0.2, None, score=0.2, outcome="passed"), student("student-01", 0.1, 0.5, score=0.6)],
        assignment_title="Homework 7",
        links={},
    )
    first, second, mean = rows(html)
    assert first.startswith("student-01 0.60 / 0.80 Graded Partly passed: 0.10")
    assert second.startswith("student-02 0.20 / 0.20 Graded Passed: 0.20 Waits for a person: –")
    assert mean == "Mean 0.40 0.15 (2) 0.50 (1)"
    assert "Mean 0.40, median 0.40, lowest 0.20, highest 0.60" in html


def test_the_order_of_reports_does_not_matter():
    reports = [student(f"student-{number:02d}", 0.1, None, score=0.1) for number in range(5)]
    assert render_class_table(reports, assignment_title="x", links={}) == render_class_table(
        reports[::-1], assignment_title="x", links={}
    )


def test_a_submission_without_score_is_no_zero():
    broken = Report(
        assignment="jena",
        student="student-03",
        status="needs_attention",
        score=None,
        max_score=0.8,
        problem="Not JSON.",
    )
    html = render_class_table([student("student-01", 0.1, None, score=0.1), broken], assignment_title="x", links={})
    assert rows(html)[1] == "student-03 – / 0.00 Needs a person Not JSON. none none"
    assert "Mean 0.10, median 0.10" in html
    assert "1 needs a person to look." in html


def test_links_lead_to_pages_and_never_to_code(audit):
    links = {"student-01": "student-01/feedback.html", "student-02": "javascript:alert(1)", "student-03": "http://[bad"}
    reports = [student(name, 0.1, None, score=0.1) for name in links]
    page = audit(render_class_table(reports, assignment_title="x", links=links))
    assert [value for tag, name, value in page.attributes if tag == "a" and name == "href"] == [
        "#main",
        "student-01/feedback.html",
    ]


def test_hostile_names_are_escaped(hostile, audit):
    html = render_class_table([hostile[0]], assignment_title="<script>", links={hostile[0].student: "page.html"})
    page = audit(html)
    assert page.problems == []
    assert page.dangers == []
    assert "script" not in page.tags


def test_an_empty_class_is_a_page_too(audit):
    html = render_class_table([], assignment_title="x", links={})
    assert audit(html).problems == []
    assert "No submission has a score yet." in html


def test_headers_have_their_scope():
    html = render_class_table([student("student-01", 0.1, None, score=0.1)], assignment_title="x", links={})
    assert all("scope=" in header for header in re.findall(r"<th\b[^>]*>", html))
