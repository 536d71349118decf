"""The recurrent reference models keep the contract of `keras_models`. TensorFlow; 6 seconds."""

import numpy as np
import pytest

from autograder.errors import DataError

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently
KINDS = (
    "simple_rnn", "lstm", "gru", "stacked", "bidirectional", "recurrent_dropout", "layer_norm", "irnn", "clipped",
)  # fmt: skip


@pytest.fixture(scope="module")
def models():
    import keras

    from reference_models import recurrent_models

    keras.utils.set_random_seed(3)
    yield recurrent_models
    keras.backend.clear_session()


def sequences(n=3, length=9, features=4):
    return np.random.default_rng(0).normal(size=(n, length, features)).astype(np.float32)


def test_every_kind_of_the_contract(models):
    assert models.KINDS == KINDS
    with pytest.raises(DataError, match="received: 'transformer'"):
        models.build_model("transformer")


@pytest.mark.parametrize("kind", KINDS)
def test_model_keeps_the_contract(models, kind):
    """Any length, logits, arguments, and a copy from JSON and weights gives the same."""
    import keras

    model = models.build_model(kind)
    assert model.input_shape == (None, None, 4)
    assert model.output_shape == (None, 4)
    assert model(sequences(length=3)).shape == (3, 4)
    other = models.build_model(kind, n_features=2, units=5, n_outputs=7)
    assert other(sequences(features=2)).shape == (3, 7)
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(sequences()), model(sequences()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_only_dropout_is_stochastic_and_only_in_training(models, kind):
    model, x = models.build_model(kind), sequences()
    first, second = (np.asarray(model(x, training=True)) for _ in range(2))
    assert np.allclose(first, second) == (kind != "recurrent_dropout")
    np.testing.assert_array_equal(model(x, training=False), model(x, training=False))


def test_what_each_kind_is_named_after(models):
    import keras

    def layers(kind):
        return models.build_model(kind).layers

    assert sum(isinstance(layer, keras.layers.GRU) for layer in layers("stacked")) == 2
    assert any(isinstance(layer, keras.layers.LayerNormalization) for layer in layers("layer_norm"))
    assert models.build_model("clipped").optimizer.clipnorm == 1.0
    (irnn,) = [layer for layer in layers("irnn") if isinstance(layer, keras.layers.SimpleRNN)]
    _, recurrent, bias = irnn.get_weights()
    np.testing.assert_array_equal(recurrent, np.eye(16))
    assert not bias.any()
    assert irnn.activation is keras.activations.relu


def test_bidirectional_sees_the_first_step_from_both_ends(models):
    """Without the backward layer, the last state of a forward one knows the first step through all others only."""
    import keras

    (both,) = [
        layer for layer in models.build_model("bidirectional").layers if isinstance(layer, keras.layers.Bidirectional)
    ]
    x = sequences(1, 40)
    changed = x.copy()
    changed[:, 0] += 3.0
    forward, backward = np.split(np.abs(np.asarray(both(x)) - np.asarray(both(changed)))[0], 2)
    assert backward.max() > 100 * forward.max()


def test_a_gated_model_learns_the_memory_task(models):
    """A GRU recalls the first symbol of twelve steps after a few seconds of training; chance is 0.25."""
    from reference_models.recurrent_oracles import memory_task

    model = models.build_model("gru")
    models.compile_classifier(model, learning_rate=0.01)
    x, y = memory_task(1000, 12, 1)
    model.fit(x, y, epochs=8, batch_size=32, verbose=0)
    unseen_x, unseen_y = memory_task(300, 12, 2)
    assert model.evaluate(unseen_x, unseen_y, verbose=0)[1] > 0.9
