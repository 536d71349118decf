"""Make `calibration.json`: the accuracies that trained classifiers must reach, and how often these bars err.

    python solutions/text_vectorization/calibrate.py --date YYYY-MM-DD [--samples 5] [--profiles smoke] [--reviews FILE]

For each profile, reviews are generated with many seeds (or, with --reviews, drawn from a file with many seeds) and cut
as grading cuts them. Classifiers that deserve to pass (the solution notebook's own; logistic regression on words; and
in the sequence model's place a small 1D CNN, a GRU, an LSTM and a bidirectional LSTM with dropout, all trained as
Keras trains by default) and those that do not (the majority, chance, logistic regression on shuffled labels; and a bag
of words in place of the sequence model, where word order matters) are asked about the withheld reviews. A bar lies
SLACK below the worst that deserves to pass, yet never nearer to the best that does not. How often it errs is written
down with 95 % Wilson intervals.

Entries are kept by profile and origin of the data. Word order matters less in real reviews, so their bars are others:
the file that --reviews names stands for local files ("file") and for the official download, which hold the same
reviews. Grading takes "generated" where an origin has none, and the DEFAULTS of `hidden_tests/test_classify.py` where
there is no entry for a profile.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
sys.path[:0] = [str(ROOT)]  # a script of the course folder, run from anywhere

from autograder.checks.given import Materials  # noqa: E402
from autograder.checks.judging import load_hidden_tests  # noqa: E402
from autograder.config import load_course  # noqa: E402
from autograder.data import provide_reviews, read_reviews  # noqa: E402
from reference_models.text_baselines import fit_bag_of_words, majority_accuracy  # noqa: E402

FIRST_SEED = 500_000  # no reviews that a course is likely to grade with
SLACK = 0.08  # four standard errors or more, since students' models differ more than these few
NAMES = ("bag_of_words", "sequence")
OTHERS = ("small CNN", "GRU", "LSTM", "bidirectional LSTM")


def solution(profile, data, seed, build=None):
    """The solution notebook's classifiers, trained; `build` takes its sequence model's place, trained as by default."""
    notebook = json.loads((FOLDER / "text_vectorization.ipynb").read_text(encoding="utf-8"))
    namespace: dict[str, object] = {"__name__": "__main__"}
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        if cell["cell_type"] != "code" or grade_id.startswith("test_"):
            continue
        source = "".join(cell["source"])
        if grade_id == "classify" and build is not None:
            namespace["build_sequence_model"] = build
            source = source.replace("Adam(2e-3)", "Adam()")
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, grade_id or "cell", "exec"), namespace)
        if "parameters" in cell["metadata"].get("tags", ()):
            namespace.update({**profile.parameters, "SEED": seed, "DATA_PATH": str(data.public)})
    return namespace["classifiers"]


def other_sequence_models():
    """Sequence models that students write, other than the solution's: `{name of OTHERS: function of n_tokens}`."""
    import keras
    from keras import layers

    def model_of(summarise, width, *, masked=True):
        def build(n_tokens):
            inputs = keras.Input((None,), dtype="int32")
            features = summarise(layers.Embedding(n_tokens, width, mask_zero=masked)(inputs))
            return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(features))

        return build

    def strongest(embedded):
        features = layers.Conv1D(16, 3, padding="same", activation="relu")(embedded)
        return layers.Dropout(0.5)(layers.GlobalMaxPooling1D()(features))

    return {
        "small CNN": model_of(strongest, 16, masked=False),
        "GRU": model_of(layers.GRU(32), 32),
        "LSTM": model_of(layers.LSTM(32), 32),
        "bidirectional LSTM": model_of(lambda x: layers.Dropout(0.5)(layers.Bidirectional(layers.LSTM(32))(x)), 32),
    }


