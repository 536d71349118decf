"""multi_hot, count_vectors and tf_idf against NumPy, on texts and vocabularies made up anew for every run."""

import string

import numpy as np
import pytest

from autograder.checks import Given, as_array, expect, expect_close, expect_shape
from reference_models.text_oracles import count_vectors, multi_hot, tf_idf

TOPIC = "Lecture, bags of words:"
FUNCTIONS = {"multi_hot": multi_hot, "count_vectors": count_vectors, "tf_idf": tf_idf}


def given(rng):
    words = {"".join(rng.choice(list(string.ascii_lowercase), size=int(rng.integers(2, 8)))) for _ in range(90)}
    words = [str(word) for word in rng.permutation(sorted(words))]
    known, unknown = words[:14], words[14:20]
    shares = 1.0 / np.arange(1, len(known) + 1)

    def draw(size, pool=known, weights=shares):
        return " ".join(map(str, rng.choice(pool, size=size, p=weights / weights.sum())))

    strange = [f"{draw(6)} {' '.join(map(str, rng.choice(unknown, size=3)))}" for _ in range(3)]
    return Given(
        vocabulary={"": 0, "[UNK]": 1, **{word: index for index, word in enumerate(known, 2)}},
        texts=[draw(int(size)) for size in rng.integers(4, 20, size=9)],
        others=[draw(int(size)) for size in rng.integers(2, 6, size=4)],
        strange=[*strange, draw(3)],
        empty=["", draw(4)],
    )


def probe(student, given):
    import numpy as np

    names = ("multi_hot", "count_vectors", "tf_idf")

    def call(name, texts):
        return np.asarray(getattr(student, name)(list(texts), dict(given.vocabulary)))

    def after_use():
        texts, vocabulary = list(given.strange), dict(given.vocabulary)
        for name in names:
            getattr(student, name)(texts, vocabulary)
        return texts == list(given.strange) and vocabulary == dict(given.vocabulary)

    groups = ("texts", "others", "strange", "empty")
    found = {
        f"{name} {group}": lambda name=name, group=group: call(name, getattr(given, group))
        for name in names
        for group in groups
    }
    return {**found, "unchanged": after_use}


def check(given, evidence, name, group, columns=slice(None), hint=""):
    texts = getattr(given, group)
    what = f"{name} of {len(texts)} texts"
    shape = (len(texts), len(given.vocabulary) - 1)
    hint = f"{TOPIC} {hint}"
    array = expect_shape(evidence[f"{name} {group}"], shape, what, hint=f"{TOPIC} padding has no column.")
    wanted = FUNCTIONS[name](texts, given.vocabulary)
    expect_close(array[:, columns], wanted[:, columns], what=what, hint=hint)


def test_shapes(given, evidence):
    """All three give one row for each text and one column for each token but the padding."""
    for name in FUNCTIONS:
        for group in ("texts", "others", "empty"):
            shape = (len(getattr(given, group)), len(given.vocabulary) - 1)
            hint = f"{TOPIC} column j is index j + 1; index 0 has none."
            expect_shape(evidence[f"{name} {group}"], shape, name, hint=hint)


def test_floats(evidence):
    """All three give floats."""
    for name in FUNCTIONS:
        array = as_array(evidence[f"{name} texts"], name)
        hint = "`np.zeros(shape)` makes floats; `np.zeros(shape, int)` does not."
        expect(array.dtype.kind == "f", f"{name} should give an array of floats.", received=str(array.dtype), hint=hint)


@pytest.mark.weight(2)
def test_multi_hot(given, evidence):
    """multi_hot has a 1 for every word that occurs in a text, however often, and else 0."""
    check(given, evidence, "multi_hot", "texts", hint="a word that comes three times still has a 1.")


@pytest.mark.weight(3)
def test_counts(given, evidence):
    """count_vectors has how often each word occurs."""
    hint = "`row[indices] += 1` counts an index once, however often it comes; `np.add.at` counts all."
    check(given, evidence, "count_vectors", "texts", hint=hint)


@pytest.mark.weight(2)
def test_unknown_words_have_the_first_column(given, evidence):
    """Words out of the vocabulary are counted in the first column, in all three."""
    for name in FUNCTIONS:
        check(given, evidence, name, "strange", columns=slice(0, 1), hint="index 1 stands for unknown words.")


@pytest.mark.weight(3)
def test_tf_idf(given, evidence):
    """tf_idf is the count times log(1 + N / (1 + df))."""
    hint = "df counts texts that hold the word, N all texts, and the logarithm is the natural one."
    check(given, evidence, "tf_idf", "texts", columns=slice(1, None), hint=hint)


@pytest.mark.weight(2)
def test_tf_idf_of_other_texts(given, evidence):
    """N and df are those of the texts that are given, each time anew."""
    hint = "N and df come from `texts`, not from the reviews of the notebook, nor from an earlier call."
    check(given, evidence, "tf_idf", "others", columns=slice(1, None), hint=hint)


def test_empty_text(given, evidence):
    """A text without words gives a row of zeros."""
    for name in FUNCTIONS:
        array = expect_shape(evidence[f"{name} empty"], (2, len(given.vocabulary) - 1), name)
        hint = f"{TOPIC} a text without words adds nothing; take care not to divide by its length."
        expect_close(array[0], np.zeros(array.shape[1]), what=f"{name} of an empty text", hint=hint)


def test_inputs_are_left_alone(evidence):
    """Texts and vocabulary are not changed."""
    expect(
        evidence["unchanged"] is True,
        "Texts and vocabulary should stay as they are.",
        received="other ones afterwards",
        hint="Look words up with `vocabulary.get(word, 1)`; `setdefault` would add them.",
    )
