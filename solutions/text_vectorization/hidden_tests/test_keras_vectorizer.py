"""make_vectorizer: what the layer has learned, and what it makes of texts, against the same chain in plain Python.

Training texts have words of different frequencies, so that Keras' order and the course's are the same; what the layer
gives is compared under the layer's own vocabulary.
"""

import itertools
import string

import numpy as np
import pytest

from autograder.checks import Given, as_array, expect, expect_close, expect_shape
from autograder.checks.texts import as_tokens, expect_tokens
from autograder.data.review_grammar import generate_reviews
from reference_models.text_oracles import build_vocabulary, count_vectors, encode, multi_hot, ngrams, tokenize

TOPIC = "Lecture, TextVectorization:"
LENGTH, SMALL = 9, 8
MOST_WORDS = 140  # of a generated review


def given(rng):
    words = {"".join(rng.choice(list(string.ascii_lowercase), size=int(rng.integers(3, 8)))) for _ in range(90)}
    words = [str(word) for word in rng.permutation(sorted(words))]
    known, unknown, other = words[:14], words[14:20], words[20:26]
    tokens = [str(t) for t in rng.permutation([word for i, word in enumerate(known) for _ in range(16 - i)])]
    bounds = [len(tokens) * i // 10 for i in range(11)]
    accented = [f"{word}É" for word in other[:3]]
    return Given(
        train=[" ".join(tokens[a:b]) for a, b in itertools.pairwise(bounds)],
        unseen=[" ".join(map(str, rng.choice([*known, *unknown], size=int(size)))) for size in (2, 5, 9, 14)],
        other=[" ".join(other)] * 2,
        raw=[review.text for review in generate_reviews(40, int(rng.integers(2**31)))],
        accented=accented,
        length=LENGTH,
        small=SMALL,
        most_words=MOST_WORDS,
    )


def probe(student, given):
    import keras
    import numpy as np
    import tensorflow as tf

    def words_of(layer):
        return [str(word) for word in layer.get_vocabulary()]

    def look(mode, max_tokens=500, **options):
        layer = student.make_vectorizer(list(given.train), max_tokens, mode, **options)
        return {"vocabulary": words_of(layer), "output": np.asarray(layer(tf.constant(given.unseen)))}

    def kind():
        layer = student.make_vectorizer(list(given.train), 500, "int", length=given.length)
        return {"is_layer": isinstance(layer, keras.layers.TextVectorization), "name": type(layer).__name__}

    def learned(texts):
        layer = student.make_vectorizer(list(texts), 5000, "int", length=given.most_words)
        return {"vocabulary": words_of(layer), "output": np.asarray(layer(tf.constant(texts)))}

    def twice():
        """A layer made first still knows its own texts when another one has been made."""
        first = student.make_vectorizer(list(given.train), 500, "int", length=given.length)
        second = student.make_vectorizer(list(given.other), 500, "int", length=given.length)
        return {"first": words_of(first), "second": words_of(second)}

    def after_use():
        texts = list(given.train)
        student.make_vectorizer(texts, 500, "count")
        return texts == list(given.train)

    return {
        "kind": kind,
        "int": lambda: look("int", length=given.length),
        "multi_hot": lambda: look("multi_hot"),
        "count": lambda: look("count"),
        "tf_idf": lambda: look("tf_idf"),
        "small": lambda: look("int", given.small, length=given.length),
        "small_hot": lambda: look("multi_hot", given.small),
        "unlimited": lambda: look("multi_hot", None),
        "bigrams": lambda: look("count", ngrams=2),
        "raw": lambda: learned(given.raw),
        "own": lambda: [str(student.standardize(text)) for text in given.raw],
        "accented": lambda: learned(given.accented),
        "twice": twice,
        "unchanged": after_use,
    }


def own_vocabulary(value):
    """The layer's words with the indices that they have in the course: padding 0, unknown 1, and so on."""
    words = [word for word in as_tokens(value["vocabulary"], "get_vocabulary()") if word not in {"", "[UNK]"}]
    return {word: index for index, word in enumerate(["", "[UNK]", *words])}


def expect_columns(given, value, expected, what, columns=slice(None), hint=""):
    array = expect_shape(value["output"], expected.shape, what, hint=hint)
    expect_close(array[:, columns], expected[:, columns], what=what, hint=hint)


def test_is_a_layer(evidence):
    """make_vectorizer returns a TextVectorization layer."""
    kind = evidence["kind"]
    hint = f"{TOPIC} make the layer, call its `adapt`, and return the layer."
    expect(
        kind["is_layer"] is True, "A keras.layers.TextVectorization is expected.", received=str(kind["name"]), hint=hint
    )


@pytest.mark.weight(3)
def test_learns_from_the_training_texts(given, evidence):
    """The layer has learned the words of the training texts, the most frequent first, and no others."""
    hint = f"{TOPIC} `vectorizer.adapt(train_texts)`, with these texts and no others."
    expect_tokens(
        evidence["int"]["vocabulary"],
        list(build_vocabulary(given.train)),
        what="The vocabulary of the layer",
        hint=hint,
    )


@pytest.mark.weight(2)
def test_integers(given, evidence):
    """With "int" it gives the indices of the words, `length` of them, unknown words as 1 and padding as 0."""
    value = evidence["int"]
    vocabulary = own_vocabulary(value)
    expected = np.array([encode(text, vocabulary, LENGTH) for text in given.unseen])
    hint = f'{TOPIC} `output_sequence_length=length` for "int".'
    array = as_array(value["output"], 'The output for "int"', hint=hint)
    expect(array.dtype.kind in "iu", "Indices should be integers.", received=str(array.dtype), hint=hint)
    expect_columns(given, value, expected, 'The output for "int"', hint=hint)


def test_multi_hot(given, evidence):
    """With "multi_hot" it gives a 1 for each word that occurs."""
    value = evidence["multi_hot"]
    expect_columns(given, value, multi_hot(given.unseen, own_vocabulary(value)), 'The output for "multi_hot"')


def test_counts(given, evidence):
    """With "count" it gives how often each word occurs."""
    value = evidence["count"]
    expect_columns(given, value, count_vectors(given.unseen, own_vocabulary(value)), 'The output for "count"')


def test_tf_idf(given, evidence):
    """With "tf_idf" it weighs counts with document frequencies that it has learned from the training texts."""
    value = evidence["tf_idf"]
    vocabulary = own_vocabulary(value)
    hot = multi_hot(given.train, vocabulary)
    weights = np.log(1 + len(given.train) / (1 + hot.sum(axis=0)))
    expected = count_vectors(given.unseen, vocabulary) * weights
    hint = f"{TOPIC} the frequencies are learned in `adapt`."
    expect_columns(given, value, expected, 'The output for "tf_idf"', columns=slice(1, None), hint=hint)


@pytest.mark.weight(2)
def test_size(given, evidence):
    """max_tokens limits the vocabulary, as Keras understands it; None takes all words."""
    hint = f"{TOPIC} `max_tokens=max_tokens`; grading calls it with several values."
    expect_tokens(
        evidence["small"]["vocabulary"],
        list(build_vocabulary(given.train, SMALL)),
        what=f"The vocabulary of max_tokens={SMALL}",
        hint=hint,
    )
    for key, width in (("small_hot", SMALL), ("unlimited", len(build_vocabulary(given.train)) - 1)):
        expect_shape(evidence[key]["output"], (len(given.unseen), width), "The multi-hot output", hint=hint)


def test_ngrams(given, evidence):
    """ngrams=2 takes pairs of neighbours as tokens, too."""
    value = evidence["bigrams"]
    vocabulary = own_vocabulary(value)
    hint = f"{TOPIC} `ngrams=ngrams`."
    wanted = {gram for text in given.train for gram in ngrams(tokenize(text), 2)}
    received = set(vocabulary) - {"", "[UNK]"}
    expect(
        received == wanted,
        f"Words and bigrams of the training texts are {len(wanted)} different tokens.",
        received=f"{len(received)} tokens, {len(received & wanted)} of them right",
        hint=hint,
    )
    expected = np.zeros((len(given.unseen), len(vocabulary) - 1))
    for row, text in zip(expected, given.unseen, strict=True):
        for gram in ngrams(tokenize(text), 2):
            row[vocabulary.get(gram, 1) - 1] += 1
    expect_columns(given, value, expected, "The counts with ngrams=2", hint=hint)


@pytest.mark.weight(3)
def test_standardises_as_standardize(given, evidence):
    """Texts are standardised as `standardize` does it: tags to spaces, lower case, without punctuation."""
    received = words_learned(evidence["raw"])
    wanted = {word for text in given.raw for word in tokenize(text)}
    if received == {word for text in own_texts(evidence) for word in text.split()}:
        return  # what `standardize` makes of the texts is judged at its own question
    strange, missing = sorted(received - wanted), sorted(wanted - received)
    hint = f"{TOPIC} `standardize=` takes a function of a string tensor; the layer's own one leaves tags in."
    expect(
        not strange and not missing,
        f"Reviews as they were written should give {len(wanted)} words.",
        received=f"{len(strange)} other words{f', for instance {strange[0]!r}' if strange else ''}; "
        f"{len(missing)} are missing",
        hint=hint,
    )


@pytest.mark.weight(2)
def test_standardises_what_it_is_called_with(given, evidence):
    """The layer itself standardises: called with reviews as they were written, it finds their words."""
    value = evidence["raw"]
    vocabulary = own_vocabulary(value)
    array = expect_shape(value["output"], (len(given.raw), MOST_WORDS), 'The output for "int"')
    own = np.array([padded([vocabulary.get(word, 1) for word in text.split()]) for text in own_texts(evidence)])
    if own.shape == array.shape and np.array_equal(own, array):
        return  # what `standardize` makes of the texts is judged at its own question
    expected = np.array([padded(encode(text, vocabulary)) for text in given.raw])
    hint = f"{TOPIC} texts that are standardised before `adapt` alone leave the layer without it later on."
    expect_close(array, expected, what="The index of a word of a review", rtol=0, atol=0, hint=hint)


def words_learned(value):
    return set(as_tokens(value["vocabulary"], "get_vocabulary()")) - {"", "[UNK]"}


def own_texts(evidence):
    """The reviews as the notebook's own `standardize` leaves them; none where it raises."""
    return [] if evidence.get_raised("own") else as_tokens(evidence["own"], "The standardised texts")


def padded(indices):
    return (indices + [0] * MOST_WORDS)[:MOST_WORDS]


def test_lower_case_of_accents(given, evidence):
    """Letters with accents become lower case, too."""
    received = words_learned(evidence["accented"])
    expect(
        received == {text.lower() for text in given.accented},
        f"{given.accented[0]!r} should become {given.accented[0].lower()!r}.",
        received=sorted(received),
        hint=f'{TOPIC} `tf.strings.lower(texts, encoding="utf-8")`.',
    )


def test_each_call_makes_a_new_layer(given, evidence):
    """A layer keeps what it has learned when another one is made."""
    value = evidence["twice"]
    for key, texts in (("first", given.train), ("second", given.other)):
        expect(
            set(as_tokens(value[key], "get_vocabulary()")) == set(build_vocabulary(texts)),
            "Each call should make a layer of its own.",
            received="a layer that knows the words of another call",
            hint=f"{TOPIC} make the layer inside the function.",
        )


def test_texts_are_left_alone(evidence):
    """The list of training texts is not changed."""
    hint = "`sorted(texts)` makes a new list, `texts.sort()` changes the one that was handed over."
    expect(
        evidence["unchanged"] is True, "The texts should stay as they are.", received="other ones afterwards", hint=hint
    )
