"""Trainings as they were observed: histories, and whether a notebook's `histories` are what `fit` returned.

An observed training is a dictionary as `_autograder_observe.fits()` makes it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks.arrays import as_array
from autograder.checks.failure import Failure
from autograder.checks.values import with_received

History = Mapping[str, Sequence[float]]
PARTS_JOINED = 4


def read_history(value: Any, what: str, keys: Sequence[str], *, hint: str = "") -> dict[str, list[float]]:
    """The lists of one training under `keys`: all there, numbers, of one length of at least 1.

    Raises:
        Failure: a key is missing, or a value is not such a list.
    """
    lists = {}
    for key in keys:
        if key not in value:
            raise Failure(with_received(f"{what} should have a list under '{key}'.", f"the keys {sorted(value)}"), hint)
        lists[key] = [float(number) for number in as_array(value[key], f"{what}['{key}']", ndim=1, hint=hint)]
    lengths = {key: len(numbers) for key, numbers in lists.items()}
    if len(set(lengths.values())) != 1 or not next(iter(lengths.values())):
        raise Failure(
            with_received(f"{what} should have lists of equal length, at least 1.", f"lengths {lengths}"), hint
        )
    return lists


def observed_histories(fits: Any) -> list[dict[str, list[float]]]:
    """The histories of the trainings that came to an end; of nothing else in `fits`."""
    if not isinstance(fits, list):
        return []
    histories = [fit.get("history") for fit in fits if isinstance(fit, dict) and fit.get("finished")]
    return [_lists(history) for history in histories if isinstance(history, dict)]


def _lists(history: Mapping[str, Any]) -> dict[str, list[float]]:
    return {
        str(key): [float(number) for number in numbers]
        for key, numbers in history.items()
        if isinstance(numbers, list) and all(map(_is_number, numbers))
    }


def _is_number(value: object) -> bool:
    """Whether it is a number that a float can hold, NaN and infinities included."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= sys.float_info.max)


def is_observed(history: History, observed: Sequence[History], rtol: float = 1e-3, atol: float = 1e-4) -> bool:
    """Whether every list of a history was returned by one observed `fit`, or by several in a row put together.

    Names need not agree, values must: a list under `val_...` with one of `fit`'s validation lists, others with others.
    """
    for start in range(len(observed)):
        joined: dict[str, list[float]] = {}
        for fit in observed[start : start + PARTS_JOINED]:
            joined = {key: [*joined.get(key, []), *numbers] for key, numbers in fit.items()}
            if all(_has_equal(key, numbers, joined, rtol, atol) for key, numbers in history.items()):
                return True
    return False


def _has_equal(key: str, numbers: Sequence[float], observed: History, rtol: float, atol: float) -> bool:
    """Whether one of the observed lists has these numbers; of an RMSE they may be the roots of an observed MSE."""
    same_side = [each for name, each in observed.items() if name.startswith("val_") == key.startswith("val_")]
    candidates = [np.asarray(each) for each in same_side if len(each) == len(numbers)]
    if "rmse" in key:
        candidates += [np.sqrt(np.abs(each)) for each in candidates]
    return any(np.allclose(each, numbers, rtol=rtol, atol=atol, equal_nan=True) for each in candidates)
