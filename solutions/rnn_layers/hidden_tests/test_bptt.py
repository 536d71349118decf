"""bptt_gradient_norms: how strongly the last state depends on each earlier one."""

import numpy as np
import pytest

from autograder.checks import Given, expect, expect_close, expect_finite, expect_shape, has_moved, recognise
from reference_models import recurrent_oracles as oracles

TIME, FEATURES, UNITS = 9, 3, 5
VANISHING, EXPLODING = 0.7, 1.4
TOPIC = "Backpropagation through time:"


def given(rng):
    w_h = rng.normal(0.0, 0.6, size=(UNITS, UNITS)).astype("float32")
    weights = (rng.normal(size=(FEATURES, UNITS)), w_h, rng.normal(0.0, 0.3, size=UNITS))
    states = oracles.rnn_forward(rng.normal(size=(1, TIME, FEATURES)), *weights)[0].astype("float32")
    rotation = np.linalg.qr(rng.normal(size=(UNITS, UNITS)))[0].astype("float32")
    return Given(
        states=states,
        w_h=w_h,
        still=np.zeros((TIME, UNITS), "float32"),
        vanishing=np.float32(VANISHING) * rotation,
        exploding=np.float32(EXPLODING) * rotation,
    )


def probe(student, given):
    def after_use():
        arguments = [given.states.copy(), given.w_h.copy()]
        student.bptt_gradient_norms(*arguments)
        return arguments

    def norms(states, w_h):
        return student.bptt_gradient_norms(states.copy(), w_h.copy())

    return {
        "norms": lambda: norms(given.states, given.w_h),
        "one": lambda: norms(given.states[:1], given.w_h),
        "two": lambda: norms(given.states[:2], given.w_h),
        "vanishing": lambda: norms(given.still, given.vanishing),
        "exploding": lambda: norms(given.still, given.exploding),
        "after_use": after_use,
    }


def chain(states, w_h, step, norm=2, *, backwards=False):
    """Norms of the products of what `step(state before, state after, W_h)` gives, as a mistake would compute them."""
    jacobian = np.eye(len(w_h))
    norms = [1.0]
    for before, after in zip(states[-2::-1], states[:0:-1], strict=True):
        factor = step(before, after, w_h)
        jacobian = jacobian @ factor if backwards else factor @ jacobian
        norms.append(np.linalg.norm(jacobian, norm))
    return np.array(norms[::-1])


def right_step(_, after, w_h):
    return w_h * (1 - after**2)


def hint_for(value, given):
    """What is wrong, where the result shows it."""
    states, w_h = (part.astype(np.float64) for part in (given.states, given.w_h))
    expected = oracles.bptt_gradient_norms(states, w_h)
    mistakes = {
        "the norms are in reverse order: the first belongs to t = 1, the last, 1, to t = T.": expected[::-1],
        "the derivative of tanh, 1 - h^2, is missing.": chain(states, w_h, lambda *each: each[-1]),
        "the derivative of the step from t to t + 1 is taken at the state of t + 1.": chain(
            states, w_h, lambda before, _, w: w * (1 - before**2)
        ),
        "the derivative of tanh is 1 - h^2 when h is already tanh(z).": chain(
            states, w_h, lambda _, after, w: w / np.cosh(after) ** 2
        ),
        "these are Frobenius norms; the spectral norm is the largest singular value.": chain(
            states, w_h, right_step, norm="fro"
        ),
        "the factors are multiplied in the wrong order.": chain(states, w_h, right_step, backwards=True),
        "the norm of a product is not the product of the norms.": np.cumprod(
            [1.0, *(np.linalg.norm(right_step(None, after, w_h), 2) for after in states[:0:-1])]
        )[::-1],
        "these are the factors of single steps; multiply them up to T.": np.array(
            [*(np.linalg.norm(right_step(None, after, w_h), 2) for after in states[1:]), 1.0]
        ),
    }
    text = recognise(value, mistakes, otherwise="one factor per step, W_h diag(1 - h^2), multiplied from t + 1 to T.")
    return f"{TOPIC} {text}"


def test_shape(given, evidence):
    """There is one norm for each step, also for sequences of length 1 and 2."""
    for name, time in (("norms", TIME), ("one", 1), ("two", 2)):
        what = f"bptt_gradient_norms of {time} states"
        expect_shape(evidence[name], (time,), what, hint=hint_for(evidence[name], given))


def test_the_last_is_one(given, evidence):
    """The last norm is 1: a state depends on itself one to one."""
    for name in ("norms", "one", "two"):
        norms = expect_shape(evidence[name], (None,), "bptt_gradient_norms")
        expect(norms.size, "There should be a norm for each step.", received="none")
        expect_close(norms[-1], 1.0, what="The last norm", hint=hint_for(evidence[name], given))


@pytest.mark.weight(4)
def test_values(given, evidence):
    """The norms are those of the products of the steps' derivatives."""
    for name, states in (("norms", given.states), ("two", given.states[:2])):
        expected = oracles.bptt_gradient_norms(states, given.w_h)
        expect_close(evidence[name], expected, what="bptt_gradient_norms", hint=hint_for(evidence[name], given))


@pytest.mark.weight(2)
def test_vanishing_and_exploding(given, evidence):
    """Near zero states, gradients shrink or grow by the same factor at each step."""
    powers = np.arange(TIME)[::-1]
    for name, factor in (("vanishing", VANISHING), ("exploding", EXPLODING)):
        norms = expect_finite(evidence[name], f"bptt_gradient_norms, {name}")
        hint = f"{TOPIC} where all states are 0, tanh' is 1 and only W_h is left, here {factor} times a rotation."
        expect_close(norms, factor**powers, what=f"bptt_gradient_norms, {name}", rtol=1e-3, hint=hint)


def test_inputs_are_left_alone(given, evidence):
    """The arrays that it is given are not changed."""
    for name, before, after in zip(("states", "W_h"), (given.states, given.w_h), evidence["after_use"], strict=True):
        expect(
            not has_moved(after, before),
            f"bptt_gradient_norms should leave {name} unchanged.",
            received="other values in it afterwards",
            hint="`gradient = gradient @ w` makes a new array, `gradient *= w` changes the old one.",
        )
