"""Expectations on arrays of numbers.

float32 work is compared with `rtol=1e-4, atol=1e-5`. Lists, tuples, tables and tensors (which arrive as arrays) count
as arrays wherever `numpy.asarray` takes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from autograder.checks.failure import Failure
from autograder.checks.values import shorten, with_received
from autograder.evidence import Other, Raised

RTOL = 1e-4
ATOL = 1e-5
NUMERIC_KINDS = "biuf"

Shape = Sequence[int | None]


def as_array(value: Any, what: str, *, ndim: int | None = None, hint: str = "") -> NDArray[Any]:
    """A student's value as an array of real numbers, its dtype kept; columns of a table become columns of the array.

    Raises:
        Failure: it is text, ragged, an object, complex, or has another number of dimensions.
    """
    if isinstance(value, (pd.DataFrame, pd.Series)):
        value = value.to_numpy()
    if value is None or isinstance(value, (Other, Raised, str, bytes, dict)):
        raise Failure(with_received(f"{what} should be an array of numbers.", shorten(value)), hint)
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged lists
        raise Failure(
            with_received(f"{what} should be an array of numbers.", "rows of different lengths"), hint
        ) from error
    if array.dtype.kind not in NUMERIC_KINDS:
        raise Failure(with_received(f"{what} should be an array of numbers.", f"values of type {array.dtype}"), hint)
    if ndim is not None and array.ndim != ndim:
        raise Failure(with_received(f"{what} should have {ndim} dimensions.", f"shape {array.shape}"), hint)
    return array


def expect_shape(value: Any, shape: Shape, what: str, *, hint: str = "") -> NDArray[Any]:
    """An array of this shape, None standing for any size; returns it.

    Raises:
        Failure: it is no array of numbers or has another shape.
    """
    array = as_array(value, what, hint=hint)
    fits = array.ndim == len(shape) and all(
        wanted is None or wanted == size for wanted, size in zip(shape, array.shape, strict=True)
    )
    if not fits:
        wanted_text = (
            "("
            + ", ".join("n" if size is None else str(size) for size in shape)
            + ("," if len(shape) == 1 else "")
            + ")"
        )
        raise Failure(with_received(f"{what} should have shape {wanted_text}.", f"shape {array.shape}"), hint)
    return array


def expect_dtype(value: Any, dtype: str, what: str, *, hint: str = "") -> NDArray[Any]:
    """An array of exactly this dtype; returns it.

    Raises:
        Failure: it is no array of numbers or has another dtype.
    """
    array = as_array(value, what, hint=hint)
    if array.dtype != np.dtype(dtype):
        raise Failure(with_received(f"{what} should be {dtype}.", str(array.dtype)), hint)
    return array


def expect_finite(value: Any, what: str, *, hint: str = "") -> NDArray[Any]:
    """An array without NaN and infinity; returns it.

    Raises:
        Failure: it is no array of numbers, or some are not finite.
    """
    array = as_array(value, what, hint=hint)
    wrong = int(array.size - np.isfinite(array).sum())
    if wrong:
        raise Failure(
            with_received(f"{what} should have no NaN and no infinity.", f"{wrong} of {array.size} values"), hint
        )
    return array


def expect_close(
    value: Any, expected: ArrayLike, *, what: str, rtol: float = RTOL, atol: float = ATOL, hint: str = ""
) -> None:
    """An array of the expected shape whose values are close to the expected ones.

    The message shows one pair of values, the one that is furthest off, and how many are off; never whole inputs.

    Raises:
        Failure: it is no array of numbers, has another shape, or is off somewhere.
    """
    target = np.asarray(expected)
    array = expect_shape(value, target.shape, what, hint=hint)
    with np.errstate(all="ignore"):
        off = ~np.isclose(array, target, rtol=rtol, atol=atol)
    if not off.any():
        return
    with np.errstate(all="ignore"):
        distance = np.abs(array.astype(np.float64) - target.astype(np.float64))
    worst = np.unravel_index(int(np.argmax(np.where(off, np.nan_to_num(distance, nan=np.inf), -1.0))), target.shape)
    position = f" at {tuple(int(i) for i in worst)}" if target.ndim else ""
    message = f"{what}: {float(target[worst]):.6g} expected{position}."
    received = f"{float(array[worst]):.6g} there; {int(off.sum())} of {off.size} values are off"
    raise Failure(with_received(message, received), hint)
