"""rnn_step: one step of a simple recurrent network, tanh(x W_x + h W_h + b)."""

import numpy as np
import pytest

from autograder.checks import Given, expect, expect_close, expect_shape, has_moved, recognise
from reference_models import recurrent_oracles as oracles

SIZES = {"wide": (5, 3, 4), "square": (4, 4, 4), "one": (1, 6, 2)}  # batch, features, units
NAMES = ("x_t", "h", "W_x", "W_h", "b")
TOPIC = "Vanilla RNN:"


def draw(rng, batch, features, units):
    """x_t, h, W_x, W_h, b."""
    shapes = ((batch, features), (batch, units), (features, units), (units, units), (units,))
    return [rng.normal(0.0, 0.7, size=shape).astype("float32") for shape in shapes]


def given(rng):
    cases = {name: draw(rng, *sizes) for name, sizes in SIZES.items()}
    start = [part.copy() for part in cases["wide"]]
    start[1][:] = 0.0
    return Given(cases=cases | {"start": start})


def probe(student, given):
    def after_use():
        arguments = [part.copy() for part in given.cases["wide"]]
        student.rnn_step(*arguments)
        return arguments

    def step(name):
        return student.rnn_step(*[part.copy() for part in given.cases[name]])

    return {**{name: lambda name=name: step(name) for name in given.cases}, "after_use": after_use}


def hint_for(value, case):
    """What is wrong, where the result shows it."""
    x, h, w_x, w_h, b = (part.astype(np.float64) for part in case)
    z = x @ w_x + h @ w_h + b
    mistakes = {
        "The bias is missing: every unit has its own `b`.": np.tanh(z - b),
        "The state is missing: without `h @ W_h` the network has no memory.": np.tanh(z - h @ w_h),
        "`tanh` is missing: it keeps the state between -1 and 1.": z,
        "`W_h` is used transposed: row i of it says where unit i goes.": np.tanh(z - h @ w_h + h @ w_h.T),
        "The activation is tanh here, not the logistic function.": 1 / (1 + np.exp(-z)),
        "The activation is tanh here, not ReLU.": np.maximum(z, 0.0),
    }
    text = recognise(value, mistakes, otherwise="write the formula's three terms one by one, and compare each.")
    return f"{TOPIC} {text[0].lower() if text.startswith('The ') else text[0]}{text[1:]}"


def test_shape(given, evidence):
    """The next state has shape (batch, units), for any batch, features and units."""
    for name, case in given.cases.items():
        shape = case[1].shape
        hint = f"{TOPIC} vectors are rows, so `x_t @ W_x` is (batch, units)."
        expect_shape(evidence[name], shape, f"rnn_step for {shape[0]} sequences and {shape[1]} units", hint=hint)


@pytest.mark.weight(2)
def test_from_a_zero_state(given, evidence):
    """From a zero state, the step is tanh(x_t W_x + b)."""
    case = given.cases["start"]
    hint = hint_for(evidence["start"], case)
    expect_close(evidence["start"], oracles.rnn_step(*case), what="rnn_step from a zero state", hint=hint)


@pytest.mark.weight(4)
def test_values(given, evidence):
    """The next state is tanh(x_t W_x + h W_h + b), as in keras.layers.SimpleRNN."""
    for name in SIZES:
        case = given.cases[name]
        hint = hint_for(evidence[name], case)
        expect_close(evidence[name], oracles.rnn_step(*case), what="rnn_step", hint=hint)


def test_inputs_are_left_alone(given, evidence):
    """The arrays that it is given are not changed."""
    for name, before, after in zip(NAMES, given.cases["wide"], evidence["after_use"], strict=True):
        expect(
            not has_moved(after, before),
            f"rnn_step should leave {name} unchanged.",
            received="other values in it afterwards",
            hint="`h = h + ...` makes a new array; `h += ...` and `out=h` write into the caller's.",
        )
