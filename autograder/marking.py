"""Grades a class before somebody's eyes: progress, gradebook, and what came of it. `grade` and `demo` share it."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from autograder.batch import Batch, grade_batch
from autograder.config import Course
from autograder.errors import AutograderError
from autograder.notebooks import release_path
from autograder.progress import display
from autograder.records import SandboxLevel
from autograder.tables import class_table, legend, plain, question_legend


def mark_class(
    course_folder: Path,
    course: Course,
    assignment_name: str,
    *,
    console: Console,
    students: Collection[str] | None = None,
    profile: str | None = None,
    sandbox: SandboxLevel | None = None,
    workers: int | None = None,
    gradebook: bool = True,
) -> Batch:
    """Grade the submissions of one assignment, show how it goes on `console`, and fill the gradebook.

    An interrupted batch leaves the gradebook as it was. Problems of the gradebook are added to the batch's.

    Raises:
        AutograderError: nothing can be graded.
    """

    def on_found(submissions: int, at_a_time: int) -> None:
        shown.on_found(submissions, at_a_time)
        if (sandbox or course.sandbox) == "none":
            console.print(plain("Warning: sandbox level none: students' code runs with your rights.", "yellow"))

    make_release(course_folder, course, assignment_name)
    with display(console, assignment_name) as shown:
        batch = grade_batch(
            course_folder,
            course,
            assignment_name,
            on_event=shown.on_event,
            on_found=on_found,
            on_note=lambda note: console.print(plain(f"Note: {note}", "yellow"), soft_wrap=True),
            students=students,
            profile=profile,
            sandbox=sandbox,
            workers=workers,
        )
    graded = [report.student for report in batch.reports if report.student not in batch.ungraded]
    if not gradebook or batch.interrupted or not graded:
        return batch
    from autograder.integrations.nbgrader import write_gradebook  # takes a second, which workers should not pay

    with console.status("writing the gradebook") if console.is_terminal else nullcontext(), _quiet_nbgrader():
        try:
            problems = write_gradebook(course_folder, course, assignment_name, graded)
        except AutograderError as error:  # the grades are there and worth showing
            problems = [f"The gradebook was not written: {error}"]
    return batch.with_problems(problems)


def make_release(course_folder: Path, course: Course, assignment_name: str) -> None:
    """Make the release where there is none yet: submissions are compared with it.

    Raises:
        ReleaseError: there is neither a release nor a source to make it from.
    """
    course.assignment(assignment_name)
    if not release_path(course_folder, assignment_name).is_file():
        from autograder.integrations.nbgrader import generate_release

        with _quiet_nbgrader():
            generate_release(course_folder, course, assignment_name)


def _quiet_nbgrader() -> warnings.catch_warnings[None]:
    """nbgrader's queries warn of how they use SQLAlchemy, which no user can mend."""
    return warnings.catch_warnings(action="ignore")


def print_batch(batch: Batch, course: Course, *, console: Console) -> None:
    """The table of results, what a person has to look at, and where the pages are."""
    title = course.assignment(batch.assignment).title
    if batch.reports:
        console.print(class_table(batch.reports, f"{batch.assignment}: {title}"))
        console.print(question_legend(batch.reports[0]))
        console.print(legend())
    for problem in batch.problems:
        console.print(plain(f"! {problem}", "yellow"), soft_wrap=True)
    if batch.page is not None:
        told = f"\nClass:    {batch.page}\nFeedback: {batch.page.parent}/STUDENT/feedback.html"
        console.print(plain(told), soft_wrap=True)
    if batch.interrupted:
        told = (
            f"Stopped: {len(batch.reports)} are graded and kept, {len(batch.waiting)} wait. The gradebook is as it was."
        )
        console.print(plain(f"{told} The same command goes on from here.", "yellow"), soft_wrap=True)
