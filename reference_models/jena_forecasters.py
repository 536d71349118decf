"""Keras models for `jena_multistep` that an honest student could hand in, for calibration and for tests of tests.

Every builder takes no argument that it needs and returns a new, serialisable `keras.Model` from normalised windows
`(None, 432, 14)` to normalised forecasts `(None, 6, 2)`, temperature then pressure, with fewer than 2 million
parameters. `BUILDERS` has them by name. Only built-in layers and `keras.ops` are used, so that `model_from_json`
restores them in safe mode.

Two kinds of output: *direct* models forecast the values, *residual* ones the change from the last value, with an
output layer that starts at zero, so that training starts from persistence (Zhang, Dauphin, Ma 2019: zero-initialised
residual branches).
"""

from collections.abc import Callable, Sequence

import keras
from keras import layers

INPUT_LENGTH = 432
HORIZON = 6
COLUMNS = 14
TARGET_COLUMNS = (1, 0)  # T (degC) and p (mbar) among the 14 columns
RECENT_STEPS = 72
STEPS_PER_MEAN = 3
# Normalised changes within twelve hours are small; these bring the network's inputs and outputs near 1.
INPUT_SCALE = 5.0
OUTPUT_SCALE = 0.1

Tensor = keras.KerasTensor
Encoder = Callable[[Tensor], Tensor]


def direct_model(name: str, encode: Encoder, *, steps_per_mean: int = 6) -> keras.Model:
    """Values, from means of `steps_per_mean` steps over all three days.

    `encode` maps `(None, 432 // steps_per_mean, 14)` to `(None, units)`.
    """
    inputs = keras.Input((INPUT_LENGTH, COLUMNS))
    encoded = encode(layers.AveragePooling1D(steps_per_mean)(inputs))
    outputs = layers.Dense(HORIZON * len(TARGET_COLUMNS))(encoded)
    return keras.Model(inputs, layers.Reshape((HORIZON, len(TARGET_COLUMNS)))(outputs), name=name)


def residual_model(
    name: str, encode: Encoder, *, recent_steps: int = RECENT_STEPS, steps_per_mean: int = STEPS_PER_MEAN
) -> keras.Model:
    """The last value plus a change, from the last `recent_steps` steps as seen from the very last one.

    `encode` maps `(None, recent_steps // steps_per_mean, 14)` to `(None, units)`. Untrained, it forecasts persistence
    exactly.
    """
    inputs = keras.Input((INPUT_LENGTH, COLUMNS))
    now = inputs[:, -1:, :]
    recent = inputs[:, -recent_steps:, :] - now
    if steps_per_mean > 1:
        recent = layers.AveragePooling1D(steps_per_mean)(recent)
    encoded = encode(layers.Rescaling(INPUT_SCALE)(recent))
    change = layers.Dense(HORIZON * len(TARGET_COLUMNS), kernel_initializer="zeros")(encoded)
    change = layers.Reshape((HORIZON, len(TARGET_COLUMNS)))(layers.Rescaling(OUTPUT_SCALE)(change))
    targets_now = keras.ops.take(now, list(TARGET_COLUMNS), axis=-1)
    return keras.Model(inputs, layers.Add()([targets_now, change]), name=name)


def build_persistence() -> keras.Model:
    """The next hour keeps the last value; no weights. The reference forecast of skill scores (Murphy 1992)."""
    inputs = keras.Input((INPUT_LENGTH, COLUMNS))
    last = keras.ops.take(inputs[:, -1:, :], list(TARGET_COLUMNS), axis=-1)
    return keras.Model(inputs, keras.ops.repeat(last, HORIZON, axis=1), name="persistence")


def build_linear() -> keras.Model:
    """Residual, one linear layer on six hours in full detail: 36 steps x 14 columns to 12 numbers."""
    return residual_model("linear", layers.Flatten(), recent_steps=36, steps_per_mean=1)


