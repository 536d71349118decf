"""This student's models always have MAX_TOKENS words, whatever n_tokens says."""

EXPECTED = {"models": "partial", "classify": "failed"}
RIGHT = False

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential(
        [keras.Input((MAX_TOKENS,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")]
    )


def build_sequence_model(n_tokens):
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(MAX_TOKENS, 32)(inputs)
    x = keras.layers.Conv1D(64, 5, padding="same", activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(keras.layers.GlobalMaxPooling1D()(x)))
