"""evaluation and beat_baseline, with forecasters in NumPy: no network is trained.

Takes about 20 s, most of it the import of TensorFlow.
"""

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

FORECASTERS = """
from reference_models.jena_oracles import fit_ridge
def collect(frame):
    pairs = [(x.numpy(), y.numpy()) for x, y in make_dataset(frame)]
    return np.concatenate([x for x, _ in pairs]), np.concatenate([y for _, y in pairs])
train_part, validation_part, test_part = split_by_time(load_data(DATA_PATH))
mean, std = fit_normalization(train_part)
ridges = {name: fit_ridge(*collect(train_part), steps=steps) for name, steps in (("mlp", 36), ("recurrent", 60))}
forecasters = {"naive": naive_forecast, "mlp": lambda x: ridges["mlp"].forecast(x), "recurrent": lambda x: ridges["recurrent"].forecast(x)}
"""
RESULTS = """
x, y = collect(test_part)
results = pd.DataFrame(columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])
for name, forecaster in forecasters.items():
    error = np.asarray(forecaster(x), dtype="float64") - y
    results.loc[name] = [*np.abs(error).mean((0, 1)), *np.sqrt((error ** 2).mean((0, 1)))]
"""
RIGHT_WAYS = {
    "lists": "forecasters = {k: lambda x, f=f: np.asarray(f(x)).tolist() for k, f in forecasters.items()}",
    "tensors in float32": "forecasters = {k: lambda x, f=f: tf.constant(f(x), tf.float32) for k, f in forecasters.items()}",
    "more names": "forecasters['mean of both'] = lambda x: (forecasters['mlp'](x) + forecasters['recurrent'](x)) / 2",
    "objects": "class Named:\n    def __init__(self, f): self.f = f\n    def __call__(self, x): return self.f(x)\nforecasters = {k: Named(f) for k, f in forecasters.items()}",
    "a counter": "calls = []\ndef counted(x):\n    calls.append(len(x))\n    return ridges['mlp'].forecast(x)\nforecasters['mlp'] = counted",
}
RIGHT_RESULTS = {
    "another order": "results = results.iloc[::-1].assign(skill=1.0)[['skill', 'rmse_p', 'rmse_T', 'mae_p', 'mae_T']]",
    "two digits": "results = results.astype(float).round(2)",
    "objects": "results = results.astype(object)",
}


@pytest.mark.parametrize("way", RIGHT_WAYS)
def test_right_forecasters(judge, basics, way):
    source = FORECASTERS + RIGHT_WAYS[way] + RESULTS
    assert judge("evaluation", basics, source) == {}
    found = judge("beat_baseline", basics, source)
    assert set(found) <= {"beats_persistence_for_both_targets"} and found.pictures[0][0] == "skill"


@pytest.mark.parametrize("way", RIGHT_RESULTS)
def test_right_results(judge, basics, way):
    found = judge("evaluation", basics, FORECASTERS + RESULTS + RIGHT_RESULTS[way])
    assert found == {}
    panels = found.pictures[0][1]["panels"]
    assert [panel["unit"] for panel in panels] == ["degC", "mbar"] and set(panels[0]["forecasts"]) == {
        "mlp",
        "recurrent",
    }


def test_a_split_that_is_a_row_away(judge, basics):
    """Sizes may be a row off; results on such a test part agree with themselves."""
    shifted = basics.replace("a = round(train_fraction * len(frame))", "a = int(train_fraction * len(frame)) - 1")
    assert shifted != basics
    assert judge("evaluation", shifted, FORECASTERS + RESULTS) == {}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[1, 0]], HORIZON", "[0, 1]], HORIZON"),
        ("s + 432 : s + 438, [1, 0]", "s + 433 : s + 439, [1, 0]"),
        ("    a = round", "    frame = frame.sample(frac=1.0, random_state=1)\n    a = round"),
    ],
    ids=["naive swapped", "a step too late", "shuffled split"],
)
def test_earlier_mistakes_cost_nothing_here(judge, basics, old, new):
    """naive_forecast, make_dataset and split_by_time have been judged; results that agree with them are right results."""
    wrong = basics.replace(old, new).replace(
        "len(frame) - 437", "len(frame) - 438" if "433" in new else "len(frame) - 437"
    )
    assert wrong != basics
    found = judge("evaluation", wrong, FORECASTERS + RESULTS)
    assert found == {}, dict(found)


