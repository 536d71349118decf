"""Expectations on pandas tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from autograder.checks.arrays import expect_close
from autograder.checks.failure import Failure
from autograder.checks.values import shorten, with_received


def as_frame(value: Any, what: str, *, hint: str = "") -> pd.DataFrame:
    """A pandas DataFrame.

    Raises:
        Failure: the value is something else.
    """
    if not isinstance(value, pd.DataFrame):
        raise Failure(with_received(f"{what} should be a pandas DataFrame.", shorten(value)), hint)
    return value


def expect_columns(frame: pd.DataFrame, columns: Sequence[str], what: str, *, hint: str = "") -> None:
    """Exactly these columns in this order.

    Raises:
        Failure: the columns differ.
    """
    received = [str(name) for name in frame.columns]
    if received == list(columns):
        return
    missing = [name for name in columns if name not in received]
    extra = [name for name in received if name not in columns]
    if missing:
        detail = f"without {missing}" + (f", with {extra}" if extra else "")
    else:
        detail = f"also {extra}" if extra else f"the order {received}"
    raise Failure(
        with_received(f"{what} should have the {len(columns)} columns asked for, in their order.", shorten(detail)),
        hint,
    )


def expect_index(frame: pd.DataFrame, index: pd.Index, what: str, *, hint: str = "") -> None:
    """The same row labels in the same order; names and frequencies of indexes do not matter.

    Raises:
        Failure: the index differs.
    """
    if len(frame.index) != len(index):
        raise Failure(with_received(f"{what} should have {len(index)} rows.", f"{len(frame.index)} rows"), hint)
    if isinstance(index, pd.DatetimeIndex) and not isinstance(frame.index, pd.DatetimeIndex):
        raise Failure(
            with_received(f"{what} should keep its DatetimeIndex.", f"an index of type {frame.index.dtype}"), hint
        )
    different = np.flatnonzero(np.asarray(frame.index != index))
    if different.size:
        row = int(different[0])
        raise Failure(with_received(f"{what}: row {row} should be labelled {index[row]}.", str(frame.index[row])), hint)


def expect_same_frame(value: Any, expected: pd.DataFrame, what: str, *, rtol: float = 1e-6, hint: str = "") -> None:
    """A table with the same index, columns and (closely) the same values.

    Raises:
        Failure: something differs.
    """
    frame = as_frame(value, what, hint=hint)
    expect_columns(frame, [str(name) for name in expected.columns], what, hint=hint)
    expect_index(frame, expected.index, what, hint=hint)
    expect_close(frame, expected.to_numpy(), what=what, rtol=rtol, hint=hint)


def expect_unchanged(value: Any, original: pd.DataFrame, what: str) -> None:
    """A table that was handed to a student's function is still what it was.

    Raises:
        Failure: it was changed in place.
    """
    hint = "Work on a copy (`frame.copy()`), or use operations that return a new frame."
    try:
        expect_same_frame(value, original, what, rtol=0.0)
    except Failure as failure:
        raise Failure(
            f"{what} should be left unchanged by the function that it is given to. {failure.message}", hint
        ) from None
