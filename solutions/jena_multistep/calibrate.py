"""Make `calibration.json`: thresholds for trained models, and how often they err.

    python solutions/jena_multistep/calibrate.py --date YYYY-MM-DD [--stations 40] [--networks 3]

For each profile, weather is generated with many seeds and cut as grading cuts it. Submissions that deserve to pass
(ridge regressions, fully and half learned, alone and as the best of several; with --networks the networks of the
solution and of the right variants among the mutants, in turn) and those that do not (persistence with and without
noise, means, constants, extrapolations, forecasts of one target alone) are judged by `beat_baseline` under every
candidate rule. The rule kept is the one with the fewest false fails among those whose false passes stay under
MOST_FALSE_PASSES, and of equal ones the most lenient to one target and the most literal about both. Both rates are
written down with their 95 % Wilson intervals.

A station's data may have an entry of its own; grading takes that of "generated" where there is none, and the DEFAULTS
of `hidden_tests/test_beat_baseline.py` where there is no entry for a profile.
"""

import argparse
import contextlib
import io
import itertools
import json
import linecache
import os
import sys
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from scipy.stats import binomtest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(ROOT)]  # a script of the course folder, run from anywhere

from autograder.checks.given import Materials  # noqa: E402
from autograder.checks.judging import load_hidden_tests  # noqa: E402
from autograder.config import load_course  # noqa: E402
from autograder.data import DataSet, provide_jena, read_station  # noqa: E402
from autograder.mutants import apply_mutant, read_mutants  # noqa: E402
from autograder.notebooks import release_path  # noqa: E402
from reference_models.jena_oracles import (  # noqa: E402
    fit_ridge,
    oracle_persistence,
    oracle_split,
    oracle_windows,
)

FIRST_SEED = 500_000  # no station that a course is likely to grade with
MOST_FALSE_PASSES = 0.04  # nearly all of them learned one target: half of the points are theirs anyway
RULES = {
    "confidence": (0.8, 0.9, 0.95),
    "margin": (0.03, 0.05),
    "both_confidence": (0.0, 0.3, 0.6, 0.8),
}


def station(profile, withheld_fraction, seed, cache) -> DataSet:
    return provide_jena(
        path=None, download=False, rows=profile.data_rows, withheld_fraction=withheld_fraction, seed=seed, cache=cache
    )


def deserving(train):
    """Submissions that have learned something for both targets: each a dictionary of forecasters by name."""
    alone = {
        "6 hours": fit_ridge(train.x, train.y, steps=36).forecast,
        "12 hours": fit_ridge(train.x, train.y, steps=72).forecast,
    }

    def half_learned(x):
        return 0.5 * (alone["6 hours"](x) + oracle_persistence(x))

    return [*({name: forecast} for name, forecast in alone.items()), alone, {"half learned": half_learned}]


def undeserving(train, rng):
    """Forecasters that must not pass for both targets, and whether one target may pass."""
    ridge = fit_ridge(train.x, train.y, steps=36).forecast
    middle = np.asarray(train.y).mean(axis=(0, 1))
    steps = np.arange(1, 7)[:, None]

    def noisy(x, scale):
        return oracle_persistence(x) + rng.normal(size=(len(x), 6, 2)) * scale

    def trend(x):
        hour_ago = oracle_persistence(np.asarray(x)[:, :-6])
        return oracle_persistence(x) + (oracle_persistence(x) - hour_ago) * steps / 6.0

    def one_target(x, i):
        forecast = noisy(x, 0.01)
        forecast[..., i] = ridge(x)[..., i]
        return forecast

    return {
        "persistence": (oracle_persistence, False),
        "persistence, little noise": (lambda x: noisy(x, 0.02), False),
        "persistence, more noise": (lambda x: noisy(x, 0.1), False),
        "mean of the window": (
            lambda x: np.repeat(np.asarray(x)[:, :, [1, 0]].mean(axis=1, keepdims=True), 6, axis=1),
            False,
        ),
        "constant": (lambda x: np.broadcast_to(middle, (len(x), 6, 2)), False),
        "the trend of an hour, doubled": (lambda x: 2 * trend(x) - oracle_persistence(x), False),
        "temperature alone": (lambda x: one_target(x, 0), True),
    }


def right_notebooks():
    """The solution and the right variants of it, which other people might have written."""
    source = nbformat.read(FOLDER / "jena_multistep.ipynb", as_version=4)
    release = nbformat.read(release_path(ROOT, "jena_multistep"), as_version=4)
    right = [mutant for mutant in read_mutants(FOLDER / "mutants") if mutant.right]
    return [source, *(apply_mutant(release, source, mutant) for mutant in right)]


def trained(notebook, profile, data, seed):
    """A right notebook, run up to `evaluation`: its namespace, with histories and forecasters."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    values = {**profile.parameters, "SEED": seed, "DATA_PATH": str(data.public)}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if not grade_id.startswith("test_"):
            with contextlib.redirect_stdout(io.StringIO()):
                run_cell(cell["source"], f"<{grade_id or 'cell'} {seed}>", namespace)
        if "parameters" in cell["metadata"].get("tags", ()):
            namespace.update(values)
        if grade_id == "evaluation":
            return namespace
    raise SystemExit("The notebook has no cell `evaluation`.")


def run_cell(source, name, namespace):
    """Run a cell as a kernel does: TensorFlow looks for the source of what it compiles."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec"), namespace)


