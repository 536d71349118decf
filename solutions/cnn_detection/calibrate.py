"""Make the bars of `calibration.json`, and say how often they err.

    python solutions/cnn_detection/calibrate.py --date YYYY-MM-DD [--networks 4] [--profiles smoke]

For each profile, scenes are drawn with several seeds and cut as grading cuts them, and the solution notebook's own
localiser and detector are trained on each, as it is and as honest students would have it in STYLES, the ordinary
choices that see less in a short training among them. They are measured on the withheld scenes as the hidden tests do.
Against them stand those who have learned nothing of use: mean boxes and most frequent classes, random boxes and
classes, detectors that draw boxes without looking, and the class of the most similar scene of the file.

A bar lies BETWEEN the best of those and the worst of the honest ones, nearer to the former, so that a network that is
worse than all of these but has learned to see passes; and at least SPREAD below the worst, where there is little room.
Both rates of error are written down with their 95 % Wilson intervals; n is small where training is long, and the
intervals say so.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(ROOT)]  # a script of the course folder, run from anywhere

from autograder.checks.given import Materials  # noqa: E402
from autograder.checks.judging import load_hidden_tests  # noqa: E402
from autograder.config import load_course  # noqa: E402
from autograder.data import provide_scenes  # noqa: E402
from reference_models.detection_metrics import mean_average_precision, mean_box  # noqa: E402

FIRST_SEED = 600_000  # no scenes that a course is likely to grade with
BETWEEN = 0.4  # of the way from the best of the hopeless to the worst of the honest
SPREAD = 0.1  # more than three standard errors of a share of 300 scenes
STYLES = {
    "as in the solution": {},
    "a steady learning rate": {
        "keras.optimizers.schedules.CosineDecay(3e-3, one_steps, alpha=0.05)": "1.5e-3",
        "keras.optimizers.schedules.CosineDecay(3e-3, steps, alpha=0.05)": "1.5e-3",
    },
    "narrower networks": {"(8, 16, 32)": "(6, 12, 24)", "(12, 24, 48)": "(8, 16, 32)"},
    "a dense class head": {
        'keras.layers.Dense(64, activation="relu")(keras.layers.GlobalMaxPooling2D()(shapes))': (
            "keras.layers.Dense(64, activation='relu')(keras.layers.Flatten()(features))"
        ),
    },
    "batch normalisation and strides": {
        "features = keras.layers.MaxPooling2D()(features)": "features = keras.layers.BatchNormalization()(features)",
        "Conv2D(filters, 3, padding=": "Conv2D(filters, 3, strides=2, padding=",
    },
    "Adam's own rate, batches of 32": {
        "keras.optimizers.schedules.CosineDecay(3e-3, one_steps, alpha=0.05)": "1e-3",
        "keras.optimizers.schedules.CosineDecay(3e-3, steps, alpha=0.05)": "1e-3",
        "batch_size=16": "batch_size=32",
    },
}


def solution(parameters, changes):
    """The solution notebook, run up to `detection` with sources changed: its namespace."""
    notebook = json.loads((FOLDER / "cnn_detection.ipynb").read_text(encoding="utf-8"))
    namespace: dict[str, object] = {"__name__": "__main__"}
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if cell["cell_type"] != "code" or grade_id.startswith("test_"):
            continue
        source = "".join(cell["source"])
        for old, new in changes.items():
            source = source.replace(old, new)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, grade_id or "cell", "exec"), namespace)
        if "parameters" in cell["metadata"].get("tags", ()):
            namespace.update(parameters)
        if grade_id == "detection":
            return namespace
    raise SystemExit("The solution notebook has no cell `detection`.")


def performance(modules, given, namespace):
    """Accuracy, mean IoU and mean average precision of a notebook's functions on withheld scenes, and its own one."""
    one = given["localization"]
    found = modules["localization"].figures(one, *map(np.asarray, namespace["localize"](one.images)))
    all_scenes = given["detection"]
    precision = mean_average_precision(namespace["detect"](all_scenes.images), all_scenes.boxes, all_scenes.labels)
    return {
        "accuracy": found["accuracy"],
        "iou": found["iou"],
        "map_50": precision,
        "stated": namespace["results"]["map_50"],
    }


def most_similar(one, images, labels):
    """The accuracy of naming what the most similar scene shows, pixel by pixel (which finds places rather well)."""
    known, asked = (each.reshape(len(each), -1).astype("float32") for each in (images, one.images))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    return float((labels[(asked @ known.T).argmax(axis=1)] == one.labels).mean())


