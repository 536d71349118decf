"""tokenize and ngrams. Most texts are standardised already, so that a mistake in `standardize` costs nothing here."""

import string

import pytest

from autograder.checks import Given, as_list, expect
from autograder.checks.texts import as_tokens, expect_tokens
from autograder.data.review_grammar import generate_reviews
from reference_models.text_oracles import ngrams, standardize

TOPIC = "Lecture, tokens:"


def given(rng):
    words = ["".join(rng.choice(list(string.ascii_lowercase), size=int(rng.integers(1, 8)))) for _ in range(40)]
    return Given(
        plain=[" ".join(words[start : start + size]) for start, size in ((0, 1), (1, 6), (7, 20))],
        raw=[review.text for review in generate_reviews(8, int(rng.integers(2**31)))],
        tokens=words[:9],
        few=words[10:12],
        repeated=[words[0], words[1]] * 3,
    )


def probe(student, given):
    def raised():
        try:
            student.tokenize("one two", level="sentence")
        except Exception as error:
            return {"is_value_error": isinstance(error, ValueError), "kind": type(error).__name__}
        return {"is_value_error": False, "kind": "no exception"}

    def after_use():
        tokens = list(given.tokens)
        student.ngrams(tokens, 3)
        return tokens

    return {
        "words": lambda: [student.tokenize(text) for text in given.plain],
        "named": lambda: [student.tokenize(text, level="word") for text in given.plain],
        "characters": lambda: [student.tokenize(text, level="char") for text in given.plain],
        "raw": lambda: [student.tokenize(text) for text in given.raw],
        "raw_characters": lambda: [student.tokenize(text, level="char") for text in given.raw],
        "own": lambda: [str(student.standardize(text)) for text in given.raw],
        "empty": lambda: [student.tokenize("", level) for level in ("word", "char")],
        "raised": raised,
        "unigrams": lambda: student.ngrams(list(given.tokens), 1),
        "bigrams": lambda: student.ngrams(list(given.tokens), 2),
        "trigrams": lambda: student.ngrams(list(given.tokens), 3),
        "repeated": lambda: student.ngrams(list(given.repeated), 2),
        "few": lambda: student.ngrams(list(given.few), 5),
        "none": lambda: student.ngrams([], 2),
        "after_use": after_use,
    }


@pytest.mark.weight(2)
def test_words(given, evidence):
    """tokenize gives the words of a text, in order, as a list; this is the default."""
    for key in ("words", "named"):
        received = as_list(evidence[key], "The results", length=len(given.plain))
        for text, tokens in zip(given.plain, received, strict=True):
            hint = f"{TOPIC} the words of standardised text are what its spaces part: `text.split()`."
            expect_tokens(tokens, text.split(), what=f"tokenize of {len(text.split())} words", hint=hint)


@pytest.mark.weight(2)
def test_characters(given, evidence):
    """With level="char" it gives the characters, the spaces between words among them."""
    received = as_list(evidence["characters"], "The results", length=len(given.plain))
    for text, tokens in zip(given.plain, received, strict=True):
        expect_tokens(tokens, list(text), what='tokenize(text, level="char")', hint=f"{TOPIC} `list(text)`.")


def test_standardises_first(given, evidence):
    """The text is standardised before it is split."""
    own = [None] * len(given.raw) if evidence.get_raised("own") else as_list(evidence["own"], "The standardised texts")
    for key, split, what in (("raw", str.split, "tokenize(text)"), ("raw_characters", list, 'tokenize(text, "char")')):
        received = as_list(evidence[key], "The results", length=len(given.raw))
        for text, mine, tokens in zip(given.raw, own, received, strict=True):
            if isinstance(mine, str) and as_tokens(tokens, what) == split(mine):
                continue  # what `standardize` makes of it is judged at its own question
            hint = f"{TOPIC} call `standardize` first, at both levels."
            expect_tokens(tokens, split(standardize(text)), what=f"{what} of a review", hint=hint)


def test_empty_text(evidence):
    """A text with nothing in it gives an empty list."""
    for tokens in as_list(evidence["empty"], "The results", length=2):
        expect_tokens(tokens, [], what='tokenize("")', hint=f'{TOPIC} `"".split(" ")` has one item, `"".split()` none.')


def test_unknown_level(evidence):
    """Another level than "word" and "char" raises a ValueError."""
    received = evidence["raised"]
    expect(
        received["is_value_error"] is True,
        'tokenize(text, level="sentence") should raise a ValueError.',
        received=str(received["kind"]),
        hint='After the two levels: `raise ValueError(f"unknown level {level!r}")`.',
    )


@pytest.mark.weight(3)
def test_ngrams(given, evidence):
    """For every position in order, ngrams gives the 1-gram to the n-gram that starts there."""
    for n, key in ((1, "unigrams"), (2, "bigrams"), (3, "trigrams")):
        hint = "Lecture, n-grams: the outer loop goes over positions, the inner one over lengths."
        expect_tokens(evidence[key], ngrams(given.tokens, n), what=f"ngrams(tokens, {n})", hint=hint)


def test_repeated_ngrams(given, evidence):
    """An n-gram that occurs several times comes several times."""
    hint = f"{TOPIC} an n-gram is a place in the text; a set would lose how often it comes, and where."
    expect_tokens(evidence["repeated"], ngrams(given.repeated, 2), what="ngrams of tokens that come again", hint=hint)


def test_ngrams_at_the_end(given, evidence):
    """What would reach beyond the last token is left out."""
    hint = f"{TOPIC} m tokens have m - n + 1 n-grams, and none where n is larger than m."
    expect_tokens(evidence["few"], ngrams(given.few, 5), what="ngrams of two tokens, n = 5", hint=hint)
    expect_tokens(evidence["none"], [], what="ngrams of no tokens", hint=hint)


def test_tokens_are_left_alone(given, evidence):
    """The list of tokens that ngrams is given is not changed."""
    hint = "`tokens[i : i + n]` makes a new list, `tokens.pop(0)` changes the one that was handed over."
    expect_tokens(evidence["after_use"], given.tokens, what="The list after ngrams(tokens, 3)", hint=hint)
