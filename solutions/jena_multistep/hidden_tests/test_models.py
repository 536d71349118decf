"""build_mlp and build_recurrent: shapes, size, layers, and whether they can be written down and made again."""

import pytest

from autograder.checks import Given, expect, read_model
from reference_models.jena_oracles import HORIZON

MOST_PARAMETERS = 2_000_000
TOPIC = "Week 10, dense, convolutional and recurrent layers:"


def given(rng):
    return Given(x=rng.normal(size=(3, 432, 14)).astype("float32"))


def probe(student, given):
    import _autograder_models
    import numpy as np

    def describe(build):
        build()
        model = build()  # a function may be called more than once
        facts = _autograder_models.describe(model, given.x)
        if "not_a_model" in facts:
            return facts
        return {**facts, "single": list(np.asarray(model(given.x[:1], training=False)).shape)}

    return {
        "mlp": lambda: describe(student.build_mlp),
        "recurrent": lambda: describe(student.build_recurrent),
    }


def check_shape(value, name):
    model = read_model(value, f"{name}()")
    hint = f"{TOPIC} end with `Dense(12)` and `Reshape((6, 2))`, for example."
    expect(
        model.output == (3, HORIZON, 2),
        f"{name}: three windows should give an output of shape (3, 6, 2).",
        received=str(model.output),
        hint=hint,
    )
    single = tuple(value["single"])
    expect(
        single == (1, HORIZON, 2),
        f"{name}: one window should give an output of shape (1, 6, 2).",
        received=str(single),
        hint=hint,
    )


def check_size(value, name):
    model = read_model(value, f"{name}()")
    hint = (
        f"{TOPIC} flattening 432 x 14 numbers makes 6048 weights for each unit that follows; shorten the input first."
    )
    expect(
        model.parameters <= MOST_PARAMETERS,
        f"{name}: at most {MOST_PARAMETERS:,} parameters are allowed.",
        received=f"{model.parameters:,}",
        hint=hint,
    )


def check_rebuild(value, name):
    model = read_model(value, f"{name}()")
    hint = f"{TOPIC} use built-in layers and `keras.ops` rather than `Lambda`; give a class of your own `get_config`."
    expect(
        not model.rebuild_error, f"{name}: the model should be serialisable.", received=model.rebuild_error, hint=hint
    )


@pytest.mark.weight(2)
def test_mlp_shape(evidence):
    """build_mlp maps windows (n, 432, 14) to forecasts (n, 6, 2)."""
    check_shape(evidence["mlp"], "build_mlp")


@pytest.mark.weight(2)
def test_recurrent_shape(evidence):
    """build_recurrent maps windows (n, 432, 14) to forecasts (n, 6, 2)."""
    check_shape(evidence["recurrent"], "build_recurrent")


@pytest.mark.weight(2)
def test_mlp_layers(evidence):
    """build_mlp has a Dense or Conv1D layer, and no recurrent one."""
    model = read_model(evidence["mlp"], "build_mlp()")
    names = sorted({layer.bases[0] for layer in model.layers})
    expect(
        not model.recurrent,
        "build_mlp should have no recurrent layer.",
        received=[layer.bases[0] for layer in model.recurrent],
        hint=f"{TOPIC} this is the model without a state, which the recurrent ones are compared with.",
    )
    expect(
        model.layers_named("Dense", "Conv1D"),
        "build_mlp should have a Dense or a Conv1D layer.",
        received=f"the layers {names}",
    )


@pytest.mark.weight(2)
def test_recurrent_layers(evidence):
    """build_recurrent has an LSTM or a GRU layer."""
    model = read_model(evidence["recurrent"], "build_recurrent()")
    names = sorted({layer.bases[0] for layer in model.layers})
    expect(
        model.layers_named("LSTM", "GRU"),
        "build_recurrent should have an LSTM or a GRU layer.",
        received=f"the layers {names}",
        hint=f"{TOPIC} `keras.layers.LSTM` or `keras.layers.GRU`.",
    )


def test_mlp_size(evidence):
    """build_mlp has at most 2 million parameters."""
    check_size(evidence["mlp"], "build_mlp")


def test_recurrent_size(evidence):
    """build_recurrent has at most 2 million parameters."""
    check_size(evidence["recurrent"], "build_recurrent")


def test_mlp_is_serialisable(evidence):
    """The model of build_mlp can be made again from its own description."""
    check_rebuild(evidence["mlp"], "build_mlp")


def test_recurrent_is_serialisable(evidence):
    """The model of build_recurrent can be made again from its own description."""
    check_rebuild(evidence["recurrent"], "build_recurrent")
