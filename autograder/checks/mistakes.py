"""Tell a mistake by its result: a wrong answer that a known mistake gives earns the hint that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograder.checks.arrays import ATOL, RTOL, as_array
from autograder.checks.failure import Failure


def recognise(
    value: Any, mistakes: Mapping[str, ArrayLike], *, otherwise: str = "", rtol: float = RTOL, atol: float = ATOL
) -> str:
    """The hint whose mistake gives this value, the first that fits; `otherwise` where none does.

    >>> recognise([2.0, 4.0], {"Take the mean, not the sum.": [2.0, 4.0]})
    'Take the mean, not the sum.'

    Args:
        value: what the student returned; anything.
        mistakes: what known mistakes give for the same inputs, by their hints.
        otherwise: the hint for what is not known.
        rtol: relative tolerance, as in `expect_close`.
        atol: absolute tolerance.
    """
    try:
        array = as_array(value, "A value")
    except Failure:
        return otherwise
    for hint, result in mistakes.items():
        wrong = np.asarray(result)
        if wrong.shape == array.shape and np.allclose(array, wrong, rtol=rtol, atol=atol):
            return hint
    return otherwise
