"""training: `train` on a small model, histories against what was observed, and where the windows came from.

Takes about 40 s: small models are really trained.
"""

import numpy as np
import pytest

from autograder.data import read_station
from reference_models.jena_oracles import TARGET_COLUMNS, oracle_normalization, oracle_split

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

TRAIN = """
def train(model, train_dataset, validation_dataset):
    if not model.compiled:
        metrics = ["mae", keras.metrics.RootMeanSquaredError(name="rmse")]
        model.compile("adam", "mae", metrics=metrics, jit_compile=False)
    return model.fit(train_dataset, validation_data=validation_dataset, epochs=EPOCHS, verbose=0)
"""
CAREFUL_TRAIN = """
def train(model, train_dataset, validation_dataset):
    model.compile(keras.optimizers.Adam(1e-2, clipnorm=1.0), loss=keras.losses.Huber(), jit_compile=False,
                  metrics=[keras.metrics.MeanAbsoluteError(), keras.metrics.RootMeanSquaredError()])
    stop = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    history = model.fit(train_dataset.shuffle(100).prefetch(1), epochs=min(EPOCHS, 50), callbacks=[stop], verbose=0,
                        validation_data=validation_dataset.cache())
    names = {"mean_absolute_error": "mae", "root_mean_squared_error": "rmse"}
    for key in list(history.history):
        plain = key.removeprefix("val_")
        if plain in names:
            history.history[key.replace(plain, names[plain])] = history.history.pop(key)
    return history
"""
TRAIN_MISTAKES = {
    "no validation": ("validation_data=validation_dataset, ", "", None),
    "validates on the training data": ("validation_data=validation_dataset", "validation_data=train_dataset", {"validates_on_the_validation_dataset"}),
    "fits on both": ("fit(train_dataset,", "fit(train_dataset.concatenate(validation_dataset),", {"fits_on_the_training_dataset"}),
    "the wrong way round": ("fit(train_dataset, validation_data=validation_dataset", "fit(validation_dataset, validation_data=train_dataset",
                            {"fits_on_the_training_dataset", "validates_on_the_validation_dataset"}),
    "its own number of epochs": ("epochs=EPOCHS", "epochs=3", {"at_most_epochs"}),
    "a dictionary returned": ("verbose=0)", "verbose=0).history", None),
    "nothing returned": ("return model.fit", "model.fit", None),
    "compiled models only": ("    if not model.compiled", "    if False", {
        "trains_a_new_model", "at_most_epochs", "fits_on_the_training_dataset", "validates_on_the_validation_dataset"}),
    "new models only": ("    if not model.compiled", "    assert not model.compiled\n    if True", {"trains_a_compiled_model"}),
    "the test is asked too": ("    return", "    split_by_time(load_data(DATA_PATH))\n    return", set()),
}  # fmt: skip
LISTS = {
    "loss": [3.0, 2.0],
    "val_loss": [3.5, 2.5],
    "mae": [1.0, 0.5],
    "val_mae": [1.2, 0.9],
    "rmse": [2.0, 1.5],
    "val_rmse": [2.2, 1.9],
}
OTHERS = {key: [0.9 * value for value in values] for key, values in LISTS.items()}
HISTORIES = f"histories = {{'mlp': {LISTS}, 'recurrent': {OTHERS}}}\n"


@pytest.fixture(scope="module")
def record(weather):
    return read_station(weather.public)


@pytest.fixture(scope="module")
def observed(record):
    """Observed trainings as a right notebook leaves them, or with windows cut and normalised otherwise."""

    def make(scale=None, train=None, validation=None, histories=(LISTS, OTHERS)):
        parts = oracle_split(record)
        mean, std = oracle_normalization(parts[0]) if scale is None else scale
        ends = np.cumsum([len(part) for part in parts])
        train = range(0, ends[0] - 438, 12) if train is None else train
        validation = range(ends[0], ends[1] - 438, 12) if validation is None else validation
        values = (record.to_numpy(dtype=np.float64) - mean) / std

        def seen(starts):
            rows = np.array(list(starts), dtype=int)
            first, last, target = values[rows], values[rows + 431], values[rows + 432][:, list(TARGET_COLUMNS)]
            return {
                "first": first.astype("float32"),
                "last": last.astype("float32"),
                "target": target.astype("float32"),
                "windows": len(rows),
            }

        common = {
            "finished": True,
            "epochs": 2,
            "devices": [],
            "parameters": 10,
            "train": seen(train),
            "validation": seen(validation),
        }
        return [{"history": history, **common} for history in histories]

    return make


