"""Classes of stored runs: nothing is executed, and what is measured is what it says. Takes about 40 s, with kernels."""

import io

import pytest
from rich.console import Console

from autograder import batch, store
from autograder.config import load_course
from autograder.marking import mark_class
from benchmarks import class_size
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

EDITED = ("test_double.py", r'(hint="Use the name FACTOR)')
COUNT = 3


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course of two students, executed for real."""
    folder = make_course(tmp_path_factory.mktemp("graded"))
    hand_in(folder, "student-01", ANSWERS)
    hand_in(folder, "student-02", {**ANSWERS, "triple": "def triple(x):\n    return x + 1"})
    mark_class(folder, load_course(folder), NAME, console=Console(file=io.StringIO()), gradebook=False)
    return folder


@pytest.fixture
def larger(graded, tmp_path):
    """The folder of a class made from it, and the profile."""
    _, profile = class_size.enlarge(graded, tmp_path / "class", NAME, COUNT)
    return tmp_path / "class", profile


def test_every_student_has_a_run_of_their_own_without_verdicts(larger):
    folder, profile = larger
    runs = list(store.run_folder(folder, "").iterdir())
    assert profile == "cpu"
    assert len(runs) == COUNT + class_size.STARTERS
    assert all((run / store.RUN_FILE).is_file() and not (run / "verdicts").exists() for run in runs)


def test_a_class_of_stored_runs_is_judged_and_marked_without_a_kernel(larger, monkeypatch):
    """Not even the sandbox is asked for; an edited hidden test is judged again; then there is nothing to do."""

    def never(*_):
        raise AssertionError

    monkeypatch.setattr(batch, "settle", never)
    found = class_size.measure(*_with_name(larger), EDITED)
    assert set(found) == {"start", *class_size.PHASES, "peak"}
    assert all(found[phase]["wall_ms"] > 0 for phase in class_size.PHASES)
    assert 50 < found["peak"]["coordinator_mb"] < 4000
    scores = [report.score for report in batch.read_reports(larger[0], NAME)[0]]
    assert sorted(scores) == [2.0, 2.0, 3.0, 3.0, 3.0]


def test_an_edit_that_finds_nothing_is_told(larger):
    with pytest.raises(SystemExit, match="Received: 0 times"):
        class_size.edit(larger[0], NAME, ("test_double.py", "(no such text)"), "")


def test_the_steps_of_a_submission_are_timed(larger):
    spent = class_size.parts(*_with_name(larger))
    assert {"decide", "judge", "report and page", "judge double alone", "gradebook"} <= set(spent)


def test_tables_and_plot_come_of_what_was_measured(tmp_path):
    phases = {phase: {"wall_ms": 1.5, "cpu_ms": 2.5} for phase in ("start", *class_size.PHASES)}
    rows = [
        {"size": size, "found": {**phases, "peak": {"coordinator_mb": 99.0, "largest_judge_mb": 77.0}}}
        for size in (10, 100)
    ]
    printed = io.StringIO()
    class_size.show(rows, {"judge": 12.5}, Console(file=printed, width=120))
    assert "12.5" in printed.getvalue()
    assert "99" in printed.getvalue()
    class_size.plot(rows, tmp_path / "a.svg")
    class_size.plot(rows, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def _with_name(larger):
    folder, profile = larger
    return folder, NAME, profile
