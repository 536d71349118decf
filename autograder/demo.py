"""A whole course in one command: a release, generated students who each did one thing, grades, feedback.

Everything is the real thing: nbgrader makes the release and the feedback, the submissions are graded as any others.
What each student did is known, so what the grader should say is known too, and is compared.
"""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich import box
from rich.console import Console
from rich.table import Table

from autograder.batch import Batch
from autograder.config import CONFIG_FILE, Assignment, Course, load_course
from autograder.errors import ConfigurationError, ReleaseError
from autograder.marking import mark_class
from autograder.mutants import Mutant, apply_mutant, read_mutants
from autograder.notebooks import read_notebook, release_path
from autograder.records import QuestionOutcome, Report, SandboxLevel
from autograder.tables import clean, legend, one_line, plain, points_text, signs

MARKER = ".autograder-demo"
NBGRADER_CONFIG = "nbgrader_config.py"
NOTEBOOK_MB = 20
STORY_LENGTH = 140
MANY = 6


@dataclass(frozen=True)
class DemoStudent:
    """Who hands in what.

    Attributes:
        student: the student's id.
        name: of the mutant file, "unanswered" or "truncated".
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
    """What the grader said about a demo student, against what it should say; without `surprises`, all is well."""

    student: DemoStudent
    report: Report | None
    surprises: tuple[str, ...]


def build_course(source: Path, folder: Path, names: Sequence[str] | None = None) -> Course:
    """Make a fresh course folder with the files of another course, and nbgrader's releases in it.

    `names` are the assignments that it gets; None for all.

    A folder that is there already is replaced only if it is a demo's.

    Raises:
        ConfigurationError: the source is no course, or the folder is something else's.
        ReleaseError: nbgrader could not make the release.
    """
    course = load_course(source)
    if names is not None:
        chosen = tuple(course.assignment(name) for name in names)
        course = course.model_copy(update={"assignments": chosen})
    _clear(folder, source)
    folder.mkdir(parents=True)
    (folder / MARKER).write_text("Made by `autograder demo`, which may replace this folder.\n", encoding="utf-8")
    for name in (CONFIG_FILE, NBGRADER_CONFIG):
        if not (source / name).is_file():
            raise ConfigurationError(f"A demo needs the course's {name}. Received: {source}")
        shutil.copy(source / name, folder / name)
    hidden = shutil.ignore_patterns("__pycache__", ".*")
    for assignment in course.assignments:
        name = assignment.name
        shutil.copytree(source / "solutions" / name, folder / "solutions" / name, ignore=hidden)
        run_nbgrader(folder, "generate_assignment", name)
    return course


def _clear(folder: Path, source: Path) -> None:
    if folder.resolve() == source.resolve():
        raise ConfigurationError(f"The demo needs a folder of its own, not the course's. Received: {folder}")
    if (folder / MARKER).is_file():
        shutil.rmtree(folder)
    elif folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    elif folder.exists() or folder.is_symlink():
        raise ConfigurationError(
            f"This was not made by `autograder demo`, which therefore leaves it alone. Name another place with "
            f"--folder DIR. Received: {folder}"
        )


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


def demo_students(course_folder: Path, assignment: Assignment, names: Sequence[str] | None) -> list[DemoStudent]:
    """The students of the demo: the mutants, one who answers nothing, and one whose file is cut off.

    Args:
        course_folder: with the assignment's solution and release.
        assignment: the demo's.
        names: which; None takes the mutants that say so and the two others, ["all"] all.

    Raises:
        ConfigurationError: there is no such student.
        MutantError: a mutant file is wrong.
    """
    solution = course_folder / "solutions" / assignment.name
    release = read_notebook(release_path(course_folder, assignment.name), max_bytes=NOTEBOOK_MB * 2**20)
    source = read_notebook(solution / f"{assignment.name}.ipynb", max_bytes=NOTEBOOK_MB * 2**20)
    mutants = {mutant.name: mutant for mutant in read_mutants(solution / "mutants")}
    known = [*mutants, "unanswered", "truncated"]
    if names is None:
        names = [name for name in known if name not in mutants or mutants[name].shown]
    chosen = _choose(known, names)
    return [
        _student(f"student-{number:02d}", name, mutants.get(name), release, source, assignment)
        for number, name in enumerate(chosen, 1)
    ]


def _choose(known: Sequence[str], names: Sequence[str]) -> list[str]:
    if list(names) == ["all"]:
        return list(known)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ConfigurationError(f"No such demo student; there are: {', '.join(known)}. Received: {', '.join(unknown)}")
    return [name for name in known if name in names]


def _student(
    student: str,
    name: str,
    mutant: Mutant | None,
    release: NotebookNode,
    source: NotebookNode,
    assignment: Assignment,
) -> DemoStudent:
    if mutant is not None:
        content = nbformat.writes(apply_mutant(release, source, mutant))
        return DemoStudent(student, name, mutant.headline, mutant.expected, content)
    untouched = nbformat.writes(copy.deepcopy(release))
    if name == "unanswered":
        story = "This student handed in the notebook as it was released"
        return DemoStudent(student, name, story, dict.fromkeys(_judged(assignment), "failed"), untouched)
    story = "This student's upload was cut off: half a file"
    return DemoStudent(student, name, story, None, untouched[: len(untouched) // 2])


def _judged(assignment: Assignment) -> list[str]:
    """Questions whose outcome depends on the student alone: not hand-graded, and not on the machine's hardware."""
    return [question.id for question in assignment.questions if not question.manual and question.id != "gpu_training"]


