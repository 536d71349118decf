"""encode: words to indices with any vocabulary, unknown words, padding and truncation at the end."""

import string

import numpy as np
import pytest

from autograder.checks import Given, as_array, as_list, expect, expect_close
from autograder.data.review_grammar import generate_reviews
from reference_models.text_oracles import build_vocabulary, encode

TOPIC = "Lecture, integer sequences:"


def given(rng):
    words = {"".join(rng.choice(list(string.ascii_lowercase), size=int(rng.integers(2, 8)))) for _ in range(90)}
    words = [str(word) for word in rng.permutation(sorted(words))]
    known, unknown = words[:30], words[30:45]
    indices = (2 + rng.permutation(len(known))).tolist()
    reviews = [review.text for review in generate_reviews(30, int(rng.integers(2**31)))]
    return Given(
        vocabulary={"": 0, "[UNK]": 1, **dict(zip(known, indices, strict=True))},
        known=[" ".join(map(str, rng.choice(known, size=size))) for size in (1, 5, 12)],
        mixed=[" ".join(map(str, rng.choice([*known, *unknown], size=14))) for _ in range(4)] + [unknown[0]],
        length=8,
        raw=reviews[20:],
        from_reviews=build_vocabulary(reviews[:20], 60),
    )


def probe(student, given):
    def every(texts, *arguments, **options):
        return [list(student.encode(text, dict(given.vocabulary), *arguments, **options)) for text in texts]

    def after_use():
        vocabulary = dict(given.vocabulary)
        student.encode(given.mixed[0], vocabulary, 20)
        return vocabulary == dict(given.vocabulary)

    def raw(texts):
        return [list(student.encode(text, dict(given.from_reviews))) for text in texts]

    return {
        "known": lambda: every(given.known),
        "mixed": lambda: every(given.mixed),
        "short": lambda: every(given.known[:2], given.length),
        "long": lambda: every(given.known[2:], length=given.length),
        "exact": lambda: every(given.known, 5),
        "empty": lambda: [*every([""]), *every([""], 3)],
        "raw": lambda: raw(given.raw),
        "own": lambda: raw([str(student.standardize(text)) for text in given.raw]),
        "unchanged": after_use,
    }


def expect_indices(value, texts, vocabulary, length, hint):
    received = as_list(value, "The results", length=len(texts))
    for text, indices in zip(texts, received, strict=True):
        array = as_array(indices, "encode(text, vocabulary)", ndim=1, hint=hint)
        wanted = np.array(encode(text, vocabulary, length), dtype=float)
        limit = "" if length is None else f" with length={length}"
        expect(
            len(array) == len(wanted),
            f"A text of {len(text.split())} words{limit} should give {len(wanted)} numbers.",
            received=f"{len(array)}",
            hint=hint,
        )
        expect_close(array, wanted, what=f"The index{limit}", rtol=0, atol=0, hint=hint)


@pytest.mark.weight(3)
def test_words_become_their_indices(given, evidence):
    """Each word becomes its index in the vocabulary that is given, in the order of the text."""
    expect_indices(evidence["known"], given.known, given.vocabulary, None, f"{TOPIC} look words up in `vocabulary`.")


@pytest.mark.weight(2)
def test_unknown_words(given, evidence):
    """Words that are not in the vocabulary become 1; none is left out."""
    expect_indices(evidence["mixed"], given.mixed, given.vocabulary, None, f"{TOPIC} `vocabulary.get(token, 1)`.")


@pytest.mark.weight(2)
def test_padding(given, evidence):
    """Short texts get zeros at the end, up to `length`."""
    hint = f"{TOPIC} padding comes after the words here."
    expect_indices(evidence["short"], given.known[:2], given.vocabulary, given.length, hint)


@pytest.mark.weight(2)
def test_truncation(given, evidence):
    """Long texts are cut at the end; a text of just `length` words stays as it is."""
    hint = f"{TOPIC} `indices[:length]` keeps the beginning."
    expect_indices(evidence["long"], given.known[2:], given.vocabulary, given.length, hint)
    expect_indices(evidence["exact"], given.known, given.vocabulary, 5, hint)


def test_empty_text(given, evidence):
    """An empty text gives an empty list, or `length` zeros."""
    received = as_list(evidence["empty"], "The results", length=2)
    expect_indices(received[:1], [""], given.vocabulary, None, f"{TOPIC} no words, no indices.")
    expect_indices(received[1:], [""], given.vocabulary, 3, f"{TOPIC} nothing but padding.")


def test_standardises(given, evidence):
    """Texts are standardised before words are looked up."""
    received = as_list(evidence["raw"], "The results", length=len(given.raw))
    if evidence.get_raised("own") is None and received == evidence["own"]:
        return  # what `standardize` makes of the texts is judged at its own question
    expect_indices(received, given.raw, given.from_reviews, None, "Call `tokenize`, which standardises.")


def test_vocabulary_is_left_alone(evidence):
    """Encoding adds no words to the vocabulary."""
    hint = "Look words up with `vocabulary.get(word, 1)`; `setdefault` and a `defaultdict` would add them."
    expect(
        evidence["unchanged"] is True,
        "The vocabulary should stay as it is.",
        received="another one afterwards",
        hint=hint,
    )
