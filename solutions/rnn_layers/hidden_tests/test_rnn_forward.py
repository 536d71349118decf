"""rnn_forward: the states of all steps, each made from the one before."""

import numpy as np
import pytest

from autograder.checks import Given, expect, expect_close, expect_shape, has_moved, recognise
from reference_models import recurrent_oracles as oracles

BATCH, TIME, FEATURES, UNITS = 3, 7, 5, 4
PREFIX = 4
TOPIC = "Unrolling an RNN:"


def given(rng):
    def draw(*shape):
        return rng.normal(0.0, 0.6, size=shape).astype("float32")

    weights = [draw(FEATURES, UNITS), draw(UNITS, UNITS), draw(UNITS)]
    return Given(x=draw(BATCH, TIME, FEATURES), weights=weights, h0=draw(BATCH, UNITS), prefix=PREFIX)


def probe(student, given):
    def forward(x, *more):
        return student.rnn_forward(x.copy(), *[part.copy() for part in given.weights], *more)

    def after_use():
        arguments = [given.x.copy(), *[part.copy() for part in given.weights], given.h0.copy()]
        student.rnn_forward(*arguments)
        return arguments

    return {
        "zero": lambda: forward(given.x),
        "none": lambda: student.rnn_forward(given.x.copy(), *[part.copy() for part in given.weights], h0=None),
        "from_h0": lambda: forward(given.x, given.h0.copy()),
        "prefix": lambda: forward(given.x[:, : given.prefix]),
        "one": lambda: forward(given.x[:, :1]),
        "single": lambda: forward(given.x[:1]),
        "after_use": after_use,
    }


def hint_for(value, given, expected):
    """What is wrong, where the result shows it."""
    steps = [oracles.rnn_step(x_t, 0 * given.h0, *given.weights) for x_t in np.swapaxes(given.x, 0, 1)]
    mistakes = {
        "every step began from zeros; pass the new state on to the next step.": np.stack(steps, axis=1),
        "these are the states in reverse order.": expected[:, ::-1],
        "time and batch have changed places: `np.stack(states, axis=1)`.": np.swapaxes(expected, 0, 1),
        "this is the last state alone; all of them are asked for.": expected[:, -1],
        "`h0` is not used.": oracles.rnn_forward(given.x, *given.weights),
    }
    return f"{TOPIC} {recognise(value, mistakes, otherwise='if `rnn_step` is not right yet, mend it first.')}"


def test_shape(given, evidence):
    """The states have shape (batch, time, units), for any length from 1 and any batch."""
    for name, batch, time in (("zero", BATCH, TIME), ("one", BATCH, 1), ("single", 1, TIME)):
        hint = hint_for(evidence[name], given, oracles.rnn_forward(given.x, *given.weights))
        expect_shape(evidence[name], (batch, time, UNITS), f"rnn_forward of {batch} sequences of {time}", hint=hint)


@pytest.mark.weight(4)
def test_states_from_zeros(given, evidence):
    """Without h0 the first state is made from zeros, and each later one from the state before it."""
    expected = oracles.rnn_forward(given.x, *given.weights)
    for name in ("zero", "none"):
        hint = hint_for(evidence[name], given, expected)
        expect_close(evidence[name], expected, what="rnn_forward without h0", hint=hint)


@pytest.mark.weight(2)
def test_states_from_h0(given, evidence):
    """With h0, the first state is made from it."""
    expected = oracles.rnn_forward(given.x, *given.weights, given.h0)
    hint = hint_for(evidence["from_h0"], given, expected)
    expect_close(evidence["from_h0"], expected, what="rnn_forward with h0", hint=hint)


def test_the_past_does_not_know_the_future(given, evidence):
    """The states of the first steps are the same when the sequence is longer."""
    whole = expect_shape(evidence["zero"], (BATCH, TIME, UNITS), "rnn_forward of a sequence")
    expect_close(
        evidence["prefix"],
        whole[:, :PREFIX],
        what="rnn_forward of the first steps, against those of the whole sequence",
        hint=f"{TOPIC} a state depends on its own and earlier steps alone.",
    )


def test_inputs_are_left_alone(given, evidence):
    """The arrays that it is given are not changed, h0 included."""
    names = ("x", "W_x", "W_h", "b", "h0")
    for name, before, after in zip(names, (given.x, *given.weights, given.h0), evidence["after_use"], strict=True):
        expect(
            not has_moved(after, before),
            f"rnn_forward should leave {name} unchanged.",
            received="other values in it afterwards",
            hint="`h = h0` gives the array a second name; writing into one writes into both.",
        )
