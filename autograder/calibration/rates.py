"""From results to a bar: how honest and hopeless results are distributed, which bar lies between, how often it errs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from autograder.calibration.models import Bar
from autograder.calibration.trials import Result

MOST_FALSE_PASSES = 0.02
FROM_THE_HOPELESS = 0.4
"""Where a bar lies between the best hopeless and the worst honest result: nearer to the former, since students' models
differ more than ours, and one that is worse than all of ours but has learned something should pass."""


@dataclass(frozen=True)
class Rate:
    """A share of `n` cases with its 95 % Wilson interval."""

    rate: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, outcomes: Sequence[bool]) -> Rate | None:
        """Of these cases; None where there is none."""
        if not outcomes:
            return None
        result = binomtest(sum(outcomes), len(outcomes))
        interval = result.proportion_ci(method="wilson")
        return cls(
            round(float(result.statistic), 4),
            round(float(interval.low), 4),
            round(float(interval.high), 4),
            len(outcomes),
        )


@dataclass(frozen=True)
class Figures:
    """One measured check: what was measured, the bar, and how often it errs.

    Attributes:
        honest: values by model, in the order of the seeds; dishonest: the same of what must not pass.
        bar: the chosen one; where bars depend on the data, values are what they are above it, and this is 0.
        setting: the bar's name in calibration.json; empty where the hidden test sets it.
        spread: standard deviation of one model's value from seed to seed on the same data; None where no two were run.
    """

    question: str
    check: str
    honest: Mapping[str, tuple[float, ...]]
    dishonest: Mapping[str, tuple[float, ...]]
    bar: float
    setting: str
    spread: float | None
    false_fails: Rate | None
    false_passes: Rate | None


def figures_of(results: Iterable[Result], bars: Mapping[str, Mapping[str, Bar]]) -> list[Figures]:
    """The figures of every measured check, sorted by question and check."""
    found: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        found.setdefault((result.question, result.check), []).append(result)
    return [
        _figures(question, check, each, bars.get(question, {}).get(check))
        for (question, check), each in sorted(found.items())
    ]


def _figures(question: str, check: str, results: Sequence[Result], wanted: Bar | None) -> Figures:
    stated = {result.bar for result in results if result.bar is not None}
    shifts = wanted is None and len(stated) > 1  # the bar depends on the data: what counts is the distance from it
    kept = [(result, _above(result) if shifts else result.value) for result in results]
    values = [(result, value) for result, value in kept if value is not None and math.isfinite(value)]
    honest = [value for result, value in values if result.honest]
    dishonest = [value for result, value in values if not result.honest]
    given = 0.0 if shifts or not stated else stated.pop()
    bar = given if wanted is None else choose_bar(honest, dishonest, wanted)
    return Figures(
        question=question,
        check=check,
        honest=_by_model(values, honest=True),
        dishonest=_by_model(values, honest=False),
        bar=bar,
        setting=wanted.setting if wanted else "",
        spread=spread_of(result_and_value for result_and_value in values if result_and_value[0].honest),
        false_fails=Rate.of([value < bar for value in honest]),
        false_passes=Rate.of([value >= bar for value in dishonest]),
    )


def _above(result: Result) -> float | None:
    return None if result.value is None or result.bar is None else result.value - result.bar


def _by_model(values: Iterable[tuple[Result, float]], *, honest: bool) -> dict[str, tuple[float, ...]]:
    found: dict[str, list[float]] = {}
    for result, value in values:
        if result.honest is honest:
            found.setdefault(result.model, []).append(value)
    return {model: tuple(each) for model, each in found.items()}


def choose_bar(honest: Sequence[float], dishonest: Sequence[float], wanted: Bar) -> float:
    """A bar between the two: few false passes come first, then as few false fails as can be had, in two digits.

    Where the two do not overlap it lies FROM_THE_HOPELESS of the way up; where they do, just above as many of the
    hopeless as MOST_FALSE_PASSES asks for.
    """
    if not honest:
        return max(wanted.least, min(wanted.most, 0.0))
    low = float(np.quantile(dishonest, 1 - MOST_FALSE_PASSES, method="higher")) if dishonest else wanted.least
    high = min(honest)
    if math.isinf(low):
        low = high - max(abs(high) * 0.2, 0.01)
    digits = 1 - math.floor(math.log10(0.999 * max(abs(high), abs(low), 1e-9)))
    between = low + FROM_THE_HOPELESS * max(high - low, 0.0)
    bar = round(between, digits)
    return min(wanted.most, max(wanted.least, bar if bar > low else round(bar + 10.0**-digits, digits)))


def spread_of(values: Iterable[tuple[Result, float]]) -> float | None:
    """The pooled standard deviation within groups of one model on one data set; None where no group has two."""
    groups: dict[tuple[str, int], list[float]] = {}
    for result, value in values:
        groups.setdefault((result.model, result.data), []).append(value)
    several = [np.array(group) for group in groups.values() if len(group) > 1]
    if not several:
        return None
    squares = math.fsum(float(((group - group.mean()) ** 2).sum()) for group in several)
    return round(math.sqrt(squares / sum(len(group) - 1 for group in several)), 6)
