"""What a student reads about a limit: which, how much was allowed, what to do. No kernel runs here."""

import pytest

from autograder.checks.failure import Failure, LimitFailure
from autograder.checks.view import PROBE, EvidenceView
from autograder.errors import HiddenTestError
from autograder.evidence import Raised
from autograder.feedback.render import render_feedback
from autograder.records import CellError, CellRun, LimitExceeded, ProbeRun, QuestionResult, Report, Run

ALLOWED = {"memory": "400 MB", "open files": "100 open files"}
FULL = LimitExceeded(limit="disk", allowed="20 MB", grade_id="sum", cell_index=3)
LONG = LimitExceeded(limit="output", allowed="8 kB", grade_id="sum", cell_index=3)


def make_run(**fields):
    return Run(assignment="a", profile="smoke", seed=7, sandbox="none", allowed=ALLOWED, **fields)


def told(tmp_path, values, **run):
    """What is said when a value of the question `sum` is asked for."""
    view = EvidenceView(tmp_path / "sum.npz", make_run(**run), "sum")
    view._values = values
    with pytest.raises((Failure, HiddenTestError)) as caught:
        view["total"]
    return caught.value


def cell(outcome, error=None):
    return CellRun(index=3, grade_id="sum", outcome=outcome, seconds=2, error=error)


@pytest.mark.parametrize("name", ["total", PROBE])
def test_a_refusal_while_a_function_is_called_is_a_limit(tmp_path, name):
    failure = told(tmp_path, {name: Raised("OSError", "[Errno 24] Too many open files: 'x'")})
    assert isinstance(failure, LimitFailure)
    assert "(open files: 100 open files allowed). Received: OSError: [Errno 24]" in failure.message
    assert "with" in failure.hint


def test_an_ordinary_exception_is_no_limit(tmp_path):
    failure = told(tmp_path, {"total": Raised("ValueError", "28")}, limits_exceeded=(FULL,))
    assert not isinstance(failure, LimitFailure)


@pytest.mark.parametrize(
    ("exceeded", "stopped", "is_limit"),
    [
        ((FULL,), cell("error", CellError(name="OSError", message="[Errno 28]")), True),
        ((LONG,), cell("error", CellError(name="KeyboardInterrupt", message="")), True),
        ((LONG,), cell("error", CellError(name="NameError", message="x")), False),
        ((LONG, FULL), cell("error", CellError(name="OSError", message="[Errno 28]")), True),
        ((), cell("error", CellError(name="NameError", message="x")), False),
    ],
)
def test_a_missing_name_is_due_to_the_limit_that_stopped_its_cell(tmp_path, exceeded, stopped, is_limit):
    missing = {"total": Raised("NotDefined", "`total` is not defined")}
    failure = told(tmp_path, missing, cells=(stopped,), limits_exceeded=exceeded)
    assert isinstance(failure, LimitFailure) == is_limit
    if is_limit:
        limit = next(one for one in exceeded if one == FULL or exceeded == (LONG,))
        assert f"because the cell `sum` ran into a limit. Received: {limit}; the cell ran for 2 s" in failure.message
        assert failure.hint == limit.advice


def test_the_limit_that_ended_the_run_is_told_and_no_other(tmp_path):
    end = LimitExceeded(limit="memory", allowed="400 MB", grade_id="big", cell_index=5)
    cells = (cell("ok"), CellRun(index=5, grade_id="big", outcome="killed"))
    cause = "the cell `big` was stopped: memory, 400 MB allowed"
    failure = told(tmp_path, None, cells=cells, limits_exceeded=(LONG, end), kernel_died=True, cause_of_death=cause)
    assert isinstance(failure, LimitFailure)
    assert failure.message.endswith("memory limit exceeded in the cell `big`: 400 MB allowed")
    assert failure.hint == end.advice


def test_a_crash_is_no_limit_although_one_was_met_before(tmp_path):
    cells = (cell("ok"), CellRun(index=5, grade_id="big", outcome="killed"))
    cause = "the kernel ended in the cell `big`: by the signal SIGSEGV"
    failure = told(tmp_path, None, cells=cells, limits_exceeded=(FULL,), kernel_died=True, cause_of_death=cause)
    assert not isinstance(failure, LimitFailure)
    assert "SIGSEGV" in failure.message


def test_evidence_that_could_not_be_written_for_a_limit_is_a_limit(tmp_path):
    probe = ProbeRun(question="sum", outcome="failed", message="OSError: [Errno 24] Too many open files")
    assert isinstance(told(tmp_path, None, probes=(probe,)), LimitFailure)


def test_evidence_that_is_missing_without_reason_is_our_error_although_outputs_were_cut(tmp_path):
    probe = ProbeRun(question="sum", outcome="failed", message="KeyError: 'x'")
    assert isinstance(told(tmp_path, None, probes=(probe,), limits_exceeded=(LONG,)), HiddenTestError)


def test_the_page_tells_the_limit_with_what_to_do():
    question = QuestionResult(id="sum", points=0, max_points=1, outcome="failed")
    run = make_run(limits_exceeded=(FULL,))
    report = Report(
        assignment="a", student="student-01", status="graded", score=0, max_score=1, questions=(question,), run=run
    )
    page = render_feedback(report, notebook=None)
    assert f"20 MB allowed. {FULL.advice}" in page
