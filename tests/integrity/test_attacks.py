"""Attacks from inside the kernel, graded for real: accidents cost nothing, forgeries win nothing, and nobody learns an answer.

About 80 kernels without TensorFlow, one to four seconds each.
"""

from __future__ import annotations

import pytest

from tests.integrity.conftest import ABLE, GIVEN, PROBE, TOTAL, UNABLE, assert_no_secret, pages, parameters, snippets

LOOTING = (
    "import os\nprint(globals().get('LOOT'), open('/tmp/loot').read() if os.path.exists('/tmp/loot') else '')\n" + TOTAL
)


def test_there_are_enough_attacks():
    assert len(snippets("runtime", "requests", "evidence", "objects", "thieves")) >= 50
    assert len(snippets("accidents")) >= 15


@pytest.mark.parametrize("snippet", parameters("accidents"))
def test_an_accident_costs_nothing(exam, snippet):
    report = exam.grade(exam.notebook(double=ABLE + snippet.source, total=TOTAL))
    exam.assert_outcomes(report)
    assert (report.status, report.score) == ("graded", 1.5)
    assert_no_secret(exam, report)


@pytest.mark.parametrize("snippet", parameters("runtime", "requests", "evidence", "objects"))
def test_a_forgery_wins_nothing(exam, snippet):
    """Without an answer there are no points for it, whatever is claimed; and no more than its own for the other question."""
    report = exam.grade(exam.notebook(double=UNABLE + snippet.source, total=TOTAL))
    value = next((check for check in report.question("double").checks if check.name == "test_value"), None)
    assert value is not None and value.outcome in {"failed", "limit_exceeded", "error"}, value
    assert report.question("total").points in (None, 0.0, 0.5)
    assert report.status == "graded" or report.score is None
    assert_no_secret(exam, report)


@pytest.mark.parametrize("snippet", parameters("thieves"))
def test_a_thief_finds_no_answer(exam, snippet):
    """Whatever can be reached and printed: there is no answer in it, no hidden test and no path of the grader's."""
    report = exam.grade(exam.notebook(double=UNABLE + snippet.source, total=LOOTING))
    assert report.question("double").points in (None, 0.0), report.question("double")
    assert_no_secret(exam, report)


def test_inputs_can_be_seen_and_answers_cannot(exam):
    """What docs/security.md admits: a probe's source and its inputs are in the kernel, and can be printed there."""
    reader = next(each for each in snippets("thieves") if each.name == "a_reader_of_the_inbox")
    report = exam.grade(exam.notebook(double=UNABLE + reader.source, total="import time; time.sleep(0.3)\n" + LOOTING))
    executed = pages(exam, report)["executed.ipynb"]
    assert PROBE in executed and GIVEN in executed
    assert_no_secret(exam, report)


def test_an_honest_notebook_shows_nothing_of_the_probe(exam):
    report = exam.grade(exam.notebook(double=ABLE + "print(sorted(globals()))", total="print(dir())\n" + TOTAL))
    exam.assert_outcomes(report)
    for name, text in pages(exam, report).items():
        assert PROBE not in text and GIVEN not in text and "_autograder" not in text, name
    assert_no_secret(exam, report)


def test_a_forger_touches_nobody_else(exam):
    """Another submission of the same course folder is graded after a forger's as if there had been none."""
    forger = next(each for each in snippets("evidence") if each.name == "names_that_lead_out_of_the_folder")
    tests = {path: path.read_bytes() for path in sorted((exam.folder / "solutions").rglob("*.py"))}
    before = exam.grade(exam.notebook(double=ABLE, total=TOTAL), "student-02")
    exam.grade(exam.notebook(double=UNABLE + forger.source, total=TOTAL), "student-01")
    after = exam.grade(exam.notebook(double=ABLE + "\n", total=TOTAL), "student-03")
    assert [(q.id, q.points, q.outcome) for q in before.questions] == [
        (q.id, q.points, q.outcome) for q in after.questions
    ]
    assert {path: path.read_bytes() for path in sorted((exam.folder / "solutions").rglob("*.py"))} == tests
