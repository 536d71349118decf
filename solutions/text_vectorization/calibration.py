"""What `autograder calibrate text_vectorization` listens to, beside the solution and the right demo students."""

import numpy as np

from autograder.calibration import Answer, Bar
from autograder.data import read_reviews
from reference_models.text_baselines import fit_bag_of_words, majority_accuracy

EMBEDDED = """\
    x = keras.layers.Embedding(n_tokens, 32)(inputs) * is_word  # padding is nothing, like what lies beyond the ends
    x = keras.layers.Conv1D(64, 5, padding="same", activation="relu")(x)
    x = keras.layers.GlobalMaxPooling1D()(x * is_word)  # after a relu, zero never is the maximum
    x = keras.layers.Dropout(0.3)(x)
"""
RATE = "keras.optimizers.Adam(2e-3)"


def reads_with(*lines):
    """A student whose sequence model summarises the reviews in another way, trained as by default."""
    embedded = "x = keras.layers.Embedding(n_tokens, 32, mask_zero=True)(inputs)"
    return {EMBEDDED: "".join(f"    {line}\n" for line in (embedded, *lines)), RATE: "keras.optimizers.Adam()"}


STYLES = {
    "GRU": reads_with("x = keras.layers.GRU(32)(x)"),
    "LSTM": reads_with("x = keras.layers.LSTM(32)(x)"),
    "bidirectional LSTM": reads_with(
        "x = keras.layers.Bidirectional(keras.layers.LSTM(32))(x)", "x = keras.layers.Dropout(0.5)(x)"
    ),
    "small CNN": {
        EMBEDDED: """    x = keras.layers.Embedding(n_tokens, 16)(inputs)
    x = keras.layers.Conv1D(16, 3, padding="same", activation="relu")(x)
    x = keras.layers.Dropout(0.5)(keras.layers.GlobalMaxPooling1D()(x))
""",
        RATE: "keras.optimizers.Adam()",
    },
}
CHECKS = {"bag_of_words": "test_bag_of_words_reaches_the_bar", "sequence": "test_sequence_reaches_the_bar"}
BARS = {"classify": {check: Bar(name, least=0.55, most=0.9) for name, check in CHECKS.items()}}


def answers(tests, materials, seed):
    """Logistic regression on words, which deserves the bar of the bag of words, and what has learned nothing.

    In generated reviews word order matters, so words alone must not reach the bar of the sequence model.
    """
    rng = np.random.default_rng(seed)
    question = tests["classify"]
    given = question.given(seed, materials)
    public = read_reviews(materials.public)[: int(materials.parameters["N_REVIEWS"])]
    train = public[: round(0.8 * len(public))]
    texts, labels = [review.text for review in train], np.array([review.label for review in train])

    def asked(classify):
        return question.module.accuracy(np.asarray(classify(given.texts)).reshape(-1), given.labels)

    words = asked(fit_bag_of_words(texts, labels))
    nothing = {
        "the more frequent label": majority_accuracy(labels, given.labels),
        "chance": asked(lambda unseen: rng.random(len(unseen))),
        "shuffled labels": asked(fit_bag_of_words(texts, rng.permutation(labels))),
    }
    for check in CHECKS.values():
        for name, value in nothing.items():
            yield Answer(name, "classify", check, value)
    yield Answer("logistic regression", "classify", CHECKS["bag_of_words"], words, honest=True)
    if materials.origin == "generated":
        yield Answer("words alone", "classify", CHECKS["sequence"], words)
