"""NaN, infinities and empty arrays win nothing: they fail checks, and neither pass nor break them."""

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    as_number,
    expect_close,
    expect_finite,
    expect_shape,
    forecasts_change,
    is_constant,
    looks_normalised,
    looks_swapped,
    observed_histories,
    paired_block_bootstrap,
    read_figure,
    read_model,
    skill,
)
from autograder.checks.values import describe
from autograder.errors import EvidenceError

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "value", [[NAN, 1.0], [INF, 1.0], [-INF, 1.0], [1.7e308, 1.0], [10**400, 1.0], [], [[]], NAN, 10**400]
)
def test_such_answers_are_close_to_nothing(value):
    with pytest.raises(Failure) as caught:
        expect_close(value, [-1.7e308, 1.0], what="the forecast")
    assert "Received: " in caught.value.message


def test_not_even_to_themselves():
    """An oracle that gives NaN does not hand out points for NaN."""
    with pytest.raises(Failure, match="nan expected.*Received: nan there; 1 of 2 values are off"):
        expect_close([NAN, 1.0], [NAN, 1.0], what="the forecast")


@pytest.mark.parametrize("value", [NAN, INF, -INF, 10**400, [NAN], "nan", None, True])
def test_they_are_no_numbers(value):
    with pytest.raises(Failure, match="should be a finite number"):
        as_number(value, "the MAE")


def test_an_empty_array_has_a_shape_and_nothing_in_it():
    assert expect_shape(np.zeros((0, 6, 2)), (None, 6, 2), "y").size == 0
    assert expect_finite(np.zeros((0, 6, 2)), "y").size == 0
    with pytest.raises(Failure, match=r"should have shape \(4, 6, 2\). Received: shape \(0, 6, 2\)"):
        expect_shape(np.zeros((0, 6, 2)), (4, 6, 2), "y")
    with pytest.raises(Failure, match=r"Received: shape \(0,\)"):
        expect_close([], [1.0], what="y")
    assert describe(np.zeros((10**6, 0))) == "an array of shape (1000000, 0), float64"


@pytest.mark.parametrize("baseline", [0.0, 1.0])
@pytest.mark.parametrize("error", [NAN, INF])
def test_such_errors_have_no_skill(error, baseline):
    """Every comparison with what is wanted of a skill is false, also where the baseline is perfect."""
    errors, baselines = np.full(20, error), np.full(20, baseline)
    found = paired_block_bootstrap(errors, baselines, block=3, rng=np.random.default_rng(1), draws=50)
    for number in (found.estimate, found.low, found.high, skill(errors, baselines)):
        assert not number > -1.0


def test_a_perfect_forecast_equals_a_perfect_baseline():
    found = paired_block_bootstrap(np.zeros(9), np.zeros(9), block=2, rng=np.random.default_rng(1), draws=50)
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, 0.0)


def test_forecasts_of_nothing_have_no_traits():
    nothing, unknown = np.zeros((0, 6, 2)), np.full((3, 6, 2), NAN)
    assert not is_constant(nothing, [1.0, 1.0])
    assert not is_constant(unknown, [1.0, 1.0])
    assert not looks_normalised(unknown[..., 0], np.ones((3, 6)), 0.0, 1.0)
    assert not looks_swapped(unknown, np.ones((3, 6, 2)))
    assert not forecasts_change(unknown, np.zeros((3, 1, 2)), unknown, unknown, 5.0)


@pytest.mark.parametrize("windows", [0, 1])
def test_too_few_windows_show_no_residual_output(windows):
    """Of one window nothing can change with the window: two empty differences are equal, and prove nothing."""
    zeros = np.zeros((windows, 6, 2))
    assert not forecasts_change(zeros, np.zeros((windows, 1, 2)), zeros, zeros, 5.0)


def test_histories_keep_what_is_a_number():
    fit = {"finished": True, "history": {"loss": [NAN, INF, 1], "huge": [10**400], "text": ["x"], "none": None}}
    (history,) = observed_histories([fit, {"finished": True, "history": []}, None, {"history": {}}])
    assert list(history) == ["loss"]
    assert np.isnan(history["loss"][0])


@pytest.mark.parametrize("value", [None, [], np.zeros(3), "x", {"kind": 1}, {"axes": [{"lines": [[10**400]]}]}])
def test_what_no_probe_writes_is_forged(value):
    for reader in (read_model, read_figure):
        with pytest.raises(EvidenceError, match="not described as its probe does it"):
            reader(value, "it")


def test_numbers_of_a_model_that_no_integer_can_hold_are_forged():
    model = dict.fromkeys(("kind", "fingerprint", "rebuild_error"), "") | {
        "output": [INF],
        "layers": [],
        "clipping": {},
    }
    with pytest.raises(EvidenceError, match="OverflowError"):
        read_model(model | {"parameters": 1}, "it")
