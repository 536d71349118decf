"""Grades a class before somebody's eyes: progress, gradebook, and what came of it. `grade` and `demo` share it."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.prompt import Confirm

from autograder.batch import Batch, grade_batch, plan_batch, read_reports
from autograder.config import Course
from autograder.errors import AutograderError
from autograder.notebooks import release_path
from autograder.planning import Action
from autograder.progress import JsonDisplay, display
from autograder.records import SandboxLevel
from autograder.store import space
from autograder.tables import changes_table, class_table, decisions_table, legend, plain, question_legend
from autograder.verdict_jobs import Change

log = logging.getLogger(__name__)
WHAT: Final[Mapping[Action, str]] = {
    "run": "run and judged",
    "judge": "judged again from stored runs",
    "report": "reported again from stored verdicts",
    "nothing": "unchanged",
}
"""What was done to submissions, in words."""


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
    scheduler: str | None = None,
    gradebook: bool = True,
    yes: bool = False,
    as_json: bool = False,
) -> Batch:
    """Grade the submissions of one assignment, show how it goes on `console`, and fill the gradebook.

    An interrupted batch leaves the gradebook as it was. Problems of the gradebook are added to the batch's. When marks
    would change although their submissions did not, the changes are shown, and somebody at a terminal is asked; `yes`
    publishes them without asking. `as_json` shows events as JSON lines for other programs.

    Raises:
        AutograderError: nothing can be graded.
    """

    def on_found(submissions: int, at_a_time: int) -> None:
        shown.on_found(submissions, at_a_time)
        if (sandbox or course.sandbox) == "none":
            console.print(plain("Warning: sandbox level none: students' code runs with your rights.", "yellow"))

    def confirm(changes: Sequence[Change]) -> bool:
        shown.pause()
        console.print(changes_table(changes, assignment_name))
        if yes or not console.is_terminal:
            return yes
        return Confirm.ask("Publish these changes?", console=console, default=False)

    make_release(course_folder, course, assignment_name)
    with JsonDisplay(console, assignment_name) if as_json else display(console, assignment_name) as shown:
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
            scheduler=scheduler,
            confirm=confirm,
        )
    reclaim_space(course_folder, course)
    held = {change.student for change in batch.changes}
    graded = [report.student for report in batch.reports if report.student not in {*batch.ungraded, *held}]
    if not gradebook or batch.interrupted or not graded:
        return batch
    from autograder.integrations.nbgrader import write_gradebook  # takes a second, which workers should not pay

    with console.status("writing the gradebook") if console.is_terminal else nullcontext(), _quiet_nbgrader():
        try:
            problems = write_gradebook(course_folder, course, assignment_name, graded)
        except AutograderError as error:  # the grades are there and worth showing
            problems = [f"The gradebook was not written: {error}"]
    return batch.with_problems(problems)


def reclaim_space(course_folder: Path, course: Course) -> None:
    """Keep the store within the course's limit; runs that reports rest on stay."""
    if course.store_gb is None:
        return
    limit = round(course.store_gb * 2**30)
    if space.reclaim(course_folder, runs_in_use(course_folder, course), max_bytes=limit).over_limit:
        log.warning("The reports alone rest on more than store_gb. Received: store_gb=%s", course.store_gb)


def runs_in_use(course_folder: Path, course: Course) -> set[str]:
    """The runs on which published reports rest."""
    found = set()
    for assignment in course.assignments:
        for report in read_reports(course_folder, assignment.name)[0]:
            run = report.provenance.get("run")
            found |= {run} if isinstance(run, str) else set()
    return found


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
    if batch.done:
        counts = ", ".join(f"{count} {WHAT[action]}" for action, count in sorted(batch.done.items()))
        console.print(plain(f"{counts}."), soft_wrap=True)
    if batch.changes:
        console.print(
            plain(
                f"{len(batch.changes)} marks would change and are as they were. To publish the changes: "
                f"autograder grade {batch.assignment} --yes",
                "yellow",
            ),
            soft_wrap=True,
        )
    if batch.interrupted:
        told = (
            f"Stopped: {len(batch.reports)} are graded and kept, {len(batch.waiting)} wait. The gradebook is as it was."
        )
        console.print(plain(f"{told} The same command goes on from here.", "yellow"), soft_wrap=True)


def print_plan(
    course_folder: Path,
    course: Course,
    assignment_name: str,
    students: Collection[str] | None,
    profile: str | None,
    sandbox: SandboxLevel | None,
    *,
    console: Console,
) -> None:
    """What grading would do for each submission, and why."""
    make_release(course_folder, course, assignment_name)
    decisions = plan_batch(course_folder, course, assignment_name, students=students, profile=profile, sandbox=sandbox)
    console.print(decisions_table(decisions, f"{assignment_name}: what would be done"))
    counts = Counter(decision.action for decision in decisions)
    told = [f"{counts[action]} would be {words}" for action, words in WHAT.items() if counts[action]]
    console.print(plain(f"{', '.join(told)}."), soft_wrap=True)


def print_store(
    course_folder: Path,
    course: Course,
    *,
    remove: bool,
    max_gb: float | None,
    max_days: float | None,
    console: Console,
) -> None:
    """What stored runs take; with `remove`, after those that no report rests on were removed, within the limits."""
    used = runs_in_use(course_folder, course)
    if remove:
        limit = None if max_gb is None else round(max_gb * 2**30)
        done = space.reclaim(course_folder, used, max_bytes=limit, max_days=max_days)
        console.print(plain(f"Removed {done.removed} runs, {_megabytes(done.freed)}."), soft_wrap=True)
    runs = space.stored_runs(course_folder, used)
    needed = [run for run in runs if run.needed]
    console.print(
        plain(
            f"{len(runs)} stored runs take {_megabytes(sum(run.size for run in runs))}; published reports rest on "
            f"{len(needed)} of them, {_megabytes(sum(run.size for run in needed))}."
        ),
        soft_wrap=True,
    )


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"
