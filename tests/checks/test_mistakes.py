"""A known mistake is told by its result; anything else gets the general hint. Under a second."""

import numpy as np
import pytest

from autograder.checks import recognise
from autograder.evidence import Other

MISTAKES = {"first": np.array([1.0, 2.0]), "second": np.array([1.0, 3.0]), "scalar": 4.0}


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ([1.0, 2.0], "first"),
        (np.float32([1.0, 3.00001]), "second"),
        (4, "scalar"),
        ([1.0, 2.5], "general"),
        ([[1.0, 2.0]], "general"),
        ([np.nan, 2.0], "general"),
        ("text", "general"),
        (None, "general"),
        (Other("pkg.Thing", "<Thing>"), "general"),
    ],
)
def test_hint(value, hint):
    assert recognise(value, MISTAKES, otherwise="general") == hint


def test_the_first_of_equal_mistakes_counts():
    assert recognise([1.0], {"a": [1.0], "b": [1.0]}) == "a"
    assert recognise([2.0], {"a": [1.0]}) == ""
