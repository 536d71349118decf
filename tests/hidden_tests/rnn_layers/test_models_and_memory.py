"""keras_models, memory_task, concepts and gpu_training: without training; the models are never fitted. TensorFlow; 20 seconds."""

import numpy as np
import pytest

from autograder.records import DeviceInfo
from reference_models.recurrent_oracles import CONCEPT_ANSWERS

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

KERAS = "import keras\n"
MODELS = """
def build_model(kind, n_features=4, units=16, n_outputs=4):
    L = keras.layers
    inputs = keras.Input((None, n_features))
    if kind == "simple_rnn":
        h = L.SimpleRNN(units)(inputs)
    elif kind in ("lstm", "clipped"):
        h = L.LSTM(units)(inputs)
    elif kind == "gru":
        h = L.GRU(units)(inputs)
    elif kind == "stacked":
        h = L.GRU(units)(L.GRU(units, return_sequences=True)(inputs))
    elif kind == "bidirectional":
        h = L.add([L.GRU(units)(inputs), L.GRU(units)(keras.ops.flip(inputs, axis=1))])
    elif kind == "recurrent_dropout":
        h = L.GRU(units, recurrent_dropout=0.2)(inputs)
    elif kind == "layer_norm":
        h = L.LayerNormalization()(L.GRU(units)(inputs))
    elif kind == "irnn":
        h = L.SimpleRNN(units, activation="relu", recurrent_initializer="identity")(inputs)
    else:
        raise ValueError(kind)
    model = keras.Model(inputs, L.Dense(n_outputs)(h))
    if kind == "clipped":
        model.compile(keras.optimizers.Adam(clipnorm=1.0), "mse")
    return model
"""
# Several mistakes at once where they concern different checks: to describe nine models takes two seconds.
MODEL_MISTAKES = {
    "one length": ([("keras.Input((None, n_features))", "keras.Input((10, n_features))")], None),
    "one for each kind": (
        [
            ("h = L.SimpleRNN(units)(inputs)", "h = L.LSTM(units)(inputs)"),
            ("L.GRU(units)(L.GRU(units, return_sequences=True)(inputs))", "L.GRU(units)(inputs)"),
            ("keras.ops.flip(inputs, axis=1)", "inputs"),
            ("recurrent_dropout=0.2", "dropout=0.2"),
            ("L.LayerNormalization()(L.GRU(units)(inputs))", "L.GRU(units)(L.LayerNormalization()(inputs))"),
            ('activation="relu", ', ""),
            ("clipnorm=1.0", "1e-3"),
            ("raise ValueError", "raise KeyError"),
        ],
        {
            "simple_rnn",
            "stacked",
            "bidirectional",
            "recurrent_dropout",
            "layer_norm",
            "irnn",
            "clipped",
            "unknown_kind",
        },
    ),
    "another for some": (
        [
            ("h = L.LSTM(units)", "h = L.GRU(units)"),
            ("L.LayerNormalization()(L.GRU(units)(inputs))", "L.GRU(units)(inputs)"),
            (', recurrent_initializer="identity"', ""),
            ("        raise ValueError(kind)", "        h = L.GRU(units)(inputs)"),
            ("L.Dense(n_outputs)", "L.Dense(n_outputs, activation='softmax')"),
        ],
        {"lstm", "layer_norm", "irnn", "unknown_kind", "logits"},
    ),
    "units not used, irnn with biases, training for ever": (
        [
            ("L.GRU(units)(L.GRU(units,", "L.GRU(16)(L.GRU(16,"),
            ('"identity"', '"identity", bias_initializer="ones"'),
            ("recurrent_dropout=0.2)(inputs)", "recurrent_dropout=0.2)(inputs, training=True)"),
        ],
        {"arguments", "irnn", "recurrent_dropout"},
    ),
    "sequences": ([("h = L.LSTM(units)", "h = L.LSTM(units, return_sequences=True)")], {"shapes", "arguments"}),
    "no model": ([("    return model", "    return None")], None),
}


@pytest.fixture(scope="module", autouse=True)
def _same_weights():
    import keras

    keras.utils.set_random_seed(3)
    yield
    keras.backend.clear_session()


def test_models_right(judge):
    """Also with a bidirectional model made by hand; the reference's has the layer of that name."""
    assert judge("keras_models", KERAS, MODELS) == {}


def test_reference_models_pass(judge):
    """But for the exception of an unknown kind, which is the project's own."""
    found = judge("keras_models", "from reference_models.recurrent_models import build_model")
    assert set(found) == {"unknown_kind"}


@pytest.mark.parametrize("mistake", MODEL_MISTAKES)
def test_models_wrong(judge, mistake):
    changes, lost = MODEL_MISTAKES[mistake]
    source = MODELS
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    found = judge("keras_models", KERAS, source)
    assert found
    assert lost is None or set(found) == lost, dict(found)


