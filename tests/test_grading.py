"""One submission from notebook to report, with real kernels. About 40 s."""

import json

import pytest

from autograder import store
from autograder.errors import ReleaseError
from autograder.execution import levels

GOOD = {"double": "def double(x):\n    return 2 * x", "total": "total = N * double(1)"}
COLD = next(status for status in levels() if status.level == "cold")


def test_a_right_answer_gets_all_assessed_points(grader):
    report = grader.grade(grader.notebook(**GOOD))
    grader.assert_outcomes(report)
    assert (report.status, report.score, report.assessed_max_score, report.max_score) == ("graded", 1.5, 1.5, 3.5)
    assert report.question("discussion").outcome == "manual"
    folder = store.report_folder(grader.folder, "tiny", "student-01")
    assert sorted(path.name for path in folder.iterdir()) == [
        "executed.ipynb",
        "feedback.html",
        "history.jsonl",
        "report.json",
    ]
    on_disk = json.loads((folder / "report.json").read_text())
    assert {
        "schema",
        "assignment",
        "student",
        "status",
        "score",
        "max_score",
        "questions",
        "repairs",
        "run",
        "provenance",
    } <= set(on_disk)
    assert on_disk["schema"] == 1
    executed = json.loads((folder / "executed.ipynb").read_text())
    assert any("visible test of total" in json.dumps(each.get("outputs", "")) for each in executed["cells"])


@pytest.mark.skipif(not COLD.works, reason=f"no sandbox on this machine: {COLD.why}")
def test_the_sandbox_gives_the_same_marks(grader):
    notebook = grader.notebook(double="def double(x):\n    return 2.0 * x", total=GOOD["total"])
    without = grader.grade(notebook)
    grader.sandbox = "cold"
    inside = grader.grade(notebook, "student-02")
    assert inside.run.sandbox == "cold"
    assert [(q.id, q.points, q.outcome) for q in inside.questions] == [
        (q.id, q.points, q.outcome) for q in without.questions
    ]
    assert inside.question("double").points == 0.75


def test_points_follow_the_weights_of_the_checks(grader):
    report = grader.grade(grader.notebook(double="def double(x):\n    return '2'", total="total = 10"))
    grader.assert_outcomes(report, double="failed")
    report = grader.grade(grader.notebook(double="def double(x):\n    return x + 1", total="total = 10"))
    grader.assert_outcomes(report, double="partial")
    assert report.question("double").points == 0.25
    check = report.question("double").checks[0]
    assert check.message.startswith("Expected twice the number. Received: ")
    assert check.hint == "Week 1: doubling"


def test_an_unanswered_question_costs_only_itself(grader):
    report = grader.grade(grader.notebook(total="total = 10"))
    grader.assert_outcomes(report, double="failed")
    assert "`double` is not defined" in report.question("double").checks[0].message
    assert "NotImplementedError" in report.question("double").checks[0].message
    assert report.score == 0.5


def test_an_exception_names_the_students_own_line(grader):
    report = grader.grade(
        grader.notebook(double="def double(x):\n    y = x\n    return undefined_name * y", total="total = 10")
    )
    message = report.question("double").checks[0].message
    assert "NameError: name 'undefined_name' is not defined" in message
    assert "line 3: `return undefined_name * y`" in message


def test_a_question_is_judged_when_its_test_cell_has_run(grader):
    overwritten = grader.notebook(**{**GOOD, "total": "total = N * double(1)\ndef double(x):\n    return None"})
    grader.assert_outcomes(grader.grade(overwritten))


def test_a_dead_kernel_costs_only_what_comes_after_it(grader):
    report = grader.grade(grader.notebook(**{**GOOD, "total": "import os\nos._exit(3)"}))
    grader.assert_outcomes(report, total="failed")
    assert report.run.kernel_died
    assert "kernel had died" in report.question("total").checks[0].message
    assert report.score == 1.0


def test_a_cell_that_never_ends_is_a_limit_and_the_rest_goes_on(grader):
    grader.limits = grader.limits.model_copy(update={"cell_seconds": 2})
    report = grader.grade(grader.notebook(double="while True:\n    pass", total="total = 10"))
    grader.assert_outcomes(report, double="failed")
    assert report.run.limits_exceeded[0].limit == "cell time"
    check = report.question("double").checks[0]
    assert check.outcome == "limit_exceeded"
    assert "ran into a limit. Received: cell time limit exceeded in the cell" in check.message
    assert "`while True:`" in check.message


def test_a_probe_that_never_ends_is_a_limit_too(grader):
    grader.limits = grader.limits.model_copy(update={"probe_seconds": 2})
    report = grader.grade(grader.notebook(double="def double(x):\n    while True: pass", total="total = 10"))
    grader.assert_outcomes(report, double="failed")
    assert {check.outcome for check in report.question("double").checks} == {"limit_exceeded"}


