"""A whole course in one command: a release, generated students who each did one thing, grades, feedback.

Everything is the real thing: nbgrader makes the release and the feedback, the submissions are graded as any others.
What each student did is known, so what the grader should say is known too, and is compared.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich import box
from rich.console import Console
from rich.table import Table

from autograder.batch import Batch
from autograder.config import Assignment, Course, load_course
from autograder.errors import ConfigurationError, ReleaseError
from autograder.marking import mark_class
from autograder.mutants import Mutant, apply_mutant, read_mutants
from autograder.records import Report, SandboxLevel
from autograder.tables import clean, legend, one_line, plain, points_text, signs
from autograder.trial_course import (
    TrialStudent,
    Verdict,
    build_course,
    compare,
    hand_in,
    judged_questions,
    read_release,
    read_source,
    run_nbgrader,
)

COMMAND = "demo"
WITHOUT_MUTANT = ("unanswered", "truncated")
STORY_LENGTH = 140
MANY = 6


def choose_students(
    source: Path, course: Course, assignments: Sequence[str] | None, names: Sequence[str] | None
) -> dict[str, list[str]]:
    """Which students each assignment gets; an assignment that has none of those asked for is left out.

    Args:
        source: the course folder.
        course: its configuration.
        assignments: of the demo; None for all.
        names: of mutants, "unanswered" or "truncated"; None takes the mutants that say so and these two, ["all"] all.

    Raises:
        ConfigurationError: a name belongs to no assignment of the demo, or there is no such assignment.
        MutantError: a mutant file is wrong.
    """
    wanted = [each.name for each in course.assignments] if assignments is None else list(assignments)
    mutants = {
        name: read_mutants(source / "solutions" / name / "mutants")
        for name in (course.assignment(name).name for name in wanted)
    }
    known = {name: [*(mutant.name for mutant in found), *WITHOUT_MUTANT] for name, found in mutants.items()}
    if names is None:
        return {
            name: [*(mutant.name for mutant in found if mutant.shown), *WITHOUT_MUTANT]
            for name, found in mutants.items()
        }
    if list(names) == ["all"]:
        return known
    unknown = sorted(set(names) - {each for students in known.values() for each in students})
    if unknown:
        there_are = "; ".join(f"{name}: {', '.join(students)}" for name, students in known.items())
        raise ConfigurationError(f"No such demo student; there are: {there_are}. Received: {', '.join(unknown)}")
    chosen = {name: [each for each in students if each in names] for name, students in known.items()}
    return {name: students for name, students in chosen.items() if students}


def demo_students(course_folder: Path, assignment: Assignment, names: Sequence[str]) -> list[TrialStudent]:
    """The students of the demo: mutants, one who answers nothing, and one whose file is cut off.

    Args:
        course_folder: with the assignment's solution and release.
        assignment: the demo's.
        names: which, in this order.

    Raises:
        MutantError: a mutant file is wrong.
    """
    release, source = read_release(course_folder, assignment.name), read_source(course_folder, assignment.name)
    mutants = {
        mutant.name: mutant for mutant in read_mutants(course_folder / "solutions" / assignment.name / "mutants")
    }
    return [
        _student(f"student-{number:02d}", name, mutants.get(name), release, source, assignment)
        for number, name in enumerate(names, 1)
    ]


def _student(
    student: str,
    name: str,
    mutant: Mutant | None,
    release: NotebookNode,
    source: NotebookNode,
    assignment: Assignment,
) -> TrialStudent:
    if mutant is not None:
        content = nbformat.writes(apply_mutant(release, source, mutant))
        return TrialStudent(student, name, mutant.headline, mutant.expected, content)
    untouched = nbformat.writes(copy.deepcopy(release))
    if name == "unanswered":
        story = "This student handed in the notebook as it was released"
        return TrialStudent(student, name, story, dict.fromkeys(judged_questions(assignment), "failed"), untouched)
    story = "This student's upload was cut off: half a file"
    return TrialStudent(student, name, story, None, untouched[: len(untouched) // 2])


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
    chosen = choose_students(source, load_course(source), assignments, names)
    console.print(plain(f"Making a course in {folder} with nbgrader's own release ..."))
    course = build_course(source, folder, list(chosen), command=COMMAND)
    fine = []
    for assignment in course.assignments:
        students = demo_students(folder, assignment, chosen[assignment.name])
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
    for problem in (*batch.problems, *batch.close_calls):
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
