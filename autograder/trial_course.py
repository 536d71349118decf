"""A course of generated students, made to try the grading: what each of them did is known, so what the grader should
say is known too, and is compared.

Everything is the real thing: nbgrader makes the release, and the submissions are graded as any others. The demo shows
such a course, the self-test measures with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbformat import NotebookNode
from rich.console import Console

from autograder.batch import Batch, grade_batch
from autograder.config import CONFIG_FILE, Assignment, Course, load_course
from autograder.errors import ConfigurationError, ReleaseError
from autograder.marking import make_release
from autograder.notebooks import read_notebook, release_path
from autograder.progress import display
from autograder.records import QuestionOutcome, Report, SandboxLevel
from autograder.store import REPORT_FILE
from autograder.tables import plain

NBGRADER_CONFIG = "nbgrader_config.py"
NOTEBOOK_MB = 20
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class TrialStudent:
    """Who hands in what.

    Attributes:
        student: the student's id.
        name: what the student is known by, such as the name of a mutant file.
        story: what this student did.
        expected: outcomes by question that differ from "passed"; None: the file cannot be read, a person is asked.
        content: of the notebook file.
    """

    student: str
    name: str
    story: str
    expected: Mapping[str, QuestionOutcome] | None
    content: str


@dataclass(frozen=True)
class Verdict:
    """What the grader said about a student, against what it should say; without `surprises`, all is well."""

    student: TrialStudent
    report: Report | None
    surprises: tuple[str, ...]


def build_course(source: Path, folder: Path, names: Sequence[str] | None = None, *, command: str) -> Course:
    """Make a fresh course folder with the files of another course, and nbgrader's releases in it.

    A folder that is there already is replaced only if the same command made it.

    Args:
        source: the course.
        folder: where the new one goes.
        names: the assignments that it gets; None for all.
        command: that makes it, such as "demo".

    Raises:
        ConfigurationError: the source is no course, or the folder is something else's.
        ReleaseError: nbgrader could not make the release.
    """
    course = load_course(source)
    chosen = course.assignments if names is None else tuple(course.assignment(name) for name in names)
    _claim(folder, source, command)
    for path in folder.iterdir():
        if path.name != _marker(command):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    _copy_configuration(source, folder)
    for assignment in chosen:
        _copy_solution(source, folder, assignment.name)
        run_nbgrader(folder, "generate_assignment", assignment.name)
    return _only(course, chosen, source)


def refresh_course(source: Path, course: Course, name: str, folder: Path, *, command: str) -> Course:
    """Bring a course folder with one assignment up to date; its stored runs and reports stay.

    Args:
        source: the course.
        course: its configuration.
        name: of the assignment.
        folder: which is made where it is missing, and is touched only if the same command made it.
        command: that makes it, such as "selftest".

    Raises:
        ConfigurationError: the folder is something else's, or the course has no such assignment.
        ReleaseError: nbgrader could not make the release.
    """
    trial = _only(course, (course.assignment(name),), source)
    _claim(folder, source, command)
    notebook = Path("solutions") / name / f"{name}.ipynb"
    if any(_bytes(source / path) != _bytes(folder / path) for path in (notebook, Path(CONFIG_FILE))):
        shutil.rmtree(release_path(folder, name).parent, ignore_errors=True)  # before what it was made from changes
    _copy_configuration(source, folder)
    _copy_solution(source, folder, name)
    make_release(folder, trial, name)
    return trial


def _only(course: Course, assignments: tuple[Assignment, ...], source: Path) -> Course:
    """The course with these assignments, whose data lie where they lay."""
    here = []
    for assignment in assignments:
        data = assignment.data
        if data is not None and data.path is not None:
            kept = data.model_copy(update={"path": source.resolve() / data.path})
            here.append(assignment.model_copy(update={"data": kept}))
        else:
            here.append(assignment)
    return course.model_copy(update={"assignments": tuple(here)})


def _claim(folder: Path, source: Path, command: str) -> None:
    if folder.resolve() == source.resolve():
        raise ConfigurationError(
            f"`autograder {command}` needs a folder of its own, not the course's. Received: {folder}"
        )
    marker = folder / _marker(command)
    if marker.is_file():
        return
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()) or (folder.is_dir() and any(folder.iterdir())):
        raise ConfigurationError(
            f"This was not made by `autograder {command}`, which therefore leaves it alone. Name another place with "
            f"--folder DIR. Received: {folder}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(f"Made by `autograder {command}`, which may replace what is in this folder.\n", encoding="utf-8")


def _marker(command: str) -> str:
    return f".autograder-{command}"


def _copy_configuration(source: Path, folder: Path) -> None:
    for name in (CONFIG_FILE, NBGRADER_CONFIG):
        if not (source / name).is_file():
            raise ConfigurationError(f"A course of generated students needs the course's {name}. Received: {source}")
        shutil.copy(source / name, folder / name)


def _copy_solution(source: Path, folder: Path, name: str) -> None:
    home = folder / "solutions" / name
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(source / "solutions" / name, home, ignore=shutil.ignore_patterns("__pycache__", ".*"))


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def run_nbgrader(folder: Path, *arguments: str) -> None:
    """Run one of nbgrader's own commands in a course folder.

    Raises:
        ReleaseError: it failed; the message ends with what it said last.
    """
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()[-6:]
        what = f"nbgrader {' '.join(arguments)} failed with status {done.returncode}"
        raise ReleaseError(f"{what}. Received: " + "\n".join(said))


def read_release(course_folder: Path, name: str) -> NotebookNode:
    """The notebook that students get.

    Raises:
        NotebookError: it cannot be read.
    """
    return read_notebook(release_path(course_folder, name), max_bytes=NOTEBOOK_MB * 2**20)


def read_source(course_folder: Path, name: str) -> NotebookNode:
    """The instructor's notebook, with the reference solution.

    Raises:
        NotebookError: it cannot be read.
    """
    return read_notebook(course_folder / "solutions" / name / f"{name}.ipynb", max_bytes=NOTEBOOK_MB * 2**20)


def judged_questions(assignment: Assignment) -> list[str]:
    """Questions whose outcome depends on the student alone: not hand-graded, and not on the machine's hardware."""
    return [question.id for question in assignment.questions if not question.manual and question.id != "gpu_training"]


