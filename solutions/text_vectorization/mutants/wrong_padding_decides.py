"""This student takes the mean over all steps of a convolution, padding among them."""

EXPECTED = {"models": "partial"}
RIGHT = False

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential(
        [keras.Input((n_tokens,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")]
    )


def build_sequence_model(n_tokens):
    inputs = keras.Input((None,), dtype="int64")
    x = keras.layers.Embedding(n_tokens, 32)(inputs)
    x = keras.layers.Conv1D(64, 5, padding="same", activation="relu")(x)
    x = keras.layers.Concatenate()([keras.layers.GlobalAveragePooling1D()(x), keras.layers.GlobalMaxPooling1D()(x)])
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