READS_ALL = """
def recall(x):
    h = np.zeros_like(x[:, 0])
    for x_t in np.swapaxes(x, 0, 1):
        h = np.tanh(1.5 * h + 0.8 * x_t * (np.abs(h).max(axis=1, keepdims=True) < 0.1) + 0.05 * x_t)
    return 10.0 * h
memory_results = {"simple_rnn": 0.5, "lstm": 1.0}
"""
RESULT = "10.0 * h"
HALF = "(h @ np.kron(np.eye(2), np.ones((2, 2)))) + 1e-3 * np.tanh(h)[:, ::-1]"
READING = {"reads_the_whole_sequence"}
ACCURATE = {"better_than_chance", "recalls_the_first_symbol", "results_agree"}
MEMORY_MISTAKES = {
    "first step alone": (RESULT, "10.0 * x[:, 0]", READING),
    "first step and a little of all": (RESULT, "10.0 * x[:, 0] + 1e-3 * x[:, 1:].mean(axis=1)", READING),
    "first steps": ("np.swapaxes(x, 0, 1)", "np.swapaxes(x, 0, 1)[:3]", READING),
    "guesses": (RESULT, "np.tanh(x[:, -1] + x[:, 1])", ACCURATE),
    "half a memory": (RESULT, HALF, {"recalls_the_first_symbol"}),
    "one number": (RESULT, "h.argmax(axis=1)", {"logits"} | READING | ACCURATE),
    "not finite": (RESULT, "np.nan * h", {"logits"} | READING | ACCURATE),
    "per cent": ("1.0}", "100.0}", {"results_are_complete", "results_agree"}),
    "no gated kind": ('"lstm"', '"irnn"', {"results_are_complete"}),
    "no simple kind": ('"simple_rnn"', '"gru"', {"results_are_complete"}),
    "another accuracy": ("1.0}", "0.9}", {"results_agree"}),
    "no dictionary": ('{"simple_rnn": 0.5, "lstm": 1.0}', "[0.5, 1.0]", {"results_are_complete", "results_agree"}),
}


def test_memory_right(judge):
    assert judge("memory_task", READS_ALL) == {}


def test_memory_results_may_hold_more(judge):
    """What stands beside the accuracies is the student's own affair."""
    more = '"lstm": 1.0, "epochs": 20, "loss": [2.0, 1.0], "irnn": None, "gru_loss": 3.5}'
    assert judge("memory_task", READS_ALL.replace('"lstm": 1.0}', more)) == {}


@pytest.mark.parametrize("mistake", MEMORY_MISTAKES)
def test_memory_wrong(judge, mistake):
    old, new, lost = MEMORY_MISTAKES[mistake]
    assert old in READS_ALL
    assert set(judge("memory_task", READS_ALL.replace(old, new))) == lost


@pytest.mark.parametrize(
    "value", ["None", "3", "'text'", "{}", "{'simple_rnn': None, 'lstm': 'a'}", "{1: 2.0}", "np.zeros(3)", "object()"]
)
def test_memory_odd_values(judge, value):
    found = judge("memory_task", f"def recall(x):\n    return {value}\nmemory_results = {value}\n")
    assert {"logits", "results_are_complete", "results_agree"} <= set(found)


@pytest.mark.parametrize("value", ["None", "{}", "keras.layers.Dense(3)", "1 / 0"])
def test_models_odd_values(judge, value):
    found = judge("keras_models", KERAS, f"def build_model(*arguments, **options):\n    return {value}\n")
    assert {"shapes", "logits", "lstm", "irnn"} <= set(found)


def test_concepts_right(judge):
    assert judge("concepts", names={"answers": dict(CONCEPT_ANSWERS)}) == {}
    spelt = {key: f" {answer.lower().replace('_', '-')} " for key, answer in CONCEPT_ANSWERS.items()}
    assert judge("concepts", names={"answers": spelt}) == {}


@pytest.mark.parametrize("key", CONCEPT_ANSWERS)
def test_concepts_wrong(judge, key):
    """Every other choice, and everything that is no choice, costs this key alone; the right one is not told."""
    right = CONCEPT_ANSWERS[key]
    choices = "ABCD" if len(right) == 1 else sorted(set(CONCEPT_ANSWERS.values()) - {"A", "B", "C"})
    for answer in [*(choice for choice in choices if choice != right), "", "ABCD", None, 2, []]:
        found = judge("concepts", names={"answers": {**CONCEPT_ANSWERS, key: answer}})
        assert set(found) == {key}
        assert repr(right) not in found[key] + found.hints[key]
    assert set(judge("concepts", names={"answers": {k: v for k, v in CONCEPT_ANSWERS.items() if k != key}})) == {key}


def test_concepts_unanswered(judge):
    assert len(judge("concepts")) == len(judge("concepts", "answers = None")) == len(CONCEPT_ANSWERS)


SEES_GPU = """
import tensorflow as tf
tf.config.list_physical_devices = lambda kind=None: [tf.config.PhysicalDevice("/physical_device:GPU:0", "GPU")]
"""
GPU = (DeviceInfo(name="GPU 0", mean_utilization=40.0),)


def fits(device):
    return [{"finished": True, "devices": [device]}]


def test_gpu(judge, monkeypatch):
    """Without a GPU not assessed; with one, the weights must lie on it."""
    import tensorflow as tf

    assert judge("gpu_training", fits=fits("/device:CPU:0")).not_assessed == {"weights_on_gpu", "gpu_worked"}
    monkeypatch.setattr(tf.config, "list_physical_devices", tf.config.list_physical_devices)  # put back
    on_gpu, on_cpu = "/job:localhost/replica:0/task:0/device:GPU:0", "/job:localhost/replica:0/task:0/device:CPU:0"
    assert judge("gpu_training", SEES_GPU, fits=fits(on_gpu), devices=GPU) == {}
    assert set(judge("gpu_training", SEES_GPU, fits=fits(on_cpu), devices=GPU)) == {"weights_on_gpu"}


def test_sequences_of_length_one_are_not_assessed_for_reading(questions, materials):
    """Where there is nothing but a first step, no check can ask for more."""
    given = questions["memory_task"].module.given(
        np.random.default_rng(0), type(materials)("smoke", {"SEQUENCE_LENGTH": 1})
    )
    assert given.length == 1
    assert given.x.shape == (2000, 1, 4)
