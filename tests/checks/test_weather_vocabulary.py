"""Skill and its interval, interventions, locating windows, units, and histories."""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import (
    Failure,
    change_after,
    expect_rows,
    expect_unmoved,
    has_moved,
    is_constant,
    is_observed,
    locate_windows,
    looks_normalised,
    looks_swapped,
    observed_histories,
    paired_block_bootstrap,
    read_history,
    skill,
)


def correlated(rng, n, strength=0.95):
    """Positive errors that stay alike for some time."""
    noise = rng.normal(size=n)
    for i in range(1, n):
        noise[i] = strength * noise[i - 1] + np.sqrt(1 - strength**2) * noise[i]
    return np.exp(0.5 * noise)


def test_skill():
    assert skill([1.0, 1.0], [2.0, 2.0]) == 0.5
    assert skill([0.0], [0.0]) == 0.0
    assert skill([1.0], [0.0]) == -np.inf


def test_interval_covers_the_truth_as_often_as_it_says():
    """Two forecasters that are equally good: a 90 % interval holds 0 in about 90 % of weathers, in blocks; not without."""
    rng = np.random.default_rng(5)
    hits = {1: 0, 40: 0}
    for _ in range(150):
        a, b = correlated(rng, 800), correlated(rng, 800)
        for block in hits:
            interval = paired_block_bootstrap(a, b, block=block, rng=rng, confidence=0.9, draws=300)
            hits[block] += interval.low <= 0.0 <= interval.high
    assert 0.78 <= hits[40] / 150 <= 0.97
    assert hits[1] / 150 < 0.6


def test_interval_is_paired_and_ordered():
    """Half the error on every window is a skill of exactly one half, whatever the weather."""
    rng = np.random.default_rng(1)
    errors = correlated(rng, 200)
    interval = paired_block_bootstrap(errors / 2, errors, block=20, rng=rng)
    assert interval.low == pytest.approx(0.5) and interval.high == pytest.approx(0.5)
    other = paired_block_bootstrap(correlated(rng, 200), errors, block=20, rng=rng)
    assert other.low < other.estimate < other.high
    assert str(interval) == "+50.0% (+50.0% to +50.0%)"


def test_interval_of_few_windows_and_of_the_baseline_itself():
    rng = np.random.default_rng(1)
    assert paired_block_bootstrap([1.0], [2.0], block=50, rng=rng).estimate == 0.5
    same = paired_block_bootstrap(np.ones(9), np.ones(9), block=3, rng=rng)
    assert (same.low, same.high) == (0.0, 0.0)
    with pytest.raises(ValueError, match="same windows"):
        paired_block_bootstrap([1.0], [1.0, 2.0], block=1, rng=rng)


def test_change_after_changes_the_future_alone():
    frame = pd.DataFrame(np.arange(40.0, dtype="float32").reshape(20, 2), columns=["a", "b"])
    changed = change_after(frame, 12, np.random.default_rng(0))
    assert changed.iloc[:12].equals(frame.iloc[:12])
    assert (changed.iloc[12:] != frame.iloc[12:]).all(axis=None)
    assert list(changed.dtypes) == list(frame.dtypes)


def test_expect_unmoved():
    expect_unmoved([1.0, np.nan], [1.0, np.nan], "it")
    with pytest.raises(Failure, match="Received: 1 of 2 values changed"):
        expect_unmoved([1.0, 2.0], [1.0, 3.0], "it")
    with pytest.raises(Failure, match=r"Received: shape \(1,\), then \(2,\)"):
        expect_unmoved([1.0], [1.0, 3.0], "it")
    assert not has_moved(np.ones(3), np.ones(3))


def test_locate_windows():
    rng = np.random.default_rng(2)
    series = rng.normal(size=(500, 5))
    rows = np.array([0, 7, 300, 490])
    first, last = series[rows], series[np.minimum(rows + 9, 499)]
    assert locate_windows(first + 1e-4, last, series, 10).tolist() == rows.tolist()
    assert locate_windows(first, np.roll(last, 1, axis=0), series, 10).tolist() == [-1] * 4
    assert locate_windows(first + 1.0, last, series, 10).tolist() == [-1] * 4
    assert locate_windows(np.full((1, 5), np.nan), first[:1], series, 10).tolist() == [-1]
    assert locate_windows(np.zeros((0, 5)), np.zeros((0, 5)), series, 10).tolist() == []


@pytest.mark.parametrize("value", [None, "x", np.zeros(3), np.zeros((2, 4)), np.array([["a"] * 3])])
def test_expect_rows_of_something_else(value):
    assert expect_rows(value, 3).shape == (0, 3)


def test_units():
    truth = 990.0 + np.random.default_rng(0).normal(size=(30, 6)) * 8.0
    assert looks_normalised((truth - 991.0) / 8.0 + 0.05, truth, 991.0, 8.0)
    assert not looks_normalised(truth + 3.0, truth, 991.0, 8.0)
    assert not looks_normalised(np.full_like(truth, 991.0), truth, 991.0, 8.0)
    both = np.stack([truth - 980.0, truth], axis=-1)
    assert looks_swapped(both[..., ::-1], both)
    assert not looks_swapped(both + 0.5, both)


def test_constant_forecasts():
    assert is_constant(np.ones((5, 6, 2)), [1.0, 1.0])
    assert not is_constant(np.ones((5, 6, 2)) + np.arange(5.0)[:, None, None] * [0.1, 0.0], [1.0, 1.0])


FIT = {"loss": [3.0, 2.0], "val_loss": [4.0, 3.0], "root_mean_squared_error": [1.5, 1.0]}


def test_histories_against_observed_ones():
    observed = observed_histories(
        [{"finished": True, "history": FIT}, {"finished": False, "history": {}}, "forged", {}]
    )
    assert observed == [FIT]
    assert is_observed({"loss": [3.0, 2.0], "val_loss": [4.0, 3.0], "rmse": [1.5, 1.0]}, observed)
    assert not is_observed({"loss": [3.0, 2.0], "val_loss": [3.0, 2.0]}, observed)
    assert not is_observed({"loss": [3.0, 1.9]}, observed)
    assert is_observed({"loss": [3.0, 2.0, 3.0, 2.0]}, [FIT, FIT])
    assert observed_histories("nothing") == []


def test_read_history():
    assert read_history({"loss": np.array([1.0, 2.0])}, "h", ["loss"]) == {"loss": [1.0, 2.0]}
    for wrong in ({}, {"loss": []}, {"loss": 3.0}, {"loss": ["a"]}, {"loss": None}):
        with pytest.raises(Failure, match="Received: "):
            read_history(wrong, "h", ["loss"])
    with pytest.raises(Failure, match="equal length"):
        read_history({"loss": [1.0], "mae": [1.0, 2.0]}, "h", ["loss", "mae"])
