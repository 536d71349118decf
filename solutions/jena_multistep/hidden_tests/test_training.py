"""train and histories: fits on the training part, validates on the validation part, and never sees the test part.

What the notebook's own `fit` calls were given was observed while they ran. The windows seen are looked for in the
grader's own copy of the record; windows that are not found there (another way of preparing data) are not judged.
"""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_array,
    as_list,
    as_mapping,
    as_number,
    expect,
    expect_rows,
    expect_shape,
    is_observed,
    locate_windows,
    observed_histories,
    read_history,
)
from autograder.data import read_station
from reference_models.jena_oracles import HORIZON, INPUT_LENGTH, oracle_normalization, oracle_split

KEYS = ("loss", "val_loss", "mae", "val_mae", "rmse", "val_rmse")
FAR = 1000.0  # how far the validation targets of the small training lie from the training targets
CLEAR = 3  # windows that must reach into the test part before it counts as seen
TOPIC = "Week 10, training and validation:"


def given(rng, materials):
    def part(windows, level):
        x = rng.normal(size=(windows, 432, 14)).astype("float32")
        return [x, (level + rng.normal(size=(windows, 6, 2))).astype("float32")]

    return Given(train=part(24, 0.0), validation=part(9, FAR)).keep(epochs=int(materials.parameters.get("EPOCHS", 10)))


def probe(student, given):
    import itertools
    import os
    import pathlib
    import tempfile

    import keras
    import numpy as np
    import tensorflow as tf

    def small_model():
        inputs = keras.Input((432, 14))
        hidden = keras.layers.Flatten()(keras.layers.Cropping1D((428, 0))(inputs))
        return keras.Model(inputs, keras.layers.Reshape((6, 2))(keras.layers.Dense(12)(hidden)))

    def elsewhere(function, *arguments):
        """Call in a copy of the working folder's folders, so that a file that `train` writes overwrites none."""
        here = pathlib.Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            for inner in itertools.islice((path for path in here.glob("**/") if path.is_dir()), 100):
                (folder / inner.relative_to(here)).mkdir(parents=True, exist_ok=True)
            os.chdir(folder)
            try:
                return function(*arguments)
            finally:
                os.chdir(here)

    def small_training(compile_first):
        model = small_model()
        if compile_first:
            rmse = keras.metrics.RootMeanSquaredError(name="rmse")
            model.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), loss="mse", metrics=["mae", rmse])
        before = [np.array(weight) for weight in model.get_weights()]
        data = [tf.data.Dataset.from_tensor_slices(tuple(part)).batch(8) for part in (given.train, given.validation)]
        fits_before = len(student.probe_fits())
        result = student.train(model, *data)
        fits = student.probe_fits()[fits_before:]
        return {
            "is_history": isinstance(result, keras.callbacks.History),
            "kind": type(result).__name__,
            "history": dict(getattr(result, "history", {})),
            "before": before,
            "after": [np.array(weight) for weight in model.get_weights()],
            "epochs": sum(int(fit["epochs"]) for fit in fits),
            "train_targets": [float(v) for fit in fits for v in fit["train"]["target"][:, 0]],
            "validation_targets": [float(v) for fit in fits for v in fit["validation"]["target"][:, 0]],
        }

    def own_parts():
        """The notebook's own split of its own file: sizes of the parts, and statistics of the training part."""
        parts = list(student.split_by_time(student.load_data(student.DATA_PATH)))
        mean, std = student.fit_normalization(parts[0])
        in_order = all(bool(part.index.is_monotonic_increasing) for part in parts)
        contiguous = in_order and all(a.index[-1] < b.index[0] for a, b in itertools.pairwise(parts))
        return {"sizes": [len(part) for part in parts], "contiguous": contiguous, "mean": mean, "std": std}

    return {
        "uncompiled": lambda: elsewhere(small_training, False),
        "compiled": lambda: elsewhere(small_training, True),
        "histories": lambda: student.histories,
        "variants": lambda: [str(name) for name in student.build_variants()],
        "fits": student.fits,
        "own_parts": own_parts,
    }


