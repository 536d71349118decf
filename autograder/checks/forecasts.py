"""Expectations on forecasters: units, and whether they look at what they are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

NEAR = 0.35  # standard deviations within which a forecast in normalised units lies from the normalised truth


def _median_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(first - second)))


def looks_normalised(forecast: ArrayLike, truth: ArrayLike, mean: ArrayLike, std: ArrayLike) -> bool:
    """Whether forecasts of one target are in normalised units where `truth` is in physical ones.

    They are when they lie near `(truth - mean) / std` and far from `truth`. Shapes: all but `mean` and `std` alike.
    """
    guess, real = np.asarray(forecast, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    scaled = (real - float(np.asarray(mean))) / float(np.asarray(std))
    near = _median_distance(guess, scaled)
    return near < NEAR and near < 0.5 * _median_distance(guess, real)


def looks_swapped(forecast: ArrayLike, truth: ArrayLike) -> bool:
    """Whether the two targets of forecasts `(n, steps, 2)` are the wrong way round."""
    guess, real = np.asarray(forecast, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    right = [_median_distance(guess[..., i], real[..., i]) for i in (0, 1)]
    wrong = [_median_distance(guess[..., 1 - i], real[..., i]) for i in (0, 1)]
    return all(there < 0.5 * here for there, here in zip(wrong, right, strict=True))


def is_constant(forecast: ArrayLike, spread: Sequence[float]) -> bool:
    """Whether forecasts `(n, steps, targets)` are the same for all windows, up to 1e-4 of each target's `spread`."""
    guess = np.asarray(forecast, dtype=np.float64)
    return bool(guess.size and (np.ptp(guess, axis=0).max(axis=0) <= 1e-4 * np.asarray(spread)).all())