@pytest.mark.parametrize("source", [TRAIN, CAREFUL_TRAIN], ids=["plain", "careful"])
@pytest.mark.parametrize("watched", [True, False], ids=["observed", "not observed"])
def test_right(judge, basics, observed, source, watched):
    """Also where the training could not be observed: what it was given shows in its errors."""
    found = judge("training", basics, source, HISTORIES, fits=observed(), observed=watched)
    assert found == {} and not found.not_assessed
    assert found.pictures[0][1]["series"].keys() == {"mlp", "recurrent"}


@pytest.mark.parametrize("watched", [True, False], ids=["observed", "not observed"])
@pytest.mark.parametrize("mistake", TRAIN_MISTAKES)
def test_wrong_train(judge, basics, observed, mistake, watched):
    old, new, lost = TRAIN_MISTAKES[mistake]
    assert old in TRAIN
    found = judge("training", basics, TRAIN.replace(old, new), HISTORIES, fits=observed(), observed=watched)
    assert len(found) == 5 if lost is None else set(found) == lost, dict(found)


@pytest.fixture
def judge_histories(judge, basics, observed):
    """Only what is asked of histories: the training of small models is spared."""

    def run(histories, fits=None, extra=""):
        skipped = {
            "trains_a_new_model",
            "trains_a_compiled_model",
            "at_most_epochs",
            "fits_on_the_training_dataset",
            "validates_on_the_validation_dataset",
        }
        found = judge("training", basics, extra, histories, fits=observed() if fits is None else fits)
        assert skipped <= set(found)
        return {name: message for name, message in found.items() if name not in skipped}

    return run


@pytest.mark.parametrize(
    "histories",
    [
        HISTORIES,
        HISTORIES
        + "histories = {k: {n: np.array(v) for n, v in h.items()} | {'learning_rate': [1e-3, 1e-3]} for k, h in histories.items()}",
        HISTORIES
        + "histories = {k: pd.DataFrame(h) for k, h in histories.items()}; histories['other'] = 'not asked for'",
    ],
    ids=["lists", "arrays and more", "tables"],
)
def test_right_histories(judge_histories, histories):
    assert judge_histories(histories) == {}


HISTORY_MISTAKES = {
    "invented": ("histories['mlp'] = {k: [v * 0.5 for v in values] for k, values in histories['mlp'].items()}", {"histories_are_what_fit_returned"}),
    "validation polished": ("histories['mlp'] = histories['mlp'] | {'val_mae': [0.8, 0.4]}", {"histories_are_what_fit_returned"}),
    "training passed off as validation": ("histories['mlp'] = histories['mlp'] | {'val_loss': histories['mlp']['loss']}", {"histories_are_what_fit_returned"}),
    "no rmse": ("del histories['mlp']['val_rmse']", {"histories_are_complete"}),
    "a model missing": ("del histories['recurrent']", {"histories_are_complete", "histories_are_what_fit_returned"}),
    "unequal lengths": ("histories['mlp']['loss'] = [3.0]", {"histories_are_complete", "histories_are_what_fit_returned"}),
    "empty": ("histories['mlp'] = {k: [] for k in histories['mlp']}", {"histories_are_complete", "histories_are_what_fit_returned"}),
    "text": ("histories['mlp']['loss'] = 'low'", {"histories_are_complete", "histories_are_what_fit_returned", "curves_can_be_drawn"}),
    "ragged": ("histories['mlp']['loss'] = [[1.0], 2.0]", {"histories_are_complete", "histories_are_what_fit_returned"}),
    "a list": ("histories = list(histories.values())", {"histories_are_complete", "histories_are_what_fit_returned", "curves_can_be_drawn"}),
}  # fmt: skip


