"""The points of a report as sentences, with hand-given points counted in.

What has no mark is never shown as zero: it waits for a person, or could not be assessed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.records import QuestionResult, Report


def points_text(points: float) -> str:
    """Points with two decimals, or up to four where a share of a question needs them."""
    text = f"{points:.4f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def given_points(question: QuestionResult, manual_points: Mapping[str, float]) -> float | None:
    """A question's points: what a person gave, else what the checks gave, else None."""
    by_hand = manual_points.get(question.id)
    return question.points if by_hand is None or not math.isfinite(by_hand) else by_hand


@dataclass(frozen=True)
class Totals:
    """Where the points of one report stand. `score` is None while a person has to look first."""

    score: float | None
    so_far: float
    assessed: float
    maximum: float
    waiting: float
    unassessed: float
    needs_person: float

    @property
    def headline(self) -> str:
        """The score in a few words."""
        if self.score is None:
            return "No score yet"
        if not self.assessed:
            return "Nothing graded yet"
        return f"{points_text(self.score)} of {points_text(self.assessed)} {self._kind} points"

    @property
    def _kind(self) -> str:
        return "assessed" if self.assessed < self.maximum else "possible"

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not in the headline, one sentence each."""
        notes = []
        if self.score is None and self.assessed:
            notes.append(f"{points_text(self.so_far)} of {points_text(self.assessed)} assessed points so far.")
        if self.waiting:
            notes.append(f"{points_text(self.waiting)} waits for hand grading.")
        if self.unassessed:
            notes.append(f"{points_text(self.unassessed)} not assessed here: neither given nor lost.")
        if self.needs_person:
            notes.append(f"{points_text(self.needs_person)} needs a person to look, through no fault of yours.")
        return tuple(notes)


def totals(report: Report, manual_points: Mapping[str, float]) -> Totals:
    """Sum up a report; points given by hand replace those of the checks."""
    given = {question.id: given_points(question, manual_points) for question in report.questions}
    graded = [question for question in report.questions if given[question.id] is not None]
    so_far = math.fsum(points for points in given.values() if points is not None)
    pending = [question for question in report.questions if given[question.id] is None]
    broken = [question for question in report.questions if question.outcome == "error"]
    settled_by_hand = bool(broken) and all(given[question.id] is not None for question in broken)
    score = so_far if settled_by_hand else None
    if report.score is not None:  # the gradebook's number is the report's; only what came by hand changes it
        score = report.score + math.fsum(
            (given[question.id] or 0.0) - (question.points or 0.0) for question in report.questions
        )
    return Totals(
        score=None if score is None else round(score, 4),
        so_far=round(so_far, 4),
        assessed=_maximum(graded),
        maximum=report.max_score,
        waiting=_maximum([question for question in pending if question.outcome == "manual"]),
        unassessed=_maximum([question for question in pending if question.outcome == "not_assessed"]),
        needs_person=_maximum([question for question in pending if question.outcome not in {"manual", "not_assessed"}]),
    )


def _maximum(questions: Sequence[QuestionResult]) -> float:
    return round(math.fsum(question.max_points for question in questions), 4)
