"""gru_step: one step of a GRU as Keras has it (reset_after=True), gates in the order z, r, h, two biases."""

import numpy as np
import pytest

from autograder.checks import Given, expect, expect_close, expect_shape, has_moved, recognise
from reference_models import recurrent_oracles as oracles

SIZES = {"wide": (5, 3, 4), "square": (2, 4, 4), "one": (1, 6, 2)}  # batch, features, units
NAMES = ("x_t", "h", "W", "U", "b")
STRONG = 7.0  # each of two biases that together open a gate
TOPIC = "GRU:"


def draw(rng, batch, features, units):
    """x_t, h, W, U, b (2, 3 units)."""
    shapes = ((batch, features), (batch, units), (features, 3 * units), (units, 3 * units), (2, 3 * units))
    return [rng.normal(0.0, 0.7, size=shape).astype("float32") for shape in shapes]


def given(rng):
    cases = {name: draw(rng, *sizes) for name, sizes in SIZES.items()}
    cases["start"] = [part.copy() for part in cases["wide"]]
    cases["start"][1][:] = 0.0
    cases["keeping"] = draw(rng, *SIZES["wide"])
    units = cases["keeping"][1].shape[1]
    for part in cases["keeping"][2:4]:
        part[:, :units] *= 0.1
    cases["keeping"][4][:, :units] = STRONG  # the update gate z
    return Given(cases=cases)


def probe(student, given):
    def after_use():
        arguments = [part.copy() for part in given.cases["wide"]]
        student.gru_step(*arguments)
        return arguments

    def step(name):
        return student.gru_step(*[part.copy() for part in given.cases[name]])

    return {**{name: lambda name=name: step(name) for name in given.cases}, "after_use": after_use}


def hint_for(value, case):
    """What is wrong, where the result shows it."""
    x, h, w, u, b = (part.astype(np.float64) for part in case)
    right = oracles.gru_step(*case)
    z_x, r_x, g_x = np.split(x @ w + b[0], 3, axis=-1)
    z_h, r_h, g_h = np.split(h @ u + b[1], 3, axis=-1)
    z, r = (1 / (1 + np.exp(-part)) for part in (z_x + z_h, r_x + r_h))
    candidate = np.tanh(g_x + r * g_h)
    units = h.shape[1]
    swapped = [
        np.concatenate([part[..., units : 2 * units], part[..., :units], part[..., 2 * units :]], axis=-1)
        for part in (w, u, b)
    ]
    bias_outside = np.tanh(g_x + b[1, 2 * units :] + r * (g_h - b[1, 2 * units :]))
    mistakes = {
        "z keeps the old state: `h_next = z * h + (1 - z) * candidate`.": (1 - z) * h + z * candidate,
        "the first part of the weights is the update gate z, the second the reset gate r.": oracles.gru_step(
            x, h, *swapped
        ),
        "the reset gate works on the finished product `h U + b[1]`, not on `h` (reset_after=True).": (
            oracles.gru_step_reset_before(x, h, w, u, b[0] + b[1])
        ),
        "the second bias belongs to the recurrent product, so r multiplies it, too.": z * h + (1 - z) * bias_outside,
        "the recurrent bias `b[1]` is missing.": oracles.gru_step(x, h, w, u, np.stack([b[0], 0 * b[1]])),
        "the input bias `b[0]` is missing.": oracles.gru_step(x, h, w, u, np.stack([0 * b[0], b[1]])),
        "the two biases have changed places.": oracles.gru_step(x, h, w, u, b[::-1]),
        "the reset gate is missing.": z * h + (1 - z) * np.tanh(g_x + g_h),
        "the update gate is missing.": candidate,
    }
    mistakes = {hint: wrong for hint, wrong in mistakes.items() if not np.allclose(wrong, right)}
    return f"{TOPIC} {recognise(value, mistakes, otherwise='compute z, r and the candidate one by one.')}"


def test_shape(given, evidence):
    """The next state has shape (batch, units)."""
    for name in SIZES:
        hint = f"{TOPIC} the gates are column blocks of W, U and b, each as wide as h."
        expect_shape(evidence[name], given.cases[name][1].shape, "gru_step", hint=hint)


@pytest.mark.weight(2)
def test_from_a_zero_state(given, evidence):
    """From a zero state, both biases still take part."""
    case = given.cases["start"]
    hint = hint_for(evidence["start"], case)
    expect_close(evidence["start"], oracles.gru_step(*case), what="gru_step from a zero state", hint=hint)


@pytest.mark.weight(5)
def test_values(given, evidence):
    """The next state is that of keras.layers.GRU with its defaults."""
    for name in SIZES:
        case = given.cases[name]
        hint = hint_for(evidence[name], case)
        expect_close(evidence[name], oracles.gru_step(*case), what="gru_step", hint=hint)


def test_update_gate_keeps(given, evidence):
    """With the update gate z open, the state stays as it is."""
    hint = f"{TOPIC} `h_next = z * h + (1 - z) * candidate`; z is the first third of the weights."
    expect_close(
        evidence["keeping"], given.cases["keeping"][1], what="gru_step with z = 1", rtol=1e-2, atol=1e-2, hint=hint
    )


def test_inputs_are_left_alone(given, evidence):
    """The arrays that it is given are not changed."""
    for name, before, after in zip(NAMES, given.cases["wide"], evidence["after_use"], strict=True):
        expect(
            not has_moved(after, before),
            f"gru_step should leave {name} unchanged.",
            received="other values in it afterwards",
            hint="`h = z * h` makes a new array, `h *= z` changes the one that was handed over.",
        )