def hand_in(course_folder: Path, assignment: Assignment, students: Iterable[DemoStudent]) -> None:
    """Put the notebooks where nbgrader collects them, each a little later than the one before."""
    due = assignment.due or datetime(2025, 1, 1, tzinfo=UTC)
    for number, student in enumerate(students):
        home = course_folder / "submitted" / student.student / assignment.name
        home.mkdir(parents=True)
        (home / f"{assignment.name}.ipynb").write_text(student.content, encoding="utf-8")
        when = (due - timedelta(hours=30) + timedelta(hours=number)).astimezone(UTC)
        (home / "timestamp.txt").write_text(f"{when:%Y-%m-%d %H:%M:%S.%f} UTC\n", encoding="utf-8")


def compare(students: Iterable[DemoStudent], reports: Iterable[Report], assignment: Assignment) -> list[Verdict]:
    """What the grader said against what it should say, student by student."""
    by_student = {report.student: report for report in reports}
    return [_verdict(student, by_student.get(student.student), _judged(assignment)) for student in students]


def _verdict(student: DemoStudent, report: Report | None, judged: Sequence[str]) -> Verdict:
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


def run_demo(
    source: Path,
    folder: Path,
    *,
    console: Console,
    assignments: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    profile: str | None = None,
    sandbox: SandboxLevel | None = None,
    workers: int | None = None,
) -> bool:
    """Build the course, hand in, grade, write feedback, and show what came of it, one assignment after the other.

    Returns:
        Whether every verdict was the expected one and nothing else went wrong.

    Raises:
        AutograderError: the demo could not be made or graded.
    """
    console.print(plain(f"Making a course in {folder} with nbgrader's own release ..."))
    course = build_course(source, folder, assignments)
    fine = []
    for assignment in course.assignments:
        students = demo_students(folder, assignment, names)
        hand_in(folder, assignment, students)
        batch = mark_class(
            folder,
            course,
            assignment.name,
            console=console,
            profile=profile,
            sandbox=sandbox,
            # One more than there are cores: while an endless cell waits for its time limit, the others go on.
            workers=workers or (os.cpu_count() or 1) + 1,
        )
        if batch.interrupted:
            raise KeyboardInterrupt
        try:
            run_nbgrader(folder, "generate_feedback", assignment.name)
        except ReleaseError as error:  # the grades are worth showing all the same
            batch = batch.with_problems([str(error)])
        fine.append(_show(compare(students, batch.reports, assignment), batch, assignment, folder, console))
    console.print(plain(f"\nnbgrader's gradebook, for the formgrader: {folder}/gradebook.db"), soft_wrap=True)
    return all(fine)


def _show(verdicts: Sequence[Verdict], batch: Batch, assignment: Assignment, folder: Path, console: Console) -> bool:
    """One assignment's verdicts and where its pages lie; returns whether all is as expected."""
    name = assignment.name
    console.print(verdict_table(verdicts, assignment.title))
    console.print(legend())
    for problem in batch.problems:
        console.print(plain(f"! {problem}", "yellow"), soft_wrap=True)
    surprised = sum(bool(verdict.surprises) for verdict in verdicts)
    told = f"{len(verdicts) - surprised} of {len(verdicts)} students got the verdict that is known to be right."
    console.print(plain(f"\n{told}", "red" if surprised else "green"))
    console.print(
        plain(
            f"Class:     {batch.page}\nFeedback:  {batch.page.parent if batch.page else folder}/STUDENT/feedback.html\n"
            f"nbgrader:  {folder}/feedback/STUDENT/{name}/{name}.html\n"
        ),
        soft_wrap=True,
    )
    return not surprised and not batch.problems and not batch.ungraded


def verdict_table(verdicts: Sequence[Verdict], title: str) -> Table:
    """What each student did, what it cost, and whether that is what it should cost."""
    table = Table(title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("Student", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("Questions", no_wrap=True)
    table.add_column("As expected", justify="center")
    table.add_column("What this student did, and what it cost", overflow="fold", ratio=1)
    for verdict in verdicts:
        report = verdict.report
        told = plain(one_line(_subject_dropped(verdict.student.story), STORY_LENGTH))
        for surprise in verdict.surprises:
            told.append(f"\n{clean(surprise)}", style="red")
        if report is not None and (cost := _cost(report)):
            told.append(f"\n{clean(cost)}", style="dim")
        table.add_row(
            plain(verdict.student.student),
            plain(points_text(report.score if report else None)),
            signs(report.questions if report else ()),
            plain("✗", "red") if verdict.surprises else plain("✓", "green"),
            told,
        )
    return table


def _subject_dropped(story: str) -> str:
    told = story.removeprefix("This student's ").removeprefix("This student ")
    return told[:1].upper() + told[1:]


def _cost(report: Report) -> str:
    """Where points were lost, or why there are none."""
    if report.score is None:
        return one_line(report.problem, STORY_LENGTH)
    short = {
        question.id: f"{points_text(question.points)} of {points_text(question.max_points)}"
        for question in report.questions
        if question.points is not None and question.points < question.max_points
    }
    everything = f"nothing but {points_text(report.score)} of {points_text(report.assessed_max_score)}"
    return ", ".join(f"{name} {points}" for name, points in short.items()) if len(short) <= MANY else everything
