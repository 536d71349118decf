"""Strings and lists of tokens: what passes, and what a student reads otherwise. Milliseconds."""

import numpy as np
import pytest

from autograder.checks import Failure
from autograder.checks.texts import as_text, as_tokens, expect_tokens


def test_a_string_is_text_and_nothing_else_is():
    assert as_text("a b", "x") == "a b"
    for value in (None, 3, ["a"], np.array(["a"])):
        with pytest.raises(Failure, match=r"x should be a str\. Received: "):
            as_text(value, "x")


def test_lists_tuples_and_arrays_of_strings_are_tokens():
    for value in (["a", ""], ("a", ""), np.array(["a", ""])):
        assert as_tokens(value, "x") == ["a", ""]
    with pytest.raises(Failure, match="should hold strings. Received: 3"):
        as_tokens(["a", 3], "x")
    with pytest.raises(Failure, match="should be a list"):
        as_tokens("ab", "x")


def test_tokens_are_compared_in_order():
    expect_tokens(["a", "b"], ["a", "b"], what="x")
    expect_tokens([], [], what="x")
    with pytest.raises(Failure, match=r"x: 'b' expected at place 1\. Received: 'c' there"):
        expect_tokens(["a", "c"], ["a", "b"], what="x")
    with pytest.raises(Failure, match=r"x: 1 tokens expected\. Received: 2 tokens"):
        expect_tokens(["a", "b"], ["a"], what="x")
    with pytest.raises(Failure, match="Received: 0 tokens"):
        expect_tokens([], ["a"], what="x")
