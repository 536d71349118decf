"""Mistakes about parts of the data: learned from the whole, or measured where it was learned."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import libcst as cst

from autograder.selftest.operators.base import Operator
from autograder.selftest.places import Place, bound_names, called, find_all, value_names

PART: Final = r"(?:(?<=_)|^){}(?=_|$)"
TRAIN: Final = re.compile(PART.format("train(?:ing)?"))
HELD_BACK: Final = re.compile(PART.format("(?:val|valid|validation|test|dev)"))
LEARNS: Final = re.compile(r"^(fit|adapt)|_fit$|vectori[sz]er|normali[sz]|scaler|statistics|vocabulary")


class FittedOnEverything(Operator):
    """Learns from the whole, before the split: a mean, a vocabulary, the weights; what was held back leaks in."""

    name = "fitted_on_everything"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """A statement that learns, with the whole in place of the training part, where the whole has a name."""
        node = place.node
        if not isinstance(node, cst.SimpleStatementLine):
            return
        if not any(LEARNS.search(called(call)) for call in find_all(node, cst.Call)):
            return
        used = {name for name in _loaded(node) if TRAIN.search(name)}
        whole = {name: found for name in used if (found := _whole(name, place)) is not None}
        if used and set(whole) == used and not used & set(bound_names(node)):
            yield _renamed(node, whole)


def _whole(name: str, place: Place) -> cst.BaseExpression | None:
    """What a training part was cut from: the same name without `train`, else what was given to the split."""
    without = "_".join(word for word in name.split("_") if not TRAIN.fullmatch(word))
    if without in place.known and without != name:
        return cst.Name(without)
    module = place.parents[0]
    for statement in find_all(module, cst.Assign):
        cut = statement.value
        if name in bound_names(statement) and isinstance(cut, cst.Call) and "split" in called(cut) and cut.args:
            return cut.args[0].value
    return None


class EvaluatedOnTraining(Operator):
    """Measures on the data that it has learned from."""

    name = "evaluated_on_training"

    def changes(self, place: Place) -> Iterator[cst.CSTNode]:
        """A statement with the training part in place of the part that was held back."""
        node = place.node
        if not isinstance(node, cst.SimpleStatementLine):
            return
        used = {name for name in _loaded(node) if HELD_BACK.search(name)}
        training = {name: HELD_BACK.sub("train", name) for name in used}
        known = place.known.issuperset(training.values()) and not used & set(bound_names(node))
        if used and known and not any(TRAIN.search(name) for name in _loaded(node)):
            yield _renamed(node, {name: cst.Name(other) for name, other in training.items()})


def _loaded(node: cst.CSTNode) -> set[str]:
    """The names of values in a statement."""
    return {name.value for name in value_names(node)}


def _renamed(node: cst.CSTNode, others: Mapping[str, cst.BaseExpression]) -> cst.CSTNode:
    """The statement with other expressions in place of these names."""
    renaming = _Renaming({name: others[name.value] for name in value_names(node) if name.value in others})
    changed = node.visit(renaming)
    if not isinstance(changed, cst.CSTNode):
        raise TypeError(f"a statement stays a statement when names in it change. Received: {changed!r}")
    return changed


class _Renaming(cst.CSTTransformer):
    """Puts other expressions in the places of some names."""

    def __init__(self, others: Mapping[cst.CSTNode, cst.BaseExpression]) -> None:
        super().__init__()
        self._others = others

    def on_leave(
        self, original_node: cst.CSTNodeT, updated_node: cst.CSTNodeT
    ) -> cst.CSTNodeT | cst.RemovalSentinel | cst.FlattenSentinel[cst.CSTNodeT]:
        """Another expression, where there is one for this name."""
        other = self._others.get(original_node)
        return super().on_leave(original_node, updated_node) if other is None else other.deep_clone()  # type: ignore[return-value]
