"""Plain expectations, and how a student's value is shown in a message.

Whatever is in evidence may be of any type. The functions here turn a value of the wrong type into a `Failure` that says
what was expected, so that a hidden test may go on with a value that it can trust.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from autograder.checks.failure import Failure
from autograder.evidence import Other, Raised

MISSING = object()
LONGEST = 160
FEW = 8


def shorten(value: Any, limit: int = LONGEST) -> str:
    """A value as a message shows it: one line, at most `limit` characters."""
    text = " ".join(describe(value).split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def describe(value: Any) -> str:
    """A value in words: arrays and tables by shape and type rather than by content."""
    match value:
        case np.ndarray() if not 0 < value.size <= FEW:
            return f"an array of shape {value.shape}, {value.dtype}"
        case np.ndarray():
            return f"{value.tolist()} (an array of shape {value.shape})"
        case pd.DataFrame():
            return f"a DataFrame of {value.shape[0]} rows and {value.shape[1]} columns"
        case pd.Series() | list() if len(value) > FEW:
            return f"a {type(value).__name__} of {len(value)} values"
        case float():
            return f"{value:.6g}"
        case _:
            return str(value) if isinstance(value, Raised) else repr(value)


def expect(condition: object, message: str, *, received: Any = MISSING, hint: str = "") -> None:
    """The condition holds, or the student reads `message`, what was received, and the hint.

    Raises:
        Failure: the condition is false.
    """
    if not condition:
        raise Failure(with_received(message, received), hint)


def with_received(message: str, received: Any) -> str:
    """A message that ends with what was received, as every message to a student does. Text is shown as it is."""
    if received is MISSING:
        return message
    shown = received if isinstance(received, str) else shorten(received)
    return f"{message.rstrip()} Received: {shown}"


def as_number(value: Any, what: str, *, hint: str = "") -> float:
    """A finite number.

    Raises:
        Failure: the value is something else.
    """
    if isinstance(value, (np.ndarray, pd.Series)) and value.size == 1:
        value = np.asarray(value).reshape(-1)[0].item()
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    except OverflowError:  # an integer that no float can hold
        number = math.inf
    if not math.isfinite(number):
        raise Failure(with_received(f"{what} should be a finite number.", shorten(value)), hint)
    return number


def as_mapping(value: Any, what: str, *, hint: str = "") -> dict[str, Any]:
    """A dictionary; a table counts as one of its columns.

    Raises:
        Failure: the value is something else.
    """
    if isinstance(value, pd.DataFrame):
        return {str(name): value.iloc[:, position] for position, name in enumerate(value.columns)}
    if not isinstance(value, Mapping):
        raise Failure(with_received(f"{what} should be a dictionary.", shorten(value)), hint)
    return {str(key): item for key, item in value.items()}


def as_list(value: Any, what: str, *, length: int | None = None, hint: str = "") -> list[Any]:
    """A list, tuple, or one-dimensional array, as a list.

    Raises:
        Failure: the value is something else, or has another length.
    """
    if isinstance(value, (np.ndarray, pd.Series)) and value.ndim == 1:
        value = value.tolist()
    wanted = f"a list of {length} items" if length is not None else "a list"
    if not isinstance(value, (list, tuple)):
        raise Failure(with_received(f"{what} should be {wanted}.", shorten(value)), hint)
    if length is not None and len(value) != length:
        raise Failure(with_received(f"{what} should be {wanted}.", f"{len(value)} items"), hint)
    return list(value)


def is_value(value: Any) -> bool:
    """Whether evidence holds a value here, rather than an exception or an object that could not travel."""
    return value is not None and not isinstance(value, (Raised, Other))
