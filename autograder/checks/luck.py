"""Skill or luck: when a trained model's result is run again with other seeds, and what the runs say together.

A result near its bar would have been on the other side with another seed. It is measured again until the mean of the
runs is further from the bar than luck reaches, or the runs that a course allows are used up. How far luck reaches comes
from the calibration: the standard deviation of one result from seed to seed. A submission whose mean over all seeds
lies on the other side of the bar is then decided wrongly in at most ERROR of all cases, those aside that stay open to
the end, which a person is told of. Such sequential tests of programs that draw random numbers are used by
StochasticGrade (Educational Data Mining, 2024); here the number of looks is bounded, and the error shared between them
(Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist

from autograder.checks.judging import Judgement
from autograder.records import CheckResult, Measure

ERROR = 0.05
LOOKS = 3
REACH = NormalDist().inv_cdf(1 - ERROR / LOOKS)
"""How many standard deviations luck reaches at each look: 2.13."""


def is_open(measure: Measure) -> bool:
    """Whether luck could have put the mean on this side of the bar.

    Results that are equal although their seeds were not are no matter of luck.
    """
    values = measure.values
    if len(values) > 1 and len(set(values)) == 1:
        return False
    return abs(measure.mean - measure.bar) < REACH * measure.spread / sqrt(len(values))


def open_checks(judgement: Judgement) -> tuple[str, ...]:
    """Names of the checks that luck could have decided."""
    return tuple(check.name for check in judgement.checks if check.measure is not None and is_open(check.measure))


def open_questions(rounds: Sequence[Mapping[str, Judgement]]) -> tuple[str, ...]:
    """The questions that need another run, by what the runs so far say; the first judges all, later ones open ones."""
    return tuple(name for name, judgement in combine(rounds).items() if open_checks(judgement))


def combine(rounds: Sequence[Mapping[str, Judgement]]) -> dict[str, Judgement]:
    """One judgement for each question: the mean of all runs decides what is measured, the rest is the first run's.

    Checks that rest on others are taken from a run in which those had the outcome that the mean gives them.
    """
    return {
        question: _combined([judgements[question] for judgements in rounds if question in judgements])
        for question in (rounds[0] if rounds else ())
    }


def _combined(judgements: Sequence[Judgement]) -> Judgement:
    if len(judgements) == 1:
        return judgements[0]
    measures = _merged(judgements)
    told = max(judgements, key=lambda judgement: _agreement(judgement, measures))  # the first of equal ones
    return told.model_copy(
        update={"checks": tuple(_decided(check, measures.get(check.name), judgements) for check in told.checks)}
    )


def _merged(judgements: Sequence[Judgement]) -> dict[str, Measure]:
    """For each measured check its values in all runs that could measure it; bar and spread are the calibration's."""
    found: dict[str, Measure] = {}
    for judgement in judgements:
        for check in judgement.checks:
            if check.measure is not None:
                before = found.get(check.name, check.measure.model_copy(update={"values": ()}))
                found[check.name] = before.model_copy(update={"values": before.values + check.measure.values})
    return found


def _agreement(judgement: Judgement, measures: Mapping[str, Measure]) -> int:
    return sum(_outcome(measures[check.name]) == check.outcome for check in judgement.checks if check.name in measures)


def _outcome(measure: Measure) -> str:
    return "passed" if measure.reached else "failed"


def _decided(check: CheckResult, measure: Measure | None, judgements: Sequence[Judgement]) -> CheckResult:
    """The check with the outcome that the mean gives it, and the words of a run with that outcome."""
    if measure is None or check.measure is None:
        return check
    outcome = _outcome(measure)
    same = [each for each in _all_named(check.name, judgements) if each.outcome == outcome]
    words = check if check.outcome == outcome or not same else same[0]
    message = f"{words.message} {_story(measure)}".strip()
    return check.model_copy(update={"outcome": outcome, "message": message, "hint": words.hint, "measure": measure})


def _all_named(name: str, judgements: Sequence[Judgement]) -> list[CheckResult]:
    return [check for judgement in judgements for check in judgement.checks if check.name == name]


def _story(measure: Measure) -> str:
    """What the student is told of the repetition."""
    values = ", ".join(f"{value:.4g}" for value in measure.values)
    return (
        f"The first result was too close to the bar of {measure.bar:.4g} to tell skill from luck, so your notebook was "
        f"run with {len(measure.values)} seeds. The results: {values}. Their mean counts: {measure.mean:.4g}."
    )