def training_of(value):
    expect(
        value["is_history"] is True,
        "train should return the History that `fit` returns.",
        received=str(value["kind"]),
        hint=f"{TOPIC} `return model.fit(...)`.",
    )
    history = as_mapping(value["history"], "train(...).history")
    return read_history(
        history, "train(...).history", ("loss", "val_loss"), hint=f"{TOPIC} pass `validation_data` to `fit`."
    )


def training_errors(given, value):
    """The small model's errors on its training data, before and after, `(mae, mse)` each: computed from its weights."""
    x, y = given.train
    errors = []
    for key in ("before", "after"):
        weights = as_list(value[key], "The weights of the model", length=2)
        kernel, bias = expect_shape(weights[0], (56, 12), "Its kernel"), expect_shape(weights[1], (12,), "Its bias")
        off = x[:, -4:].reshape(len(x), 56) @ kernel.astype(np.float64) + bias - y.reshape(len(y), 12)
        errors.append((float(np.abs(off).mean()), float((off**2).mean())))
    return errors


def expect_moved(given, value):
    before, after = training_errors(given, value)
    expect(before != after, "train should change the weights of the model.", received="the same weights as before")


def expect_learned(given, value):
    """What `fit` reports could be made up; weights that fit the training data better than before have to be found."""
    before, after = training_errors(given, value)
    expect(
        any(later < earlier for earlier, later in zip(before, after, strict=True)),
        "train should bring the model closer to the training dataset.",
        received=f"a mean absolute error of {before[0]:.4g} before and {after[0]:.4g} after",
        hint=f"{TOPIC} `model.fit(train_dataset, ...)`.",
    )


def error_of(value, prefix=""):
    """The first epoch's error; a mean absolute one where there is one, as losses may be anything."""
    history = as_mapping(value["history"], "train(...).history")
    name = next((key for key in ("mae", "mean_absolute_error", "loss") if prefix + key in history), "loss")
    numbers = as_array(history.get(prefix + name, []), f"train(...).history['{prefix}{name}']", ndim=1)
    expect(numbers.size, "The history should have an entry for each epoch.", received="none")
    return float(numbers[0])


def expected_names(evidence):
    """The models that must have been trained; variants only where build_variants gives some."""
    raised = evidence.get_raised("variants") is not None
    variants = [] if raised else as_list(evidence["variants"], "The names of the variants")
    return ["mlp", "recurrent", *(str(name) for name in variants)]


def histories_of(evidence):
    histories = as_mapping(evidence["histories"], "histories")
    for name in expected_names(evidence):
        hint = f"{TOPIC} `histories[name] = train(...).history` for every model."
        expect(
            name in histories,
            f"histories should have an entry for '{name}'.",
            received=f"the keys {sorted(histories)}",
            hint=hint,
        )
    return {name: as_mapping(histories[name], f"histories['{name}']") for name in expected_names(evidence)}


@pytest.mark.weight(2)
def test_trains_a_new_model(given, evidence):
    """train compiles and fits a model that has not been compiled, and returns fit's History."""
    value = evidence["uncompiled"]
    training_of(value)
    expect_moved(given, value)


def test_trains_a_compiled_model(given, evidence):
    """train takes a model that has been compiled before, too."""
    value = evidence["compiled"]
    training_of(value)
    expect_moved(given, value)


def test_at_most_epochs(given, evidence):
    """Training runs for EPOCHS epochs at most; stopping early is fine."""
    hint = f"{TOPIC} `epochs=EPOCHS`: grading sets EPOCHS to another value than the notebook's."
    most = given.epochs
    lists = training_of(evidence["uncompiled"])
    epochs = max(len(lists["loss"]), int(as_number(evidence["uncompiled"]["epochs"], "The number of epochs")))
    expect(epochs <= most, f"train should run for {most} epochs at most.", received=f"{epochs} epochs", hint=hint)
    for name, history in as_mapping(evidence["histories"], "histories").items():
        length = (
            len(history.get("loss", ()))
            if isinstance(history, dict) and hasattr(history.get("loss", ()), "__len__")
            else 0
        )
        expect(
            length <= most,
            f"'{name}' should be trained for {most} epochs at most.",
            received=f"{length} epochs",
            hint=hint,
        )


