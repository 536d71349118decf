"""Where windows come from: find rows that training has seen in a series that the grader knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE = 2e-3


def expect_rows(value: Any, width: int) -> NDArray[np.float64]:
    """Rows as `(n, width)`; none where the value is no such array. For facts about a run, which are never at fault."""
    array = np.asarray(value) if isinstance(value, np.ndarray) else np.zeros((0, width))
    if array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "biuf":
        return np.zeros((0, width))
    return array.astype(np.float64)


def locate_windows(
    first: ArrayLike, last: ArrayLike, series: ArrayLike, length: int, tolerance: float = TOLERANCE
) -> NDArray[np.int64]:
    """Rows of `series` at which windows of `length` steps begin, given their first and last steps.

    Args:
        first: first step of each window, `(n, columns)`.
        last: last step of each window, `(n, columns)`.
        series: the whole series in the same units, `(rows, columns)`.
        length: steps of a window.
        tolerance: largest distance between a step and its row, in the units of the columns.

    Returns:
        A row for each window, -1 where there is none at which both steps agree: such a window cannot be judged.
    """
    from scipy.spatial import cKDTree

    rows, begin, end = (np.asarray(values, dtype=np.float64) for values in (series, first, last))
    found = np.full(len(begin), -1, dtype=np.int64)
    usable = np.isfinite(begin).all(axis=1) & np.isfinite(end).all(axis=1) if len(begin) else np.zeros(0, bool)
    if len(rows) < length or not usable.any():
        return found
    tree = cKDTree(rows[: len(rows) - length + 1])
    distance, row = tree.query(begin[usable], distance_upper_bound=tolerance)
    located = np.isfinite(distance)
    candidates = np.where(located, row, 0)
    ends_agree = np.abs(rows[candidates + length - 1] - end[usable]).max(axis=1) <= tolerance
    found[usable] = np.where(located & ends_agree, candidates, -1)
    return found
