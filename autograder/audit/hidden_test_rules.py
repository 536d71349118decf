"""Rules about hidden tests: students can read what each asks, learn from it, and each has been seen to fail."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from autograder.audit.findings import Finding, Severity
from autograder.audit.registry import rule
from autograder.audit.subject import Subject
from autograder.audit.syntax import Function, HiddenFile, docstring, marks

FAILING = {"partial", "failed", "error"}


@rule("missing-docstring")
def missing_docstring(subject: Subject) -> Iterator[Finding]:
    """Every hidden test has a docstring: it is the line that a student reads."""
    for hidden, test in _tests(subject):
        if not docstring(test).strip():
            remedy = "Say in one line what a right answer does."
            yield _finding("missing-docstring", subject, hidden, test, f"{test.name} has no docstring", remedy)


@rule("missing-hint")
def missing_hint(subject: Subject) -> Iterator[Finding]:
    """Every hidden test has a way to fail that comes with a hint, itself or in a helper that it calls."""
    for hidden, test in _tests(subject):
        if not hidden.has_hint(test):
            remedy = 'Say what to look at: expect(..., hint="...").'
            yield _finding("missing-hint", subject, hidden, test, f"{test.name} never gives a hint", remedy)


@rule("cannot-fail")
def cannot_fail(subject: Subject) -> Iterator[Finding]:
    """Every hidden test can fail: it calls a word of the vocabulary, or raises."""
    for hidden in subject.hidden.values():
        if not hidden.tests:
            found = "there is no test in this file"
            yield Finding("cannot-fail", "error", subject.told(hidden.path), found, "Write functions named test_....")
        for test in hidden.tests:
            if not hidden.can_fail(test):
                found = f"{test.name} has no way to end in a Failure; an assert is an error of the grader's"
                yield _finding("cannot-fail", subject, hidden, test, found, "Use expect(...) or raise Failure(...).")


@rule("no-mutant")
def no_mutant(subject: Subject) -> Iterator[Finding]:
    """Every question with hidden tests has a demo student who is wrong in it."""
    caught = {
        name
        for mutant in subject.mutants
        if not mutant.right
        for name, outcome in mutant.expected.items()
        if outcome in FAILING
    }
    for question, hidden in subject.hidden.items():
        if question in caught:
            continue
        only_there = bool(hidden.tests) and all(hidden.needs_device(test) for test in hidden.tests)
        found = f"no demo student is wrong in {question}"
        if only_there:
            found += ", which is only assessed on a machine with an accelerator"
        remedy = f"Write one in {subject.told(subject.home)}/mutants; `autograder selftest` says which tests it fails."
        kind: Severity = "warning" if only_there else "error"
        yield Finding("no-mutant", kind, subject.told(hidden.path), found, remedy)


@rule("requires-unknown")
def requires_unknown(subject: Subject) -> Iterator[Finding]:
    """What a hidden test requires are earlier tests of its file."""
    for hidden in subject.hidden.values():
        earlier: set[str] = set()
        for test in hidden.tests:
            names = [part for mark in marks(test, "requires") for part in mark.args]
            for node in names:
                name = node.value if isinstance(node, ast.Constant) else None
                if name not in earlier:
                    found = f"{test.name} requires {ast.unparse(node)}, which is no earlier test of this file"
                    yield _finding("requires-unknown", subject, hidden, node, found, "Correct the name or the order.")
            earlier.add(test.name)


@rule("weight-unusable")
def weight_unusable(subject: Subject) -> Iterator[Finding]:
    """Weights of hidden tests are numbers, none below zero, and not all of a question's are zero."""
    for hidden in subject.hidden.values():
        total = 0.0
        for test in hidden.tests:
            weight, mark = 1.0, None
            for mark in marks(test, "weight"):
                weight = _weight(mark)
            if mark is not None and not weight >= 0:  # what is not known is not above zero
                found = f"{test.name} has the weight {', '.join(map(ast.unparse, mark.args)) or 'nothing'}"
                yield _finding("weight-unusable", subject, hidden, mark, found, "Give it one number, 0 or more.")
            total += weight
        if hidden.tests and total == 0:
            found, remedy = "all its tests have the weight 0, so that nothing earns points", "Weigh one of them."
            yield Finding("weight-unusable", "error", subject.told(hidden.path), found, remedy)


def _weight(mark: ast.Call) -> float:
    """The number in a mark; not a number where there is none, or where only running tells."""
    try:
        value = ast.literal_eval(mark.args[0]) if len(mark.args) == 1 else math.nan
    except ValueError:
        return math.nan
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _tests(subject: Subject) -> Iterator[tuple[HiddenFile, Function]]:
    for hidden in subject.hidden.values():
        for test in hidden.tests:
            yield hidden, test


def _finding(identifier: str, subject: Subject, hidden: HiddenFile, node: ast.AST, found: str, remedy: str) -> Finding:
    line = getattr(node, "lineno", None)
    return Finding(identifier, "error", subject.told(hidden.path), found, remedy, line)
