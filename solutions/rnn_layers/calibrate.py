"""Make `calibration.json`: the accuracy that `recall` must reach, and how often that rule errs.

    python solutions/rnn_layers/calibrate.py --date YYYY-MM-DD [--seeds 4] [--profiles smoke cpu]

Under a profile's parameters, networks that an honest student could hand in (HONEST: LSTM, GRU and IRNN with several
learning rates and batch sizes, the optimizer's default rate among them) are trained with several seeds, and their
accuracy is taken as grading takes it: on sequences of a seed of their own. Submissions that must not pass are untrained
networks, constants, guesses, and networks that tell two pairs of symbols apart but not the symbols of a pair. Of BARS,
the one with the fewest false fails is kept among those whose false passes stay under MOST_FALSE_PASSES, and of equal
ones the lowest. Both rates are written down with their 95 % Wilson intervals.

Grading takes the DEFAULTS of `hidden_tests/test_memory_task.py` for a profile without an entry.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(ROOT)]  # a script of the course folder, run from anywhere

from autograder.config import load_course  # noqa: E402
from reference_models.recurrent_oracles import SYMBOLS, memory_task  # noqa: E402

FIRST_SEED = 500_000  # no seed that a course is likely to grade with
SEQUENCES = 2000  # as many as grading takes
MOST_FALSE_PASSES = 0.02
BARS = (0.5, 0.55, 0.6, 0.7, 0.8, 0.9)
HONEST = (  # kind, learning rate, batch size
    ("lstm", 1e-3, 32),
    ("lstm", 1e-3, 128),
    ("lstm", 5e-3, 32),
    ("lstm", 1e-2, 64),
    ("gru", 1e-3, 32),
    ("gru", 1e-3, 128),
    ("gru", 5e-3, 64),
    ("gru", 1e-2, 32),
    ("irnn", 1e-3, 32),
    ("irnn", 2e-3, 64),
)


def accuracy(model, x, y):
    return float((np.asarray(model.predict(x, batch_size=500, verbose=0)).argmax(axis=1) == y).mean())


def trained(parameters, seed, kind, learning_rate, batch_size, new):
    """The accuracy of an honest network, and that of the same network before training."""
    import keras

    from reference_models.recurrent_models import build_model, compile_classifier

    keras.utils.set_random_seed(seed)
    model = build_model(kind)
    compile_classifier(model, learning_rate=learning_rate)
    before = accuracy(model, *new)
    x, y = memory_task(int(parameters["N_SEQUENCES"]), int(parameters["SEQUENCE_LENGTH"]), seed)
    model.fit(x, y, batch_size=batch_size, epochs=int(parameters["EPOCHS"]), verbose=0)
    after = accuracy(model, *new)
    keras.backend.clear_session()
    return after, before


def undeserving(y, rng):
    """Accuracies of answers that need no training, and of half a memory."""
    guesses = rng.integers(0, SYMBOLS, size=len(y))
    pairs = 2 * (y // 2)  # right about the pair that the symbol belongs to
    return [float((answer == y).mean()) for answer in (guesses, np.zeros_like(y), pairs)]


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


def choose(honest, dishonest):
    """The bar for these accuracies, and how often it errs."""
    best = None
    for bar in BARS:
        fails, passes = rate([each < bar for each in honest]), rate([each >= bar for each in dishonest])
        score = (max(0.0, passes["rate"] - MOST_FALSE_PASSES), fails["rate"], bar)
        if best is None or score < best[0]:
            best = (score, bar, {"false_fails": fails, "false_passes": passes})
    _, bar, rates = best
    return {"bar": bar, "how": rates}


def calibrate(parameters, seeds):
    """The entry of one profile."""
    honest, dishonest = [], []
    for repetition in range(seeds):
        first = FIRST_SEED + len(HONEST) * repetition  # every network has a seed of its own
        x, y = memory_task(SEQUENCES, int(parameters["SEQUENCE_LENGTH"]), first + 10_000)
        dishonest += undeserving(y, np.random.default_rng(first))
        for seed, (kind, learning_rate, batch_size) in enumerate(HONEST, first):
            after, before = trained(parameters, seed, kind, learning_rate, batch_size, (x, y))
            honest.append(after)
            dishonest.append(before)
            print(seed, kind, learning_rate, batch_size, f"{before:.3f} -> {after:.3f}", flush=True)
    entry = choose(honest, dishonest)
    entry["how"] |= {
        "seeds": seeds,
        "first_seed": FIRST_SEED,
        "honest_accuracy": {"lowest": round(min(honest), 3), "median": round(float(np.median(honest)), 3)},
        "parameters": {name: parameters[name] for name in ("EPOCHS", "N_SEQUENCES", "SEQUENCE_LENGTH")},
    }
    return entry


def main():
    parser = argparse.ArgumentParser(description="Make calibration.json for rnn_layers.")
    parser.add_argument("--seeds", type=int, default=4, help="how often each honest network is trained")
    parser.add_argument("--profiles", nargs="*", help="only these; the others keep what they have")
    parser.add_argument("--date", required=True, help="the day of the calibration, written into the file")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    assignment = load_course(ROOT).assignment("rnn_layers")
    path = FOLDER / "calibration.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for name in options.profiles or assignment.profiles:
        entry = calibrate(assignment.profile(name).parameters, options.seeds)
        entry["how"]["date"] = options.date
        result[name] = {"generated": {"memory_task": entry}}
        path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(name, json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
