"""Mistakes of value: another number, a limit left out, an argument forgotten, a function of the same family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import libcst as cst

from autograder.selftest.operators.base import Operator, code_of, is_axis, names_seed
from autograder.selftest.operators.positions import COUNTING
from autograder.selftest.places import DRAWING_CALLS, Place, called, is_choice

SMALL: Final = 1e-3
KEPT_KEYWORDS: Final = frozenset(
    {
        "return_sequences",
        "seed",
        "random_state",
        "verbose",
        "name",
        "jit_compile",
        "callbacks",
        "batch_size",
        "epochs",
        "encoding",
        "dtype",
    }
)
"""Keywords without which an answer is as right as with them, or which have an operator of their own."""


class ComparisonBoundary(Operator):
    """Leaves out the limit, or takes it in: `<` for `<=`."""

    name = "comparison_boundary"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The comparison with or without equality."""
        node = place.node
        if isinstance(node, cst.ComparisonTarget):
            operator: cst.BaseCompOp
            if isinstance(node.operator, cst.LessThan):
                operator = cst.LessThanEqual()
            elif isinstance(node.operator, cst.LessThanEqual):
                operator = cst.LessThan()
            elif isinstance(node.operator, cst.GreaterThan):
                operator = cst.GreaterThanEqual()
            elif isinstance(node.operator, cst.GreaterThanEqual):
                operator = cst.GreaterThan()
            else:
                return
            yield node.with_changes(operator=operator)


class ConstantChanged(Operator):
    """Takes another number, or the other of two words: `k + 1` for `k`, twice a fraction, `"valid"` for `"same"`."""

    name = "constant_changed"
    in_choices = True
    WORDS: Final = {"same": "valid", "valid": "same", "first": "last", "last": "first"}

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """Another constant, where the question does not leave it to students, and no other operator looks after it.

        Numbers below `SMALL` guard against zero: another one changes nothing that anybody could see.
        """
        node = place.node
        if isinstance(node, cst.Integer | cst.Float):
            if self._counts(place, node):
                yield _other_number(node)
        elif isinstance(node, cst.Name) and node.value in {"True", "False"}:
            if isinstance(place.parent, cst.Arg) and place.parent.keyword is not None and _is_fixed(place, node.value):
                yield cst.Name("False" if node.value == "True" else "True")
        elif isinstance(node, cst.SimpleString) and not place.free and node.evaluated_value in self.WORDS:
            yield cst.SimpleString(f'"{self.WORDS[str(node.evaluated_value)]}"')

    @staticmethod
    def _counts(place: Place, node: cst.Integer | cst.Float) -> bool:
        value = float(node.evaluated_value)
        call = place.parents[-2] if isinstance(place.parent, cst.Arg) else None
        holder = _without_sign(place)
        if 0 < value < SMALL or called(call) in COUNTING or _is_about_seed(place):
            return False
        if place.above(cst.Slice) or isinstance(holder, cst.Index) or is_axis(holder):
            return False
        if value == 1 and isinstance(holder, cst.Arg) and holder is not place.parent:
            return False  # -1 says "the last" or "the rest", as in `reshape(-1)`: it is no number
        if place.free:
            return isinstance(place.parent, cst.Arg) and _is_fixed(place, node.value)
        if place.builds_model:
            return False
        return not place.number_is_chosen or value in place.cell.numbers


def _is_about_seed(place: Place) -> bool:
    return isinstance(place.parent, cst.BinaryOperation) and names_seed(place.parent)


def _without_sign(place: Place) -> cst.CSTNode | None:
    signed = isinstance(place.parent, cst.UnaryOperation)
    return place.parents[-2] if signed else place.parent


def _is_fixed(place: Place, value: str) -> bool:
    """Whether an argument is no choice, or the text fixes it."""
    keyword = place.parent.keyword if isinstance(place.parent, cst.Arg) else None
    return not place.free or (keyword is not None and place.cell.fixes(keyword.value, value))


def _other_number(node: cst.Integer | cst.Float) -> cst.BaseExpression:
    if isinstance(node, cst.Integer):
        return cst.Integer(str(node.evaluated_value + 1))
    return cst.Float(repr(2.0 * node.evaluated_value if node.evaluated_value else 1.0))


class AnswersExchanged(Operator):
    """Gives the answer that belongs to another entry of the table."""

    name = "answers_exchanged"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The next of the table's answers."""
        node, table = place.node, place.parent
        if not isinstance(table, cst.Dict) or not isinstance(node, cst.DictElement):
            return
        if not all(isinstance(each.value, cst.SimpleString) for each in table.elements):
            return
        own = code_of(node.value)
        others = sorted({code_of(each.value) for each in table.elements} - {own})
        if others:
            following = next((other for other in others if other > own), others[0])
            yield node.with_changes(value=cst.SimpleString(following))


class ReturnSequencesDropped(Operator):
    """Hands only the last state to the layer above."""

    name = "return_sequences_dropped"
    in_choices = True

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The layer without `return_sequences`."""
        yield from _without_keywords(place.node, lambda keyword: keyword == "return_sequences")


class KeywordDropped(Operator):
    """Leaves a named argument at its default: `sorted(x)` for `sorted(x, key=...)`."""

    name = "keyword_dropped"
    in_choices = True

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The call without one of its named arguments; without a free choice only where the text names it."""
        node = place.node
        if not isinstance(node, cst.Call) or called(node) in DRAWING_CALLS:
            return
        free = {
            argument.keyword.value
            for argument in node.args
            if argument.keyword is not None and (place.free or is_choice(node, argument))
        }

        def asked_for(keyword: str) -> bool:
            return keyword not in KEPT_KEYWORDS and (keyword not in free or place.cell.names(keyword))

        yield from _without_keywords(node, asked_for)


def _without_keywords(node: cst.CSTNode, chosen: Callable[[str], bool]) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.Call):
        for argument in node.args:
            if argument.keyword is not None and chosen(argument.keyword.value):
                kept = [each for each in node.args if each is not argument]
                if kept:
                    kept[-1] = kept[-1].with_changes(comma=node.args[-1].comma)
                yield node.with_changes(args=kept)


class FunctionExchanged(Operator):
    """Takes the other function of a pair: the maximum for the minimum, the sum for the mean, ones for zeros."""

    name = "function_exchanged"
    OTHER: Final = {
        name: other
        for pair in (
            ("min", "max"),
            ("argmin", "argmax"),
            ("minimum", "maximum"),
            ("mean", "sum"),
            ("any", "all"),
            ("zeros", "ones"),
            ("zeros_like", "ones_like"),
            ("ffill", "bfill"),
            ("floor", "ceil"),
            ("std", "var"),
        )
        for name, other in (pair, pair[::-1])
    }

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The call of the other function; `mean` of Python itself there is none."""
        node = place.node
        if not isinstance(node, cst.Call) or called(node) not in self.OTHER:
            return
        other = cst.Name(self.OTHER[called(node)])
        if isinstance(node.func, cst.Attribute):
            yield node.with_changes(func=node.func.with_changes(attr=other))
        elif other.value in {"min", "max", "any", "all"}:
            yield node.with_changes(func=other)
