"""many_to_one, many_to_many, one_to_many: one recurrence, three ways of asking it."""

import numpy as np
import pytest

from autograder.checks import Given, as_mapping, expect, expect_close, expect_shape, has_moved, recognise
from reference_models import recurrent_oracles as oracles

BATCH, TIME, FEATURES, UNITS, OUTPUTS, STEPS = 3, 6, 4, 5, 2, 5
TOPIC = "Types of sequence tasks:"
MEND_FIRST = "if `rnn_step` and `rnn_forward` are not right yet, mend them first."


def given(rng):
    def draw(*shape):
        return rng.normal(0.0, 0.6, size=shape).astype("float32")

    def parameters(outputs):
        shapes = {"W_x": (FEATURES, UNITS), "W_h": (UNITS, UNITS), "b": (UNITS,)}
        return {name: draw(*shape) for name, shape in shapes.items()} | {
            "W_y": draw(UNITS, outputs),
            "b_y": draw(outputs),
        }

    return Given(
        x=draw(BATCH, TIME, FEATURES),
        x0=draw(BATCH, FEATURES),
        p=parameters(OUTPUTS),
        p_feedback=parameters(FEATURES),
        steps=STEPS,
    )


def probe(student, given):
    def copied(p):
        return {name: part.copy() for name, part in p.items()}

    def after_use():
        x, x0, p = given.x.copy(), given.x0.copy(), copied(given.p_feedback)
        student.many_to_one(x, p)
        student.many_to_many(x, p)
        student.one_to_many(x0, given.steps, p)
        return {"x": x, "x0": x0, **p}

    return {
        "last": lambda: student.many_to_one(given.x.copy(), copied(given.p)),
        "last_of_one": lambda: student.many_to_one(given.x[:, :1].copy(), copied(given.p)),
        "every": lambda: student.many_to_many(given.x.copy(), copied(given.p)),
        "generated": lambda: student.one_to_many(given.x0.copy(), given.steps, copied(given.p_feedback)),
        "first": lambda: student.one_to_many(given.x0.copy(), 1, copied(given.p_feedback)),
        "after_use": after_use,
    }


def state_and_output(x_t, h, p):
    h = oracles.rnn_step(x_t, h, p["W_x"], p["W_h"], p["b"])
    return h, h @ p["W_y"] + p["b_y"]


def generation_mistakes(given):
    """What known mistakes give for one_to_many, by their hints."""
    p, expected = given.p_feedback, oracles.one_to_many(given.x0, STEPS, given.p_feedback)
    zero = np.zeros((BATCH, UNITS))
    h, same_input, x_t, forgetful = zero, [], given.x0, []
    for _ in range(STEPS):
        h, y = state_and_output(given.x0, h, p)
        same_input.append(y)
        _, x_t = state_and_output(x_t, zero, p)
        forgetful.append(x_t)
    return {
        "`x0` is no output; the first output is computed from it.": np.concatenate(
            [given.x0[:, None], expected[:, :-1]], axis=1
        ),
        "every step was given `x0`; feed each output back as the next input.": np.stack(same_input, axis=1),
        "the state was lost between the steps; carry it on.": np.stack(forgetful, axis=1),
        "this is the last output alone; all of them are asked for.": expected[:, -1],
        "time and batch have changed places: `np.stack(outputs, axis=1)`.": np.swapaxes(expected, 0, 1),
    }


@pytest.mark.weight(3)
def test_many_to_one(given, evidence):
    """many_to_one gives (batch, outputs): the output of the last state alone."""
    every = oracles.many_to_many(given.x, given.p)
    mistakes = {
        "this is the output of the first state.": every[:, 0],
        "the mean over time is another model; the last state has seen everything.": every.mean(axis=1),
        "this is the state itself; the output is `h W_y + b_y`.": oracles.rnn_forward(
            given.x, *(given.p[name] for name in ("W_x", "W_h", "b"))
        )[:, -1],
        "the bias `b_y` is missing.": every[:, -1] - given.p["b_y"],
    }
    hint = f"{TOPIC} {recognise(evidence['last'], mistakes, otherwise=MEND_FIRST)}"
    expect_close(evidence["last"], every[:, -1], what="many_to_one", hint=hint)
    expected = oracles.many_to_one(given.x[:, :1], given.p)
    expect_close(evidence["last_of_one"], expected, what="many_to_one of a sequence of length 1", hint=hint)


@pytest.mark.weight(3)
def test_many_to_many(given, evidence):
    """many_to_many gives (batch, time, outputs): an output for every state."""
    expected = oracles.many_to_many(given.x, given.p)
    mistakes = {
        "this is the last output alone; there is one for every step.": expected[:, -1],
        "the bias `b_y` is missing.": expected - given.p["b_y"],
        "time and batch have changed places.": np.swapaxes(expected, 0, 1),
    }
    hint = f"{TOPIC} {recognise(evidence['every'], mistakes, otherwise=MEND_FIRST)}"
    expect_close(evidence["every"], expected, what="many_to_many", hint=hint)


def test_one_to_many_shape(given, evidence):
    """one_to_many gives (batch, steps, outputs), for any number of steps from 1."""
    for name, steps in (("generated", STEPS), ("first", 1)):
        hint = f"{TOPIC} one output for each step, stacked along axis 1; x0 is an input and no output."
        expect_shape(evidence[name], (BATCH, steps, FEATURES), f"one_to_many of {steps} steps", hint=hint)


@pytest.mark.weight(2)
def test_first_output(given, evidence):
    """The first output of one_to_many is computed from x0 and a zero state."""
    hint = f"{TOPIC} one step of the network with `x0`, then `h W_y + b_y`."
    expected = oracles.one_to_many(given.x0, 1, given.p_feedback)
    expect_close(evidence["first"], expected, what="one_to_many of one step", hint=hint)


@pytest.mark.weight(3)
def test_outputs_are_fed_back(given, evidence):
    """Each output of one_to_many is the next input, and the state is carried on."""
    text = recognise(evidence["generated"], generation_mistakes(given), otherwise=MEND_FIRST)
    expected = oracles.one_to_many(given.x0, STEPS, given.p_feedback)
    expect_close(evidence["generated"], expected, what="one_to_many", hint=f"{TOPIC} {text}")


def test_inputs_are_left_alone(given, evidence):
    """The arrays and the dictionary that the functions are given are not changed."""
    after = as_mapping(evidence["after_use"], "The arrays after use")
    before = {"x": given.x, "x0": given.x0, **given.p_feedback}
    for name, values in before.items():
        expect(
            name in after and not has_moved(after[name], values),
            f"The functions should leave {name} unchanged.",
            received="other values in it afterwards",
            hint="Keep the state in a variable of your own; `h = ...` makes a new array, `h += ...` does not.",
        )
