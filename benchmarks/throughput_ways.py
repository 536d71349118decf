"""The ways in which a class can be graded, each by the command that its own documentation tells people to type."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from benchmarks import throughput_bare, throughput_courses
from benchmarks.throughput_courses import NAME, POINTS, Homework, students

OURS, NBGRADER, OTTER = "autograder grade", "nbgrader autograde", "otter run"
PAPERMILL, BARE, BARE_LOADED = "papermill", "bare cells", "bare cells, loaded"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
SHARED = ("tensorflow", "keras", "numpy")
"""What the notebooks import; the versions of every tool's Python are noted."""
Prepare = Callable[[Path, Homework, int], None]
NO_OTTER = "not installed: no Python with otter-grader was named (--otter PYTHON)"


@dataclass(frozen=True)
class Way:
    """One way to grade a class.

    Attributes:
        name: of the row.
        typed: the command as a person types it.
        protects: what it protects against.
        prepare: makes everything that is there before grading begins, in a new folder; not timed.
        commands: what is timed, one after another, in a copy of that folder.
        scores: the marks that came of it, by student; None where the way gives none.
    """

    name: str
    typed: str
    protects: str
    prepare: Prepare
    commands: Callable[[Path], list[list[str]]]
    scores: Callable[[Path], Mapping[str, float | None]] | None = None

    def expect_full_marks(self, folder: Path, count: int) -> None:
        """A way that gives up early would be fast: all submissions are right, and must have been found so.

        Raises:
            SystemExit: they were not.
        """
        if self.scores is None:  # its commands fail when a cell does
            return
        found = dict(self.scores(folder))
        if found != dict.fromkeys(students(count), POINTS):
            raise SystemExit(f"{self.name} should give every submission {POINTS} points. Received: {found}")


def ways(processes: int, otter: Path | None) -> dict[str, Way]:
    """All ways that can be tried here, in the order in which they take turns."""
    python = sys.executable
    bare = [python, throughput_bare.__file__]

    def papermill(folder: Path) -> list[list[str]]:
        command = [python, "-m", "papermill", "--no-progress-bar"]
        return [[*command, path.name, f"executed-{path.name}"] for path in sorted(folder.glob("student-*.ipynb"))]

    found = [
        Way(
            OURS,
            f"autograder grade {NAME}",
            "submissions run in a sandbox each, without network; hidden tests and marks are never in it",
            partial(_prepare_course, throughput_courses.write_own),
            lambda _: [[python, "-m", "autograder", "grade", NAME, "--json"]],
            throughput_courses.own_scores,
        ),
        Way(
            NBGRADER,
            f"nbgrader autograde {NAME}",
            "nothing: runs with the grader's rights; hidden tests are in the same kernel",
            partial(_prepare_course, throughput_courses.write_nbgrader),
            lambda _: [[python, "-m", "nbgrader", "autograde", NAME]],
            throughput_courses.nbgrader_scores,
        ),
        Way(
            PAPERMILL,
            "papermill SUBMISSION OUTPUT",
            "nothing, and gives no marks: visible tests only",
            throughput_courses.write_notebooks,
            papermill,
        ),
        Way(
            BARE,
            "python SUBMISSION.py, one per core",
            "nothing, and gives no marks: visible tests only",
            throughput_courses.write_scripts,
            lambda _: [[*bare, ".", str(processes)]],
        ),
        Way(
            BARE_LOADED,
            "a fork of a Python with TensorFlow, one per core",
            "nothing, and gives no marks: visible tests only",
            throughput_courses.write_scripts,
            lambda _: [[*bare, ".", str(processes), "--loaded"]],
        ),
    ]
    if otter is not None:
        found.insert(2, _otter(otter))
    return {way.name: way for way in found}


def _otter(python: Path) -> Way:
    def prepare(folder: Path, homework: Homework, count: int) -> None:
        throughput_courses.write_otter(folder, homework, count)
        for student in students(count):
            (folder / "results" / student).mkdir(parents=True)
        _ready([str(python), "-m", "otter", "generate", "--tests-dir", "tests", "-o", "autograder.zip"], folder)

    def commands(folder: Path) -> list[list[str]]:
        command = [str(python), "-m", "otter", "run", "-a", "autograder.zip"]
        return [[*command, "-o", f"results/{path.stem}", path.name] for path in sorted(folder.glob("student-*.ipynb"))]

    return Way(
        OTTER,
        "otter run SUBMISSION",
        "nothing: runs with the grader's rights; hidden tests are in the same kernel",
        prepare,
        commands,
        throughput_courses.otter_scores,
    )


def _prepare_course(write: Prepare, folder: Path, homework: Homework, count: int) -> None:
    """A course of which the release has been made, as it is before students get it; so there is a gradebook, too."""
    write(folder, homework, count)
    _ready([sys.executable, "-m", "nbgrader", "generate_assignment", NAME], folder)


def _ready(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=environment(folder))
    if done.returncode:
        raise SystemExit(f"a command failed: {' '.join(command)}\n{done.stdout}\n{done.stderr}")


def environment(temporary: Path) -> dict[str, str]:
    """What commands inherit: no cap of threads, so those that grade one after another may use every core.

    Temporary files are below the benchmark's folder: nobody's warm process, and nobody's leftovers, are shared.
    """
    own = {name: value for name, value in os.environ.items() if name not in throughput_bare.THREADS}
    # nbgrader calls alembic by its name
    own |= QUIET | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(temporary)}
    return own


def versions(otter: Path | None) -> dict[str, dict[str, str]]:
    """What each Python has installed."""
    found = {"own": {name: version(name) for name in ("nbgrader", "papermill", "nbclient", "ipykernel", *SHARED)}}
    if otter is not None:
        names = ["otter-grader", "nbclient", "ipykernel", *SHARED]
        code = f"from importlib.metadata import version\nfor name in {names!r}: print(name, version(name))"
        told = subprocess.run([str(otter), "-c", code], check=True, capture_output=True, text=True).stdout
        found["otter"] = dict(line.split() for line in told.splitlines())
    return found