@pytest.mark.weight(2)
def test_fits_on_the_training_dataset(given, evidence):
    """What is fitted is the training dataset, and not the validation dataset with it."""
    value = evidence["uncompiled"]
    training_of(value)
    seen = as_array(value["train_targets"], "The targets seen in training", ndim=1)
    hint = f"{TOPIC} the validation dataset is for looking, not for learning."
    if seen.size:
        expect(
            seen.max() < FAR / 2,
            "`fit` should be given the training dataset alone.",
            received="windows of the validation dataset",
            hint=hint,
        )
        expect_learned(given, value)
        return
    expect_learned(given, value)
    error = error_of(value)
    expect(
        error < FAR / 10,
        "`fit` should be given the training dataset alone.",
        received=f"an error of {error:.4g} in the first epoch",
        hint=hint,
    )


@pytest.mark.weight(2)
def test_validates_on_the_validation_dataset(evidence):
    """What is validated on is the validation dataset, and not the training dataset."""
    value = evidence["uncompiled"]
    training_of(value)
    seen = as_array(value["validation_targets"], "The targets seen in validation", ndim=1)
    hint = f"{TOPIC} `validation_data=validation_dataset`; the training data say nothing about overfitting."
    if seen.size:
        expect(
            seen.min() > FAR / 2,
            "`fit` should validate on the validation dataset.",
            received="windows of the training dataset",
            hint=hint,
        )
        return
    error = error_of(value, "val_")
    expect(
        error > FAR / 10,
        "`fit` should validate on the validation dataset.",
        received=f"a validation error of {error:.4g}",
        hint=hint,
    )


@pytest.mark.weight(2)
def test_histories_are_complete(evidence):
    """histories has loss, mae and rmse, each for training and validation, of every trained model."""
    for name, history in histories_of(evidence).items():
        hint = f"{TOPIC} `metrics=['mae', keras.metrics.RootMeanSquaredError(name='rmse')]`."
        read_history(history, f"histories['{name}']", KEYS, hint=hint)


@pytest.mark.weight(3)
def test_histories_are_what_fit_returned(evidence):
    """The numbers in histories are those that training gave."""
    observed = observed_histories(evidence["fits"])
    hint = f"{TOPIC} keep `train(...).history` as it is; training again, or typing numbers in, makes curves of nothing."
    expect(
        observed,
        "The notebook should train its models with `fit`.",
        received="no training that came to an end",
        hint=hint,
    )
    for name, history in histories_of(evidence).items():
        lists = {
            key: [float(v) for v in as_array(history[key], f"histories['{name}']", ndim=1)]
            for key in KEYS
            if key in history
        }
        expect(
            lists,
            f"histories['{name}'] should hold what `fit` returned.",
            received=f"the keys {sorted(history)}",
            hint=hint,
        )
        expect(
            is_observed(lists, observed),
            f"histories['{name}'] should hold what `fit` returned.",
            received="numbers that no training of this notebook gave",
            hint=hint,
        )


def seen_rows(evidence, materials):
    """Of every observed training: the rows of the record at which its windows begin, and what normalised them."""
    if materials.public is None:
        raise NotAssessed("There is no record to look for windows in.")
    record = read_station(materials.public)
    fits = [fit for fit in evidence["fits"] if isinstance(fit, dict)]
    expect(
        fits,
        "The notebook should train its models with `train`.",
        received="no call of `fit` while it ran",
        hint=f"{TOPIC} train every model, and keep its history.",
    )
    scales = scales_of(evidence, record, materials)
    located = []
    for fit in fits:
        for part in ("train", "validation"):
            first, last = (expect_rows(fit[part][key], record.shape[1]) for key in ("first", "last"))
            scale, rows = best_scale(first, last, record, scales)
            located.append({"part": part, "scale": scale, "rows": rows[rows >= 0], "windows": len(first)})
    return record, located


def scales_of(evidence, record, materials):
    """Ways in which the notebook may have normalised: its own first, then the grader's, then leaking ones."""
    own = own_parts(evidence)
    fractions = [
        float(materials.parameters.get(name, default))
        for name, default in (("TRAIN_FRACTION", 0.7), ("VALIDATION_FRACTION", 0.15))
    ]
    train, validation, _ = oracle_split(record, *fractions)
    scales = [] if own is None else [("own", own["mean"], own["std"])]
    scales.append(("train", *oracle_normalization(train)))
    scales.append(("none", np.zeros(record.shape[1]), np.ones(record.shape[1])))
    scales.append(("everything", *oracle_normalization(record)))
    scales.append(("train and validation", *oracle_normalization(pd.concat([train, validation]))))
    return scales


