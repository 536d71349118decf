"""Bars between honest and hopeless results, their error rates, and the spread from seed to seed. A second."""

import math

import pytest

from autograder.calibration import Bar, Rate, Result, figures_of
from autograder.calibration.rates import choose_bar, spread_of

WANTED = {"q": {"test_bar": Bar("bar", least=0.2, most=0.9)}}


def result(value, *, model="solution", honest=True, bar=0.5, data=0, check="test_bar"):
    return Result(model, honest, "q", check, value, bar, data)


def test_a_bar_lies_between_and_nearer_to_the_hopeless():
    assert choose_bar([0.8, 0.9], [0.2, 0.3], Bar("bar")) == pytest.approx(0.5)
    assert choose_bar([1.0, 1.0], [0.25, 0.5], Bar("bar")) == pytest.approx(0.7)


def test_where_both_overlap_few_false_passes_come_first():
    honest = [0.4, 0.5, 0.6, 0.7]
    dishonest = [0.3] * 50 + [0.5]
    bar = choose_bar(honest, dishonest, Bar("bar"))
    assert bar > 0.3
    assert sum(value >= bar for value in dishonest) / len(dishonest) <= 0.02
    assert choose_bar(honest, [*dishonest, 0.52], Bar("bar")) > 0.5


def test_a_bar_stays_within_what_the_question_promises():
    assert choose_bar([0.99], [0.9], Bar("bar", most=0.6)) == 0.6
    assert choose_bar([0.3], [0.01], Bar("bar", least=0.25)) == 0.25


@pytest.mark.parametrize("dishonest", [[], [0.1]])
def test_without_hopeless_results_a_bar_still_lies_below_the_worst(dishonest):
    assert choose_bar([0.8, 0.9], dishonest, Bar("bar")) < 0.8


def test_rates_and_their_intervals():
    results = [result(0.3), *(result(0.9, data=number) for number in range(1, 20))]
    results += [result(0.1, model="guess", honest=False, bar=None) for _ in range(10)]
    (figures,) = figures_of(results, WANTED)
    assert figures.setting == "bar"
    assert 0.1 < figures.bar <= 0.3
    assert figures.false_fails == Rate(0.0, 0.0, 0.1611, 20)  # Wilson: z² / (n + z²)
    assert figures.false_passes.n == 10
    assert Rate.of([]) is None


def test_a_bar_that_the_hidden_test_sets_is_taken_as_it_is():
    (figures,) = figures_of([result(0.4, check="test_other"), result(0.9, check="test_other")], WANTED)
    assert (figures.bar, figures.setting) == (0.5, "")
    assert figures.false_fails.rate == 0.5
    assert figures.false_passes is None


def test_bars_that_depend_on_the_data_count_as_distances():
    (figures,) = figures_of([result(0.6, bar=0.5), result(0.6, bar=0.7, data=1)], {})
    assert figures.bar == 0.0
    assert figures.honest["solution"] == (pytest.approx(0.1), pytest.approx(-0.1))
    assert figures.false_fails.rate == 0.5


def test_what_was_not_measured_does_not_count():
    (figures,) = figures_of([result(None), result(0.9), result(math.nan)], {})
    assert figures.honest == {"solution": (0.9,)}


def test_spread_is_that_within_one_model_on_one_data_set():
    pairs = [(result(0.0), 0.5), (result(0.0), 0.7), (result(0.0, data=1), 5.0), (result(0.0, data=1), 5.2)]
    assert spread_of(pairs) == pytest.approx(math.sqrt(0.02), abs=1e-6)
    assert spread_of(pairs[:1]) is None
    assert spread_of([*pairs[:1], (result(0.0, model="other"), 0.9)]) is None
