"""Mutants from the solution's syntax tree: all that the operators can make, and a choice spread evenly over them."""

from __future__ import annotations

import ast
import difflib
import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from autograder.errors import MutantError
from autograder.mutants import Mutant
from autograder.selftest.cells import SolutionCell, without_delimiters
from autograder.selftest.operators import OPERATORS, Operator
from autograder.selftest.places import Place, find_places, module_names, parse

_OPERATIONS = (
    cst.BinaryOperation,
    cst.UnaryOperation,
    cst.Comparison,
    cst.Attribute,
    cst.Subscript,
    cst.BooleanOperation,
)


@dataclass(frozen=True)
class Mutation:
    """The solution with one change.

    Attributes:
        name: operator, question, and line of the question's solution cell.
        operator: what kind of mistake it is.
        question: whose cell is changed.
        source: the changed cell, as a student would hand it in.
        diff: against the solution, as unified diff.
    """

    name: str
    operator: str
    question: str
    source: str
    diff: str

    @property
    def digest(self) -> str:
        """Of the question and the changed code, however that is laid out and commented."""
        return hashlib.sha256(f"{self.question}\n{normalised(self.source)}".encode()).hexdigest()[:16]

    def as_mutant(self) -> Mutant:
        """As a demo student, of whom no outcome is expected."""
        return Mutant(name=self.name, story=self.operator, expected={}, right=False, cells={self.question: self.source})


def normalised(source: str) -> str:
    """Code without what changes nothing: comments, blanks, line breaks."""
    return ast.unparse(ast.parse(source))


def generate(cells: Sequence[SolutionCell]) -> tuple[list[Mutation], list[str]]:
    """All mutations of these solutions, by cell, place and operator, and a sentence for each cell that cannot be read.

    Mutations that come to the same code are one; what would not compile is none.
    """
    readable, problems = [], []
    known: set[str] = set()
    for cell in cells:
        try:
            known |= set(module_names(parse(cell)))
            readable.append(cell)
        except MutantError as error:
            problems.append(str(error))
    found = []
    for cell in readable:
        others = "\n".join(other.source for other in readable if other is not cell)
        found += _mutations(cell, known, others)
    return found, problems


def _mutations(cell: SolutionCell, known: set[str], other_code: str) -> list[Mutation]:
    module, places = find_places(cell, known, other_code)
    solution = without_delimiters(cell.source)
    seen = {normalised(solution)}
    taken: Counter[str] = Counter()
    found = []
    for place in places:
        for operator, source in _changed(module, place):
            try:
                code = normalised(source)
            except SyntaxError:  # the change cannot stand here, as with a slice that has lost its object
                continue
            if code in seen:
                continue
            seen.add(code)
            name = f"{operator.name}@{cell.question}:{place.line}"
            taken[name] += 1
            numbered = name if taken[name] == 1 else f"{name}.{taken[name]}"
            found.append(
                Mutation(numbered, operator.name, cell.question, source, _diff(cell.question, solution, source))
            )
    return found


def _changed(module: cst.Module, place: Place) -> Iterator[tuple[Operator, str]]:
    for operator in OPERATORS:
        if place.free and not operator.in_choices:
            continue
        for node in operator.changes(place):
            statement = (*place.parents, place.node)[1]  # what stands in the module; the others stay as they are
            changed = statement.deep_replace(place.node, _in_parentheses(node, place))
            body = [changed if each is statement else each for each in module.body]
            yield operator, without_delimiters(module.with_changes(body=body).code)


def _in_parentheses(node: cst.CSTNode, place: Place) -> cst.CSTNode:
    """An expression in the parentheses of the one whose place it takes, or in those that it needs there."""
    former = place.node
    if not isinstance(node, cst.BaseExpression) or not isinstance(former, cst.BaseExpression) or node.lpar:
        return node
    if former.lpar:
        return node.with_changes(lpar=former.lpar, rpar=former.rpar)
    binds_tighter = isinstance(former, cst.Call) and isinstance(place.parent, _OPERATIONS)
    if binds_tighter and isinstance(node, (*_OPERATIONS, cst.IfExp, cst.Lambda)):
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node


def _diff(question: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{question}: solution", f"{question}: mutant", n=2, lineterm=""
    )
    return "\n".join(lines)


def choose(mutations: Sequence[Mutation], count: int, seed: int) -> list[Mutation]:
    """So many of the mutations, spread evenly over questions, and within each over operators.

    A larger choice with the same seed contains every smaller one.
    """
    draw = random.Random(seed)  # noqa: S311
    waiting: dict[str, list[Mutation]] = {}
    for mutation in mutations:
        waiting.setdefault(mutation.question, []).append(mutation)
    for each in waiting.values():
        draw.shuffle(each)
    used: Counter[str] = Counter()
    chosen: list[Mutation] = []
    while any(waiting.values()) and len(chosen) < count:
        for each in waiting.values():
            if each and len(chosen) < count:
                rarest = min(each, key=lambda mutation: used[mutation.operator])
                each.remove(rarest)
                used[rarest.operator] += 1
                chosen.append(rarest)
    return chosen