class Trial:
    """The errors of forecasters on one station's withheld weather, and what the rules say to them."""

    def __init__(self, module, data):
        materials = Materials("", {}, data.public, data.withheld, data.origin, None)
        self.module = module
        self.given = module.given(materials)
        self.naive = module.window_errors(self.given, oracle_persistence(self.given.windows.x))

    def verdicts(self, forecast):
        """For each rule: whether the forecaster passes for one target, and for both."""
        errors = self.module.window_errors(self.given, np.asarray(forecast(self.given.windows.x)))
        found = {}
        for values in itertools.product(*RULES.values()):
            rule = {**self.module.DEFAULTS, **dict(zip(RULES, values, strict=True))}
            found[values] = self.module.verdict(errors, self.naive, rule, self.module.STRIDE)
        return found


def rate(outcomes):
    """A share and its 95 % Wilson interval."""
    result = binomtest(sum(outcomes), len(outcomes))
    interval = result.proportion_ci(method="wilson")
    return {
        "rate": round(result.statistic, 4),
        "low": round(interval.low, 4),
        "high": round(interval.high, 4),
        "n": len(outcomes),
    }


def calibrate(profile, withheld_fraction, module, stations, networks):
    """The entry of one profile for generated weather."""
    honest, dishonest, curves = [], [], []
    notebooks = right_notebooks()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(stations):
            seed = FIRST_SEED + number
            data = station(profile, withheld_fraction, seed, Path(folder))
            train = oracle_windows(oracle_split(read_station(data.public))[0], int(profile.parameters["STRIDE"]))
            trial = Trial(module, data)
            honest += [best_of(trial, forecasters) for forecasters in deserving(train)]
            lies = undeserving(train, np.random.default_rng(seed)).values()
            dishonest += [(trial.verdicts(forecast), one_may_pass) for forecast, one_may_pass in lies]
            if number < networks:
                which = number % len(notebooks)
                namespace = trained(notebooks[which], profile, data, seed)
                forecasters = {name: each for name, each in namespace["forecasters"].items() if name != "naive"}
                honest += [best_of(trial, forecasters)]
                if not which:  # the others may train on another scale
                    curves.append(min((namespace["histories"][name]["val_loss"] for name in forecasters), key=min))
    entry = {"beat_baseline": choose(honest, dishonest)}
    entry["beat_baseline"]["how"] |= {"stations": stations, "networks": networks, "first_seed": FIRST_SEED}
    if curves:
        entry["training"] = {"band": band(curves), "how": {"networks": len(curves), "loss": "mae"}}
    return entry


def best_of(trial, forecasters):
    """The verdicts on a submission: on the best of its forecasters, chosen as grading chooses."""
    ratios = {}
    for name, forecast in forecasters.items():
        errors = trial.module.window_errors(trial.given, np.asarray(forecast(trial.given.windows.x)))
        ratios[name] = (errors.mean(axis=0) / trial.naive.mean(axis=0)).mean()
    return trial.verdicts(forecasters[min(ratios, key=ratios.get)])


def choose(honest, dishonest):
    """The rule with the fewest false fails among those with few false passes, and its rates."""
    best = None
    for values in itertools.product(*RULES.values()):
        fails = {key: [not verdicts[values][i] for verdicts in honest] for i, key in enumerate(("one", "both"))}
        passes = {
            "one": [verdicts[values][0] for verdicts, one_may_pass in dishonest if not one_may_pass],
            "both": [verdicts[values][1] for verdicts, _ in dishonest],
        }
        rates = {f"false_fails_{key}": rate(each) for key, each in fails.items()}
        rates |= {f"false_passes_{key}": rate(each) for key, each in passes.items()}
        lies = sum(max(0.0, rates[f"false_passes_{key}"]["rate"] - MOST_FALSE_PASSES) for key in ("one", "both"))
        score = (
            lies,
            rates["false_fails_one"]["rate"] + rates["false_fails_both"]["rate"],
            values[0],
            -values[1],
            values[2],
        )
        if best is None or score < best[0]:
            best = (score, values, rates)
    _, values, rates = best
    return {**dict(zip(RULES, values, strict=True)), "how": rates}


def band(curves):
    """Range of the validation losses, epoch by epoch; a training that stopped early keeps its last value."""
    epochs = max(map(len, curves))
    filled = np.array([[*curve, *[curve[-1]] * (epochs - len(curve))] for curve in curves])
    return {"val_loss": {"low": filled.min(axis=0).round(5).tolist(), "high": filled.max(axis=0).round(5).tolist()}}


def main():
    parser = argparse.ArgumentParser(description="Make calibration.json for jena_multistep.")
    parser.add_argument("--stations", type=int, default=40, help="generated stations per profile")
    parser.add_argument(
        "--networks", type=int, default=3, help="on how many of them right notebooks are trained, in turn"
    )
    parser.add_argument("--profiles", nargs="*", help="only these; the others keep what they have")
    parser.add_argument("--date", required=True, help="the day of the calibration, written into the file")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    assignment = load_course(ROOT).assignment("jena_multistep")
    module = load_hidden_tests(FOLDER / "hidden_tests")["beat_baseline"].module
    path = FOLDER / "calibration.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in options.profiles or assignment.profiles:
        profile = assignment.profile(name)
        entry = calibrate(profile, assignment.data.withheld_fraction, module, options.stations, options.networks)
        for part in entry.values():
            part["how"] |= {"date": options.date, "data": f"generated weather, {profile.data_rows or 'a year of'} rows"}
        result[name] = {"generated": entry}
        path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(name, json.dumps(entry["beat_baseline"], indent=1))


if __name__ == "__main__":
    main()
