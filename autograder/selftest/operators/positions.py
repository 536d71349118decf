"""Mistakes of place: one step off, the wrong axis, things in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import libcst as cst

from autograder.selftest.operators.base import (
    NUMBER,
    Operator,
    code_of,
    first_two_swapped,
    is_axis,
    is_number,
    is_whole_number,
    shifted,
)
from autograder.selftest.places import Place, called

COUNTING: Final = frozenset({"range", "arange"})


class SliceOffByOne(Operator):
    """Starts or stops one element too early or too late: `x[:n - 1]` for `x[:n]`."""

    name = "slice_off_by_one"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The slice with its first bound one later, and with its second one earlier."""
        node = place.node
        if not isinstance(node, cst.Slice) or place.builds_model:
            return
        if node.lower is not None:
            yield node.with_changes(lower=shifted(node.lower, 1))
        if node.upper is not None:
            yield node.with_changes(upper=shifted(node.upper, -1))


class IndexOffByOne(Operator):
    """Takes the neighbour: `x[:, 1]` for `x[:, 0]`, `h[-2]` for `h[-1]`."""

    name = "index_off_by_one"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The next index, away from zero."""
        node = place.node
        if isinstance(node, cst.Index) and not place.builds_model and is_whole_number(node.value):
            yield node.with_changes(value=shifted(node.value, 1))


class RangeOffByOne(Operator):
    """Begins to count one too late, or stops one short: `range(n - 1)` for `range(n)`."""

    name = "range_off_by_one"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The call with another beginning, and with another end."""
        node = place.node
        if not isinstance(node, cst.Call) or called(node) not in COUNTING or place.builds_model:
            return
        count = sum(argument.keyword is None and not argument.star for argument in node.args)
        if count == 1:
            yield _with_argument(node, 0, shifted(node.args[0].value, -1))
        elif count > 1:
            yield _with_argument(node, 0, shifted(node.args[0].value, 1))
            yield _with_argument(node, 1, shifted(node.args[1].value, -1))


def _with_argument(call: cst.Call, index: int, value: cst.BaseExpression) -> cst.Call:
    arguments = list(call.args)
    arguments[index] = arguments[index].with_changes(value=value)
    return call.with_changes(args=arguments)


class AxisSwapped(Operator):
    """Takes another axis: `axis=1` for `axis=0`, `grid[column, row]` for `grid[row, column]`."""

    name = "axis_swapped"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """Another axis, the first of several axes alone, or two indices in the other order."""
        node = place.node
        if isinstance(node, cst.Arg) and is_axis(node):
            if isinstance(node.value, cst.Tuple) and len(node.value.elements) > 1:
                yield node.with_changes(value=node.value.elements[0].value)
            elif is_whole_number(node.value):
                yield node.with_changes(value=cst.Integer("1" if code_of(node.value) == "0" else "0"))
        elif isinstance(node, cst.Subscript) and len(node.slice) == 2:
            yield from self._indices_swapped(node)

    @staticmethod
    def _indices_swapped(node: cst.Subscript) -> Iterator[cst.CSTNode]:
        first, second = node.slice
        indices = [each.slice.value for each in node.slice if isinstance(each.slice, cst.Index)]
        if len(indices) == 2 and not any(map(is_number, indices)) and code_of(indices[0]) != code_of(indices[1]):
            yield node.with_changes(
                slice=[first.with_changes(slice=second.slice), second.with_changes(slice=first.slice)]
            )


class TargetsSwapped(Operator):
    """Mixes up what comes first: `return c, h` for `return h, c`, `y, x = ...` for `x, y = ...`."""

    name = "targets_swapped"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The first two of what is returned or assigned in the other order."""
        node, above = place.node, place.parent
        if not isinstance(node, cst.Tuple) or not isinstance(above, cst.Return | cst.AssignTarget):
            return
        if not self._alike(place.parents[-2]):
            yield from first_two_swapped(node)

    @staticmethod
    def _alike(statement: cst.CSTNode) -> bool:
        """Whether what is assigned is twice the same, as in `a, b = [], []`."""
        if not isinstance(statement, cst.Assign) or not isinstance(statement.value, cst.Tuple):
            return False
        return len({code_of(each.value) for each in statement.value.elements[:2]}) == 1


class OrderSwapped(Operator):
    """Lists things in another order: `np.stack([y, x])` for `np.stack([x, y])`."""

    name = "order_swapped"
    ELSEWHERE: Final = (cst.Return, cst.AssignTarget, cst.For, cst.CompFor, cst.ComparisonTarget)

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The first two of a list in the other order; lists of nothing but numbers or words are left alone."""
        node = place.node
        if not isinstance(node, cst.Tuple | cst.List) or place.builds_model:
            return
        above = next(parent for parent in reversed(place.parents) if not isinstance(parent, (cst.Tuple, cst.Element)))
        if isinstance(above, self.ELSEWHERE) or is_axis(above) or self._goes_to_targets(node, above):
            return
        if not all(isinstance(each.value, (*NUMBER, cst.SimpleString)) for each in node.elements):
            yield from first_two_swapped(node)

    @staticmethod
    def _goes_to_targets(node: cst.CSTNode, above: cst.CSTNode) -> bool:
        """Whether it is unpacked at once: to swap the targets is the same mistake."""
        if not isinstance(above, cst.Assign) or node is not above.value:
            return False
        return any(isinstance(each.target, cst.Tuple) for each in above.targets)


class ProductOrder(Operator):
    """Multiplies matrices in the other order: `B @ A` for `A @ B`."""

    name = "product_order"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """The product with its factors swapped."""
        node = place.node
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.MatrixMultiply):
            yield node.with_changes(left=_as_factor(node.right), right=_as_factor(node.left))


def _as_factor(node: cst.BaseExpression) -> cst.BaseExpression:
    if isinstance(node, cst.BinaryOperation) and not node.lpar:
        return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return node
