"""Keras models for `rnn_layers` that an honest student could hand in, for calibration and for tests of tests.

Every model takes sequences of any length, `(None, None, n_features)`, and gives logits `(None, n_outputs)`; all are
serialisable. `build_model` makes one by its kind, compiled where the kind asks for it.

The forecasters of `jena_forecasters` are the same building blocks with a horizon: MLP, 1D CNN, stacked, residual.
"""

from collections.abc import Callable

import keras
from keras import layers

from autograder.errors import DataError

KINDS = (
    "simple_rnn", "lstm", "gru", "stacked", "bidirectional", "recurrent_dropout", "layer_norm", "irnn", "clipped",
)  # fmt: skip
RECURRENT_DROPOUT = 0.2
CLIPNORM = 1.0

Tensor = keras.KerasTensor


def build_model(kind: str, n_features: int = 4, units: int = 16, n_outputs: int = 4) -> keras.Model:
    """A model of one of `KINDS`: `(None, None, n_features)` to logits `(None, n_outputs)`.

    Raises `DataError` for another kind.
    """
    if kind not in KINDS:
        raise DataError(f"The kinds are {', '.join(KINDS)}; received: {kind!r}")
    inputs = keras.Input((None, n_features))
    encoded = _ENCODERS[kind](units)(inputs)
    model = keras.Model(inputs, layers.Dense(n_outputs, name="logits")(encoded), name=kind)
    if kind == "clipped":
        compile_classifier(model, clipnorm=CLIPNORM)
    return model


def compile_classifier(model: keras.Model, *, learning_rate: float = 2e-3, clipnorm: float | None = None) -> None:
    """Adam (Kingma and Ba 2015) on the cross entropy of logits with integer labels; metric `accuracy`."""
    model.compile(
        keras.optimizers.Adam(learning_rate, clipnorm=clipnorm),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )


def simple_rnn(units: int) -> Callable[[Tensor], Tensor]:
    """The last state of an Elman network (Elman 1990): its gradients vanish over long sequences."""
    return layers.SimpleRNN(units)


def lstm(units: int) -> Callable[[Tensor], Tensor]:
    """The last state of an LSTM (Hochreiter and Schmidhuber 1997); forget biases start at 1."""
    return layers.LSTM(units)


def gru(units: int) -> Callable[[Tensor], Tensor]:
    """The last state of a GRU (Cho et al. 2014)."""
    return layers.GRU(units)


def stacked(units: int) -> Callable[[Tensor], Tensor]:
    """Two GRUs on top of each other (Graves, Mohamed, Hinton 2013); the first gives all its states."""
    lower, upper = layers.GRU(units, return_sequences=True), layers.GRU(units)
    return lambda inputs: upper(lower(inputs))


def bidirectional(units: int) -> Callable[[Tensor], Tensor]:
    """An LSTM in each direction (Schuster and Paliwal 1997): the last states of both, `(None, 2 units)`."""
    return layers.Bidirectional(layers.LSTM(units))


def recurrent_dropout(units: int) -> Callable[[Tensor], Tensor]:
    """A GRU whose state loses the same values at every step of a training sequence (Gal and Ghahramani 2016)."""
    return layers.GRU(units, recurrent_dropout=RECURRENT_DROPOUT, seed=0)


def layer_norm(units: int) -> Callable[[Tensor], Tensor]:
    """A GRU, its last state normalised (Ba, Kiros, Hinton 2016)."""
    recurrent, normalised = layers.GRU(units), layers.LayerNormalization()
    return lambda inputs: normalised(recurrent(inputs))


def irnn(units: int) -> Callable[[Tensor], Tensor]:
    """A rectified RNN that starts by keeping its state: identity recurrence, zero biases (Le, Jaitly, Hinton 2015).

    Of all kinds it learns the memory task most reliably, and it needs the smallest steps.
    """
    small = keras.initializers.RandomNormal(stddev=0.001, seed=0)
    identity = keras.initializers.Identity()
    return layers.SimpleRNN(
        units, activation="relu", kernel_initializer=small, recurrent_initializer=identity, bias_initializer="zeros"
    )


_ENCODERS: dict[str, Callable[[int], Callable[[Tensor], Tensor]]] = {
    "simple_rnn": simple_rnn,
    "lstm": lstm,
    "gru": gru,
    "stacked": stacked,
    "bidirectional": bidirectional,
    "recurrent_dropout": recurrent_dropout,
    "layer_norm": layer_norm,
    "irnn": irnn,
    "clipped": lstm,
}