def sample(profile, data, origin, module, seed, models):
    """Accuracies on withheld reviews: `{name: {classifier: accuracy}}` of those that deserve to pass and of others."""
    materials = Materials("", profile.parameters, data.public, data.withheld, data.origin, None)
    rng = np.random.default_rng(seed)
    given = module.given(rng, materials)
    public = read_reviews(data.public)[: int(profile.parameters["N_REVIEWS"])]
    train = public[: round(0.8 * len(public))]
    texts, labels = [review.text for review in train], np.array([review.label for review in train])

    def asked(classify):
        return module.accuracy(np.asarray(classify(given.texts)).reshape(-1), given.labels)

    words = asked(fit_bag_of_words(texts, labels))
    own = solution(profile, data, seed)
    honest = {
        "bag_of_words": {"solution": asked(own["bag_of_words"]), "logistic regression": words},
        "sequence": {"solution": asked(own["sequence"])},
    }
    for name in models:
        found = solution(profile, data, seed, other_sequence_models()[name])
        honest["sequence"][name] = asked(found["sequence"])
    learned_nothing = {
        "majority": majority_accuracy(labels, given.labels),
        "chance": asked(lambda unseen: rng.random(len(unseen))),
        "shuffled labels": asked(fit_bag_of_words(texts, rng.permutation(labels))),
    }
    others = {"bag_of_words": learned_nothing, "sequence": dict(learned_nothing)}
    if origin == "generated":
        others["sequence"]["words alone"] = words
    return honest, others


def rate(outcomes):
    """A share and its 95 % Wilson interval."""
    result = binomtest(sum(outcomes), len(outcomes))
    low, high = result.proportion_ci(method="wilson")
    return {"rate": round(result.statistic, 4), "low": round(low, 4), "high": round(high, 4), "n": len(outcomes)}


def bar_between(worst, best_other):
    """SLACK below the worst that deserves to pass, yet never nearer to the best that does not."""
    return round(float(np.floor(100 * max(worst - SLACK, (worst + best_other) / 2) + 1e-6) / 100), 2)


def summary(samples, name):
    """The bar of one classifier, its rates, and the range of each kind."""
    honest, others = ([each[side][name] for each in samples] for side in (0, 1))
    reached = [accuracy for each in honest for accuracy in each.values()]
    lies = [accuracy for each in others for accuracy in each.values()]
    bar = bar_between(min(reached), max(lies))
    ranges = {
        kind: [round(bound([each[kind] for each in side if kind in each]), 3) for bound in (min, max)]
        for side in (honest, others)
        for kind in sorted({kind for each in side for kind in each})
    }
    rates = {"false_fails": rate([a < bar for a in reached]), "false_passes": rate([a >= bar for a in lies])}
    return bar, {**rates, "accuracies": ranges}


def calibrate(profile, fraction, module, options):
    """The entry of one profile for one origin."""
    origins = ("file", "download") if options.reviews else ("generated",)
    samples = []
    with tempfile.TemporaryDirectory() as cache:
        for number in range(options.samples):
            data = provide_reviews(
                path=options.reviews,
                download=False,
                rows=profile.data_rows,
                withheld_fraction=fraction,
                seed=FIRST_SEED + number,
                cache=Path(cache),
            )
            models = options.models if number < options.others else ()
            samples.append(sample(profile, data, origins[0], module, FIRST_SEED + number, models))
            print(samples[-1], flush=True)
    summaries = {name: summary(samples, name) for name in NAMES}
    what = f"{options.reviews.name}" if options.reviews else "generated reviews"
    how = {name: each for name, (_, each) in summaries.items()}
    how |= {
        "samples": options.samples,
        "samples_with_others": min(options.others, options.samples),
        "first_seed": FIRST_SEED,
        "slack": SLACK,
        "date": options.date,
        "data": f"{what}, {profile.data_rows or 'all'} rows",
    }
    return origins, {"classify": {"bars": {name: bar for name, (bar, _) in summaries.items()}, "how": how}}


def main():
    parser = argparse.ArgumentParser(description="Make calibration.json for text_vectorization.")
    parser.add_argument("--samples", type=int, default=5, help="samples of reviews per profile")
    parser.add_argument("--others", type=int, default=3, help="on how many of them other sequence models are trained")
    parser.add_argument("--models", nargs="*", choices=OTHERS, default=OTHERS, help="which other sequence models")
    parser.add_argument("--profiles", nargs="*", help="only these; the others keep what they have")
    parser.add_argument("--reviews", type=Path, help="a file of reviews, instead of generated ones")
    parser.add_argument("--course", type=Path, default=ROOT, help="folder of the course with this assignment")
    parser.add_argument("--date", required=True, help="the day of the calibration, written into the file")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    assignment = load_course(options.course).assignment("text_vectorization")
    module = load_hidden_tests(FOLDER / "hidden_tests")["classify"].module
    path = FOLDER / "calibration.json"
    for name in options.profiles or assignment.profiles:
        origins, entry = calibrate(assignment.profile(name), assignment.data.withheld_fraction, module, options)
        result = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        result.setdefault(name, {}).update(dict.fromkeys(origins, entry))
        path.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(name, *origins, json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
