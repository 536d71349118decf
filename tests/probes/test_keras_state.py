"""With Keras: training is observed as it happens, and probing changes neither weights, names nor random numbers.

Takes about 15 s, most of it the import of TensorFlow.
"""

import types

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

SETUP = """
import numpy as np, keras, tensorflow as tf
keras.utils.set_random_seed(7)
def data(n=10, offset=0):
    x = np.arange(offset, offset + n, dtype="float32")[:, None, None] * np.ones((1, 4, 2), "float32")
    y = np.ones((n, 3, 2), "float32") * np.arange(offset, offset + n)[:, None, None]
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
def build():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.Flatten(), keras.layers.Dropout(0.5),
                              keras.layers.Dense(6), keras.layers.Reshape((3, 2))])
    model.compile("adam", "mse", metrics=["mae"])
    return model
"""


@pytest.fixture
def keras_student(modules, student):
    """A namespace with Keras in it, whose `fit` is observed."""
    namespace = student(SETUP)
    import keras

    original = keras.Model.fit
    modules.observe._attach()
    yield namespace
    keras.Model.fit = original


def test_fit_is_seen_with_its_data_history_and_device(keras_student, modules):
    history = eval(
        "build().fit(data(10).shuffle(10), validation_data=data(3, 100), epochs=2, verbose=0)", keras_student
    )
    (fit,) = modules.observe.fits()
    assert fit["history"] == {name: pytest.approx(values) for name, values in history.history.items()}
    assert (fit["epochs"], fit["finished"]) == (2, True)
    assert fit["train"]["windows"] == 10
    np.testing.assert_array_equal(fit["train"]["first"][:, 0], np.arange(10))
    np.testing.assert_array_equal(fit["validation"]["target"][:, 0], [100, 101, 102])
    assert all("CPU" in device or "GPU" in device for device in fit["devices"])


def test_arrays_are_seen_too(keras_student, modules):
    exec("x, y = np.zeros((5, 4, 2), 'float32'), np.zeros((5, 3, 2), 'float32')", keras_student)
    eval("build().fit(x, y, validation_data=(x[:2], y[:2]), epochs=1, verbose=0)", keras_student)
    (fit,) = modules.observe.fits()
    assert (fit["train"]["windows"], fit["validation"]["windows"]) == (1, 1)  # distinct ones: all are zero


def test_being_observed_changes_nothing_about_training(keras_student, modules):
    source = "keras.utils.set_random_seed(3); m = build(); h = m.fit(data().shuffle(10, seed=1), epochs=2, verbose=0)"
    exec(source, keras_student)
    observed = keras_student["h"].history["loss"]
    import keras

    watched, keras.Model.fit = keras.Model.fit, keras.Model.fit.__wrapped__
    try:
        exec(source, keras_student)
    finally:
        keras.Model.fit = watched
    assert keras_student["h"].history["loss"] == observed


def test_a_probes_training_is_listed_apart(keras_student, modules, probe):
    exec("def train(model):\n    return model.fit(data(6), epochs=1, verbose=0)", keras_student)
    source = (
        "def probe(student, given):\n"
        "    return {'epochs': lambda: len(student.train(student.build()).epoch),\n"
        "            'own': lambda: [f['train']['windows'] for f in student.probe_fits()], 'before': len(student.fits)}"
    )
    found = probe(keras_student, source)
    assert found == {"epochs": 1, "own": [6], "before": 0}
    assert modules.observe.fits() == []


def test_weights_optimizer_names_and_random_numbers_are_as_they_were(keras_student, probe):
    exec("model = build()\nv = tf.Variable([1.0])\ng = tf.random.Generator.from_seed(3)", keras_student)
    exec(
        "def change():\n    v.assign([2.0]); g.normal([1]); model.fit(data(), epochs=1, verbose=0); return build().name",
        keras_student,
    )
    source = "def probe(student, given):\n    return {'x': lambda: student.change()}"
    import keras
    import tensorflow as tf

    def future():
        """What the notebook would do next: train, draw, build."""
        keras.utils.set_random_seed(11)
        tf.random.uniform([1])
        if probed:
            assert probe(keras_student, source)["x"].startswith("sequential")
        state = [w.copy() for w in keras_student["model"].get_weights()]
        drawn = [
            float(tf.random.uniform([1])[0]),
            float(keras.random.uniform([1])[0]),
            float(keras_student["g"].normal([1])[0]),
        ]
        model = keras_student["build"]()
        return state, drawn, [w.copy() for w in model.get_weights()], float(keras_student["v"].numpy()[0])

    keras_student["g"].reset_from_seed(3)
    probed = False
    without = future()
    keras_student["g"].reset_from_seed(3)
    probed = True
    with_probe = future()
    assert with_probe[1] == without[1]
    assert with_probe[3] == without[3] == 1.0
    for a, b in zip(with_probe[0] + with_probe[2], without[0] + without[2], strict=True):
        np.testing.assert_array_equal(a, b)


def test_layer_names_count_on_as_if_unprobed(keras_student, probe):
    import keras

    first = keras.layers.Dense(1).name
    number = int(first.rpartition("_")[2]) if "_" in first else 0
    probe(keras_student, "def probe(student, given):\n    return {'x': lambda: student.build().name}")
    assert keras.layers.Dense(1).name == f"dense_{number + 1}"


def test_watch_waits_for_keras_to_be_imported(modules):
    registered = {}
    shell = types.SimpleNamespace(events=types.SimpleNamespace(register=registered.__setitem__))
    modules.observe.watch(shell)
    assert list(registered) == ["pre_run_cell"]
