"""Walks through a solution cell and says of every place what operators have to know about it.

Which places are left alone is decided here, by rules that docs/selftest.md tells instructors: what is no answer
(docstrings, prints, labels of plots, messages), and what is a free choice (hyperparameters, sizes of layers, the loss).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from autograder.errors import MutantError
from autograder.selftest.cells import SolutionCell

QUIET_CALLS = frozenset(
    {
        "print",
        "display",
        "warn",
        "show",
        "set",
        "legend",
        "suptitle",
        "title",
        "text",
        "annotate",
        "grid",
        "xlabel",
        "ylabel",
        "set_title",
        "set_xlabel",
        "set_ylabel",
        "set_axis_off",
        "tight_layout",
        "savefig",
        "subplots",
        "figure",
    }
)
"""Calls that show something: what they are given is no answer."""
QUIET_OWNERS = frozenset({"plt", "log", "logger", "logging", "warnings"})
DRAWING_CALLS = frozenset({"plot", "imshow", "bar", "scatter", "semilogy", "hist", "fill_between", "add_patch"})
FREE_OWNERS = frozenset(
    {
        "optimizers",
        "schedules",
        "callbacks",
        "losses",
        "metrics",
        "initializers",
        "regularizers",
        "layers",
        "constraints",
    }
)
"""Parts of Keras whose arguments are a student's own choice, unless the question's text names them."""
FREE_CALLS = frozenset({"compile", "set_random_seed", "default_rng", "seed", "summary", "prefetch", "shuffle", "cache"})
TRAINING_CALLS = frozenset({"fit", "evaluate", "predict"})
DATA_KEYWORDS = frozenset({"x", "y", "validation_data", "sample_weight", "class_weight"})
MODEL_CALLS = frozenset({"Input", "Sequential", "Model"})
UNIMPORTANT_KEYWORDS = frozenset({"seed", "random_state", "verbose", "name", "jit_compile", "label", "color"})
NO_ANSWERS = (
    cst.Annotation,
    cst.Decorator,
    cst.Import,
    cst.ImportFrom,
    cst.Raise,
    cst.Assert,
    cst.FormattedString,
    cst.ConcatenatedString,
)
_Node = TypeVar("_Node", bound=cst.CSTNode)


@dataclass(frozen=True)
class Place:
    """A node of a solution cell, and where it stands.

    Attributes:
        node: of the cell's syntax tree.
        line: of the cell, from 1.
        parents: from the outermost node to the one above.
        cell: whose node it is.
        free: whether it is an argument that students choose themselves.
        number_is_chosen: whether numbers here are a choice, because no contract asks for this piece of code.
        builds_model: whether it is in a function that builds a Keras model, whose architecture is a choice.
        known: the names that have a value here.
    """

    node: cst.CSTNode
    line: int
    parents: tuple[cst.CSTNode, ...]
    cell: SolutionCell
    free: bool
    number_is_chosen: bool
    builds_model: bool
    known: frozenset[str]

    def above(self, kind: type[cst.CSTNode]) -> bool:
        """Whether it is somewhere inside a node of this kind."""
        return any(isinstance(parent, kind) for parent in self.parents)

    @property
    def parent(self) -> cst.CSTNode | None:
        """The node above."""
        return self.parents[-1] if self.parents else None


def dotted(node: cst.BaseExpression) -> tuple[str, ...]:
    """The names of a chain such as `keras.layers.GRU`; what is no name is left out."""
    if isinstance(node, cst.Name):
        return (node.value,)
    if isinstance(node, cst.Attribute):
        return (*dotted(node.value), node.attr.value)
    return ()


def called(node: cst.CSTNode | None) -> str:
    """The last name of what a call calls; empty where it has none, or where the node is no call."""
    names = dotted(node.func) if isinstance(node, cst.Call) else ()
    return names[-1] if names else ""


def find_all(node: cst.CSTNode, kind: type[_Node]) -> Iterator[_Node]:
    """All nodes of a kind, this one included, in the order of the text."""
    if isinstance(node, kind):
        yield node
    for child in node.children:
        yield from find_all(child, kind)


def bound_names(node: cst.CSTNode) -> Iterator[str]:
    """The names that assignments, loops, definitions and parameters anywhere in this node give a value to."""
    if isinstance(node, cst.AssignTarget | cst.For | cst.CompFor | cst.AnnAssign):
        yield from _targets(node.target)
    elif isinstance(node, cst.FunctionDef | cst.Param):
        yield node.name.value
    for child in node.children:
        yield from bound_names(child)


def _targets(target: cst.BaseExpression) -> Iterator[str]:
    if isinstance(target, cst.Name):
        yield target.value
    elif isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _targets(element.value)


def value_names(node: cst.CSTNode) -> Iterator[cst.Name]:
    """The names of values that are used below a node; those of attributes and keywords are none."""
    if isinstance(node, cst.AssignTarget) and isinstance(node.target, cst.Name | cst.Tuple | cst.List):
        return
    for child in node.children:
        names_no_value = (isinstance(node, cst.Attribute) and child is node.attr) or (
            isinstance(node, cst.Arg) and child is node.keyword
        )
        if isinstance(child, cst.Name) and not names_no_value:
            yield child
        yield from value_names(child)


def module_names(module: cst.Module) -> Iterator[str]:
    """The names that a cell gives a value to outside of functions."""
    for statement in module.body:
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            yield statement.name.value
        else:
            yield from bound_names(statement)


def parse(cell: SolutionCell) -> cst.Module:
    """The cell's syntax tree.

    Raises:
        MutantError: the cell is not plain Python.
    """
    try:
        return cst.parse_module(cell.source)
    except cst.ParserSyntaxError as error:
        raise MutantError(
            f"The solution of {cell.question} is not plain Python, so nothing is changed in it. "
            f"Received: line {error.raw_line}: {error.message}"
        ) from error


def find_places(cell: SolutionCell, known: Collection[str], other_code: str = "") -> tuple[cst.Module, list[Place]]:
    """All places of a cell's solution that may be changed, in the order of the text, and the tree that they belong to.

    Args:
        cell: the solution cell.
        known: names that have a value at its end, whichever cell gave it to them.
        other_code: of the notebook's other solution cells, where names of this one may be used.

    Raises:
        MutantError: the cell is not plain Python.
    """
    wrapper = MetadataWrapper(parse(cell), unsafe_skip_copy=True)
    lines = {node: place.start.line for node, place in wrapper.resolve(PositionProvider).items()}
    uses = _Uses()
    wrapper.module.visit(uses)
    free_names = {
        name for name in uses.free_uses - uses.other_uses if not re.search(rf"\b{re.escape(name)}\b", other_code)
    }
    walk = _Walk(cell, lines, frozenset(known), frozenset(free_names))
    wrapper.module.visit(walk)
    return wrapper.module, walk.places


class _Parents(cst.CSTVisitor):
    """Knows the nodes above the one that is visited."""

    def __init__(self) -> None:
        super().__init__()
        self.parents: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        into = self.enter(node)
        self.parents.append(node)
        return into

    def on_leave(self, original_node: cst.CSTNode) -> None:  # noqa: ARG002  # libcst's name
        self.parents.pop()

    def enter(self, node: cst.CSTNode) -> bool:
        """Hear of a node; the answer says whether those below are visited."""
        raise NotImplementedError

    def free(self, node: cst.CSTNode) -> bool:
        """Whether a node below these parents is an argument that students choose themselves."""
        chain = [*self.parents, node]
        return any(
            isinstance(call, cst.Call) and isinstance(argument, cst.Arg) and is_choice(call, argument)
            for call, argument in pairwise(chain)
        )


def is_choice(call: cst.Call, argument: cst.Arg) -> bool:
    """Whether an argument is the student's own choice: a hyperparameter, the size of a layer, an optimizer, a loss."""
    names = dotted(call.func)
    if not names:
        return False
    if names[-1] in TRAINING_CALLS:
        return argument.keyword is not None and argument.keyword.value not in DATA_KEYWORDS
    return names[-1] in FREE_CALLS or bool(FREE_OWNERS.intersection(names[:-1]))


