"""Skill against a baseline, with a confidence interval that knows that weather of 10 minutes later is the same weather.

Errors of windows that follow each other in time are strongly correlated, so windows are drawn again in whole blocks of
time (moving-block bootstrap, Kuensch 1989), and paired: both forecasters on the same windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Interval:
    """A skill, 1 - error / baseline error: its estimate and bounds. Positive: better than the baseline."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:+.1%} ({self.low:+.1%} to {self.high:+.1%})"


def skill(errors: ArrayLike, baseline_errors: ArrayLike) -> float:
    """1 - mean error / mean baseline error; 0 where the baseline makes no error and neither does the forecast.

    A baseline without error that the forecast does not match gives minus infinity.
    """
    ours, theirs = (float(np.mean(np.asarray(each, dtype=np.float64))) for each in (errors, baseline_errors))
    if theirs == 0.0:
        return 0.0 if ours == 0.0 else -np.inf
    return 1.0 - ours / theirs


def paired_block_bootstrap(
    errors: ArrayLike,
    baseline_errors: ArrayLike,
    *,
    block: int,
    rng: np.random.Generator,
    confidence: float = 0.9,
    draws: int = 2000,
) -> Interval:
    """The skill of a forecaster against a baseline, and its two-sided interval.

    Args:
        errors: one absolute error per window, in time order, `(n,)`.
        baseline_errors: the baseline's on the same windows, `(n,)`.
        block: windows per block; at least as long as errors stay correlated. Cut to half of n.
        rng: source of the draws.
        confidence: of the interval; each bound holds with `(1 + confidence) / 2`.
        draws: how many times the windows are drawn again.

    Raises:
        ValueError: the two have different lengths, or there are none.
    """
    ours, theirs = np.asarray(errors, dtype=np.float64), np.asarray(baseline_errors, dtype=np.float64)
    if ours.ndim != 1 or ours.shape != theirs.shape or not ours.size:
        raise ValueError(
            f"errors of two forecasters on the same windows are expected. Received: {ours.shape}, {theirs.shape}"
        )
    windows = _block_sums(ours, theirs, max(1, min(block, ours.size // 2)), rng, draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        # As in `skill`: only a forecast without any error equals a baseline without any; NaN does not.
        skills = np.where(windows[1] > 0, 1.0 - windows[0] / windows[1], np.where(windows[0] == 0, 0.0, -np.inf))
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(skills, [tail, 1.0 - tail], method="nearest")
    return Interval(skill(ours, theirs), float(low), float(high))


def _block_sums(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], block: int, rng: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    """Summed errors of both over each drawn set of blocks, `(2, draws)`; sums of blocks make it cheap."""
    blocks_needed = -(-ours.size // block)
    sums = [np.convolve(errors, np.ones(block), mode="valid") for errors in (ours, theirs)]
    starts = rng.integers(0, ours.size - block + 1, size=(draws, blocks_needed))
    return np.stack([each[starts].sum(axis=1) for each in sums])
