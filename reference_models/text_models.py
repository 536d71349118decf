"""Keras vectoriser and models for `text_vectorization` that an honest student could hand in.

Bag-of-words models take vectors `(None, n_tokens)`, sequence models indices `(None, time)` of any length, 0 for
padding; all give a probability `(None, 1)` and are serialisable. In sequence models padding does not decide: embeddings
of padding are set to zero and have no part in the maximum, or the recurrent layer skips them.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from reference_models.text_oracles import PUNCTUATION

_SPACES = r"[\s\v\x{1c}-\x{1f}\x{85}\pZ]+"  # what Python's str.split takes for white space
_LOWEST = -1e9

Tensor = keras.KerasTensor


@keras.saving.register_keras_serializable(package="reference")
def standardize_tensor(texts: tf.Tensor) -> tf.Tensor:
    """`text_oracles.standardize` for a tensor of strings, of any shape."""
    punctuation = "".join(f"\\{character}" for character in PUNCTUATION)
    bare = tf.strings.lower(tf.strings.regex_replace(texts, "<[^>]*>", " "), encoding="utf-8")
    bare = tf.strings.regex_replace(bare, f"[{punctuation}]", "")
    return tf.strings.strip(tf.strings.regex_replace(bare, _SPACES, " "))


def make_vectorizer(
    train_texts: list[str],
    max_tokens: int | None,
    output_mode: str,
    length: int | None = None,
    ngrams: int | None = None,
) -> layers.TextVectorization:
    """A `TextVectorization` adapted to `train_texts` alone.

    Raw texts `(n,)` to indices `(n, length)` (`"int"`), or to vectors `(n, vocabulary)` (`"multi_hot"`, `"count"`,
    `"tf_idf"`).
    """
    vectorizer = layers.TextVectorization(
        max_tokens=max_tokens,
        standardize=standardize_tensor,
        output_mode=output_mode,
        output_sequence_length=length if output_mode == "int" else None,
        ngrams=ngrams,
    )
    vectorizer.adapt(tf.constant(train_texts))
    return vectorizer


def build_bow_model(n_tokens: int, units: int = 16) -> keras.Model:
    """A hidden layer over a bag of words, dropout (Srivastava et al. 2014): `(None, n_tokens)` to `(None, 1)`."""
    inputs = keras.Input((n_tokens,))
    hidden = layers.Dropout(0.5, seed=0)(layers.Dense(units, activation="relu")(inputs))
    return _classifier(inputs, hidden, "bag_of_words")


def build_sequence_model(n_tokens: int, width: int = 32, filters: int = 64, kernel: int = 5) -> keras.Model:
    """A 1D CNN with a maximum over time (Kim 2014): indices `(None, time)` to `(None, 1)`.

    Padding is zero in the embedding, as beyond the ends of the text, and its places are out of the maximum, so that
    appended zeros change nothing.
    """
    inputs = keras.Input((None,), dtype="int32")
    known = ops.expand_dims(ops.cast(ops.not_equal(inputs, 0), "float32"), -1)
    embedded = layers.Embedding(n_tokens, width)(inputs) * known
    features = layers.Conv1D(filters, kernel, padding="same", activation="relu")(embedded)
    strongest = layers.GlobalMaxPooling1D()(features + (1.0 - known) * _LOWEST)
    return _classifier(inputs, layers.Dropout(0.3, seed=0)(strongest), "sequence")


def build_recurrent_model(n_tokens: int, width: int = 32, units: int = 32) -> keras.Model:
    """A bidirectional GRU over masked embeddings: indices `(None, time)` to `(None, 1)`."""
    inputs = keras.Input((None,), dtype="int32")
    embedded = layers.Embedding(n_tokens, width, mask_zero=True)(inputs)
    return _classifier(inputs, layers.Bidirectional(layers.GRU(units))(embedded), "recurrent")


def compile_classifier(model: keras.Model, learning_rate: float = 2e-3) -> None:
    """Adam on the cross entropy of probabilities with labels 0 and 1; metric `accuracy`."""
    model.compile(
        keras.optimizers.Adam(learning_rate), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False
    )


def _classifier(inputs: Tensor, features: Tensor, name: str) -> keras.Model:
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(features), name=name)
