"""What a hidden test can say about a Keras model that it never loads.

A probe describes a model in the student's kernel as plain data (`read_model` says which), and the rules about layers,
techniques and differences are here, in the trusted process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from autograder.checks.failure import Failure
from autograder.checks.values import shorten, with_received
from autograder.errors import EvidenceError

RECURRENT_WORDS = ("rnn", "lstm", "gru")
CONTAINERS = ("Functional", "Sequential", "Model")


@dataclass(frozen=True)
class LayerFacts:
    """One layer, also when it lies inside others.

    Attributes:
        bases: names of its class and of those that it is derived from.
        inside: names of the classes of the layers around it, outermost first.
        fingerprint: digest of its class and configuration without names.
        recurrent_dropout: its rate, 0 where it has none.
        backwards: whether it reads time backwards.
    """

    bases: tuple[str, ...]
    inside: tuple[str, ...] = ()
    fingerprint: str = ""
    recurrent_dropout: float = 0.0
    backwards: bool = False

    def is_a(self, *words: str) -> bool:
        """Whether one of the words is in the name of its class or of a base, whatever the case."""
        return any(word.lower() in base.lower() for word in words for base in self.bases)


@dataclass(frozen=True)
class ModelFacts:
    """One model as its probe described it.

    Attributes:
        kind: name of its class.
        output: shape of its output for a small batch, `(batch, ...)`.
        parameters: how many weights it has.
        layers: all of its layers, those inside others included.
        fingerprint: digest of its configuration without names.
        clipping: limits of its optimizer, by name; empty where it is not compiled or does not clip.
        rebuild_error: empty where the model can be made again from its own description, else what happened.
    """

    kind: str
    output: tuple[int, ...]
    parameters: int
    layers: tuple[LayerFacts, ...]
    fingerprint: str = ""
    clipping: Mapping[str, float] = field(default_factory=dict)
    rebuild_error: str = ""

    @property
    def recurrent(self) -> tuple[LayerFacts, ...]:
        """Its recurrent layers; a bidirectional one counts once, a cell counts as part of its layer."""
        return tuple(layer for layer in self.layers if _is_recurrent(layer))

    def layers_named(self, *words: str) -> tuple[LayerFacts, ...]:
        """Layers with one of the words in the name of their class or of a base."""
        return tuple(layer for layer in self.layers if layer.is_a(*words))


def _is_recurrent(layer: LayerFacts) -> bool:
    if layer.is_a("Bidirectional"):
        return True
    inside_bidirectional = any("bidirectional" in outer.lower() for outer in layer.inside)
    is_cell = any(base.lower().endswith(("cell", "cells")) for base in layer.bases)
    return layer.is_a(*RECURRENT_WORDS) and not is_cell and not inside_bidirectional


def read_model(value: Any, what: str) -> ModelFacts:
    """A model as a probe described it: a dictionary with the fields of `ModelFacts`, layers as dictionaries.

    Raises:
        Failure: what the student returned is no model.
        EvidenceError: the description is not what a probe writes.
    """
    if isinstance(value, dict) and "not_a_model" in value:
        raise Failure(with_received(f"{what} should be a keras.Model.", shorten(str(value["not_a_model"]))))
    try:
        return ModelFacts(
            kind=str(value["kind"]),
            output=tuple(int(size) for size in value["output"]),
            parameters=int(value["parameters"]),
            layers=tuple(_read_layer(layer) for layer in value["layers"]),
            fingerprint=str(value["fingerprint"]),
            clipping={str(name): float(limit) for name, limit in value["clipping"].items()},
            rebuild_error=str(value["rebuild_error"]),
        )
    except (TypeError, LookupError, ValueError, AttributeError, OverflowError) as error:
        raise EvidenceError(f"A model is not described as its probe does it: {error!r:.200}") from error


def _read_layer(value: Mapping[str, Any]) -> LayerFacts:
    return LayerFacts(
        bases=tuple(str(base) for base in value["bases"]),
        inside=tuple(str(outer) for outer in value["inside"]),
        fingerprint=str(value["fingerprint"]),
        recurrent_dropout=float(value["recurrent_dropout"]),
        backwards=bool(value["backwards"]),
    )


def techniques(model: ModelFacts) -> set[str]:
    """Which ways of improving a recurrent model its structure shows; a residual output shows in `forecasts_change`."""
    found = set()
    recurrent = model.recurrent
    cells = [layer for layer in model.layers if any(base.lower().endswith("cell") for base in layer.bases)]
    if len(recurrent) >= 2 or (model.layers_named("StackedRNNCells") and len(cells) >= 2):
        found.add("stacking")
    if any(layer.recurrent_dropout > 0 for layer in model.layers):
        found.add("recurrent dropout")
    if model.clipping:
        found.add("gradient clipping")
    if model.layers_named("LayerNorm", "layer_norm", "RMSNorm"):
        found.add("layer normalisation")
    if model.layers_named("Bidirectional") or len({layer.backwards for layer in recurrent}) == 2:
        found.add("bidirectional")
    return found


def forecasts_change(
    without_weights: ArrayLike, last: ArrayLike, output: ArrayLike, shifted_output: ArrayLike, shift: float
) -> bool:
    """Whether a model forecasts the change from the last value (a residual output), seen by what it does.

    Either it falls back on the last value when all its trainable weights are zero, or its untrained output moves with
    the level of its input. Shapes: outputs `(n, steps, targets)`, `last` `(n, 1, targets)`.
    """
    empty, level, before, after = (
        np.asarray(values, dtype=np.float64) for values in (without_weights, last, output, shifted_output)
    )
    with np.errstate(all="ignore"):
        several = empty.ndim == 3 and len(empty) > 1  # of one window, nothing changes with the window
        falls_back = several and bool(np.allclose(np.diff(empty, axis=0), np.diff(level, axis=0), atol=0.05))
        moved = ((after - before) / shift)[np.isfinite(after - before)]
    return falls_back or bool(moved.size and np.median(np.abs(moved - 1.0)) < 0.1)


def are_equal(first: ModelFacts, second: ModelFacts) -> bool:
    """Whether two models are the same but for names: their layers, their configuration and their clipping."""
    if dict(first.clipping) != dict(second.clipping) or _layer_prints(first) != _layer_prints(second):
        return False
    one_is_sequential = first.kind != second.kind and {first.kind, second.kind} <= set(CONTAINERS)
    return one_is_sequential or first.fingerprint == second.fingerprint


def _layer_prints(model: ModelFacts) -> list[str]:
    hidden = ("InputLayer", *CONTAINERS)
    return sorted(layer.fingerprint for layer in model.layers if layer.bases[:1] and layer.bases[0] not in hidden)


def equal_pairs(models: Mapping[str, ModelFacts]) -> list[tuple[str, str]]:
    """Pairs of names whose models are the same."""
    names = sorted(models)
    pairs: Iterable[tuple[str, str]] = ((a, b) for i, a in enumerate(names) for b in names[i + 1 :])
    return [(a, b) for a, b in pairs if are_equal(models[a], models[b])]
