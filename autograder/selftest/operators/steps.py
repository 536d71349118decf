"""Mistakes of omission and of sign: a step, a term, a refusal forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import libcst as cst

from autograder.selftest.operators.base import Operator, code_of, grouped, is_number, names_seed
from autograder.selftest.places import Place, called, dotted

TEXT: Final = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.List, cst.ListComp, cst.Tuple)


class NormalizationRemoved(Operator):
    """Forgets to normalise: `a` for `a / b`, `x` for `x - mean` and for `normalize(x, ...)`."""

    name = "normalization_removed"
    FUNCTION: Final = re.compile(r"^(normali[sz]e|standardi[sz]e|scale|rescale)")

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """What was to be normalised, as it was."""
        node = place.node
        if isinstance(node, cst.BinaryOperation):
            divides = isinstance(node.operator, cst.Divide)
            if divides or (isinstance(node.operator, cst.Subtract) and "mean" in code_of(node.right)):
                yield node.left
        elif isinstance(node, cst.Call) and self.FUNCTION.match(called(node)) and node.args:
            yield node.args[0].value


class SignSwapped(Operator):
    """Adds what is to be subtracted, or the other way round."""

    name = "sign_swapped"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The sum as a difference, the difference as a sum; texts and lists have none."""
        node = place.node
        if isinstance(node, cst.BinaryOperation) and not _joins(node) and not names_seed(node):
            if isinstance(node.operator, cst.Add):
                yield node.with_changes(operator=cst.Subtract())
            elif isinstance(node.operator, cst.Subtract):
                yield node.with_changes(operator=cst.Add())


class TermDropped(Operator):
    """Forgets the last term of a sum, or the last factor of a product: a bias, a mask."""

    name = "term_dropped"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The sum or product without what stands last."""
        node = place.node
        if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.Add | cst.Multiply):
            return
        if not _joins(node) and not is_number(node.left):
            yield node.left


def _joins(node: cst.BinaryOperation) -> bool:
    return isinstance(node.left, TEXT) or isinstance(node.right, TEXT)


class RoundedUp(Operator):
    """Rounds up where whole parts are asked for, or down where the last part counts too."""

    name = "rounded_up"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """`-(-a // b)` for `a // b`, and `a // b` for `-(-a // b)`."""
        node = place.node
        if not isinstance(node, cst.BinaryOperation) or not isinstance(node.operator, cst.FloorDivide):
            return
        if place.number_is_chosen or place.builds_model or (place.parent and _is_minus(place.parent)):
            return
        left = cst.UnaryOperation(cst.Minus(), _in_parentheses(node.left))
        down = node.with_changes(left=left, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield cst.UnaryOperation(cst.Minus(), down)


def _in_parentheses(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, cst.BinaryOperation) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return grouped(node)


def _is_minus(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus)


class NegationDropped(Operator):
    """Forgets a minus or a not: sorts by rising score, keeps what was to go."""

    name = "negation_dropped"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The expression without its sign."""
        if isinstance(place.node, cst.UnaryOperation) and not is_number(place.node):
            yield place.node.expression


class StepDropped(Operator):
    """Forgets a step on the way: no `lower()`, no square root, no `sorted`."""

    name = "step_dropped"
    METHODS: Final = frozenset(
        {
            "lower",
            "upper",
            "strip",
            "sort_index",
            "sort_values",
            "ffill",
            "bfill",
            "dropna",
            "drop_duplicates",
            "shuffle",
            "cumsum",
            "copy",
            "clip",
        }
    )
    FUNCTIONS: Final = frozenset(
        {
            "sqrt",
            "abs",
            "square",
            "log",
            "exp",
            "tanh",
            "sigmoid",
            "softmax",
            "relu",
            "sorted",
            "reversed",
            "unique",
            "cumsum",
            "lower",
            "strip",
            "round",
        }
    )

    MODULES: Final = (("np",), ("tf",), ("keras",), ("ops",), ("math",), ("re",), ("scipy",), ("pd",))

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """What the step was to be applied to."""
        node = place.node
        if not isinstance(node, cst.Call):
            return
        owner = node.func.value if isinstance(node.func, cst.Attribute) else None
        is_function = owner is None or dotted(owner)[:1] in self.MODULES
        if is_function and called(node) in self.FUNCTIONS and node.args and node.args[0].keyword is None:
            yield node.args[0].value
        elif owner is not None and not is_function and called(node) in self.METHODS:
            yield owner


class GuardDropped(Operator):
    """Refuses nothing, and has no answer of its own for the special case."""

    name = "guard_dropped"
    LEAVES: Final = (cst.Raise, cst.Return, cst.Break, cst.Continue)

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """Nothing, instead of a condition under which the function is left, the loop ended or an error raised."""
        node = place.node
        if not isinstance(node, cst.If) or node.orelse is not None or isinstance(place.parent, cst.If):
            return
        only = node.body.body[0] if len(node.body.body) == 1 else None
        if isinstance(only, cst.SimpleStatementLine) and isinstance(only.body[-1], self.LEAVES):
            yield cst.SimpleStatementLine([cst.Pass()])


class AssignmentDropped(Operator):
    """Forgets to put a result where it belongs: an element of an array, a row of a table."""

    name = "assignment_dropped"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """Nothing, instead of an assignment to an element."""
        node = place.node
        if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
            statement = node.body[0]
            if isinstance(statement, cst.Assign) and all(
                isinstance(each.target, cst.Subscript) for each in statement.targets
            ):
                yield cst.SimpleStatementLine([cst.Pass()])
