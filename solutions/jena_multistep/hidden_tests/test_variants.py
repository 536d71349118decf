"""build_variants: improved recurrent models that differ, and use at least two techniques together."""

import numpy as np
import pytest

from autograder.checks import Failure, Given, are_equal, equal_pairs, expect, forecasts_change, read_model, techniques
from reference_models.jena_oracles import HORIZON, TARGET_COLUMNS

TAKEN = {"naive", "mlp", "recurrent"}
TOPIC = "Week 10, improving recurrent models:"
SHIFT = 1000.0


def given(rng):
    x = rng.normal(size=(2, 432, 14)).astype("float32")
    shifted = x.copy()
    shifted[:, :, list(TARGET_COLUMNS)] += SHIFT
    return Given(x=x, both=np.concatenate([x, shifted]))


def probe(student, given):
    import _autograder_models
    import keras
    import numpy as np

    def without_weights(model):
        """The output of the model with all trainable weights zero; they are put back."""
        before = [(weight, weight.numpy()) for weight in model.trainable_weights]
        try:
            for weight, value in before:
                weight.assign(np.zeros_like(value))
            return np.asarray(model(given.x, training=False))
        finally:
            for weight, value in before:
                weight.assign(value)

    def describe(model):
        facts = _autograder_models.describe(model, given.both)
        if not isinstance(model, keras.Model):
            return facts
        return {**facts, "without_weights": without_weights(model)}

    def build():
        """The models by name, or the exception of building them; both are needed more than once."""
        try:
            built = student.build_variants()
        except Exception as error:
            return {}, error
        return (
            (built, None)
            if isinstance(built, dict)
            else ({}, TypeError(f"a dict of models is expected, not {type(built).__name__}"))
        )

    def names():
        if error is not None:
            raise error
        return [str(name) for name in models]

    models, error = build()
    return {
        "names": names,
        "recurrent": lambda: describe(student.build_recurrent()),
        **{f"variant {name}": lambda model=model: describe(model) for name, model in models.items()},
    }


def names_of(evidence):
    names = evidence["names"]
    hint = f"{TOPIC} return a dictionary of models by name, built anew at each call."
    expect(isinstance(names, list) and names, "build_variants should return models by name.", received=names, hint=hint)
    return names


def models_of(evidence):
    """All variants; the first that cannot be described fails."""
    return {name: read_model(evidence[f"variant {name}"], f"The variant '{name}'") for name in names_of(evidence)}


def described(evidence):
    """The variants that can be described; one that raises costs only what is asked of each."""
    found = {}
    for name in names_of(evidence):
        try:
            found[name] = read_model(evidence[f"variant {name}"], name)
        except Failure:
            continue
    return found


def is_residual(evidence, name, given):
    value = evidence[f"variant {name}"]
    output, empty = (np.asarray(value[key]) for key in ("values", "without_weights"))
    n = len(given.x)
    if output.shape != (2 * n, HORIZON, 2) or empty.shape != (n, HORIZON, 2):
        return False
    last = given.x[:, -1:, list(TARGET_COLUMNS)]
    return forecasts_change(empty, last, output[:n], output[n:], SHIFT)


def techniques_of(given, evidence):
    found = set()
    for name, model in described(evidence).items():
        found |= techniques(model)
        if is_residual(evidence, name, given):
            found.add("residual output")
    return sorted(found)


@pytest.mark.weight(2)
def test_two_models(evidence):
    """build_variants returns a dictionary of at least two models, under names of their own."""
    names = names_of(evidence)
    expect(len(names) >= 2, "At least two variants are asked for.", received=f"{len(names)}: {names}")
    taken = sorted(TAKEN & set(names))
    expect(
        not taken,
        "naive, mlp and recurrent are the names of other forecasters; call variants otherwise.",
        received=taken,
    )
    models_of(evidence)


def test_shapes(given, evidence):
    """Each variant maps windows (n, 432, 14) to forecasts (n, 6, 2)."""
    for name, model in models_of(evidence).items():
        wanted = (len(given.both), HORIZON, 2)
        expect(
            model.output == wanted,
            f"The variant '{name}' should give an output of shape {wanted} for {wanted[0]} windows.",
            received=str(model.output),
            hint=f"{TOPIC} the last recurrent layer returns no sequence, the layers below do.",
        )


@pytest.mark.weight(2)
def test_recurrent_layers(evidence):
    """Each variant has a recurrent layer."""
    for name, model in models_of(evidence).items():
        layers = sorted({layer.bases[0] for layer in model.layers})
        hint = f"{TOPIC} what is compared are ways to improve an LSTM or a GRU."
        expect(
            model.recurrent,
            f"The variant '{name}' should have a recurrent layer.",
            received=f"the layers {layers}",
            hint=hint,
        )


@pytest.mark.weight(2)
def test_variants_differ(evidence):
    """The variants differ from each other, in layers, configuration or clipping."""
    models = described(evidence)
    expect(len(models) >= 2, "At least two variants are needed to differ.", received=f"{len(models)}")
    pairs = equal_pairs(models)
    expect(
        not pairs,
        "All variants should differ in more than their names.",
        received=f"the same model twice: {pairs[:1]}",
        hint=f"{TOPIC} change one thing at a time, and keep what it was in the name.",
    )


@pytest.mark.weight(2)
def test_variants_improve_on_recurrent(evidence):
    """Each variant differs from build_recurrent()."""
    models = described(evidence)
    expect(models, "At least two variants are asked for.", received="none that could be built")
    try:
        plain = read_model(evidence["recurrent"], "build_recurrent()")
    except Failure:
        return  # nothing to be equal to; build_recurrent is judged by itself
    equal = [name for name in sorted(models) if are_equal(models[name], plain)]
    expect(
        not equal,
        "Each variant should differ from build_recurrent() in more than its name.",
        received=f"the same: {equal}",
        hint=f"{TOPIC} stack a second layer, add recurrent dropout, clip gradients, or forecast the change.",
    )


@pytest.mark.weight(2)
def test_a_technique(given, evidence):
    """At least one technique for better recurrent models is used."""
    found = techniques_of(given, evidence)
    expect(
        found,
        "One of the techniques of week 10 is expected, such as stacking, clipping or a residual output.",
        received="none of them",
        hint=f"{TOPIC} a second layer, `recurrent_dropout=0.2` and `clipnorm=1.0` are one line each.",
    )


@pytest.mark.weight(2)
def test_two_techniques(given, evidence):
    """Together the variants use at least two techniques."""
    found = techniques_of(given, evidence)
    expect(
        len(found) >= 2,
        "Together the variants should use at least two of: stacking, recurrent dropout, gradient clipping, layer "
        "normalisation, bidirectional, residual output.",
        received=found,
        hint=f"{TOPIC} clipping belongs to the optimizer of a compiled model; recurrent dropout to the layer.",
    )


def test_serialisable(evidence):
    """Each variant can be made again from its own description."""
    for name, model in models_of(evidence).items():
        expect(
            not model.rebuild_error,
            f"The variant '{name}' should be serialisable.",
            received=model.rebuild_error,
            hint=f"{TOPIC} built-in layers and `keras.ops` are; a class of your own needs `get_config`.",
        )
