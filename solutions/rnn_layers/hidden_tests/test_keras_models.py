"""build_model: nine kinds of recurrent Keras models, judged by their layers and by what they do."""

import numpy as np
import pytest

from autograder.checks import Given, as_array, as_list, as_number, expect, read_model, techniques

KINDS = (
    "simple_rnn", "lstm", "gru", "stacked", "bidirectional", "recurrent_dropout", "layer_norm", "irnn", "clipped",
)  # fmt: skip
BATCH, TIME, LONGER, LONG = 24, 7, 11, 60
OTHER = {"n_features": 5, "units": 5, "n_outputs": 6}  # more weights than by default, were it not for the units
BOTH_ENDS = 0.05  # of LONG steps, a network that reads forwards alone has forgotten the first far below this share
TOPIC = "Recurrent layers in Keras:"


def given(rng):
    return Given(
        kinds=list(KINDS),
        x=rng.normal(size=(BATCH, TIME, 4)).astype("float32"),
        longer=rng.normal(size=(BATCH, LONGER, 4)).astype("float32"),
        long=rng.normal(size=(BATCH, LONG, 4)).astype("float32"),
        other=rng.normal(size=(2, TIME, OTHER["n_features"])).astype("float32"),
        arguments=dict(OTHER),
        unknown=["transformer", "", "lstm2"],
    )


def probe(student, given):  # noqa: C901 - one function, since only its own text travels
    import _autograder_models
    import keras
    import numpy as np

    def parts(layer):
        """A layer and all that lie inside of it."""
        yield layer
        inner = [getattr(layer, name, None) for name in ("cell", "layer", "forward_layer", "backward_layer")]
        for child in [*getattr(layer, "layers", []), *getattr(layer, "cells", []), *inner]:
            if isinstance(child, keras.layers.Layer):
                yield from parts(child)

    def recurrence(cell):
        """How a simple recurrent cell begins, and what its activation makes of -2, 0 and 3."""
        bias = getattr(cell, "bias", None)
        return {
            "kernel": np.asarray(cell.recurrent_kernel),
            "bias": np.zeros(1) if bias is None else np.asarray(bias),
            "activated": np.asarray(cell.activation(keras.ops.convert_to_tensor([-2.0, 0.0, 3.0]))),
        }

    def describe(kind):
        model = student.build_model(kind)
        facts = _autograder_models.describe(model, given.x)
        if "not_a_model" in facts:
            return facts
        shapes = [np.shape(model(x, training=False)) for x in (given.x[:, :1], given.longer)]
        cells = [part for part in parts(model) if isinstance(part, keras.layers.SimpleRNNCell)]
        return {
            **facts,
            "shapes": [list(shape) for shape in shapes],
            "again": np.asarray(model(given.x)),  # Keras' default: no training
            "training": [np.asarray(model(given.x, training=True)) for _ in range(2)],
            "cells": [recurrence(cell) for cell in cells],
        }

    def ends():
        """How far the bidirectional model's outputs move when the first step is changed, and when the last is."""
        model = student.build_model("bidirectional")
        before, moves = np.asarray(model(given.long, training=False)), []
        for step in (0, -1):
            x = given.long.copy()
            x[:, step] = -x[:, step]
            moves.append(float(np.abs(np.asarray(model(x, training=False)) - before).max()))
        return moves

    def other(kind):
        model = student.build_model(kind, **given.arguments)
        shape = list(np.shape(model(given.other, training=False)))
        return {"shape": shape, "parameters": int(model.count_params())}

    def refusals():
        """For each unknown kind, the classes of the exception, or what came back instead."""
        build, outcomes = student.build_model, []
        for kind in given.unknown:
            try:
                outcomes.append(f"no exception, but a {type(build(kind)).__name__}"[:100])
            except Exception as error:
                outcomes.append([base.__name__ for base in type(error).__mro__])
        return outcomes

    return {
        **{f"model {kind}": lambda kind=kind: describe(kind) for kind in given.kinds},
        **{f"other {kind}": lambda kind=kind: other(kind) for kind in given.kinds},
        "ends": ends,
        "refusals": refusals,
    }


def model_of(evidence, kind):
    return read_model(evidence[f"model {kind}"], f"build_model('{kind}')")


def layer_names(model):
    return f"the layers {sorted({layer.bases[0] for layer in model.layers if layer.bases})}"


