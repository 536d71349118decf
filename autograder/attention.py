"""What kind of thing happened to a submission that is not plainly graded, and whether a person has to look.

    student error    a cell raised, or the kernel died by the student's doing; the rest was graded, and there is a mark.
                     A notebook that cannot be read belongs here too, but has no mark: a person asks its student
    limit            time, memory, output or another limit was in the way; there is a mark
    not assessed     something could not be assessed here: neither given nor lost
    infrastructure   the machine failed, as often as it was tried: no mark, and none taken away
    grader bug       a hidden test went wrong, or the grader itself: no mark, never a zero

A submission can be several of these; it is told as the one that is most urgent. A wrong answer is none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from autograder.events import Outcome
from autograder.records import Report, Run

Kind = Literal["grader bug", "infrastructure", "limit", "student error", "not assessed"]

KINDS: Final[tuple[Kind, ...]] = ("grader bug", "infrastructure", "limit", "student error", "not assessed")
"""The most urgent first."""
FAULT: Final = "fault"  # in the provenance of a report that the grader could not finish: "grader" or "machine"


@dataclass(frozen=True)
class Case:
    """One submission that is not plainly graded.

    Attributes:
        student: whose.
        kind: the most urgent of what happened.
        reason: in a sentence, the same for submissions to which the same happened.
        needs_person: whether there is no mark until a person has looked.
    """

    student: str
    kind: Kind
    reason: str
    needs_person: bool


def find_case(report: Report) -> Case | None:
    """What happened to a submission, by its report; None when it is plainly graded."""
    if report.run is None:
        return _without_run(report)
    wrong = [
        f"{question.id}: {check.name}: {check.message}"
        for question in report.questions
        for check in question.checks
        if check.outcome == "error"
    ]
    if wrong or report.status != "graded":
        told = _first_of(wrong) if wrong else report.problem
        return Case(report.student, "grader bug", told, needs_person=True)
    ordinary: dict[Kind, str] = {
        "limit": _limits(report, report.run),
        "student error": _errors(report.run),
        "not assessed": _not_assessed(report),
    }
    return next((Case(report.student, kind, told, needs_person=False) for kind, told in ordinary.items() if told), None)


def find_cases(reports: Iterable[Report], failures: Mapping[str, Outcome] | None = None) -> list[Case]:
    """The cases of a class: the most urgent kind first, in each kind by student.

    Args:
        reports: published ones.
        failures: by student, how gradings ended that could not be finished. Where there was a mark before, the report
            tells of that one.
    """
    found = []
    for report in reports:
        case = find_case(report)
        failure = (failures or {}).get(report.student)
        if failure is not None and (case is None or not case.needs_person):
            case = _kept(failure)
        found += [case] if case is not None else []
    return sorted(found, key=lambda case: (KINDS.index(case.kind), case.student))


def _kept(failure: Outcome) -> Case:
    """The grading failed, and the mark that was there before stays."""
    reason = failure.problem or "the grading could not be finished"
    told = f"The mark that was there stays, because this went wrong: {reason}"
    return Case(failure.name, _kind_of(failure.fault), told, needs_person=True)


def _kind_of(fault: object) -> Kind:
    return "grader bug" if fault == "grader" else "infrastructure"


def count_kinds(cases: Iterable[Case]) -> dict[Kind, int]:
    """How many submissions there are of each kind."""
    counts = Counter(case.kind for case in cases)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def _without_run(report: Report) -> Case:
    """Nothing was run: the notebook could not be, or the machine or the grader failed before there was a report."""
    if any(question.outcome == "error" for question in report.questions):
        return Case(report.student, _kind_of(report.provenance.get(FAULT)), report.problem, needs_person=True)
    return Case(report.student, "student error", report.problem, needs_person=True)


def _limits(report: Report, run: Run) -> str:
    stopped = [
        f"{question.id}: {check.message}"
        for question in report.questions
        for check in question.checks
        if check.outcome == "limit_exceeded"
    ]
    return _first_of([str(exceeded) for exceeded in run.limits_exceeded] or stopped)


def _errors(run: Run) -> str:
    if run.kernel_died:
        return f"the kernel died: {run.cause_of_death or 'nothing says why'}"
    return _first_of(
        [
            f"{cell.error.name} in the cell {cell.grade_id or number}"
            for number, cell in enumerate(run.cells, 1)
            if cell.error is not None
        ]
    )


def _not_assessed(report: Report) -> str:
    left_out = [
        question.id
        for question in report.questions
        if question.outcome == "not_assessed" or any(check.outcome == "not_assessed" for check in question.checks)
    ]
    return ", ".join(left_out)


def _first_of(sentences: list[str]) -> str:
    """The first one, and how many more there are."""
    more = f", and {len(sentences) - 1} more" if sentences[1:] else ""
    return f"{sentences[0]}{more}" if sentences else ""
