"""Expectations on text: strings, and lists of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.checks.failure import Failure
from autograder.checks.values import as_list, shorten, with_received


def as_text(value: Any, what: str, *, hint: str = "") -> str:
    """A string.

    Raises:
        Failure: the value is something else.
    """
    if not isinstance(value, str):
        raise Failure(with_received(f"{what} should be a str.", shorten(value)), hint)
    return value


def as_tokens(value: Any, what: str, *, hint: str = "") -> list[str]:
    """A list of strings; a tuple or an array of strings counts as one.

    Raises:
        Failure: the value is something else, or holds something else.
    """
    tokens = as_list(value, what, hint=hint)
    other = [token for token in tokens if not isinstance(token, str)]
    if other:
        raise Failure(with_received(f"{what} should hold strings.", shorten(other[0])), hint)
    return tokens


def expect_tokens(value: Any, expected: Sequence[str], *, what: str, hint: str = "") -> None:
    """These tokens in this order; the message shows the first place where they differ, never whole inputs.

    Raises:
        Failure: it is no list of strings, or another one.
    """
    tokens = as_tokens(value, what, hint=hint)
    for place, (received, wanted) in enumerate(zip(tokens, expected, strict=False)):
        if received != wanted:
            message = f"{what}: {shorten(wanted)} expected at place {place}."
            raise Failure(with_received(message, f"{shorten(received)} there"), hint)
    if len(tokens) != len(expected):
        raise Failure(with_received(f"{what}: {len(expected)} tokens expected.", f"{len(tokens)} tokens"), hint)