def expect_layers(evidence, kind, holds, wanted, hint=""):
    model = model_of(evidence, kind)
    expect(holds(model), f"build_model('{kind}') should have {wanted}.", received=layer_names(model), hint=hint)


@pytest.mark.weight(3)
def test_shapes(evidence):
    """Every kind maps sequences of any length, (n, time, 4), to (n, 4)."""
    for kind in KINDS:
        model = model_of(evidence, kind)
        shapes = [tuple(shape) for shape in as_list(evidence[f"model {kind}"]["shapes"], "The shapes of outputs")]
        wrong = [shape for shape in (model.output, *shapes) if shape != (BATCH, 4)]
        expect(
            not wrong,
            f"build_model('{kind}'): {BATCH} sequences of any length should give an output of shape ({BATCH}, 4).",
            received=str(wrong[:1]),
            hint=f"{TOPIC} `keras.Input((None, n_features))`; the last recurrent layer returns no sequence.",
        )


@pytest.mark.weight(2)
def test_arguments(evidence):
    """n_features, units and n_outputs are used by every kind."""
    for kind in KINDS:
        other = evidence[f"other {kind}"]
        call = f"build_model('{kind}', n_features=5, units=5, n_outputs=6)"
        shape = tuple(as_list(other["shape"], "The shape of the output"))
        expect(shape == (2, 6), f"{call}: two sequences should give an output of shape (2, 6).", received=str(shape))
        model, fewer = model_of(evidence, kind), as_number(other["parameters"], "The number of parameters")
        expect(
            fewer < model.parameters,
            f"{call} should have fewer parameters than the default, which has 16 units.",
            received=f"{fewer:g} against {model.parameters}",
            hint=f"{TOPIC} `units` is the size of the recurrent layer.",
        )


@pytest.mark.weight(2)
def test_logits(evidence):
    """The outputs are logits: any numbers, not probabilities."""
    for kind in KINDS:
        model_of(evidence, kind)
        values = as_array(evidence[f"model {kind}"]["values"], f"The output of build_model('{kind}')")
        expect(
            values.min() < 0 or values.max() > 1 or not values.any(),  # a head that begins with zeros is none of both
            f"build_model('{kind}') should give logits.",
            received=f"numbers between {values.min():.3g} and {values.max():.3g} alone",
            hint=f"{TOPIC} the last Dense layer has no activation; the loss is told `from_logits=True`.",
        )


def test_simple_rnn(evidence):
    """'simple_rnn' has a simple recurrent layer, and no gated one."""
    expect_layers(
        evidence,
        "simple_rnn",
        lambda model: model.recurrent and not model.layers_named("LSTM", "GRU"),
        "a SimpleRNN layer and neither LSTM nor GRU",
    )


def test_lstm(evidence):
    """'lstm' has an LSTM layer."""
    expect_layers(evidence, "lstm", lambda model: model.layers_named("LSTM"), "an LSTM layer")


def test_gru(evidence):
    """'gru' has a GRU layer."""
    expect_layers(evidence, "gru", lambda model: model.layers_named("GRU"), "a GRU layer")


def test_stacked(evidence):
    """'stacked' has two or more recurrent layers."""
    hint = f"{TOPIC} the lower layers need `return_sequences=True`."
    expect_layers(
        evidence, "stacked", lambda model: "stacking" in techniques(model), "two or more recurrent layers", hint
    )


def test_bidirectional(evidence):
    """'bidirectional' reads the sequence in both directions."""
    model = model_of(evidence, "bidirectional")
    if "bidirectional" in techniques(model):
        return
    # Two layers, one of them on a sequence that was turned round by other means: both ends of it count for the output.
    first, last = (as_number(move, "A change") for move in as_list(evidence["ends"], "Changes", length=2))
    expect(
        len(model.recurrent) >= 2 and first > BOTH_ENDS * last,
        "build_model('bidirectional') should have a Bidirectional layer, or two that read in opposite directions.",
        received=layer_names(model),
        hint=f"{TOPIC} `keras.layers.Bidirectional(...)` around the recurrent layer.",
    )


