"""Judging as a job for a process of its own: from a stored run to a published report, or to a change that waits.

A mark that is published already does not change behind anybody's back: a job that finds another one for the same
submission says so, and publishes it only when it is told to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autograder import store
from autograder.checks import luck
from autograder.config import Course
from autograder.grading import (
    Setting,
    judge_rounds,
    needs_another_run,
    prepare_setting,
    publish,
    read_notebook_of,
    refuse,
    report_of,
)
from autograder.records import Record, Report, SandboxLevel, Status, Submission


@dataclass(frozen=True)
class Order:
    """How a class is graded; the same for all of its submissions."""

    course_folder: Path
    course: Course
    assignment: str
    profile: str | None
    sandbox: SandboxLevel | None


@dataclass(frozen=True)
class VerdictJob:
    """One submission to be judged and reported.

    Attributes:
        runs: keys of the stored runs: the first, and those with other seeds; empty when the notebook cannot be run.
        refusal: why it cannot, in words for its student.
        hold_changes: whether a mark that differs from the published one waits for a person's word.
    """

    order: Order
    submission: Submission
    runs: tuple[str, ...]
    refusal: str = ""
    hold_changes: bool = True


class QuestionChange(Record):
    """One question's mark, published and new, and the checks that say otherwise now: name, before, after."""

    question: str
    before: float | None
    after: float | None
    checks: tuple[tuple[str, str, str], ...] = ()


class Change(Record):
    """A published mark that would change although the submission has not."""

    student: str
    before: float | None
    after: float | None
    questions: tuple[QuestionChange, ...] = ()


class Verdict(Record):
    """What came of a job: the status of the report, the change that waits, if one does, and what luck may have decided.

    Attributes:
        again: nothing was published, because a trained model is too close to a bar and is to run with another seed.
        close: checks that all runs that the course allows left too close to tell: question and check.
    """

    status: Status | None = None
    change: Change | None = None
    again: bool = False
    close: tuple[tuple[str, str], ...] = ()


def give_verdict(job: VerdictJob) -> str:
    """Judge and report one submission; returns a `Verdict` as JSON.

    Raises:
        AutograderError: hidden tests, store or configuration are at fault.
    """
    setting = _setting(job.order)
    notebook = None
    if job.refusal:
        report = refuse(setting, job.submission, job.refusal)
    else:
        folders = [store.run_folder(setting.course_folder, run) for run in job.runs]
        rounds = judge_rounds(setting, folders)
        if needs_another_run(setting, rounds):
            return Verdict(again=True).model_dump_json()
        report = report_of(setting, job.submission, folders, rounds)
        notebook = read_notebook_of(folders[0])
    close = close_calls(report)
    before = store.find_report(setting.course_folder, report.assignment, report.student)
    change = change_between(before, report)
    if change is not None and job.hold_changes:
        return Verdict(status=report.status, change=change, close=close).model_dump_json()
    publish(setting, report, notebook=notebook)
    return Verdict(status=report.status, close=close).model_dump_json()


def close_calls(report: Report) -> tuple[tuple[str, str], ...]:
    """Question and check where the mean of all runs is still so close to its bar that luck may have decided."""
    return tuple(
        (question.id, check.name)
        for question in report.questions
        for check in question.checks
        if check.measure is not None and luck.is_open(check.measure)
    )


def change_between(before: Report | None, after: Report) -> Change | None:
    """What would change in a published mark; None when nothing does, and when the submission itself is another."""
    if before is None or before.score is None:
        return None
    if before.provenance.get("submission_sha256") != after.provenance.get("submission_sha256"):
        return None
    earlier = {question.id: question for question in before.questions}
    changes = []
    for question in after.questions:
        old = earlier.pop(question.id, None)
        if old is None or old.points != question.points:
            checks = {check.name: check.outcome for check in old.checks} if old else {}
            turned = tuple(
                (check.name, checks.get(check.name, "new"), check.outcome)
                for check in question.checks
                if checks.get(check.name) != check.outcome
            )
            changes.append(
                QuestionChange(
                    question=question.id, before=old.points if old else None, after=question.points, checks=turned
                )
            )
    changes += [QuestionChange(question=name, before=old.points, after=None) for name, old in sorted(earlier.items())]
    if not changes and before.score == after.score:
        return None
    return Change(student=after.student, before=before.score, after=after.score, questions=tuple(changes))


@lru_cache(maxsize=1)
def _setting_for(folder: Path, name: str, profile: str | None, sandbox: SandboxLevel | None, course: str) -> Setting:
    return prepare_setting(folder, Course.model_validate_json(course), name, profile=profile, sandbox=sandbox)


def _setting(order: Order) -> Setting:
    """The order's setting, made once per process: a process serves one batch."""
    return _setting_for(
        order.course_folder, order.assignment, order.profile, order.sandbox, order.course.model_dump_json()
    )
