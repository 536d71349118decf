"""lstm_step: one step of an LSTM, with Keras' weights and gates in the order i, f, g, o."""

import itertools

import numpy as np
import pytest

from autograder.checks import Given, as_list, expect, expect_close, expect_shape, has_moved, recognise
from reference_models import recurrent_oracles as oracles

SIZES = {"wide": (5, 3, 4), "square": (2, 4, 4), "one": (1, 6, 2)}  # batch, features, units
NAMES = ("x_t", "h", "c", "W", "U", "b")
STRONG = 12.0  # a bias that opens or closes a gate
OTHER_ORDERS = [order for order in itertools.permutations(range(4)) if order != (0, 1, 2, 3)]
TOPIC = "LSTM:"


def draw(rng, batch, features, units):
    """x_t, h, c, W, U, b."""
    states = ((batch, features), (batch, units), (batch, units))
    shapes = (*states, (features, 4 * units), (units, 4 * units), (4 * units,))
    return [rng.normal(0.0, 0.7, size=shape).astype("float32") for shape in shapes]


def given(rng):
    cases = {name: draw(rng, *sizes) for name, sizes in SIZES.items()}
    for name, gates in (("keeping", (-STRONG, STRONG)), ("forgetting", (STRONG, -STRONG))):
        case = draw(rng, *SIZES["wide"])
        units = case[1].shape[1]
        case[5][: 2 * units] = np.repeat(gates, units)  # input gate, then forget gate
        case[3][:, : 2 * units] *= 0.1
        case[4][:, : 2 * units] *= 0.1
        cases[name] = case
    return Given(cases=cases)


def probe(student, given):
    def after_use():
        arguments = [part.copy() for part in given.cases["wide"]]
        student.lstm_step(*arguments)
        return arguments

    def step(name):
        return student.lstm_step(*[part.copy() for part in given.cases[name]])

    return {**{name: lambda name=name: step(name) for name in given.cases}, "after_use": after_use}


def pair(value):
    """(h_next, c_next); two arrays stacked into one count as well."""
    if isinstance(value, np.ndarray) and value.ndim == 3:
        value = list(value)
    return as_list(value, "lstm_step", length=2, hint=f"{TOPIC} `return h_next, c_next`.")


def reordered(case, order):
    """The step of someone who takes the four parts of the weights for the gates in another order."""
    parts = [np.split(part, 4, axis=-1) for part in case[3:]]
    return oracles.lstm_step(*case[:3], *(np.concatenate([part[k] for k in order], axis=-1) for part in parts))


def hint_for(value, case, which):
    """What is wrong with h (which 0) or c (which 1), where the result shows it."""
    x, h, c, w, u, b = (part.astype(np.float64) for part in case)
    h_next, c_next = oracles.lstm_step(*case)
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=-1)
    gate = {name: 1 / (1 + np.exp(-z)) for name, z in (("i", i), ("f", f), ("g", g), ("o", o))}
    cells = {
        "the candidate g goes through tanh.": gate["f"] * c + gate["i"] * g,
        "the candidate g goes through tanh, not through the logistic function.": gate["f"] * c + gate["i"] * gate["g"],
        "the input gate is one of its own, not 1 - f.": gate["f"] * c + (1 - gate["f"]) * np.tanh(g),
        "the forget gate is missing.": c + gate["i"] * np.tanh(g),
    }
    mistakes = {"h and c have changed places: return `h_next, c_next`.": (c_next, h_next)[which]}
    mistakes |= {text: (gate["o"] * np.tanh(cell), cell)[which] for text, cell in cells.items()}
    if which == 0:
        mistakes["the output is `o * tanh(c_next)`, not `o * c_next`."] = gate["o"] * c_next
        mistakes["the output is made from the next cell state, not from the one before."] = gate["o"] * np.tanh(c)
    text = recognise(value, mistakes, otherwise="cut `x_t W + h U + b` into four, and look at each gate.")
    if any(recognise(value, {"fits": reordered(case, order)[which]}) for order in OTHER_ORDERS):
        text = "the four parts of the weights are the gates in the order i, f, g, o."
    return f"{TOPIC} {text}"


def test_shapes(given, evidence):
    """It returns two arrays, the next h and the next c, both (batch, units)."""
    for name in SIZES:
        shape = given.cases[name][1].shape
        for part, what in zip(pair(evidence[name]), ("h_next", "c_next"), strict=True):
            expect_shape(part, shape, what)


@pytest.mark.weight(3)
def test_cell_state(given, evidence):
    """The next cell state is f * c + i * tanh(g)."""
    for name in SIZES:
        case, received = given.cases[name], pair(evidence[name])[1]
        expected = oracles.lstm_step(*case)[1]
        expect_close(received, expected, what="c_next of lstm_step", hint=hint_for(received, case, 1))


@pytest.mark.weight(3)
def test_hidden_state(given, evidence):
    """The next hidden state is o * tanh(c_next), as in keras.layers.LSTM."""
    for name in SIZES:
        case, received = given.cases[name], pair(evidence[name])[0]
        expected = oracles.lstm_step(*case)[0]
        expect_close(received, expected, what="h_next of lstm_step", hint=hint_for(received, case, 0))


def test_gates_keep_and_forget(given, evidence):
    """With f = 1 and i = 0 the cell state stays; with f = 0 and i = 1 the candidate replaces it."""
    kept = pair(evidence["keeping"])[1]
    hint = f"{TOPIC} the forget gate multiplies the old cell state, the input gate the candidate."
    expect_close(kept, given.cases["keeping"][2], what="c_next with f = 1 and i = 0", rtol=1e-2, atol=1e-2, hint=hint)
    replaced = pair(evidence["forgetting"])[1]
    expected = oracles.lstm_step(*given.cases["forgetting"])[1]
    expect_close(replaced, expected, what="c_next with f = 0 and i = 1", rtol=1e-2, atol=1e-2, hint=hint)


def test_inputs_are_left_alone(given, evidence):
    """The arrays that it is given are not changed."""
    for name, before, after in zip(NAMES, given.cases["wide"], evidence["after_use"], strict=True):
        expect(
            not has_moved(after, before),
            f"lstm_step should leave {name} unchanged.",
            received="other values in it afterwards",
            hint="`c = f * c + ...` makes a new array; `c *= f` writes into the caller's.",
        )