FORECASTER_MISTAKES = {
    "normalised": ("lambda x: (ridges['mlp'].forecast(x) - mean[TARGETS].to_numpy()) / std[TARGETS].to_numpy()", {"physical_units"}),
    "temperature normalised": ("lambda x: (ridges['mlp'].forecast(x) - [mean[TARGETS[0]], 0]) / [std[TARGETS[0]], 1]", {"physical_units"}),
    "swapped": ("lambda x: ridges['mlp'].forecast(x)[..., ::-1]", {"physical_units"}),
    "constant": ("lambda x: np.broadcast_to(y_mean, (len(x), 6, 2))", {"forecasts_come_from_the_windows"}),
    "bound to its place": ("lambda x: y_kept[np.arange(len(x)) % len(y_kept)]", {"forecasts_come_from_the_windows"}),
    "different each time": ("lambda x: ridges['mlp'].forecast(x) + np.random.normal(size=(len(x), 6, 2))", {"forecasts_come_from_the_windows"}),
    "in need of company": ("lambda x: ridges['mlp'].forecast(x) - ridges['mlp'].forecast(x).mean(axis=0) + y_mean", {"forecasts_come_from_the_windows"}),
    "flat": ("lambda x: ridges['mlp'].forecast(x).reshape(len(x), 12)",
             {"shapes", "physical_units", "forecasts_come_from_the_windows"}),
    "no single windows": ("lambda x: ridges['mlp'].forecast(x) if len(x) > 1 else ridges['mlp'].forecast(x)[0]", {"shapes"}),
    "not a number": ("lambda x: ridges['mlp'].forecast(x) * np.nan", {"shapes", "physical_units", "forecasts_come_from_the_windows"}),
    "an exception": ("lambda x: unknown(x)", {"shapes", "physical_units", "forecasts_come_from_the_windows", "inputs_are_left_alone"}),
    "changes its input": ("lambda x: (ridges['mlp'].forecast(x), x.fill(0.0))[0]", {"inputs_are_left_alone"}),
    "not a function": ("'model'", {"shapes", "physical_units", "forecasts_come_from_the_windows", "inputs_are_left_alone"}),
}  # fmt: skip


@pytest.mark.parametrize("mistake", FORECASTER_MISTAKES)
def test_wrong_forecaster(judge, basics, mistake):
    """One wrong forecaster costs what is asked of forecasters, not the agreement of the results of the others."""
    code, lost = FORECASTER_MISTAKES[mistake]
    prepared = "x, y = collect(test_part)\ny_mean, y_kept = y.mean((0, 1)), y.copy()\n"
    source = FORECASTERS + RESULTS + prepared + f"forecasters['mlp'] = {code}\nresults = results.drop(index='mlp')\n"
    found = judge("evaluation", basics, source)
    assert set(found) == lost | {"results_are_complete"}, dict(found)
    if mistake == "normalised":
        assert "normalised units" in found["physical_units"]


RESULT_MISTAKES = {
    "normalised": ("results = results / [std[TARGETS[0]], std[TARGETS[1]]] * 1.0 if False else results.div([std[TARGETS[0]], std[TARGETS[1]]] * 2)", {"results_agree"}),
    "invented": ("results = results * 0.9", {"results_agree"}),
    "one number better": ("results.loc['mlp', 'mae_T'] *= 0.7", {"results_agree"}),
    "of the validation part": (RESULTS.replace("collect(test_part)", "collect(validation_part)"), {"results_agree"}),
    "root of means": ("results['rmse_T'] = results['mae_T']", {"results_agree"}),
    "a row missing": ("results = results.drop(index='recurrent')", {"results_are_complete"}),
    "a column missing": ("results = results.drop(columns='rmse_p')", {"results_are_complete", "results_agree"}),
    "text": ("results = results.map(lambda v: f'{v:.3f} units')", {"results_are_complete", "results_agree"}),
    "missing values": ("results.loc['mlp', 'mae_T'] = np.nan", {"results_are_complete", "results_agree"}),
    "a dictionary": ("results = results.to_dict()", {"results_are_complete", "results_agree"}),
    "names in a column": ("results = results.reset_index()", {"results_are_complete", "results_agree"}),
    "not there": ("del results", {"results_are_complete", "results_agree"}),
}  # fmt: skip


@pytest.mark.parametrize("mistake", RESULT_MISTAKES)
def test_wrong_results(judge, basics, mistake):
    code, lost = RESULT_MISTAKES[mistake]
    found = judge("evaluation", basics, FORECASTERS + RESULTS + code)
    assert set(found) == lost, dict(found)
    if mistake == "normalised":
        assert "normalised units" in found["results_agree"]