class _Uses(_Parents):
    """Which names are used in places of free choice, and which elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.free_uses: set[str] = set()
        self.other_uses: set[str] = set()

    def enter(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Name) and not self._is_no_use(node):
            (self.free_uses if self.free(node) else self.other_uses).add(node.value)
        return True

    def _is_no_use(self, node: cst.Name) -> bool:
        above = self.parents[-1]
        if isinstance(above, cst.Attribute):
            return node is above.attr
        if isinstance(above, cst.Arg):
            return node is above.keyword
        if isinstance(above, cst.FunctionDef | cst.Param):
            return node is above.name
        targets = (cst.AssignTarget, cst.Tuple, cst.Element)
        chain = [parent for parent in self.parents if not isinstance(parent, cst.Tuple | cst.Element)]
        return isinstance(above, targets) and isinstance(chain[-1], cst.AssignTarget)


@dataclass(frozen=True)
class _Function:
    """What places have to know about the function that they are in."""

    name: str
    builds_model: bool
    binds: frozenset[str]


class _Walk(_Parents):
    """Collects the places that may be changed."""

    def __init__(
        self, cell: SolutionCell, lines: dict[cst.CSTNode, int], known: frozenset[str], free_names: frozenset[str]
    ) -> None:
        super().__init__()
        self.places: list[Place] = []
        self._functions: dict[cst.FunctionDef, _Function] = {}
        self._cell = cell
        self._lines = lines
        self._inside = cell.lines
        self._known = known
        self._free_names = free_names

    def enter(self, node: cst.CSTNode) -> bool:
        if self._is_no_answer(node):
            return False
        line = self._lines.get(node)
        if line in self._inside:
            self.places.append(self._place(node, line))
        return True

    def _place(self, node: cst.CSTNode, line: int) -> Place:
        function = self._function()
        asked = not self._cell.defines or (function is not None and function.name in self._cell.defines)
        return Place(
            node=node,
            line=line,
            parents=tuple(self.parents),
            cell=self._cell,
            free=self.free(node),
            number_is_chosen=not asked,
            builds_model=function is not None and function.builds_model,
            known=self._known if function is None else self._known | function.binds,
        )

    def _function(self) -> _Function | None:
        """The outermost function around."""
        node = next((parent for parent in self.parents if isinstance(parent, cst.FunctionDef)), None)
        if node is None:
            return None
        if node not in self._functions:
            builds = any(called(call) in MODEL_CALLS for call in find_all(node, cst.Call))
            self._functions[node] = _Function(node.name.value, builds, frozenset(bound_names(node)))
        return self._functions[node]

    def _is_no_answer(self, node: cst.CSTNode) -> bool:
        if isinstance(node, NO_ANSWERS):
            return True
        if isinstance(node, cst.Expr):  # docstrings, and values that a cell shows
            return isinstance(node.value, cst.SimpleString)
        if isinstance(node, cst.Call):
            return _is_quiet(node)
        if isinstance(node, cst.Arg) and node.keyword is not None:
            return node.keyword.value in UNIMPORTANT_KEYWORDS or called(self.parents[-1]) in DRAWING_CALLS
        if isinstance(node, cst.FunctionDef):
            return node.name.value in self._free_names
        names = set(bound_names(node)) if isinstance(node, cst.Assign) else set()
        return bool(names) and names <= self._free_names


def _is_quiet(call: cst.Call) -> bool:
    names = dotted(call.func)
    if isinstance(call.func, cst.Name):
        return call.func.value in {"print", "display"}
    return bool(names) and (names[-1] in QUIET_CALLS or names[0] in QUIET_OWNERS)
