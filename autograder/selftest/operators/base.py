"""What all operators share: their shape, and how to write expressions a little different from others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Final

import libcst as cst

from autograder.selftest.places import Place, find_all

NUMBER: Final = (cst.Integer, cst.Float)
AXIS: Final = frozenset({"axis", "axes"})


class Operator(ABC):
    """A mistake that students make, as a change to one place of a solution.

    Attributes:
        name: what mutants are called by.
        in_choices: whether it looks at arguments that students choose themselves, too.
    """

    name: ClassVar[str]
    in_choices: ClassVar[bool] = False

    @abstractmethod
    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """What the mistake would put in the node's place, one for each mutant; nothing where it cannot be made."""


def code_of(node: cst.CSTNode) -> str:
    """The node as text."""
    return cst.Module(body=[]).code_for_node(node).strip()


def is_number(node: cst.BaseExpression) -> bool:
    """Whether it is a number, perhaps with a minus."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        return isinstance(node.expression, NUMBER)
    return isinstance(node, NUMBER)


def is_whole_number(node: cst.BaseExpression) -> bool:
    """Whether it is a number without a fraction, perhaps with a minus."""
    return is_number(node) and not any(find_all(node, cst.Float))


def shifted(node: cst.BaseExpression, step: int) -> cst.BaseExpression:
    """The expression one more or less; a number stays on its side of zero."""
    if is_whole_number(node):
        value = int(code_of(node).strip("()").replace(" ", ""), 0)
        if value < 0:
            return cst.UnaryOperation(cst.Minus(), cst.Integer(str(1 - value)))
        return cst.Integer(str(value + step if value + step >= 0 else 1))
    operator = cst.Add() if step > 0 else cst.Subtract()
    return cst.BinaryOperation(grouped(node), operator, cst.Integer("1"))


def grouped(node: cst.BaseExpression) -> cst.BaseExpression:
    """The expression in parentheses, unless it holds together in a sum without."""
    simple = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.Integer, cst.Float, cst.BinaryOperation)
    if node.lpar or isinstance(node, simple):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def first_two_swapped(node: cst.Tuple | cst.List) -> Iterator[cst.CSTNode]:
    """The tuple or list with its first two elements in the other order, unless they are alike or unpacked."""
    if len(node.elements) < 2:
        return
    first, second, *others = node.elements
    if isinstance(first, cst.StarredElement) or isinstance(second, cst.StarredElement):
        return
    if code_of(first.value) != code_of(second.value):
        swapped = [first.with_changes(value=second.value), second.with_changes(value=first.value)]
        yield node.with_changes(elements=[*swapped, *others])


def is_axis(node: cst.CSTNode | None) -> bool:
    """Whether it is an argument that names an axis."""
    return isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value in AXIS


def names_seed(node: cst.CSTNode) -> bool:
    """Whether a seed is computed here; one is as good as another."""
    return any("seed" in name.value.lower() for name in find_all(node, cst.Name))
