"""The rules of the audit by their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autograder.audit.findings import Finding
from autograder.audit.subject import Subject

Look = Callable[[Subject], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule: its id, what it says in one sentence, and the function that looks."""

    id: str
    says: str
    look: Look


RULES: dict[str, Rule] = {}


def rule(identifier: str) -> Callable[[Look], Look]:
    """Register the function below as a rule; the first line of its docstring is what the rule says."""

    def register(look: Look) -> Look:
        assert identifier not in RULES, identifier
        says = (look.__doc__ or "").strip().splitlines()[0]
        RULES[identifier] = Rule(identifier, says, look)
        return look

    return register
