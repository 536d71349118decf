"""build_vocabulary: order, ties, special tokens, size. Texts are standardised already, but where that is looked at."""

import itertools
import string

import pytest

from autograder.checks import Given, as_mapping, as_number, expect
from autograder.data.review_grammar import generate_reviews
from reference_models.text_oracles import build_vocabulary

TOPIC = "Lecture, indexing conventions:"


def drawn_words(rng, count):
    words = {"".join(rng.choice(list(string.ascii_lowercase), size=int(rng.integers(2, 8)))) for _ in range(3 * count)}
    return [str(word) for word in rng.permutation(sorted(words))[:count]]


def spread(rng, counts, texts):
    """Every word as often as `counts` says, at random places of so many texts."""
    tokens = rng.permutation([word for word, count in counts.items() for _ in range(count)])
    bounds = [len(tokens) * i // texts for i in range(texts + 1)]
    return [" ".join(map(str, tokens[a:b])) for a, b in itertools.pairwise(bounds)]


def given(rng):
    words = drawn_words(rng, 30)
    often = dict(zip(words[:12], range(14, 2, -1), strict=True))  # all of different frequency
    crowded, common = words[12], words[13]
    return Given(
        distinct=spread(rng, often, 6),
        tied=spread(rng, dict.fromkeys(words[14:26], 2), 4),
        within=[" ".join([crowded] * 9), *[common] * 3],  # one word many times in one text, one in many texts
        other=spread(rng, dict.fromkeys(words[26:], 3), 2),
        raw=[review.text for review in generate_reviews(40, int(rng.integers(2**31)))],
        size=7,
    )


def probe(student, given):
    def build(texts, *arguments, **options):
        return {str(word): i for word, i in student.build_vocabulary(list(texts), *arguments, **options).items()}

    def own():
        return build([str(student.standardize(text)) for text in given.raw])

    def after_use():
        texts = list(given.distinct)
        student.build_vocabulary(texts, 5)
        return texts == list(given.distinct)

    return {
        "distinct": lambda: build(given.distinct),
        "tied": lambda: build(given.tied),
        "within": lambda: build(given.within),
        "small": lambda: build(given.distinct, given.size),
        "named": lambda: build(given.distinct, max_tokens=given.size + 2),
        "large": lambda: build(given.distinct, max_tokens=1000),
        "other": lambda: build(given.other),
        "empty": lambda: build([]),
        "raw": lambda: build(given.raw),
        "own": own,
        "unchanged": after_use,
    }


def read(value):
    entries = as_mapping(value, "build_vocabulary(texts)", hint="A dict from words to indices.")
    return {word: as_number(index, f"The index of {word!r}") for word, index in entries.items()}


def expect_vocabulary(value, expected, what, hint):
    received = read(value)
    expect(
        len(received) == len(expected),
        f"{what}: {len(expected)} tokens expected, the two special ones included.",
        received=f"{len(received)} tokens",
        hint=hint,
    )
    for word, index in expected.items():
        expect(word in received, f"{what}: {word!r} expected in it.", received="a vocabulary without it", hint=hint)
        expect(
            received[word] == index,
            f"{what}: {word!r} should have the index {index}.",
            received=f"{received[word]:g}",
            hint=hint,
        )


def test_special_tokens(evidence):
    """The empty string has the index 0, "[UNK]" the index 1, also when there are no texts."""
    hint = f'{TOPIC} "" stands for padding, "[UNK]" for words out of the vocabulary.'
    expect_vocabulary(evidence["empty"], {"": 0, "[UNK]": 1}, "The vocabulary of no texts", hint)
    received = read(evidence["distinct"])
    expect(
        received.get("") == 0 and received.get("[UNK]") == 1,
        'The indices 0 and 1 belong to "" and "[UNK]".',
        received=[received.get(""), received.get("[UNK]")],
        hint=hint,
    )


@pytest.mark.weight(3)
def test_frequent_words_first(given, evidence):
    """From 2 on come the words by falling frequency."""
    hint = f"{TOPIC} sort by frequency, the most frequent first; indices begin at 2."
    expect_vocabulary(evidence["distinct"], build_vocabulary(given.distinct), "Words of different frequency", hint)


@pytest.mark.weight(2)
def test_counts_every_occurrence(given, evidence):
    """A word counts each time that it occurs, also several times in one text."""
    hint = f"{TOPIC} count tokens, not the texts that hold them."
    expect_vocabulary(
        evidence["within"], build_vocabulary(given.within), "Nine times in one text, or three texts", hint
    )


@pytest.mark.weight(2)
def test_ties_by_alphabet(given, evidence):
    """Equally frequent words come in alphabetical order."""
    hint = f"{TOPIC} `sorted(counts, key=lambda word: (-counts[word], word))`; `most_common` keeps the texts' order."
    expect_vocabulary(evidence["tied"], build_vocabulary(given.tied), "Words of equal frequency", hint)


@pytest.mark.weight(2)
def test_size(given, evidence):
    """max_tokens is the size of the vocabulary, both special tokens included; the rarest words are left out."""
    hint = f'{TOPIC} of `max_tokens`, "" and "[UNK]" take two.'
    for key, size in (("small", given.size), ("named", given.size + 2), ("large", 1000)):
        expect_vocabulary(evidence[key], build_vocabulary(given.distinct, size), f"max_tokens={size}", hint)


def test_standardises(given, evidence):
    """Words are those of the standardised texts."""
    received = read(evidence["raw"])
    if evidence.get_raised("own") is None and received == read(evidence["own"]):
        return  # what `standardize` makes of the texts is judged at its own question
    expect_vocabulary(received, build_vocabulary(given.raw), "Reviews as they were written", "Call `tokenize`.")


def test_knows_nothing_of_other_texts(given, evidence):
    """A vocabulary holds words of the texts that it was built from, and of no others."""
    hint = "Lecture, leakage: a vocabulary is learned; nothing may reach it but the texts that it is given."
    expect_vocabulary(evidence["other"], build_vocabulary(given.other), "A second vocabulary, of other texts", hint)


def test_texts_are_left_alone(evidence):
    """The list of texts is not changed."""
    hint = "`sorted(texts)` makes a new list, `texts.sort()` changes the one that was handed over."
    expect(
        evidence["unchanged"] is True, "The texts should stay as they are.", received="other ones afterwards", hint=hint
    )