def hand_in(
    course_folder: Path, assignment: Assignment, students: Iterable[TrialStudent], *, apart: timedelta = HOUR
) -> None:
    """Put the notebooks where nbgrader collects them, each a little later than the one before."""
    due = assignment.due or datetime(2025, 1, 1, tzinfo=UTC)
    for number, student in enumerate(students):
        home = course_folder / "submitted" / student.student / assignment.name
        home.mkdir(parents=True, exist_ok=True)
        (home / f"{assignment.name}.ipynb").write_text(student.content, encoding="utf-8")
        when = (due - 30 * HOUR + number * apart).astimezone(UTC)
        (home / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S.%f} UTC\n", encoding="utf-8")


def withdraw_others(course_folder: Path, name: str, students: Iterable[TrialStudent]) -> None:
    """Take away the submissions and reports of all but these students; their stored runs stay."""
    kept = {student.student for student in students}
    reported = course_folder / "reports" / name
    for path in [*_folders(course_folder / "submitted"), *_folders(reported)]:
        if path.name not in kept and (path.parent != reported or (path / REPORT_FILE).is_file()):
            shutil.rmtree(path)


def _folders(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.is_dir()] if parent.is_dir() else []


def grade_trial(
    course_folder: Path,
    course: Course,
    name: str,
    *,
    console: Console,
    profile: str | None = None,
    sandbox: SandboxLevel | None = None,
    workers: int | None = None,
) -> Batch:
    """Grade all that was handed in, before somebody's eyes, without a gradebook; nobody is asked about changed marks.

    Raises:
        AutograderError: nothing can be graded.
    """
    with display(console, name) as shown:
        return grade_batch(
            course_folder,
            course,
            name,
            on_event=shown.on_event,
            on_found=shown.on_found,
            on_note=lambda note: console.print(plain(f"Note: {note}", "yellow"), soft_wrap=True),
            profile=profile,
            sandbox=sandbox,
            workers=workers,
            confirm=lambda _: True,
        )


def compare(students: Iterable[TrialStudent], reports: Iterable[Report], assignment: Assignment) -> list[Verdict]:
    """What the grader said against what it should say, student by student."""
    by_student = {report.student: report for report in reports}
    return [_verdict(student, by_student.get(student.student), judged_questions(assignment)) for student in students]


def _verdict(student: TrialStudent, report: Report | None, judged: Sequence[str]) -> Verdict:
    if report is None:
        return Verdict(student, None, ("no report",))
    if student.expected is None:
        refused = report.status == "needs_attention" and report.score is None and bool(report.problem)
        return Verdict(student, report, () if refused else ("should have been refused",))
    surprises = []
    for question in report.questions:
        if question.id not in judged:
            continue
        expected = student.expected.get(question.id, "passed")
        if question.outcome != expected:
            surprises.append(f"{question.id}: {question.outcome} instead of {expected}")
    return Verdict(student, report, tuple(surprises))