def hopeless(modules, given, public, rng):
    """What can be had without learning to see: values of each measure."""
    one, scenes = given["localization"], given["detection"]
    n = len(one.labels)
    frequent = np.eye(10)[np.full(n, np.bincount(one.labels).argmax())]
    known = one.known[rng.integers(0, len(one.known), size=n)]
    answers = [(frequent, mean_box(one.known, n)), (rng.random((n, 10)), known), (rng.random((n, 10)), known[::-1])]
    measured = [modules["localization"].figures(one, *answer) for answer in answers]
    images, _, labels = modules["localization"].single_objects(public)
    n_known = len(one.known)
    blind = [
        [(one.known[rng.integers(0, n_known, k)], rng.random(k), rng.integers(0, 10, k)) for _ in scenes.images]
        for k in (1, 3, 12)
    ]
    return {
        "accuracy": [*(each["accuracy"] for each in measured), most_similar(one, images, labels)],
        "iou": [each["iou"] for each in measured],
        "map_50": [mean_average_precision(each, scenes.boxes, scenes.labels) for each in blind],
    }


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


def bar(honest, useless):
    """A bar between the two, rounded down to a hundredth, and how often it errs."""
    low, high = max(useless), min(honest)
    value = np.floor(100 * min(low + BETWEEN * (high - low), high - SPREAD)) / 100
    return float(value), {
        "honest": {"least": round(high, 3), "mean": round(float(np.mean(honest)), 3), "most": round(max(honest), 3)},
        "hopeless": {"most": round(low, 3)},
        "false_fails": rate([each < value for each in honest]),
        "false_passes": rate([each >= value for each in useless]),
    }


def calibrate(profile, withheld_fraction, tests, networks):
    """The entry of one profile for drawn scenes."""
    modules = {name: tests[name].module for name in ("localization", "detection")}
    honest = {"accuracy": [], "iou": [], "map_50": []}
    useless = {"accuracy": [], "iou": [], "map_50": []}
    gaps, seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(networks):
            seed, (style, changes) = FIRST_SEED + number, list(STYLES.items())[number % len(STYLES)]
            data = provide_scenes(
                path=None,
                rows=profile.data_rows,
                withheld_fraction=withheld_fraction,
                seed=seed,
                cache=Path(folder),
            )
            materials = Materials("", profile.parameters, data.public, data.withheld, data.origin, None)
            given = {name: tests[name].given(seed, materials) for name in modules}
            started = time.process_time()
            namespace = solution({**profile.parameters, "SEED": seed, "DATA_PATH": str(data.public)}, changes)
            seconds.append(time.process_time() - started)
            found = performance(modules, given, namespace)
            gaps.append(found.pop("stated") - found["map_50"])
            useless_here = hopeless(modules, given, data.public, np.random.default_rng(seed))
            for name, value in found.items():
                honest[name].append(value)
                useless[name] += useless_here[name]
            shown = {name: round(value, 3) for name, value in found.items()}
            print(seed, style, shown, f"stated {gaps[-1]:+.3f}, {seconds[-1]:.0f} s of CPU", flush=True)
    how = {"networks": networks, "first_seed": FIRST_SEED, "styles": list(STYLES)[:networks]}
    bars = {name: bar(honest[name], useless[name]) for name in honest}
    return {
        "localization": {
            "accuracy": bars["accuracy"][0],
            "iou": bars["iou"][0],
            "how": {**how, "accuracy": bars["accuracy"][1], "iou": bars["iou"][1]},
        },
        "detection": {
            "map_50": bars["map_50"][0],
            "how": {
                **how,
                "map_50": bars["map_50"][1],
                "stated_minus_found": {"least": round(min(gaps), 3), "most": round(max(gaps), 3)},
            },
        },
    }


def main():
    parser = argparse.ArgumentParser(description="Make calibration.json for cnn_detection.")
    parser.add_argument("--networks", type=int, default=6, help="trainings per profile, one style after another")
    parser.add_argument("--profiles", nargs="*", help="only these; the others keep what they have")
    parser.add_argument("--date", required=True, help="the day of the calibration, written into the file")
    parser.add_argument("--course", type=Path, default=ROOT, help="folder of the course_config.py with the profiles")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    assignment = load_course(options.course).assignment("cnn_detection")
    tests = load_hidden_tests(FOLDER / "hidden_tests")
    path = FOLDER / "calibration.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in options.profiles or assignment.profiles:
        profile = assignment.profile(name)
        entry = calibrate(profile, assignment.data.withheld_fraction, tests, options.networks)
        for part in entry.values():
            part["how"] |= {"date": options.date, "data": f"drawn scenes, {profile.data_rows or 'all'} of them"}
        result[name] = {"generated": entry}
        path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(name, json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
