"""This student standardises the training texts before adapt, and the layer itself knows nothing of it."""

EXPECTED = {"keras_vectorizer": "partial"}
RIGHT = False

# %% [keras_vectorizer]
def make_vectorizer(train_texts, max_tokens, output_mode, length=None, ngrams=None):
    layer = keras.layers.TextVectorization(
        max_tokens=max_tokens, output_mode=output_mode, output_sequence_length=length, ngrams=ngrams
    )
    layer.adapt([standardize(text) for text in train_texts])
    return layer
