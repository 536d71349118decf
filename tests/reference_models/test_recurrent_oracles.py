"""The recurrent oracles against Keras on random weights and inputs, and against answers by hand. TensorFlow; 6 seconds.

Tolerance against Keras: 1e-5 absolute, which is float32 over 12 steps of values below 1 (measured: 7e-7 at most).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from autograder.errors import DataError
from reference_models import recurrent_oracles as oracles

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently
AGREES = {"rtol": 0, "atol": 1e-5}
SHAPES = [(3, 12, 4, 5), (1, 1, 1, 1), (2, 7, 6, 3)]  # batch, time, features, units


@pytest.fixture(scope="module")
def layers():
    import keras

    yield keras.layers
    keras.backend.clear_session()


def _run(layer, shape, seed=0):
    """A layer with random weights, biases too, on random input: input, weights, output."""
    batch, time, features, _ = shape
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(batch, time, features)).astype(np.float32)
    layer.build(x.shape)
    layer.set_weights([rng.normal(0, 0.6, size=weight.shape) for weight in layer.get_weights()])
    return x, layer.get_weights(), np.asarray(layer(x))


@pytest.mark.parametrize("shape", SHAPES)
def test_simple_rnn_of_keras(layers, shape):
    x, weights, states = _run(layers.SimpleRNN(shape[3], return_sequences=True), shape)
    np.testing.assert_allclose(oracles.rnn_forward(x, *weights), states, **AGREES)


@pytest.mark.parametrize("shape", SHAPES)
def test_lstm_of_keras(layers, shape):
    x, weights, states = _run(layers.LSTM(shape[3], return_sequences=True), shape)
    np.testing.assert_allclose(oracles.lstm_forward(x, *weights), states, **AGREES)


def test_lstm_cell_state_of_keras(layers):
    x, weights, _ = _run(layer := layers.LSTM(5, return_state=True), (3, 1, 4, 5))
    zeros = np.zeros((3, 5))
    for received, expected in zip(oracles.lstm_step(x[:, 0], zeros, zeros, *weights), layer(x)[1:], strict=True):
        np.testing.assert_allclose(received, expected, **AGREES)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_gru_of_keras(layers, shape, reset_after):
    x, weights, states = _run(layers.GRU(shape[3], return_sequences=True, reset_after=reset_after), shape)
    assert weights[2].ndim == (2 if reset_after else 1)
    np.testing.assert_allclose(oracles.gru_forward(x, *weights), states, **AGREES)


def test_the_two_grus_differ():
    """A test of a GRU that could not tell them apart would test little."""
    rng = np.random.default_rng(1)
    x, h, w, u, b = (rng.normal(size=shape) for shape in ((2, 3), (2, 4), (3, 12), (4, 12), (12,)))
    after = oracles.gru_step(x, h, w, u, np.stack([b, np.zeros(12)]))
    assert np.abs(after - oracles.gru_step_reset_before(x, h, w, u, b)).max() > 0.05


def test_bidirectional_of_keras(layers):
    x, weights, states = _run(layers.Bidirectional(layers.LSTM(5, return_sequences=True)), (3, 12, 4, 5))
    received = oracles.bidirectional(
        x, lambda part: oracles.lstm_forward(part, *weights[:3]), lambda part: oracles.lstm_forward(part, *weights[3:])
    )
    np.testing.assert_allclose(received, states, **AGREES)


def test_layer_norm_of_keras(layers):
    x, (gamma, beta), normalised = _run(layers.LayerNormalization(), (3, 12, 6, 0))
    np.testing.assert_allclose(oracles.layer_norm(x, gamma, beta), normalised, **AGREES)
    plain = oracles.layer_norm(x)
    np.testing.assert_allclose(plain.mean(axis=-1), 0, atol=1e-12)
    assert np.abs(plain.std(axis=-1) - 1).max() < 0.02


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_parameters_of_keras(layers, kind):
    layer = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}[kind](7)
    layer.build((None, None, 3))
    assert oracles.count_parameters(kind, 3, 7) == layer.count_params()


def test_parameters_of_an_unknown_kind():
    with pytest.raises(DataError, match="rnn, lstm, gru; received: 'mlp'"):
        oracles.count_parameters("mlp", 1, 1)


def test_gradients_of_keras(layers):
    """Norms of d h_T / d h_t against automatic differentiation, from a perturbation of each state."""
    import tensorflow as tf

    x, (w_x, w_h, b), states = _run(layers.SimpleRNN(4, return_sequences=True), (1, 6, 3, 4))
    expected = []
    for t in range(6):
        h = tf.Variable(states[:, t])
        with tf.GradientTape() as tape:
            last = h + 0.0
            for x_t in x[0, t + 1 :]:
                last = tf.tanh(x_t[None] @ w_x + last @ w_h + b)
        jacobian = tape.jacobian(last, h)
        expected.append(np.linalg.norm(tf.reshape(jacobian, (4, 4)).numpy(), 2))
    received = oracles.bptt_gradient_norms(states[0], w_h)
    np.testing.assert_allclose(received, expected, rtol=1e-4)
    assert received[-1] == 1.0


def test_gradients_vanish_and_explode():
    """With states near zero, the norm after k steps is that of W_h to the k."""
    states = np.zeros((5, 3))
    for scale in (0.5, 2.0):
        np.testing.assert_allclose(
            oracles.bptt_gradient_norms(states, scale * np.eye(3)), scale ** np.arange(4, -1, -1.0)
        )
    assert oracles.bptt_gradient_norms(np.zeros((1, 3)), np.eye(3)).tolist() == [1.0]


def test_step_by_hand():
    """One unit: tanh(2 * 0.5 + 0.25 * 2 - 1) = tanh(0.5)."""
    assert oracles.rnn_step([[2.0]], [[0.25]], [[0.5]], [[2.0]], [-1.0]) == pytest.approx(np.tanh(0.5))


def test_sequence_tasks_are_one_network():
    rng = np.random.default_rng(4)
    shapes = {"W_x": (3, 5), "W_h": (5, 5), "b": (5,), "W_y": (5, 3), "b_y": (3,)}
    p = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x = rng.normal(size=(2, 6, 3))
    many = oracles.many_to_many(x, p)
    assert many.shape == (2, 6, 3)
    np.testing.assert_array_equal(oracles.many_to_one(x, p), many[:, -1])
    out = oracles.one_to_many(x[:, 0], 4, p)
    assert out.shape == (2, 4, 3)
    np.testing.assert_allclose(out[:, 0], many[:, 0])
    fed_back = np.concatenate([x[:, :1], out[:, :-1]], axis=1)
    np.testing.assert_allclose(oracles.many_to_many(fed_back, p), out)


def test_initial_state_is_the_state_before_the_first_step():
    rng = np.random.default_rng(5)
    x, w_x, w_h, b = (rng.normal(size=shape) for shape in ((2, 6, 3), (3, 4), (4, 4), (4,)))
    whole = oracles.rnn_forward(x, w_x, w_h, b)
    np.testing.assert_allclose(oracles.rnn_forward(x[:, 3:], w_x, w_h, b, h0=whole[:, 2]), whole[:, 3:])


def test_dropout_keeps_the_expectation_and_rests_at_inference():
    x = np.ones((400, 500))
    dropped = oracles.dropout(x, 0.3, np.random.default_rng(0), training=True)
    assert set(np.unique(dropped)) == {0.0, 1 / 0.7}
    assert dropped.mean() == pytest.approx(1.0, abs=0.01)
    np.testing.assert_array_equal(oracles.dropout(x, 0.3, np.random.default_rng(0), training=False), x)
    with pytest.raises(DataError, match="received: 1"):
        oracles.dropout_mask((2,), 1.0, np.random.default_rng(0))


def test_dropout_of_keras_has_the_same_semantics(layers):
    dropped = np.asarray(layers.Dropout(0.25, seed=1)(np.ones((100, 100), np.float32), training=True))
    np.testing.assert_allclose(np.unique(dropped), [0.0, 1 / 0.75], rtol=1e-6)


finite = st.floats(-1e3, 1e3)
gradient_lists = st.lists(
    arrays(np.float64, array_shapes(max_dims=2, max_side=4), elements=finite), min_size=1, max_size=4
)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(gradients=gradient_lists, max_norm=st.floats(0.01, 100))
def test_clipping_never_raises_a_norm_and_keeps_the_direction(gradients, max_norm):
    clipped, norm = oracles.clip_by_global_norm(gradients, max_norm)
    flat, before = (np.concatenate([np.ravel(array) for array in arrays]) for arrays in (clipped, gradients))
    assert norm == pytest.approx(np.linalg.norm(before))
    assert np.linalg.norm(flat) <= min(norm, max_norm) * (1 + 1e-12)
    assert np.isfinite(flat).all()
    if norm <= max_norm:
        np.testing.assert_array_equal(flat, before)
    else:
        np.testing.assert_allclose(flat * norm, before * max_norm, rtol=1e-9, atol=1e-9)


def test_clipping_of_tensorflow():
    import tensorflow as tf

    gradients = [np.random.default_rng(i).normal(size=(3, i + 1)).astype(np.float32) for i in range(3)]
    expected, norm = tf.clip_by_global_norm(gradients, 1.5)
    received, received_norm = oracles.clip_by_global_norm(gradients, 1.5)
    assert received_norm == pytest.approx(float(norm), rel=1e-5)
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_memory_task():
    x, y = oracles.memory_task(500, 20, 3)
    assert (x.shape, x.dtype, y.shape) == ((500, 20, 4), np.float32, (500,))
    np.testing.assert_array_equal(x[:, 0].argmax(axis=1), y)
    assert set(y) == {0, 1, 2, 3}
    assert x[:, 1:].std() == pytest.approx(0.1, rel=0.02)
    assert np.array_equal(oracles.memory_task(500, 20, 3)[0], x)
    assert not np.array_equal(oracles.memory_task(500, 20, 4)[1], y)