def own_parts(evidence):
    """The notebook's own split and statistics, where its functions give usable ones."""
    if evidence.get_raised("own_parts") is not None:
        return None
    value = evidence["own_parts"]
    try:
        mean, std = (as_array(value[key], key).reshape(-1).astype(float) for key in ("mean", "std"))
        sizes = [int(size) for size in value["sizes"]]
    except (Failure, TypeError, ValueError, KeyError):
        return None
    usable = mean.shape == std.shape == (14,) and len(sizes) == 3 and np.isfinite(mean).all() and bool((std > 0).all())
    return {"mean": mean, "std": std, "sizes": sizes, "contiguous": value.get("contiguous") is True} if usable else None


def best_scale(first, last, record, scales):
    """The way of normalising under which most windows are found; an earlier one in a draw."""
    best = ("none", np.full(len(first), -1))
    for name, mean, std in scales:
        rows = locate_windows(first, last, (record.to_numpy(dtype=np.float64) - mean) / std, INPUT_LENGTH)
        if (rows >= 0).sum() > (best[1] >= 0).sum():
            best = (name, rows)
        if len(rows) and (rows >= 0).mean() > 0.9:
            break
    return best


def start_of_test(evidence, record, materials):
    """The row at which the notebook's own test part begins; the one asked for where its own split is not usable."""
    own = own_parts(evidence)
    if own is not None and own["contiguous"] and sum(own["sizes"]) == len(record):
        return own["sizes"][0] + own["sizes"][1]
    fractions = [
        float(materials.parameters.get(name, default))
        for name, default in (("TRAIN_FRACTION", 0.7), ("VALIDATION_FRACTION", 0.15))
    ]
    train, validation, _ = oracle_split(record, *fractions)
    return len(train) + len(validation)


@pytest.mark.weight(4)
def test_never_sees_the_test_part(evidence, materials):
    """No window of the test part was in the data of any training, neither to fit nor to validate."""
    record, located = seen_rows(evidence, materials)
    start = start_of_test(evidence, record, materials)
    for each in located:
        ends = each["rows"] + INPUT_LENGTH + HORIZON
        inside = int((ends >= start + HORIZON).sum())
        used = "fitted on" if each["part"] == "train" else "validated on"
        expect(
            inside < CLEAR,
            f"No model should be {used} windows of the test part.",
            received=f"{inside} of {each['windows']} windows reach into it",
            hint=f"{TOPIC} whoever chooses epochs or models by the test part has no test part left.",
        )


def test_normalised_with_the_training_part(evidence, materials):
    """The windows that were fitted on were normalised with what was learned from the training part alone."""
    _, located = seen_rows(evidence, materials)
    leaks = {
        each["scale"]
        for each in located
        if each["part"] == "train" and len(each["rows"]) >= max(CLEAR, 0.5 * each["windows"])
    }
    leaking = sorted(leaks & {"everything", "train and validation"})
    expect(
        not leaking,
        "Windows should be normalised with mean and deviation of the training part.",
        received=f"windows normalised with those of {' and of '.join(leaking)}",
        hint="Week 9, data leakage: `fit_normalization(train)`, then `normalize` for all three parts.",
    )


@pytest.mark.weight(0)
def test_curves_can_be_drawn(evidence, materials, picture):
    """The training curves can be drawn, beside the range of the reference's."""
    series = {}
    for name, history in list(as_mapping(evidence["histories"], "histories").items())[:12]:
        try:
            series[name] = read_history(as_mapping(history, name), name, KEYS[:4])
        except Failure:
            continue
    hint = f"{TOPIC} keep `history.history` of what `fit` returns, with `validation_data` given."
    expect(series, "At least one history should have loss and val_loss.", received="none", hint=hint)
    band = dict((materials.calibration or {}).get("training", {})).get("band")
    same_loss = all(np.allclose(lists["val_loss"], lists["val_mae"], rtol=0.01) for lists in series.values())
    picture("curves", {"title": "Your training curves", "series": series, "band": band if same_loss else None})
