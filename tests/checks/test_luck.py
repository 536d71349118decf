"""Skill or luck: when a result is measured again, and what several runs say together."""

import numpy as np
import pytest

from autograder.checks import luck
from autograder.checks.judging import Judgement
from autograder.records import CheckResult, Measure


def judgement(value, *, bar=0.5, spread=0.1, below=()):
    """A measured check, one that rests on it, and others."""
    measure = Measure(values=(value,), bar=bar, spread=spread)
    passed = measure.reached
    return Judgement(
        checks=(
            CheckResult(name="shape", title="", outcome="passed"),
            CheckResult(
                name="skill",
                title="",
                outcome="passed" if passed else "failed",
                message="" if passed else f"Received: {value}",
                hint="" if passed else "Train.",
                measure=measure,
            ),
            CheckResult(name="rest", title="", outcome="passed" if passed else "failed", message="", hint=""),
            *below,
        )
    )


def outcomes(combined):
    return {check.name: check.outcome for check in combined.checks}


@pytest.mark.parametrize(
    ("values", "spread", "is_open"),
    [
        ((0.6,), 0.1, True),
        ((0.8,), 0.1, False),
        ((0.2,), 0.1, False),
        ((0.49,), 0.0, False),  # no calibration, no doubt
        ((0.6, 0.7), 0.1, True),
        ((0.6, 0.75), 0.1, False),
        ((0.49, 0.49), 0.1, False),  # nothing was drawn by lot
        ((0.5,), 0.1, True),
    ],
)
def test_open_while_luck_reaches_the_bar(values, spread, is_open):
    assert luck.is_open(Measure(values=values, bar=0.5, spread=spread)) is is_open


def test_a_single_run_is_taken_as_it_is():
    first = judgement(0.55)
    assert luck.combine([{"q": first}]) == {"q": first}
    assert luck.open_questions([{"q": first, "clear": judgement(0.9)}]) == ("q",)
    assert luck.open_questions([]) == ()


def test_the_mean_decides_and_what_rests_on_it_follows():
    combined = luck.combine([{"q": judgement(0.45)}, {"q": judgement(0.8)}])["q"]
    assert outcomes(combined) == {"shape": "passed", "skill": "passed", "rest": "passed"}
    combined = luck.combine([{"q": judgement(0.55)}, {"q": judgement(0.2)}])["q"]
    assert outcomes(combined) == {"shape": "passed", "skill": "failed", "rest": "failed"}
    skill = combined.checks[1]
    assert skill.hint == "Train."
    assert skill.message.startswith("Received: 0.2 The first result was too close to the bar of 0.5")
    assert skill.measure.values == (0.55, 0.2)


def test_two_measures_that_no_run_has_together_are_both_right():
    def both(first, second):
        return Judgement(
            checks=tuple(
                CheckResult(
                    name=name,
                    title="",
                    outcome="passed" if value >= 0.5 else "failed",
                    message="" if value >= 0.5 else "too low",
                    measure=Measure(values=(value,), bar=0.5, spread=0.1),
                )
                for name, value in (("one", first), ("two", second))
            )
        )

    combined = luck.combine([{"q": both(0.55, 0.45)}, {"q": both(0.1, 0.9)}])["q"]
    assert outcomes(combined) == {"one": "failed", "two": "passed"}
    assert combined.checks[0].message.startswith("too low ")


def test_a_run_that_could_not_be_measured_does_not_count():
    crashed = Judgement(checks=(CheckResult(name="skill", title="", outcome="failed", message="no model"),))
    combined = luck.combine([{"q": judgement(0.55)}, {"q": crashed}])["q"]
    assert outcomes(combined)["skill"] == "passed"
    assert combined.checks[1].measure.values == (0.55,)


def test_the_stated_error_rate_holds():
    """Submissions whose expected result lies on the other side of the bar, at any distance, are seldom decided wrongly."""
    rng = np.random.default_rng(5)
    for distance in (0.01, 0.5, 1.0, 2.0):
        wrong = 0
        for values in rng.normal(-distance, 1.0, size=(4000, luck.LOOKS)):
            for looks in range(1, luck.LOOKS + 1):
                measure = Measure(values=tuple(values[:looks]), bar=0.0, spread=1.0)
                if not luck.is_open(measure):
                    wrong += measure.reached
                    break
        assert wrong / 4000 <= luck.ERROR
