"""A class at once: every submission of an assignment graded, by this machine or a cluster, and the class's page.

What is done stays done, whatever happens to the rest: runs are stored as they come, and each report is published on its
own. What is still right is not done again.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from urllib.parse import quote

from autograder import store
from autograder.conductor import Conductor, Ended, judge_pool
from autograder.config import Assignment, Course, Profile
from autograder.errors import ReportError
from autograder.events import CellDone, Event, Outcome
from autograder.execution.sandbox import Confinement, settle
from autograder.feedback import render_class_table, render_feedback, write_page
from autograder.fleets import PRELOAD, Fleet, dask_fleet, local_fleet
from autograder.grading import Setting, find_submissions, prepare_setting
from autograder.planning import Action, Decision, decide
from autograder.records import Report, SandboxLevel, Submission
from autograder.reporting import failed_report
from autograder.verdict_jobs import Change, Order, VerdictJob, give_verdict
from autograder.workers import start_fork_server

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Batch:
    """What came of a class: a report per submission that was graded, and sentences about what was not.

    Attributes:
        reports: sorted by student; each is read from the course folder when it is asked for.
        problems: what a person has to look at, one sentence each.
        ungraded: students whose grading the machine could not finish; they have a report that says so, and no mark,
            unless they had a mark before, which then stays.
        failures: how these ended, by student.
        waiting: students whose turn did not come, because the batch was interrupted.
        changes: marks that would change although the submission did not; they are as they were.
        done: how many submissions needed what (`run`, `judge`, `report`, `nothing`).
        page: the class's page, None when there is no report at all.
        close_calls: marks that luck may have decided, one sentence each; a person may look.
    """

    assignment: str
    reports: Sequence[Report]
    problems: tuple[str, ...]
    ungraded: tuple[str, ...] = ()
    failures: Mapping[str, Outcome] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    done: Mapping[Action, int] = field(default_factory=dict)
    page: Path | None = None
    close_calls: tuple[str, ...] = ()

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
        return (
            not self.problems
            and not self.close_calls
            and not self.waiting
            and not self.changes
            and not self.ungraded
            and all(report.status == "graded" for report in self.reports)
        )


Confirm = Callable[[Sequence[Change]], bool]


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
    scheduler: str | None = None,
    confirm: Confirm = lambda _: False,
    on_found: Callable[[int, int], None] | None = None,
    on_note: Callable[[str], None] = log.warning,
) -> Batch:
    """Grade the submissions of one assignment and publish a report for each.

    Ctrl-C abandons what runs and returns what is done. A mark that would change although its submission has not is
    published only when `confirm` says so.

    Args:
        course_folder: holds course_config.py and nbgrader's folders.
        course: its configuration.
        assignment_name: which assignment.
        on_event: hears of every start, cell and end.
        students: only these; None means all who handed something in.
        profile: instead of the course's default profile.
        sandbox: instead of the course's sandbox level.
        workers: how many submissions run at a time; None takes the course's number, or as many as the cores can carry.
        scheduler: address of a Dask scheduler whose workers run the notebooks, instead of this machine.
        confirm: is asked, after all is judged, whether these changes of marks are to be published.
        on_found: is told how many submissions there are and how many run at a time, before the first starts.
        on_note: is told once, in a sentence, if kernels start cold though warm ones were asked for.

    Raises:
        AutograderError: nothing can be graded: configuration, submissions, release, data or hidden tests are at fault.
    """
    start_fork_server(PRELOAD)  # what workers load, they load while this process prepares
    submissions, problems = find_submissions(course_folder, course, assignment_name, students)
    # Whatever is wrong for all is told once, before any worker starts; and the data are cut once, for all of them.
    setting = prepare_setting(course_folder, course, assignment_name, profile=profile, sandbox=sandbox)
    _ = setting.release
    order = Order(course_folder, course, assignment_name, setting.profile_name, setting.sandbox)
    logs = course_folder / store.STATE_FOLDER / "logs" / assignment_name
    messages: SimpleQueue[object] = SimpleQueue()
    ended: dict[str, Ended] = {}
    slots = worker_count(workers or course.workers, setting.profile, len(submissions))
    with _fleet(setting, scheduler, slots, logs, messages) as fleet, _judges(logs) as judges:
        if on_found is not None:
            on_found(len(submissions), fleet.slots)
        conductor = Conductor(
            setting,
            order,
            decide=_decider(setting, on_note if scheduler is None else None),
            fleet=fleet,
            judges=judges,
            messages=messages,
            attempts=course.attempts,
            on_event=on_event,
        )
        try:
            for each in conductor.conduct(submissions):
                ended[each.outcome.name] = each
        except KeyboardInterrupt:
            fleet.stop()
            ended |= {each.outcome.name: each for each in conductor.finish_judging()}
            log.info("interrupted; %d of %d are graded", len(ended), len(submissions))
    waiting = tuple(sorted({submission.student for submission in submissions} - set(ended)))
    held = _publish_changes(order, ended, logs, confirm=(lambda _: False) if waiting else confirm)
    ungraded = tuple(sorted(name for name, each in ended.items() if each.outcome.value is None))
    for name in ungraded:
        _report_failure(order, ended[name])
    kept = [
        f"{name} was not graded anew and keeps the mark that was there: {ended[name].outcome.problem}"
        for name in ungraded
        if (before := ended[name].decision.published) is not None and before.score is not None
    ]
    published, _ = read_reports(course_folder, assignment_name, set(ended))
    return Batch(
        assignment_name,
        published,
        (*problems, *kept),
        ungraded,
        {name: ended[name].outcome for name in ungraded},
        waiting,
        held,
        Counter(each.decision.action for each in ended.values()),
        publish_class_page(course_folder, setting.assignment),
        tuple(_left_open(ended)),
    )


def plan_batch(
    course_folder: Path,
    course: Course,
    assignment_name: str,
    *,
    students: Collection[str] | None = None,
    profile: str | None = None,
    sandbox: SandboxLevel | None = None,
) -> list[Decision]:
    """What `grade_batch` would do for each submission, and why; nothing is run, judged or written.

    Raises:
        AutograderError: as `grade_batch`.
    """
    submissions, _ = find_submissions(course_folder, course, assignment_name, students)
    setting = prepare_setting(course_folder, course, assignment_name, profile=profile, sandbox=sandbox)
    return [decide(setting, submission) for submission in submissions]


def _fleet(
    setting: Setting, scheduler: str | None, slots: int, logs: Path, messages: SimpleQueue[object]
) -> AbstractContextManager[Fleet]:
    """Where notebooks run: here, or on the workers of a scheduler; what is told of cells goes to the messages."""

    def on_cell(name: str, done: int, total: int, cell: str | None) -> None:
        messages.put(CellDone(name, done, total, cell))

    if scheduler is None:
        return local_fleet(slots, setting.profile, logs=logs, on_cell=on_cell)
    data = setting.data.public if setting.data else None
    return dask_fleet(scheduler, data=data, on_gpu=setting.profile.gpu, on_cell=on_cell)


@contextmanager
def _judges(logs: Path) -> Iterator[ProcessPoolExecutor]:
    """Processes that judge; what they have begun is finished, what waits is left for the next time."""
    pool = judge_pool(logs)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _publish_changes(order: Order, ended: Mapping[str, Ended], logs: Path, *, confirm: Confirm) -> tuple[Change, ...]:
    """Publish the marks that would change, if somebody says so; else return what they would change to."""
    held = {name: each.verdict.change for name, each in sorted(ended.items()) if each.verdict and each.verdict.change}
    if not held or not confirm(tuple(held.values())):
        return tuple(held.values())
    decisions = {name: ended[name].decision for name in held}
    jobs = [
        VerdictJob(order, decision.submission, ended[name].runs, decision.refusal, hold_changes=False)
        for name, decision in decisions.items()
    ]
    with _judges(logs) as judges:
        for published in [judges.submit(give_verdict, job) for job in jobs]:
            published.result()
    return ()


def _left_open(ended: Mapping[str, Ended]) -> Iterator[str]:
    """A sentence for each submission whose trained models stayed too close to a bar in all runs that were allowed."""
    for name, each in sorted(ended.items()):
        if each.verdict is not None and each.verdict.close:
            questions = ", ".join(sorted({question for question, _ in each.verdict.close}))
            yield (
                f"{name}: too close to a bar to tell skill from luck, after {len(each.runs)} runs: {questions}. "
                "The mean of the runs decided; a person may look."
            )


def _report_failure(order: Order, ended: Ended) -> None:
    """Publish a report of one that the machine could not grade, unless there is a mark to keep."""
    published = ended.decision.published
    if published is not None and published.score is not None:
        return
    assignment = order.course.assignment(order.assignment)
    report = failed_report(assignment, ended.decision.submission, ended.outcome.problem, ended.outcome.fault)
    page = render_feedback(report, notebook=None, title=assignment.title)
    store.write_report(order.course_folder, report, notebook=None, feedback=page)


def _decider(setting: Setting, on_note: Callable[[str], None] | None) -> Callable[[Submission], Decision]:
    """Says what a submission needs. Before the first that has to run, kernels are made ready, if it is to run here.

    Args:
        setting: what the class is graded with.
        on_note: is told if kernels start cold; None when notebooks run elsewhere.
    """

    @cache
    def level() -> SandboxLevel:
        return setting.sandbox if on_note is None else _settled_level(setting, on_note)

    def decide_here(submission: Submission) -> Decision:
        decision = decide(setting, submission)
        if decision.plan is None:
            return decision
        return replace(decision, plan=replace(decision.plan, level=level()))

    return decide_here


def _settled_level(setting: Setting, on_note: Callable[[str], None]) -> SandboxLevel:
    """The sandbox level that all workers use, found out once.

    The warm process is started here and held until this process ends: workers come and go, and the first of them would
    else pay for its start.

    Raises:
        SandboxUnavailableError: the level does not work on this machine.
    """
    profile = setting.profile
    settled = settle(Confinement(setting.sandbox, profile.limits, profile.threads, gpu=profile.gpu))
    if settled.note:
        on_note(settled.note)
    return settled.level


def worker_count(wanted: int | None, profile: Profile, submissions: int) -> int:
    """How many submissions run at a time: as many as wanted, else as the cores carry, never more than there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(wanted or cores // profile.threads, submissions))


def read_reports(
    course_folder: Path, assignment_name: str, students: Collection[str] | None = None
) -> tuple[Sequence[Report], list[str]]:
    """The stored reports of an assignment, sorted by student, and a sentence for each that cannot be read.

    Args:
        course_folder: the course folder.
        assignment_name: which assignment.
        students: only these; None for all.
    """
    readable, problems = [], []
    for student in store.reported_students(course_folder, assignment_name):
        if students is None or student in students:
            try:
                readable.append(store.read_report(course_folder, assignment_name, student).student)
            except ReportError as error:
                problems.append(str(error))
    return store.StoredReports(course_folder, assignment_name, readable), problems


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
