"""This student's recurrent model is a convolution: no LSTM or GRU is in it."""

EXPECTED = {"models": "partial"}
RIGHT = False

# %% [models]
def build_mlp():
    """An MLP or a 1D CNN: (None, 432, 14) -> (None, 6, 2), normalised units."""
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    now = inputs[:, -1:, :]
    recent = keras.layers.Rescaling(5.0)(inputs[:, -36:, :] - now)  # six hours, seen from now
    hidden = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(recent))
    change = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(hidden)
    change = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(change))
    targets_now = keras.ops.take(now, [FEATURES.index(target) for target in TARGETS], axis=-1)
    return keras.Model(inputs, keras.layers.Add()([targets_now, change]), name="mlp")


def build_recurrent():
    """A model with an LSTM or a GRU layer: (None, 432, 14) -> (None, 6, 2), normalised units."""
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    hours = keras.layers.AveragePooling1D(6)(inputs)  # 72 means of an hour
    hidden = keras.layers.Conv1D(32, 6, strides=3, activation="relu")(hours)
    hidden = keras.layers.Flatten()(hidden)
    outputs = keras.layers.Dense(HORIZON * len(TARGETS))(hidden)
    return keras.Model(inputs, keras.layers.Reshape((HORIZON, len(TARGETS)))(outputs), name="recurrent")
