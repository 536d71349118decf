"""The feedback page as a whole. Takes about five seconds, most of it drawing."""

import re
import time
from pathlib import Path

import nbformat
import pytest

from autograder import feedback
from autograder.errors import ReportError
from autograder.feedback import render_feedback, write_page
from autograder.feedback.outcomes import MARKS
from autograder.feedback.pages import CONTENT_SECURITY_POLICY
from autograder.records import CheckResult, Picture, QuestionResult, Report


def words(html):
    """What a reader sees of a page."""
    html = re.sub(r"<(style|svg|head).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def small(**changes):
    fields = {"assignment": "a", "student": "student-01", "status": "graded", "score": 0.0, "max_score": 1.0}
    return Report(**(fields | changes))


def test_the_page_is_whole_and_holds_no_script(report, notebook, audit):
    html = render_feedback(report, notebook=notebook, title="Homework 7")
    page = audit(html)
    assert page.problems == []
    assert page.dangers == []
    assert "script" not in page.tags
    assert ("meta", "content", CONTENT_SECURITY_POLICY) in page.attributes
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert len(page.ids) == len(set(page.ids))


def test_every_outcome_is_told_in_a_word_with_an_icon(report):
    html = render_feedback(report)
    shown = words(html)
    for outcome in ("passed", "partial", "failed", "limit_exceeded", "not_assessed", "error", "waiting"):
        assert MARKS[outcome].word in shown
    badges = re.findall(r'<span class="badge[^>]*>(.*?)</span>', html, flags=re.DOTALL)
    assert badges
    assert all("<svg" in badge and re.sub(r"<[^>]+>", "", badge).strip() for badge in badges)


def test_score_checks_messages_hints_and_run_are_told(report):
    shown = words(render_feedback(report, title="Homework 7: multistep forecasting"))
    for text in (
        "Homework 7: multistep forecasting",
        "student-01",
        "0.25 of 0.40 assessed points",
        "0.60 waits for hand grading.",
        "0.05 not assessed here",
        "expected [9.31, 989.2], received [9.28, 989.3]",
        "shift the targets by INPUT_LENGTH",
        "Repaired: restored the deleted test cell",
        "cell time limit exceeded in the cell",
        "stopped: over its time",
        "NameError: name &#39;history&#39; is not defined",
        "no GPU on this machine",
        "sha256:abab",
        "data.rows",
    ):
        assert text in shown, text
    assert shown.count("restored the deleted test cell") == 1


def test_failed_checks_come_before_passed_ones(report):
    shown = words(render_feedback(report))
    assert shown.index("The first step of the target is the step") < shown.index("x has shape")


def test_comments_and_points_by_hand_are_shown_and_counted(report):
    html = render_feedback(
        report,
        comments={"discussion": "Say why the `MLP` lags.", "load_data": "", "elsewhere": "Tidy."},
        manual_points={"discussion": 0.5},
    )
    shown = words(html)
    assert "0.75 of 1.00 assessed points" in shown
    assert "aits for hand grading" not in shown
    assert "0.50 of 0.60 points" in shown
    assert "From your instructor Say why the MLP lags." in shown
    assert "More comments from your instructor elsewhere Tidy." in shown


def test_equal_arguments_give_equal_pages(report, notebook):
    assert render_feedback(report, notebook=notebook) == render_feedback(report, notebook=notebook)


def test_the_summary_links_to_questions_and_they_to_cells(report, notebook, audit):
    page = audit(render_feedback(report, notebook=notebook))
    targets = {
        value[1:] for tag, name, value in page.attributes if tag == "a" and name == "href" and value.startswith("#")
    }
    assert {"question-1", "question-7", "main", "cell-2"} <= targets
    assert targets <= set(page.ids)


def test_pictures_have_text_alternatives(report, notebook, audit):
    html = render_feedback(report, notebook=notebook)
    images = re.findall(r'<svg [^>]*role="img"[^>]*>', html)
    assert len(images) == 9
    ids = set(audit(html).ids)
    for image in images:
        assert set(re.search(r'aria-labelledby="([^"]+)"', image)[1].split()) <= ids
    assert all('alt="' in image for image in re.findall(r"<img[^>]*>", html))


def test_structure_for_readers_who_listen(report, notebook, audit):
    """One h1, no level skipped, a language, landmarks, a way past the top, headers of tables with their scope."""
    html = render_feedback(report, notebook=notebook)
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    page = audit(html)
    assert {"header", "main", "footer", "section", "article"} <= set(page.tags)
    assert ("html", "lang", "en") in page.attributes
    ours = html[: html.index("Your notebook as it ran")]
    assert all("scope=" in header for header in re.findall(r"<th\b[^>]*>", ours))


def test_a_hostile_submission_is_told_and_runs_nothing(hostile, audit):
    report, notebook = hostile
    html = render_feedback(report, notebook=notebook)
    page = audit(html)
    assert page.problems == []
    assert page.dangers == []
    assert "{{ 7*7 }}" in html
    assert "\x00" not in html
    assert "\u202e" not in html
    assert len(page.ids) == len(set(page.ids))
    assert html.count("A picture is missing here.") == 3
    assert len(html) < 1_000_000


def test_notebook_cells_outputs_and_errors_are_shown(report, notebook):
    html = render_feedback(report, notebook=notebook)
    shown = words(html)
    assert "9/9 ━━━ loss: 0.25" in shown
    assert "1/9" not in shown
    assert 'src="data:image/png;base64,' in html
    assert "NameError Traceback (most recent call last)" in shown
    assert r"\frac{1}{n}" in shown
    assert '<span class="k">def</span>' in html
    assert ".dataframe" not in html


def test_a_huge_notebook_makes_a_bounded_page_in_bounded_time():
    new = nbformat.v4
    huge = new.new_notebook()
    line = "<b>" * 15_000 + "x" * 200_000
    huge.cells = [
        new.new_code_cell(
            "x = '" + "a" * 2_000_000 + "'",
            outputs=[
                new.new_output("stream", name="stdout", text="y" * 3_000_000),
                *(new.new_output("display_data", data={"text/html": line}) for _ in range(100)),
            ],
        ),
        *(new.new_markdown_cell("[" * 60_000 + ">" * 60_000) for _ in range(3)),
        *(new.new_markdown_cell("> " * 20_000) for _ in range(3)),
        *(new.new_code_cell("pass") for _ in range(600)),
    ]
    start = time.perf_counter()
    html = render_feedback(small(), notebook=huge)
    assert time.perf_counter() - start < 20
    assert len(html) < 16_000_000
    assert "more characters are not shown" in html
    assert "more outputs are not shown" in html
    assert "207 more cells are not shown" in html


@pytest.mark.parametrize(
    "cells",
    [
        "no list",
        [None, 3, "x"],
        [{}],
        [{"cell_type": "code", "source": 3, "metadata": "x", "outputs": {"a": 1}}],
        [
            {
                "cell_type": "code",
                "source": ["a", 1],
                "outputs": [3, {"output_type": "display_data", "data": 4}, {"output_type": "error"}],
            }
        ],
        [
            {
                "cell_type": "code",
                "outputs": [{"output_type": "display_data", "data": {"image/png": ["x"], "text/html": 3}}],
            }
        ],
        [{"cell_type": "markdown", "source": "\ud800", "metadata": {"nbgrader": {"grade_id": ["\ud800"]}}}],
    ],
)
def test_a_notebook_of_the_wrong_shape_is_no_reason_to_fail(cells, audit):
    html = render_feedback(small(), notebook={"cells": cells})
    assert audit(html).problems == []
    assert html.encode("utf-8")


def test_outputs_that_cannot_be_shown_say_so():
    new = nbformat.v4
    notebook = new.new_notebook()
    notebook.cells = [
        new.new_code_cell("x", outputs=[new.new_output("display_data", data={"application/vnd.plotly+json": {}})])
    ]
    assert "An output that this page cannot show (application/vnd.plotly+json)." in render_feedback(
        small(), notebook=notebook
    )


def test_a_submission_that_could_not_be_read_tells_the_problem():
    html = render_feedback(
        small(status="needs_attention", score=None, problem="The notebook is not JSON. Received: b'PK'")
    )
    shown = words(html)
    assert "No score yet" in shown
    assert "The notebook is not JSON." in shown
    assert "Question by question" not in shown
    assert "hand in again" in shown
    assert "grader's side" not in html


def test_too_many_pictures_are_counted():
    bar = Picture(kind="bars", data={"rows": [{"label": "a", "value": 1}]})
    question = QuestionResult(
        id="q",
        points=1,
        max_points=1,
        outcome="passed",
        pictures=(bar,) * 14,
        checks=(CheckResult(name="a", title="A", outcome="passed"),),
    )
    assert "2 more pictures are not shown." in render_feedback(small(questions=(question,)))


def test_pages_are_written_whole(tmp_path):
    path = tmp_path / "student-01" / "feedback.html"
    write_page(path, "<p>ž</p>")
    write_page(path, "<p>new</p>")
    assert path.read_text(encoding="utf-8") == "<p>new</p>"
    assert list(path.parent.iterdir()) == [path]


def test_a_page_that_cannot_be_written_is_an_error_with_its_place(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(ReportError, match=r"could not be written.*page\.html"):
        write_page(tmp_path / "page.html", "<p></p>")
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


# --- colours -----------------------------------------------------------------------------------------------------

CSS = (Path(feedback.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
TEXT_ON_GROUND = [
    *((text, ground) for text in ("ink", "muted", "accent") for ground in ("ground", "panel")),
    *((tone, f"{tone}-ground") for tone in ("good", "bad", "warn", "calm")),
    *(("ink", f"{tone}-ground") for tone in ("good", "bad", "warn", "calm")),
    *((tone, "ground") for tone in ("good", "bad", "warn", "calm")),
    *((token, "panel") for token in ("keyword", "string", "number", "comment", "name")),
]


def schemes():
    """The colours of the light scheme, and of the dark one, by name."""
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    )
    return light, dark


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND)
def test_text_stands_out(scheme, text, ground):
    """WCAG 2.2, 1.4.3: text has a contrast of at least 4.5:1."""
    colours = schemes()[scheme]
    low, high = sorted([luminance(colours[text]), luminance(colours[ground])])
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_the_stylesheet_loads_nothing_and_prints():
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "@media print" in CSS


def test_what_a_student_can_act_on_comes_before_the_graders_own_trouble():
    checks = tuple(
        CheckResult(name=outcome, title=f"Title of {outcome}", outcome=outcome)
        for outcome in ("passed", "not_assessed", "error", "limit_exceeded", "failed")
    )
    question = QuestionResult(id="q", points=None, max_points=1, outcome="error", checks=checks)
    shown = words(render_feedback(small(questions=(question,), score=None, status="needs_attention")))
    places = [
        shown.index(f"Title of {outcome}")
        for outcome in ("failed", "limit_exceeded", "error", "not_assessed", "passed")
    ]
    assert places == sorted(places)
