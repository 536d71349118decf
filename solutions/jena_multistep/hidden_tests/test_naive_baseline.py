"""naive_forecast: the next hour keeps the last value."""

import numpy as np
import pytest

from autograder.checks import Given, as_array, expect, expect_close, expect_shape, has_moved
from reference_models.jena_oracles import FEATURES, HORIZON, INPUT_LENGTH, TARGET_COLUMNS, oracle_persistence

TOPIC = "Week 9, persistence:"


def given(rng):
    scaled = rng.normal(size=(5, INPUT_LENGTH, len(FEATURES))).astype("float32")
    physical = (300.0 + 100.0 * rng.normal(size=(2, INPUT_LENGTH, len(FEATURES)))).astype("float32")
    return Given(scaled=scaled, physical=physical).keep(
        expected=oracle_persistence(scaled), expected_physical=oracle_persistence(physical)
    )


def probe(student, given):
    import tensorflow as tf

    def after_use():
        x = given.scaled.copy()
        student.naive_forecast(x)
        return x

    return {
        "array": lambda: student.naive_forecast(given.scaled.copy()),
        "physical": lambda: student.naive_forecast(given.physical.copy()),
        "one": lambda: student.naive_forecast(given.scaled[:1].copy()),
        "tensor": lambda: student.naive_forecast(tf.constant(given.scaled)),
        "after_use": after_use,
    }


def test_shape(given, evidence):
    """x of shape (n, 432, 14) gives forecasts of shape (n, 6, 2), for any n."""
    hint = f"{TOPIC} the last value of each target, `(n, 2)`, six times over: `np.repeat` along a new axis."
    expect_shape(evidence["array"], (len(given.scaled), HORIZON, 2), "naive_forecast(x) for five windows", hint=hint)
    expect_shape(evidence["one"], (1, HORIZON, 2), "naive_forecast(x) for one window", hint=hint)


@pytest.mark.weight(4)
def test_keeps_the_last_value(given, evidence):
    """All six steps are the last value of the window."""
    forecast = expect_shape(evidence["array"], (len(given.scaled), HORIZON, 2), "naive_forecast(x)").astype(np.float64)
    last = given.scaled[:, -1:, :].astype(np.float64)
    kept = [np.isclose(forecast[:, :, [i]], last, rtol=1e-4, atol=1e-5).all(axis=(0, 1)).any() for i in (0, 1)]
    hint = f"{TOPIC} `x[:, -1]` is the last step; not the first, not the mean of the window."
    expect(
        all(kept),
        "The forecast of each target should be its last value, six times.",
        received="other values",
        hint=hint,
    )


@pytest.mark.weight(3)
def test_targets_in_order(given, evidence):
    """The forecast has the temperature first and the pressure second, in the units of x."""
    hint = f"{TOPIC} TARGETS are columns {list(TARGET_COLUMNS)} of FEATURES, in that order."
    expect_close(evidence["array"], given.expected, what="naive_forecast(x)", hint=hint)
    expect_close(evidence["physical"], given.expected_physical, what="naive_forecast(x) in physical units", hint=hint)


def test_takes_tensors(given, evidence):
    """A tensor is taken like an array, and gives the same."""
    received = as_array(evidence["tensor"], "naive_forecast of a tensor")
    expect_close(
        received,
        as_array(evidence["array"], "naive_forecast(x)"),
        what="naive_forecast of a tensor",
        hint="`np.asarray(x)` first: a tensor cannot be indexed with a list of columns.",
    )


def test_input_is_left_alone(given, evidence):
    """The windows that it is given are not changed."""
    expect(
        not has_moved(evidence["after_use"], given.scaled),
        "naive_forecast should leave x unchanged.",
        received="other values in it afterwards",
        hint="Take the last step with `x[:, -1]` and write into an array of your own.",
    )