def test_functions_that_keep_state_are_not_disturbed_by_probes(grader):
    report = grader.grade(
        grader.notebook(
            double="calls = []\ndef double(x):\n    calls.append(x)\n    return 2 * x",
            total="double(1)\nassert calls == [1], calls\ntotal = 10",
        )
    )
    grader.assert_outcomes(report)
    assert report.run.cell("total").outcome == "ok"


def test_a_stored_run_is_judged_again_without_a_kernel(grader, monkeypatch):
    notebook = grader.notebook(**GOOD)
    first = grader.grade(notebook)
    stamp = (grader.run_of(first) / "run.json").stat().st_mtime_ns
    tests = grader.folder / "solutions" / "tiny" / "hidden_tests" / "test_total.py"
    tests.write_text(tests.read_text().replace("!= 10", "!= 11"))
    second = grader.grade(notebook)
    grader.assert_outcomes(second, total="failed")
    assert (grader.run_of(second) / "run.json").stat().st_mtime_ns == stamp
    assert second.provenance["hidden_tests_sha256"] != first.provenance["hidden_tests_sha256"]
    assert second.provenance["submission_sha256"] == first.provenance["submission_sha256"]


def test_a_changed_probe_is_run_anew(grader):
    notebook = grader.notebook(**GOOD)
    first = grader.grade(notebook)
    tests = grader.folder / "solutions" / "tiny" / "hidden_tests" / "test_total.py"
    tests.write_text(tests.read_text().replace("lambda: student.total", "lambda: student.total + 1"))
    second = grader.grade(notebook)
    assert second.provenance["run"] != first.provenance["run"]
    grader.assert_outcomes(second, total="failed")


def test_a_broken_hidden_test_never_costs_a_point(grader):
    grader.question(
        "total",
        "def probe(student, given):\n    return {}\n\ndef test_it(evidence):\n    assert evidence['x'] == 1\n",
        0.5,
    )
    report = grader.grade(grader.notebook(**GOOD))
    grader.assert_outcomes(report, total="error")
    assert (report.status, report.score, report.question("total").points) == ("needs_attention", None, None)
    assert report.question("double").points == 1.0


def test_what_cannot_be_assessed_here_is_neither_given_nor_lost(grader):
    grader.question(
        "gpu", "def probe(student, given):\n    return {}\n\ndef test_gpu():\n    raise NotAssessed('no GPU')\n", 0.25
    )
    report = grader.grade(grader.notebook(**GOOD, gpu="pass"))
    grader.assert_outcomes(report, gpu="not_assessed")
    assert (report.status, report.score, report.assessed_max_score) == ("graded", 1.5, 1.5)


def test_an_edited_test_cell_wins_nothing(grader):
    notebook = grader.notebook(double="def double(x):\n    return 0", total="total = 10")
    for each in notebook.cells:
        if each.metadata.nbgrader.grade_id == "test_double":
            each.source = "print('100/100')"
            each.metadata.nbgrader.points = 99
    report = grader.grade(notebook)
    assert report.question("double").max_points == 1.0
    assert report.question("double").outcome != "passed"
    assert any("test_double" in repair for repair in report.repairs)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"not a notebook", "JSON"),
        (b'{"cells": [', "JSON"),
        ("ä".encode("utf-16"), ""),
        (b'{"a": 1}', "notebook"),
        (b"[" * 100_000, ""),
        (b" " * (21 * 2**20), "large"),
    ],
    ids=["empty", "text", "truncated", "utf-16", "other json", "deep", "huge"],
)
def test_a_notebook_that_cannot_be_read_is_refused_with_a_reason(grader, content, words):
    report = grader.grade(content)
    assert (report.status, report.score, report.run) == ("needs_attention", None, None)
    assert words in report.problem
    assert "\n" not in report.problem
    assert str(grader.folder) not in report.problem
    assert {question.points for question in report.questions} == {None}
    page = (store.report_folder(grader.folder, "tiny", "student-01") / "feedback.html").read_text()
    assert "<html" in page


def test_a_missing_notebook_is_refused_too(grader):
    submission = grader.submit(b"")
    submission.path.unlink()
    from autograder.grading import grade_submission

    report = grade_submission(grader.folder, grader.course, submission)
    assert report.status == "needs_attention"
    assert "tiny.ipynb" in report.problem


def test_a_missing_release_is_the_instructors_to_mend(grader):
    (grader.folder / "assignments" / "tiny" / "tiny.ipynb").unlink()
    with pytest.raises(ReleaseError):
        grader.grade(b"{}")


def test_no_secret_reaches_the_report_the_page_or_the_notebook(grader):
    report = grader.grade(grader.notebook(double="def double(x):\n    raise ValueError(x)", total="total = 1"))
    folder = store.report_folder(grader.folder, "tiny", "student-01")
    for name in ("report.json", "feedback.html", "executed.ipynb"):
        text = (folder / name).read_text()
        for secret in ("given.right", "def probe", "hidden_tests/", str(grader.folder)):
            assert secret not in text, (name, secret)
    assert report.status == "graded"