def build_mlp(units: int = 64) -> keras.Model:
    """Residual, one hidden layer on six hours in full detail."""

    def encode(recent: Tensor) -> Tensor:
        return layers.Dense(units, activation="relu")(layers.Flatten()(recent))

    return residual_model("mlp", encode, recent_steps=36, steps_per_mean=1)


def build_conv1d(filters: int = 32) -> keras.Model:
    """Residual, two strided convolutions over six hours in full detail (Bai, Kolter, Koltun 2018)."""

    def encode(recent: Tensor) -> Tensor:
        convolved = layers.Conv1D(filters, 6, strides=2, activation="relu")(recent)
        return layers.Flatten()(layers.Conv1D(filters, 4, strides=2, activation="relu")(convolved))

    return residual_model("conv1d", encode, recent_steps=36, steps_per_mean=1)


def build_gru(units: int = 32) -> keras.Model:
    """Direct, one GRU (Cho et al. 2014) over 72 hourly means. Plain on purpose: it loses to persistence."""
    return direct_model("gru", layers.GRU(units))


def build_lstm(units: int = 32) -> keras.Model:
    """Direct, one LSTM (Hochreiter and Schmidhuber 1997) over 72 hourly means. Plain on purpose, like `build_gru`."""
    return direct_model("lstm", layers.LSTM(units))


def build_residual(units: int = 32) -> keras.Model:
    """Residual, one GRU over the last twelve hours: `build_gru` with the last value given to it for nothing."""
    return residual_model("residual", layers.GRU(units))


def build_stacked(units: Sequence[int] = (32, 32)) -> keras.Model:
    """Residual, GRUs on top of each other (Graves, Mohamed, Hinton 2013); all but the last return sequences."""

    def encode(recent: Tensor) -> Tensor:
        for width in units[:-1]:
            recent = layers.GRU(width, return_sequences=True)(recent)
        return layers.GRU(units[-1])(recent)

    return residual_model("stacked", encode)


def build_bidirectional(units: int = 16) -> keras.Model:
    """Residual, a GRU in each direction (Schuster and Paliwal 1997). No leak: both read the past only."""
    return residual_model("bidirectional", layers.Bidirectional(layers.GRU(units)))


def build_recurrent_dropout(units: int = 32, rate: float = 0.1) -> keras.Model:
    """Residual, an LSTM with one dropout mask for all steps of its state (Gal and Ghahramani 2016)."""
    return residual_model("recurrent_dropout", layers.LSTM(units, recurrent_dropout=rate))


def build_layer_norm(units: int = 32) -> keras.Model:
    """Residual, two GRUs with layer normalisation between them (Ba, Kiros, Hinton 2016)."""

    def encode(recent: Tensor) -> Tensor:
        sequence = layers.GRU(units, return_sequences=True)(recent)
        return layers.GRU(units)(layers.LayerNormalization()(sequence))

    return residual_model("layer_norm", encode)


def build_clipped(units: int = 32, clipnorm: float = 1.0) -> keras.Model:
    """`build_residual`, compiled with clipping of the gradients' norm (Pascanu, Mikolov, Bengio 2013)."""
    model = residual_model("clipped", layers.GRU(units))
    model.compile(keras.optimizers.Adam(3e-3, clipnorm=clipnorm), loss="mae", metrics=["mae"], jit_compile=False)
    return model


BUILDERS: dict[str, Callable[[], keras.Model]] = {
    "persistence": build_persistence,
    "linear": build_linear,
    "mlp": build_mlp,
    "conv1d": build_conv1d,
    "gru": build_gru,
    "lstm": build_lstm,
    "residual": build_residual,
    "stacked": build_stacked,
    "bidirectional": build_bidirectional,
    "recurrent_dropout": build_recurrent_dropout,
    "layer_norm": build_layer_norm,
    "clipped": build_clipped,
}
"""All builders by name; those from `gru` on have a recurrent layer."""
