"""Grades a class before somebody's eyes: progress, gradebook, and what came of it. `grade` and `demo` share it."""

from __future__ import annotations

import logging
import shlex
import warnings
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.prompt import Confirm
from rich.text import Text

from autograder import store
from autograder.attention import count_kinds, find_cases
from autograder.batch import Batch, grade_batch, plan_batch, read_reports
from autograder.config import Course
from autograder.errors import AutograderError
from autograder.notebooks import release_path
from autograder.planning import Action
from autograder.progress import display
from autograder.records import SandboxLevel
from autograder.store import space
from autograder.tables import (
    attention_lines,
    class_table,
    decisions_table,
    legend,
    plain,
    question_legend,
    scores_line,
)
from autograder.verdict_jobs import Change

log = logging.getLogger(__name__)
WHAT: Final[Mapping[Action, str]] = {
    "run": "run and judged",
    "judge": "judged again from stored runs",
    "report": "reported again from stored verdicts",
    "nothing": "unchanged",
}
"""What was done to submissions, in words."""
FEW_REPORTS = 5  # whose times are looked at before anything has run
LARGE_CLASS = 60  # students, above which a table of them all is a command of its own


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
    make_release(course_folder, course, assignment_name)
    reported = set(store.reported_students(course_folder, assignment_name))
    shown = display(
        console,
        assignment_name,
        as_json=as_json,
        reported=reported if students is None else reported & set(students),
        usual_seconds=usual_seconds(course_folder, assignment_name, profile or course.default_profile, reported),
    )

    def on_found(submissions: int, at_a_time: int) -> None:
        shown.on_found(submissions, at_a_time)
        if (sandbox or course.sandbox) == "none":
            shown.on_note("Warning: sandbox level none: students' code runs with your rights.")

    def confirm(changes: Sequence[Change]) -> bool:
        shown.pause()
        shown.on_changes(changes)
        if yes or as_json or not console.is_terminal:
            return yes
        return Confirm.ask("Publish these changes?", console=console, default=False)

    with shown:
        batch = grade_batch(
            course_folder,
            course,
            assignment_name,
            on_event=shown.on_event,
            on_found=on_found,
            on_note=lambda note: shown.on_note(f"Note: {note}"),
            students=students,
            profile=profile,
            sandbox=sandbox,
            workers=workers,
            scheduler=scheduler,
            confirm=confirm,
        )
        shown.pause()
        reclaim_space(course_folder, course)
        if gradebook and not batch.interrupted:
            with nullcontext() if as_json or not console.is_terminal else console.status("writing the gradebook"):
                batch = batch.with_problems(fill_gradebook(course_folder, course, batch))
        if as_json:
            shown.on_done(count(batch))
    return batch


def usual_seconds(course_folder: Path, assignment_name: str, profile: str, students: Collection[str]) -> float | None:
    """What a run of this assignment took before, by a few of the reports that are there; None when there are none."""
    found = (store.find_report(course_folder, assignment_name, student) for student in sorted(students)[:FEW_REPORTS])
    runs = [report.run for report in found if report is not None and report.run is not None]
    seconds = [run.startup_seconds + run.seconds for run in runs if run.profile == profile]
    return median(seconds) if seconds else None


def fill_gradebook(course_folder: Path, course: Course, batch: Batch) -> list[str]:
    """Write the marks of a batch into nbgrader's gradebook; returns what could not be written, in sentences.

    Those whose grading failed, and those whose changed marks wait for a person's word, stay as they were.
    """
    held = {change.student for change in batch.changes}
    graded = [report.student for report in batch.reports if report.student not in {*batch.ungraded, *held}]
    if not graded:
        return []
    from autograder.integrations.nbgrader import write_gradebook  # takes a second, which workers should not pay

    with _quiet_nbgrader():
        try:
            return write_gradebook(course_folder, course, batch.assignment, graded)
        except AutograderError as error:  # the grades are there and worth showing
            return [f"The gradebook was not written: {error}"]


def count(batch: Batch) -> dict[str, object]:
    """What came of a batch, in numbers, for other programs."""
    statuses = Counter(report.status for report in batch.reports)
    return {
        "graded": statuses["graded"],
        "needs_attention": statuses["needs_attention"],
        "ungraded": len(batch.ungraded),
        "waiting": len(batch.waiting),
        "changes": len(batch.changes),
        "problems": len(batch.problems),
        "done": dict(sorted(batch.done.items())),
        "kinds": count_kinds(find_cases(batch.reports, batch.failures)),
        "interrupted": batch.interrupted,
    }


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
            found |= set(report.runs)
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


def print_batch(batch: Batch, course: Course, *, course_folder: Path, console: Console) -> None:
    """The table of results, what a person has to look at and how, and where the pages are."""
    title = f"{batch.assignment}: {course.assignment(batch.assignment).title}"
    if len(batch.reports) > LARGE_CLASS:
        console.print(plain(f"{title}: {scores_line(batch.reports)}"), soft_wrap=True)
        everybody = command("report", batch.assignment, course_folder=course_folder)
        console.print(plain(f"Everybody: {everybody}"), soft_wrap=True)
    elif batch.reports:
        console.print(class_table(batch.reports, title))
        console.print(question_legend(batch.reports[0]))
        console.print(legend())
    look = partial(command, "show", course_folder=course_folder)
    cases = find_cases(batch.reports, batch.failures)
    for line in attention_lines(cases, lambda student: look(student, batch.assignment)):
        console.print(line, soft_wrap=isinstance(line, Text))
    for problem in (*batch.problems, *batch.close_calls):
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
                + command("grade", batch.assignment, "--yes", course_folder=course_folder),
                "yellow",
            ),
            soft_wrap=True,
        )
    if batch.interrupted:
        told = (
            f"Stopped: {len(batch.reports)} are graded and kept, {len(batch.waiting)} wait. The gradebook is as it was."
        )
        console.print(plain(f"{told} The same command goes on from here.", "yellow"), soft_wrap=True)


def command(*words: str, course_folder: Path) -> str:
    """A command of ours to be copied into the terminal as it is; it names the course where that is not here."""
    elsewhere = [] if course_folder.resolve() == Path.cwd().resolve() else ["--course", str(course_folder)]
    return shlex.join(["autograder", *words, *elsewhere])


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
