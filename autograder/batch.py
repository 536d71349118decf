"""A class at once: every submission of an assignment, graded by worker processes, and the class's page.

What is done stays done, whatever happens to the rest: each worker publishes its own report before it ends.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from autograder import store
from autograder.config import Assignment, Course, Profile
from autograder.errors import ReportError
from autograder.execution.sandbox import Confinement, check, settle
from autograder.feedback import render_class_table, render_feedback, write_page
from autograder.grading import Setting, find_submissions, grade_submission, prepare_setting
from autograder.notebooks import load_release
from autograder.records import Report, SandboxLevel, Submission
from autograder.reporting import failed_report
from autograder.workers import Event, OnCell, run_each

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One submission and how to grade it, as it travels to a worker."""

    course_folder: Path
    course: Course
    submission: Submission
    profile: str | None
    sandbox: SandboxLevel | None


@dataclass(frozen=True)
class Batch:
    """What came of a class: a report per submission that was graded, and sentences about what was not.

    Attributes:
        reports: sorted by student.
        problems: what a person has to look at, one sentence each.
        ungraded: students whose grading the machine could not finish; they have a report that says so, and no mark.
        waiting: students whose turn did not come, because the batch was interrupted.
        page: the class's page, None when there is no report at all.
    """

    assignment: str
    reports: tuple[Report, ...]
    problems: tuple[str, ...]
    ungraded: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    page: Path | None = None

    @property
    def interrupted(self) -> bool:
        """Whether somebody stopped it before all were graded."""
        return bool(self.waiting)

    def with_problems(self, more: Iterable[str]) -> Batch:
        """The same batch with more for a person to look at."""
        return replace(self, problems=(*self.problems, *more))

    @property
    def is_clean(self) -> bool:
        """Whether nobody has to look at anything."""
        return not self.problems and not self.waiting and all(report.status == "graded" for report in self.reports)


def grade_batch(
    course_folder: Path,
    course: Course,
    assignment_name: str,
    *,
    on_event: Callable[[Event], None],
    students: Collection[str] | None = None,
    profile: str | None = None,
    sandbox: SandboxLevel | None = None,
    workers: int | None = None,
    on_found: Callable[[int, int], None] | None = None,
    on_note: Callable[[str], None] = log.warning,
) -> Batch:
    """Grade the submissions of one assignment and publish a report for each.

    Ctrl-C ends what runs and returns what is done.

    Args:
        course_folder: holds course_config.py and nbgrader's folders.
        course: its configuration.
        assignment_name: which assignment.
        on_event: hears of every start, cell and end.
        students: only these; None means all who handed something in.
        profile: instead of the course's default profile.
        sandbox: instead of the course's sandbox level.
        workers: how many submissions run at a time; None takes the course's number, or as many as the cores can carry.
        on_found: is told how many submissions there are and how many workers they get, before the first starts.
        on_note: is told once, in a sentence, if kernels start cold though warm ones were asked for.

    Raises:
        AutograderError: nothing can be graded: configuration, submissions, release, data or hidden tests are at fault.
    """
    submissions, problems = find_submissions(course_folder, course, assignment_name, students)
    # Whatever is wrong for all is told once, before any worker starts; and the data are cut once, for all of them.
    setting = prepare_setting(course_folder, course, assignment_name, profile=profile, sandbox=sandbox)
    load_release(course_folder, setting.assignment)
    level = _settled_level(setting, submissions, on_note)
    count = worker_count(workers or course.workers, setting.profile, len(submissions))
    if on_found is not None:
        on_found(len(submissions), count)
    jobs = {
        submission.student: Job(course_folder, course, submission, setting.profile_name, level)
        for submission in submissions
    }
    reports: dict[str, Report] = {}
    ungraded: list[str] = []
    try:
        for outcome in run_each(
            jobs,
            grade_job,
            workers=count,
            logs=course_folder / store.STATE_FOLDER / "logs" / assignment_name,
            on_event=on_event,
            preload=["autograder.batch"],
        ):
            job = jobs[outcome.name]
            if outcome.value is None:
                ungraded.append(outcome.name)
                reports[outcome.name] = _publish_failure(job, outcome.problem)
            else:
                reports[outcome.name] = store.read_report(course_folder, assignment_name, outcome.name)
    except KeyboardInterrupt:
        log.info("interrupted; %d of %d are graded", len(reports), len(jobs))
    waiting = tuple(sorted(set(jobs) - set(reports)))
    ordered = tuple(reports[student] for student in sorted(reports))
    page = publish_class_page(course_folder, setting.assignment)
    return Batch(assignment_name, ordered, tuple(problems), tuple(sorted(ungraded)), waiting, page)


def _settled_level(setting: Setting, submissions: Sequence[Submission], on_note: Callable[[str], None]) -> SandboxLevel:
    """The sandbox level that all workers use, found out once.

    The warm process is started here and held until this process ends: workers come and go, and the first of them would
    else pay for its start. When all have been graded before, it is left to the worker that needs it after all.

    Raises:
        SandboxUnavailableError: the level does not work on this machine.
    """
    known = set(store.reported_students(setting.course_folder, setting.assignment.name))
    if known.issuperset(submission.student for submission in submissions):
        check(setting.sandbox)
        return setting.sandbox
    profile = setting.profile
    settled = settle(Confinement(setting.sandbox, profile.limits, profile.threads, gpu=profile.gpu))
    if settled.note:
        on_note(settled.note)
    return settled.level


def grade_job(job: Job, on_cell: OnCell) -> str:
    """What a worker does: grade, publish, and name the report's status."""
    report = grade_submission(
        job.course_folder, job.course, job.submission, profile=job.profile, sandbox=job.sandbox, on_cell=on_cell
    )
    return report.status


def worker_count(wanted: int | None, profile: Profile, submissions: int) -> int:
    """How many submissions run at a time: as many as wanted, else as the cores carry, never more than there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(wanted or cores // profile.threads, submissions))


def read_reports(course_folder: Path, assignment_name: str) -> tuple[list[Report], list[str]]:
    """All stored reports of an assignment, sorted by student, and a sentence for each that cannot be read."""
    reports, problems = [], []
    for student in store.reported_students(course_folder, assignment_name):
        try:
            reports.append(store.read_report(course_folder, assignment_name, student))
        except ReportError as error:
            problems.append(str(error))
    return reports, problems


def publish_class_page(course_folder: Path, assignment: Assignment) -> Path | None:
    """Write `reports/<assignment>/index.html` from all stored reports; None when there is none."""
    reports, _ = read_reports(course_folder, assignment.name)
    if not reports:
        return None
    page = class_page(course_folder, assignment.name)
    links = {report.student: f"{quote(report.student)}/{store.FEEDBACK_FILE}" for report in reports}
    write_page(page, render_class_table(reports, assignment_title=assignment.title, links=links))
    return page


def class_page(course_folder: Path, assignment_name: str) -> Path:
    """Where the class's page lies."""
    return course_folder / "reports" / assignment_name / "index.html"


def _publish_failure(job: Job, reason: str) -> Report:
    """No mark, and a person looks: the report of a submission that the machine could not grade."""
    assignment = job.course.assignment(job.submission.assignment)
    report = failed_report(assignment, job.submission, reason)
    page = render_feedback(report, notebook=None, title=assignment.title)
    store.write_report(job.course_folder, report, notebook=None, feedback=page)
    return report
