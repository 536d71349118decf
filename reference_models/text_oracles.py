"""The right answers of `text_vectorization`, in Python and NumPy alone: from raw text to vectors.

A vocabulary maps words to indices: `""` is 0 (padding), `"[UNK]"` 1 (any unknown word), then by falling frequency. The
TF-IDF weighting is that of the course's contract, as in Keras: count times log(1 + N / (1 + df)) (after K. Sparck
Jones, "A statistical interpretation of term specificity", 1972).
"""

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograder.errors import DataError

PUNCTUATION = string.punctuation
PADDING, UNKNOWN = "", "[UNK]"
_TAG = re.compile(r"<[^>]*>")
_NO_PUNCTUATION = str.maketrans("", "", PUNCTUATION)

Floats = NDArray[np.float64]


def standardize(text: str) -> str:
    """HTML tags to spaces, lower case, no punctuation, runs of white space to one space, none at the ends."""
    return " ".join(_TAG.sub(" ", text).lower().translate(_NO_PUNCTUATION).split())


def tokenize(text: str, level: str = "word") -> list[str]:
    """Words or characters (spaces among them) of the standardised text. Raises `DataError` for another level."""
    if level == "word":
        return standardize(text).split()
    if level == "char":
        return list(standardize(text))
    raise DataError(f'The levels are "word" and "char"; received: {level!r}')


def ngrams(tokens: Sequence[str], n: int) -> list[str]:
    """For each position in order the 1-gram up to the n-gram that starts there, joined by spaces."""
    spans = [(start, start + size) for start in range(len(tokens)) for size in range(1, n + 1)]
    return [" ".join(tokens[start:end]) for start, end in spans if end <= len(tokens)]


def build_vocabulary(texts: Sequence[str], max_tokens: int | None = None) -> dict[str, int]:
    """Words by falling frequency, equal ones by alphabet, after padding and unknown, which `max_tokens` counts too."""
    counts = Counter(token for text in texts for token in tokenize(text))
    words = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: index for index, word in enumerate([PADDING, UNKNOWN, *words][:max_tokens])}


def encode(text: str, vocabulary: Mapping[str, int], length: int | None = None) -> list[int]:
    """Indices of the words, 1 for unknown ones; with `length`, cut at the end or filled with 0 at the end."""
    indices = [vocabulary.get(token, 1) for token in tokenize(text)]
    return indices if length is None else (indices + [0] * length)[:length]


def count_vectors(texts: Sequence[str], vocabulary: Mapping[str, int]) -> Floats:
    """How often each word stands in each text, `(texts, len(vocabulary) - 1)`: column j is index j + 1."""
    counts = np.zeros((len(texts), len(vocabulary) - 1))
    for row, text in zip(counts, texts, strict=True):
        np.add.at(row, np.array(encode(text, vocabulary), dtype=np.int64) - 1, 1)
    return counts


def multi_hot(texts: Sequence[str], vocabulary: Mapping[str, int]) -> Floats:
    """1 where a word stands in a text, else 0; shape as `count_vectors`."""
    return (count_vectors(texts, vocabulary) > 0).astype(np.float64)


def tf_idf(texts: Sequence[str], vocabulary: Mapping[str, int]) -> Floats:
    """Counts times log(1 + N / (1 + df)), N and df from these texts; shape as `count_vectors`."""
    counts = count_vectors(texts, vocabulary)
    return counts * np.log(1 + len(texts) / (1 + (counts > 0).sum(axis=0)))


def split_reviews(
    texts: Sequence[str], labels: ArrayLike, validation_fraction: float = 0.2, seed: int = 0
) -> tuple[list[str], NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Training texts and labels, validation texts and labels; shuffled, all copies of a text on one side."""
    values = np.asarray(labels, dtype=np.int64)
    copies: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        copies.setdefault(text, []).append(i)
    groups = list(copies.values())
    order = [i for group in np.random.default_rng(seed).permutation(len(groups)) for i in groups[group]]
    cut = round(validation_fraction * len(order))
    while 0 < cut < len(order) and texts[order[cut]] == texts[order[cut - 1]]:
        cut += 1
    validation, train = order[:cut], order[cut:]
    return [texts[i] for i in train], values[train], [texts[i] for i in validation], values[validation]
