"""This student's sequence model is a mean of embeddings, which knows nothing of order."""

EXPECTED = {"models": "partial", "classify": "partial"}
RIGHT = False
DEMO = True

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential(
        [keras.Input((n_tokens,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")]
    )


def build_sequence_model(n_tokens):
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(n_tokens, 32, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
