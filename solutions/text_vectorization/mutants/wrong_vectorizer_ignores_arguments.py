"""This student's vectoriser has the notebook's vocabulary size and no n-grams, whatever it is asked for."""

EXPECTED = {"keras_vectorizer": "partial"}
RIGHT = False

# %% [keras_vectorizer]
def standardize_strings(texts):
    texts = tf.strings.regex_replace(texts, "<[^>]*>", " ")
    texts = tf.strings.lower(texts, encoding="utf-8")
    for mark in PUNCTUATION:
        texts = tf.strings.regex_replace(texts, "\\" + mark, "")
    return texts


def make_vectorizer(train_texts, max_tokens, output_mode, length=None, ngrams=None):
    layer = keras.layers.TextVectorization(
        max_tokens=MAX_TOKENS,
        standardize=standardize_strings,
        output_mode=output_mode,
        output_sequence_length=length,
    )
    layer.adapt(tf.constant(train_texts))
    return layer
