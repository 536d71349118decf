"""This student calls the layer with training=True while building, so that the state loses values for ever."""

EXPECTED = {"keras_models": "partial"}
RIGHT = False

# %% [keras_models]
def build_model(kind, n_features=4, units=16, n_outputs=4):
    """A recurrent model of one of nine kinds: (None, None, n_features) -> logits (None, n_outputs)."""
    L = keras.layers
    inputs = keras.Input((None, n_features))
    if kind == "simple_rnn":
        h = L.SimpleRNN(units)(inputs)
    elif kind in ("lstm", "clipped"):
        h = L.LSTM(units)(inputs)
    elif kind == "gru":
        h = L.GRU(units)(inputs)
    elif kind == "stacked":
        h = L.LSTM(units)(L.LSTM(units, return_sequences=True)(inputs))
    elif kind == "bidirectional":
        h = L.Bidirectional(L.GRU(units))(inputs)
    elif kind == "recurrent_dropout":
        h = L.LSTM(units, recurrent_dropout=0.25)(inputs, training=True)
    elif kind == "layer_norm":
        h = L.LayerNormalization()(L.LSTM(units)(inputs))
    elif kind == "irnn":
        h = L.SimpleRNN(units, activation="relu", recurrent_initializer=keras.initializers.Identity())(inputs)
    else:
        raise ValueError(f"unknown kind {kind}")
    model = keras.Model(inputs, L.Dense(n_outputs)(h))
    if kind == "clipped":
        model.compile(keras.optimizers.Adam(clipnorm=1.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model
