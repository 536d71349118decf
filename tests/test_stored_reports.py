"""Reports of a class are read one by one, and the class's page holds only what it shows."""

from pathlib import Path

import pytest

from autograder import store
from autograder.batch import read_reports
from autograder.checks.view import EvidenceView
from autograder.errors import ReportError
from autograder.feedback.class_table import _shown_of
from autograder.records import CheckResult, Picture, QuestionResult, Report, Run

RUN = Run(assignment="a", profile="cpu", seed=1, sandbox="none")


def publish(folder, student, points):
    question = QuestionResult(
        id="q",
        points=points,
        max_points=2,
        outcome="passed",
        checks=(CheckResult(name="c", title="t", outcome="passed"),),
        pictures=(Picture(kind="bars"),),
    )
    report = Report(
        assignment="a", student=student, status="graded", score=points, max_score=2, questions=(question,), run=RUN
    )
    store.write_report(folder, report, notebook=None, feedback="")
    return report


def test_stored_reports_are_a_sequence_of_what_was_published(tmp_path):
    written = [publish(tmp_path, f"s{number}", number) for number in range(3)]
    reports = store.StoredReports(tmp_path, "a", ["s0", "s1", "s2"])
    assert list(reports) == written
    assert (len(reports), reports[-1], list(reports[1:])) == (3, written[2], written[1:])
    with pytest.raises(IndexError):
        reports[3]


def test_a_report_is_read_when_it_is_asked_for(tmp_path):
    publish(tmp_path, "s0", 1.0)
    reports = store.StoredReports(tmp_path, "a", ["s0"])
    publish(tmp_path, "s0", 2.0)
    assert reports[0].score == 2.0
    (store.report_folder(tmp_path, "a", "s0") / store.REPORT_FILE).unlink()
    with pytest.raises(ReportError, match="no report of s0"):
        reports[0]


def test_reports_that_cannot_be_read_are_left_out_and_told(tmp_path):
    for student in ("s0", "s1", "s2"):
        publish(tmp_path, student, 1.0)
    (store.report_folder(tmp_path, "a", "s1") / store.REPORT_FILE).write_text("{")
    reports, problems = read_reports(tmp_path, "a")
    assert [report.student for report in reports] == ["s0", "s2"]
    assert len(problems) == 1
    assert "s1" in problems[0]
    assert [report.student for report in read_reports(tmp_path, "a", {"s2"})[0]] == ["s2"]


def test_the_class_page_holds_points_and_outcomes_only(tmp_path):
    shown = _shown_of(publish(tmp_path, "s0", 1.0))
    assert (shown.questions[0].points, shown.questions[0].outcome, shown.score) == (1.0, "passed", 1.0)
    assert (shown.questions[0].checks, shown.questions[0].pictures, shown.run) == ((), (), None)


def test_a_round_of_evidence_is_read_once():
    """Tests of one question ask for the same rounds again and again."""
    view = EvidenceView(Path("q.npz"), RUN, "q")
    assert view.round(2) is view.round(2)
    assert view.round(2) is not view.round(3)
    assert view.round(0) is view