def test_variants_are_wanted(judge, basics):
    variants = "def build_variants():\n    return {'deep': None}\n"
    assert set(judge("evaluation", basics, variants, FORECASTERS + RESULTS)) == {"names", "results_are_complete"}


def test_evaluation_unanswered(judge, basics):
    assert len(judge("evaluation", basics)) >= 7


NO_SKILL = {
    "persistence": "forecasters['mlp'] = forecasters['recurrent'] = naive_forecast",
    "persistence and noise": "forecasters['mlp'] = forecasters['recurrent'] = lambda x: naive_forecast(x) + 0.05 * np.sin(1e4 * np.asarray(x)[:, -7:-1, :2])",
    "normalised": "scaled = lambda x: (ridges['mlp'].forecast(x) - mean[TARGETS].to_numpy()) / std[TARGETS].to_numpy()\nforecasters['mlp'] = forecasters['recurrent'] = scaled",
    "no trained model": "forecasters = {'naive': naive_forecast}",
    "an exception": "forecasters['mlp'] = forecasters['recurrent'] = lambda x: 1 / 0",
    "what is in reach": """
import sys
seen = []
def peek(x):
    x = np.asarray(x)
    forecast = naive_forecast(x).astype(float)
    frame, arrays = sys._getframe(1), [x]
    while frame is not None:  # whatever the probe holds
        held = [*frame.f_locals.values(), *vars(frame.f_locals.get("given", sys)).values()]
        arrays += [each for each in held if isinstance(each, np.ndarray) and each.ndim == 3]
        frame = frame.f_back
    seen.extend(np.array(each) for each in arrays)  # and whatever it held before
    for i in range(len(x)):
        for rows in (row for each in seen for row in each):
            found = np.flatnonzero((rows == x[i, -1]).all(axis=1))
            if len(found) and found[0] + 6 < len(rows):
                forecast[i] = rows[found[0] + 1 : found[0] + 7][:, [1, 0]]
                break
    return forecast
forecasters["mlp"] = forecasters["recurrent"] = peek
""",
}  # fmt: skip


@pytest.mark.parametrize("mistake", NO_SKILL)
def test_no_skill(judge, basics, mistake):
    found = judge("beat_baseline", basics, FORECASTERS + NO_SKILL[mistake])
    assert {"beats_persistence_for_one_target", "beats_persistence_for_both_targets"} <= set(found), dict(found)


def test_no_forecast_is_made_with_its_future_in_reach(questions, materials):
    """Until the forecasts of a round have been taken away, nothing in the kernel holds a step of their targets."""
    given = questions["beat_baseline"].given(7, materials)
    rounds, stretches = given.shape
    assert (rounds, stretches) == (16, 4) and len(given.windows.x) == 64
    starts = given.windows.starts.reshape(stretches, rounds)
    shown = set()
    for number, inputs in enumerate((given.inputs, *given.later)):
        assert inputs["x"].shape == (stretches, 432, 14)
        for first in starts[:, number]:
            shown |= set(range(first, first + 432))
        futures = {row for first in starts[:, number] for row in range(first + 432, first + 438)}
        assert not futures & shown
    assert set(given.inputs) == {"x"}


@pytest.mark.parametrize(
    ("count", "most", "shape"), [(0, 600, (0, 0)), (1, 600, (1, 1)), (361, 600, (16, 1)), (100_000, 600, (16, 37))]
)
def test_any_amount_of_withheld_weather_is_used(questions, count, most, shape):
    starts = questions["beat_baseline"].module.starts_by_round(count, most)
    assert starts.shape == shape
    assert not starts.size or (starts.max() < count and np.unique(starts).size == starts.size)


def test_one_target(judge, basics):
    """Skill for temperature alone gives part of the credit."""
    one = "def half(x):\n    f = naive_forecast(x).astype(float)\n    f[..., 0] = ridges['mlp'].forecast(x)[..., 0]\n    return f\nforecasters['mlp'] = forecasters['recurrent'] = half"
    assert set(judge("beat_baseline", basics, FORECASTERS + one)) == {"beats_persistence_for_both_targets"}


def test_one_broken_forecaster_does_not_cost_the_others(judge, basics):
    before = judge("beat_baseline", basics, FORECASTERS + "del forecasters['mlp']")
    after = judge("beat_baseline", basics, FORECASTERS + "forecasters['mlp'] = lambda x: 1 / 0")
    assert before == after


def test_nothing_withheld(judge, basics, materials):
    from dataclasses import replace

    found = judge("beat_baseline", basics, FORECASTERS, materials=replace(materials, withheld=None))
    assert found == {} and len(found.not_assessed) == 3