@pytest.mark.parametrize("mistake", HISTORY_MISTAKES)
def test_wrong_histories(judge_histories, mistake):
    line, lost = HISTORY_MISTAKES[mistake]
    assert set(judge_histories(f"{HISTORIES}{line}\n")) - {"curves_can_be_drawn"} == lost - {"curves_can_be_drawn"}


def test_files_of_the_student_stay(judge, basics, observed, tmp_path, monkeypatch):
    """What `train` writes while it is probed does not replace what the notebook's own training has written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "best.weights.h5").write_bytes(b"the notebook's own")
    saving = (
        TRAIN.replace("    return model.fit(", "    history = model.fit(")
        + "    model.save_weights('kept/best.weights.h5')\n    return history\n"
    )
    assert judge("training", basics, saving, HISTORIES, fits=observed()) == {}
    assert (tmp_path / "kept" / "best.weights.h5").read_bytes() == b"the notebook's own"


def test_rmse_from_mse(judge_histories, observed):
    """The root of an MSE that `fit` returned is an RMSE."""
    fits = [
        {
            key.replace("rmse", "mse"): [v * v for v in values] if "rmse" in key else values
            for key, values in lists.items()
        }
        for lists in (LISTS, OTHERS)
    ]
    assert judge_histories(HISTORIES, fits=observed(histories=fits)) == {}


def test_variants_need_histories(judge_histories):
    variants = "def build_variants():\n    return {'deep': None, 'wide': None}\n"
    assert set(judge_histories(HISTORIES, extra=variants)) == {
        "histories_are_complete",
        "histories_are_what_fit_returned",
    }


def test_training_in_two_parts(judge_histories, observed):
    """Histories of two trainings in a row, put together, are what `fit` returned."""
    parts = [{key: values[:1] for key, values in LISTS.items()}, {key: values[1:] for key, values in LISTS.items()}]
    assert judge_histories(HISTORIES, fits=observed(histories=(*parts, OTHERS))) == {}


def test_never_trained(judge_histories):
    """Numbers without any training: nothing about training data can be said to be right."""
    assert set(judge_histories(HISTORIES, fits=[])) == {
        "histories_are_what_fit_returned",
        "never_sees_the_test_part",
        "normalised_with_the_training_part",
    }


def test_test_part_used(judge_histories, observed, record):
    """Windows of the test part in validation or in training cost that check alone."""
    start = len(record) - len(oracle_split(record)[2])
    inside = range(start, len(record) - 438, 12)
    assert set(judge_histories(HISTORIES, fits=observed(validation=inside))) == {"never_sees_the_test_part"}
    assert set(judge_histories(HISTORIES, fits=observed(train=range(0, len(record) - 438, 12)))) == {
        "never_sees_the_test_part"
    }


def test_a_row_over_the_border_is_no_finding(judge_histories, observed, record):
    start = len(record) - len(oracle_split(record)[2])
    assert judge_histories(HISTORIES, fits=observed(validation=range(start - 600, start - 436, 12))) == {}


def test_normalised_with_everything(judge_histories, observed, record):
    """Mean and deviation of the whole record in the wiring are a leak of training ..."""
    fits = observed(scale=oracle_normalization(record))
    assert set(judge_histories(HISTORIES, fits=fits)) == {"normalised_with_the_training_part"}


def test_normalised_by_a_wrong_function(judge_histories, observed, record):
    """... but where the notebook's own function gives them, that was judged before."""
    wrong = "def fit_normalization(train):\n    frame = load_data(DATA_PATH)\n    return frame.mean(), frame.std()\n"
    fits = observed(scale=oracle_normalization(record, ddof=1))
    assert judge_histories(HISTORIES, fits=fits, extra=wrong) == {}


def test_unknown_preparation_is_not_judged(judge_histories, observed, record):
    """Windows that cannot be found again in the record are no finding."""
    fits = observed(scale=(np.full(14, 3.0), np.full(14, 7.0)), train=range(len(record) - 438))
    assert judge_histories(HISTORIES, fits=fits) == {}


def test_unanswered(judge):
    found = judge("training", "", fits=[])
    assert {"trains_a_new_model", "histories_are_complete", "histories_are_what_fit_returned"} <= set(found)