@pytest.mark.weight(2)
def test_recurrent_dropout(evidence):
    """'recurrent_dropout' drops parts of the recurrent state, in training and not at inference."""
    model = model_of(evidence, "recurrent_dropout")
    rates = [layer.recurrent_dropout for layer in model.layers]
    expect(
        max(rates, default=0.0) > 0,
        "build_model('recurrent_dropout') should have a recurrent layer with recurrent_dropout > 0.",
        received=f"the rates {sorted(set(rates))}",
        hint=f"{TOPIC} `dropout` is for the inputs of a layer, `recurrent_dropout` for its state.",
    )
    value = evidence["model recurrent_dropout"]
    first, second = (as_array(each, "An output") for each in as_list(value["training"], "Outputs", length=2))
    expect(
        not np.allclose(first, second),
        "With training=True, its output should differ from call to call.",
        received="the same output twice",
    )
    before, again = (as_array(value[key], "An output") for key in ("values", "again"))
    expect(
        np.allclose(before, again, rtol=1e-4, atol=1e-5),
        "Outside of training, its output should be the same at every call.",
        received="other outputs without `training` than with `training=False`",
        hint=f"{TOPIC} leave `training` to Keras: do not pass `training=True` when you build the model.",
    )


@pytest.mark.weight(2)
def test_layer_norm(evidence):
    """'layer_norm' has a LayerNormalization on or after the recurrent output."""
    model = model_of(evidence, "layer_norm")
    norms = [number for number, layer in enumerate(model.layers) if layer.is_a("LayerNorm")]
    hint = f"{TOPIC} `keras.layers.LayerNormalization()` behind the recurrent layer."
    expect(norms, "build_model('layer_norm') should have a LayerNormalization.", received=layer_names(model), hint=hint)
    recurrent = [number for number, layer in enumerate(model.layers) if layer in model.recurrent]
    expect(recurrent, "build_model('layer_norm') should have a recurrent layer.", received=layer_names(model))
    ordered = model.kind in {"Functional", "Sequential"}  # layers of other models come in no order that counts
    inside = any(layer.inside for layer in model.layers if layer.is_a("LayerNorm"))
    expect(
        not ordered or inside or norms[-1] > recurrent[0],
        "The LayerNormalization should be on or after the recurrent output.",
        received="one before the first recurrent layer alone",
    )


@pytest.mark.weight(2)
def test_irnn(evidence):
    """'irnn' is a SimpleRNN with ReLU that begins with W_h = I and b = 0."""
    model_of(evidence, "irnn")
    cells = as_list(evidence["model irnn"]["cells"], "The simple recurrent layers")
    expect(cells, "build_model('irnn') should have a SimpleRNN layer.", received="none")
    for cell in cells:
        activated = as_array(cell["activated"], "The activation of -2, 0 and 3")
        expect(
            np.allclose(activated, [0.0, 0.0, 3.0]),
            "The SimpleRNN of build_model('irnn') should have the activation ReLU.",
            received=f"{np.round(activated, 3).tolist()} for -2, 0 and 3",
        )
        kernel = as_array(cell["kernel"], "The recurrent kernel", ndim=2)
        expect(
            np.allclose(kernel, np.eye(len(kernel)), atol=1e-6),
            "The recurrent kernel of build_model('irnn') should begin as the identity.",
            received=f"a diagonal of about {np.diag(kernel).mean():.3g}, up to {np.abs(kernel).max():.3g} elsewhere",
            hint=f"{TOPIC} `recurrent_initializer='identity'`; the other initialiser is that of the inputs' kernel.",
        )
        expect(
            not as_array(cell["bias"], "The bias").any(), "Its biases should begin as zeros.", received="other values"
        )


def test_clipped(evidence):
    """'clipped' is compiled with an optimizer that clips gradients."""
    model = model_of(evidence, "clipped")
    expect(
        model.clipping,
        "build_model('clipped') should be compiled with gradient clipping.",
        received="no optimizer that clips",
        hint=f"{TOPIC} `model.compile(keras.optimizers.Adam(clipnorm=1.0), ...)`.",
    )


def test_unknown_kind(given, evidence):
    """Any other kind raises ValueError."""
    outcomes = as_list(evidence["refusals"], "What came of unknown kinds", length=len(given.unknown))
    for kind, outcome in zip(given.unknown, outcomes, strict=True):
        expect(
            isinstance(outcome, list) and "ValueError" in outcome,
            f"build_model({kind!r}) should raise ValueError.",
            received=outcome if isinstance(outcome, str) else str(outcome[:1]),
            hint='The last branch: `raise ValueError(f"unknown kind {kind!r}")`.',
        )
