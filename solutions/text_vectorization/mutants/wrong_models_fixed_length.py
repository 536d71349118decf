"""This student flattens the features of a sequence, so that the model takes sequences of SEQUENCE_LENGTH alone."""

EXPECTED = {"models": "partial"}
RIGHT = False

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential(
        [keras.Input((n_tokens,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")]
    )


def build_sequence_model(n_tokens):
    return keras.Sequential(
        [
            keras.Input((SEQUENCE_LENGTH,), dtype="int32"),
            keras.layers.Embedding(n_tokens, 32),
            keras.layers.Conv1D(32, 5, padding="same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
