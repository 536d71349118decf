"""beat_baseline: the best trained forecaster against persistence, on weather that the notebook never had.

A window of three days holds the future of every window that ends within them, and whatever lies in the kernel can be
found there. So the weather comes in rounds, as it does in life: the withheld part is cut into stretches, a round gives
one window of each, and the windows of the next round, some hours later, reach the kernel only when the forecasts of
this one have left it. No forecast can be made with its own future in reach.

Thresholds come from the calibration of the profile and the data (`calibration.json`); where it has none, DEFAULTS.
"""

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_list,
    expect,
    expect_finite,
    expect_shape,
    looks_normalised,
    paired_block_bootstrap,
)
from autograder.data import read_station
from reference_models.jena_oracles import (
    HORIZON,
    INPUT_LENGTH,
    TARGET_COLUMNS,
    TARGETS,
    Windows,
    oracle_normalization,
    oracle_persistence,
    oracle_windows,
)

WINDOW = INPUT_LENGTH + HORIZON
DEFAULTS = {
    "confidence": 0.8,  # of the interval in which the skill for the better target must be positive
    "margin": 0.05,  # by how much the other target may be worse than persistence
    "both_confidence": 0.3,  # of the interval whose upper end must be positive for both targets
    "least_skill": 0.002,  # what counts as positive for both: persistence itself has a skill of 0
    "block_hours": 24.0,  # how long weather is remembered: length of a block of the bootstrap
    "most_windows": 600,
}
POSITIVE = 1e-6  # the least skill that is one: persistence itself has 0
STEPS_PER_HOUR = 6
ROUNDS = 16
STRIDE = 4 * STEPS_PER_HOUR  # from one round to the next; at least HORIZON
TOPIC = "Week 9, skill against persistence:"


def settings_of(materials):
    return {**DEFAULTS, **dict((materials.calibration or {}).get("beat_baseline", {}))}


def given(materials):
    if materials.withheld is None or materials.public is None:
        return Given(x=np.zeros((0, INPUT_LENGTH, 14), "float32"))
    every = oracle_windows(read_station(materials.withheld), 1)
    starts = starts_by_round(len(every.x), int(settings_of(materials)["most_windows"]))
    if not starts.size:
        return Given(x=np.zeros((0, INPUT_LENGTH, 14), "float32"))
    first, *later = (np.ascontiguousarray(every.x[rows]) for rows in starts)
    in_time = starts.T.ravel()  # stretch after stretch
    mean, std = oracle_normalization(read_station(materials.public))
    given = Given(x=first).keep(
        windows=Windows(every.x[in_time], every.y[in_time], in_time),
        shape=starts.shape,
        mean=mean[list(TARGET_COLUMNS)],
        std=std[list(TARGET_COLUMNS)],
    )
    for x in later:
        given.then(x=x)
    return given


