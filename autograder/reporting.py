"""From judgements to a report: points, outcomes, and the provenance that a mark rests on."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from autograder import __version__
from autograder.checks.judging import Judgement
from autograder.config import Assignment, Question
from autograder.errors import UntrustedError
from autograder.events import Fault
from autograder.records import CheckResult, QuestionOutcome, QuestionResult, Report, Run, Submission, points_for
from autograder.untrusted import read_bytes

ENVIRONMENT = (
    "tensorflow",
    "keras",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
    "matplotlib",
    "ipykernel",
    "papermill",
)


def make_report(
    assignment: Assignment,
    submission: Submission,
    run: Run,
    judgements: Mapping[str, Judgement],
    provenance: Mapping[str, object],
) -> Report:
    """The report of a judged run. A question that no check could judge has no points, and then there is no score."""
    questions = tuple(_judged(question, judgements.get(question.id)) for question in assignment.questions)
    errors = [question.id for question in questions if question.outcome == "error"]
    assessed = [question for question in questions if question.points is not None]
    return Report(
        assignment=submission.assignment,
        student=submission.student,
        status="needs_attention" if errors else "graded",
        score=None if errors else round(sum(question.points or 0.0 for question in assessed), 4),
        max_score=assignment.max_score,
        assessed_max_score=round(sum(question.max_points for question in assessed), 4),
        questions=questions,
        repairs=run.repairs,
        problem=f"The grader went wrong on: {', '.join(errors)}. A person has to look." if errors else "",
        run=run,
        provenance=dict(provenance),
    )


def refused_report(
    assignment: Assignment, submission: Submission, reason: str, provenance: Mapping[str, object]
) -> Report:
    """The report of a submission that cannot be run: no score, and a clear reason."""
    return _empty_report(assignment, submission, reason, "not_assessed", "The notebook could not be read.", provenance)


def failed_report(
    assignment: Assignment, submission: Submission, reason: str, fault: Fault | None = "machine"
) -> Report:
    """The report of a submission whose grading was stopped by a fault that is not the student's, and whose it is."""
    problem = f"Not graded, and not because of the student: {reason}"
    told = "The grader went wrong; a person will look."
    return _empty_report(assignment, submission, problem, "error", told, {"fault": fault})


def _empty_report(
    assignment: Assignment,
    submission: Submission,
    problem: str,
    outcome: QuestionOutcome,
    message: str,
    provenance: Mapping[str, object],
) -> Report:
    return Report(
        assignment=submission.assignment,
        student=submission.student,
        status="needs_attention",
        score=None,
        max_score=assignment.max_score,
        questions=tuple(
            _result(
                question, None, "manual" if question.manual else outcome, message="" if question.manual else message
            )
            for question in assignment.questions
        ),
        problem=problem,
        provenance=dict(provenance),
    )


def _judged(question: Question, judgement: Judgement | None) -> QuestionResult:
    if question.manual:
        return _result(question, None, "manual", message="Waits for hand grading.")
    if judgement is None:
        judgement = Judgement(checks=(_no_hidden_tests(),))
    points, outcome = points_for(judgement.checks, question.points)
    return _result(question, points, outcome, judgement=judgement)


def _result(
    question: Question,
    points: float | None,
    outcome: QuestionOutcome,
    *,
    message: str = "",
    judgement: Judgement | None = None,
) -> QuestionResult:
    return QuestionResult(
        id=question.id,
        title=question.title,
        topic=question.topic,
        points=points,
        max_points=question.points,
        outcome=outcome,
        message=message,
        checks=judgement.checks if judgement else (),
        pictures=judgement.pictures if judgement else (),
    )


def _no_hidden_tests() -> CheckResult:
    message = "This question has no hidden tests; a person has to look."
    return CheckResult(name="hidden_tests", title="The hidden tests of this question", outcome="error", message=message)


@cache
def environment() -> Mapping[str, str]:
    """The versions of what a student's code runs on, and of the grader."""
    versions = {"python": platform.python_version(), "autograder": __version__}
    for package in ENVIRONMENT:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "absent"
    return MappingProxyType(versions)


def file_sha256(path: Path, max_bytes: int) -> str | None:
    """Of a submission's bytes as they are, or None where there is no regular file of bearable size."""
    try:
        return hashlib.sha256(read_bytes(path, max_bytes)).hexdigest()
    except UntrustedError:
        return None
