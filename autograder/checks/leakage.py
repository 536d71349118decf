"""Leakage by intervention: change the future, and nothing that was learned from the past may move.

A hidden test hands a student's function two inputs that are equal up to a moment and differ after it, and compares what
must depend on the past alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from autograder.checks.arrays import as_array
from autograder.checks.failure import Failure

HINT = "Whatever is learned from the past, and every training window, must not depend on rows that come later."


def change_after(frame: pd.DataFrame, row: int, rng: np.random.Generator, scale: float = 40.0) -> pd.DataFrame:
    """A copy whose rows from `row` on hold other numbers: shifted, stretched and noisy, in every column."""
    changed = frame.copy()
    later = changed.iloc[row:].to_numpy(dtype=np.float64)
    noise = rng.normal(size=later.shape)
    changed.iloc[row:] = (1.5 * later + scale * (1.0 + noise)).astype(frame.to_numpy().dtype)
    return changed


def has_moved(before: Any, after: Any, rtol: float = 1e-5, atol: float = 1e-6) -> bool:
    """Whether two values that should be the same differ in shape or content."""
    first, second = as_array(before, "the value"), as_array(after, "the value")
    return first.shape != second.shape or not np.allclose(first, second, rtol=rtol, atol=atol, equal_nan=True)


def expect_unmoved(before: Any, after: Any, what: str, *, hint: str = HINT) -> None:
    """A value is the same whether or not the future was changed.

    Raises:
        Failure: it moved with the future.
    """
    first, second = as_array(before, what, hint=hint), as_array(after, what, hint=hint)
    if not has_moved(first, second):
        return
    if first.shape != second.shape:
        detail = f"shape {first.shape}, then {second.shape}"
    else:
        moved = int((~np.isclose(first, second, rtol=1e-5, atol=1e-6, equal_nan=True)).sum())
        detail = f"{moved} of {first.size} values changed with it"
    raise Failure(f"{what} should stay the same when only later rows of the data are changed. Received: {detail}", hint)
