"""What `autograder calibrate jena_multistep` listens to, beside the solution and the right demo students.

No bar is chosen: what is asked for is to beat persistence, a skill above nothing. How surely is said by the rule in
`hidden_tests/test_beat_baseline.py`, and the figures say how often that rule errs.
"""

import numpy as np

from autograder.calibration import Answer
from autograder.data import read_station
from reference_models.jena_oracles import fit_ridge, oracle_persistence, oracle_split, oracle_windows

QUESTION = "beat_baseline"
ONE, BOTH = "test_beats_persistence_for_one_target", "test_beats_persistence_for_both_targets"


def deserving(train):
    """Forecasters that have learned something for both targets."""
    short, long = (fit_ridge(train.x, train.y, steps=steps).forecast for steps in (36, 72))
    yield "ridge on 6 hours", short
    yield "ridge on 12 hours", long
    yield "half learned", lambda x: 0.5 * (short(x) + oracle_persistence(x))


def undeserving(train, rng):
    """Forecasters that must not pass: for both targets, and whether for one of them they may."""
    ridge = fit_ridge(train.x, train.y, steps=36).forecast
    middle = np.asarray(train.y).mean(axis=(0, 1))
    steps = np.arange(1, 7)[:, None]

    def noisy(x, scale):
        return oracle_persistence(x) + rng.normal(size=(len(x), 6, 2)) * scale

    def trend(x):
        hour_ago = oracle_persistence(np.asarray(x)[:, :-6])
        return oracle_persistence(x) + 2 * (oracle_persistence(x) - hour_ago) * steps / 6.0

    def temperature(x):
        forecast = noisy(x, 0.01)
        forecast[..., 0] = ridge(x)[..., 0]
        return forecast

    yield "persistence", oracle_persistence, False
    yield "persistence, little noise", lambda x: noisy(x, 0.02), False
    yield "persistence, more noise", lambda x: noisy(x, 0.1), False
    yield "mean of the window", lambda x: np.asarray(x)[:, :, [1, 0]].mean(axis=1, keepdims=True).repeat(6, 1), False
    yield "a constant", lambda x: np.broadcast_to(middle, (len(x), 6, 2)), False
    yield "the trend of an hour, doubled", trend, False
    yield "temperature alone", temperature, True


def answers(tests, materials, seed):
    """Ridge regressions and their like against persistence and its like, on the weather of this seed."""
    question = tests[QUESTION]
    given = question.given(seed, materials)
    train = oracle_windows(oracle_split(read_station(materials.public))[0], int(materials.parameters["STRIDE"]))
    naive = question.module.window_errors(given, oracle_persistence(given.windows.x))
    settings = question.module.settings_of(materials)

    def scores(forecast):
        errors = question.module.window_errors(given, np.asarray(forecast(given.windows.x)))
        return question.module.scores(errors, naive, settings, question.module.STRIDE)

    for name, forecast in deserving(train):
        one, both = scores(forecast)
        yield Answer(name, QUESTION, ONE, one, honest=True)
        yield Answer(name, QUESTION, BOTH, both, honest=True)
    for name, forecast, one_may_pass in undeserving(train, np.random.default_rng(seed)):
        one, both = scores(forecast)
        yield Answer(name, QUESTION, BOTH, both)
        if not one_may_pass:
            yield Answer(name, QUESTION, ONE, one)
