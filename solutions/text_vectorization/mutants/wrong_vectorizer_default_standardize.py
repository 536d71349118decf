"""This student leaves the standardisation to the layer, whose own way keeps HTML tags and capital letters with accents."""

EXPECTED = {"keras_vectorizer": "partial"}
RIGHT = False

# %% [keras_vectorizer]
def make_vectorizer(train_texts, max_tokens, output_mode, length=None, ngrams=None):
    layer = keras.layers.TextVectorization(
        max_tokens=max_tokens, output_mode=output_mode, output_sequence_length=length, ngrams=ngrams
    )
    layer.adapt(train_texts)
    return layer