def starts_by_round(count, most):
    """Of `count` windows that begin at rows 0, 1, ...: the rows for each round and stretch, `(rounds, stretches)`.

    A stretch ends with the target of its last window, before the first window of the next one begins.
    """
    rounds = max(0, min(ROUNDS, 1 + (count - 1) // STRIDE))
    length = WINDOW + STRIDE * (rounds - 1)
    rows = count + WINDOW - 1
    stretches = min(rows // length, max(1, most // max(rounds, 1))) if rounds else 0
    begins = np.arange(stretches) * (rows // max(stretches, 1))
    return STRIDE * np.arange(rounds)[:, None] + begins[None, :]


def probe(student, given):
    import numpy as np

    def names():
        return [str(name) for name in student.forecasters if str(name) != "naive"][:20]

    try:
        known = names() if len(given.x) else []
    except Exception:
        known = []
    return {
        "names": names,
        **{
            f"forecast {name}": lambda name=name: np.asarray(student.forecasters[name](given.x.copy()))
            for name in known
        },
    }


def require_weather(given):
    if not len(given.x):
        raise NotAssessed("No weather was withheld here to forecast.")


def forecast_of(evidence, name, given):
    """Forecasts of the withheld windows in time order, `(n, 6, 2)`; each was given before its future was shown."""
    rounds, stretches = given.shape
    parts = []
    for number in range(rounds):
        forecast = evidence.round(number)[f"forecast {name}"]
        forecast = expect_shape(forecast, (stretches, HORIZON, 2), f"forecasters['{name}'] of {stretches} windows")
        parts.append(expect_finite(forecast, f"forecasters['{name}']").astype(np.float64))
    return np.stack(parts, axis=1).reshape(rounds * stretches, HORIZON, 2)


def window_errors(given, forecast):
    """Mean absolute error of each window, `(n, 2)`."""
    return np.abs(forecast - given.windows.y).mean(axis=1)


def skills(given, evidence, materials):
    """All trained forecasters that work: their errors and skills, best first. At least one."""
    require_weather(given)
    names = as_list(evidence["names"], "The names in forecasters")
    hint = f"{TOPIC} put a function beside 'naive' for each model that you have trained."
    expect(names, "forecasters should have at least one trained model.", received="none", hint=hint)
    settings = settings_of(materials)
    naive = window_errors(given, oracle_persistence(given.windows.x))
    rows, failures = [], []
    for name in map(str, names):
        try:
            forecast = forecast_of(evidence, name, given)
        except Failure as failure:
            failures.append(failure)
            continue
        errors = window_errors(given, forecast)
        rows.append(
            {
                "name": name,
                "forecast": forecast,
                "errors": errors,
                "ratio": float((errors.mean(axis=0) / naive.mean(axis=0)).mean()),
            }
        )
    if not rows:
        raise failures[0]
    rows.sort(key=lambda row: row["ratio"])
    for row in rows:
        row["scores"] = scores(row["errors"], naive, settings, STRIDE)
        row["skill"] = [interval(row["errors"][:, i], naive[:, i], settings, STRIDE, "confidence") for i in (0, 1)]
    return rows, naive.mean(axis=0)


def interval(errors, naive, settings, stride, confidence):
    block = max(1, round(float(settings["block_hours"]) * STEPS_PER_HOUR / stride))
    rng = np.random.default_rng(20090101)  # the same draws for every submission
    return paired_block_bootstrap(errors, naive, block=block, rng=rng, confidence=float(settings[confidence]))


def scores(errors, naive, settings, stride):
    """By how much errors `(n, 2)` beat the naive ones: for one target without losing the other, and for both.

    Skills, of which the smallest that is asked about counts: a positive one is a pass.
    """
    sure = [interval(errors[:, i], naive[:, i], settings, stride, "confidence") for i in (0, 1)]
    one = max(min(sure[i].low, sure[1 - i].estimate + float(settings["margin"])) for i in (0, 1))
    likely = [interval(errors[:, i], naive[:, i], settings, stride, "both_confidence") for i in (0, 1)]
    return one, min(one, *(each.high - float(settings["least_skill"]) for each in likely))


def verdict(errors, naive, settings, stride):
    """Whether errors `(n, 2)` pass for one target, and for both."""
    one, both = scores(errors, naive, settings, stride)
    return one >= POSITIVE, both >= POSITIVE


def story(best, naive):
    parts = [
        f"{target}: MAE {best['errors'][:, i].mean():.3f}, naive {naive[i]:.3f}, skill {best['skill'][i]}"
        for i, target in enumerate(TARGETS)
    ]
    return f"'{best['name']}', your best, has {'; '.join(parts)}"


def explain(rows, given):
    """The hint: units where these are wrong, else what could be learned."""
    y, mean, std = given.windows.y, given.mean, given.std
    if any(looks_normalised(row["forecast"][..., i], y[..., i], mean[i], std[i]) for row in rows for i in (0, 1)):
        return "Week 9, units: forecasts of yours look like normalised units; forecasters give degrees and mbar."
    return f"{TOPIC} persistence is right about the level. Let the network forecast the change from the last value."


@pytest.mark.weight(0)
def test_forecasts_new_weather(given, evidence, materials, picture):
    """At least one trained forecaster can be asked about weather from after the end of the file."""
    rows, naive = skills(given, evidence, materials)
    confidence = float(settings_of(materials)["confidence"])
    picture(
        "skill",
        {
            "title": "Skill against the naive forecast, on weather that your notebook never had",
            "rows": [
                {
                    "forecaster": row["name"],
                    "target": target,
                    "mae": float(row["errors"][:, i].mean()),
                    "baseline_mae": float(naive[i]),
                    "skill": row["skill"][i].estimate,
                    "low": row["skill"][i].low,
                    "high": row["skill"][i].high,
                }
                for row in rows
                for i, target in enumerate(TARGETS)
            ],
            "note": f"{len(given.windows.x)} windows; {confidence:.0%} intervals from a paired block bootstrap.",
        },
    )


@pytest.mark.weight(2)
def test_beats_persistence_for_one_target(given, evidence, materials, measured):
    """The best trained model beats the naive forecast for one target, and is not clearly worse for the other."""
    rows, naive = skills(given, evidence, materials)
    best, margin = rows[0], float(settings_of(materials)["margin"])
    score, _ = best["scores"]
    expect(
        measured(score, POSITIVE),
        "The mean absolute error should be lower than that of the naive forecast for one target, and at most "
        f"{margin:.0%} higher for the other.",
        received=story(best, naive),
        hint=explain(rows, given),
    )


@pytest.mark.weight(2)
def test_beats_persistence_for_both_targets(given, evidence, materials, measured):
    """The best trained model beats the naive forecast for temperature and for pressure."""
    rows, naive = skills(given, evidence, materials)
    best = rows[0]
    _, score = best["scores"]
    expect(
        measured(score, POSITIVE),
        "The mean absolute error should be lower than that of the naive forecast for both targets.",
        received=story(best, naive),
        hint=explain(rows, given),
    )
