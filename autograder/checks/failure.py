"""How a hidden test ends other than by passing.

`Failure` is the student's: its message says what was expected and ends with what was received, its hint points to the
lecture. `LimitFailure` says that a limit was exceeded. `NotAssessed` says that this machine cannot tell. Any other
exception, a plain `assert` included, is an error of the hidden test, never a lost point.
"""

from __future__ import annotations


class Failure(Exception):
    """The student's answer is not what the question asks for."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class LimitFailure(Failure):
    """The answer could not be had within the limits."""


class NotAssessed(Exception):
    """This cannot be judged here; points are neither given nor lost."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
