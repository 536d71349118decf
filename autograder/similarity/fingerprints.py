"""Winnowing: a small set of fingerprints of a text, chosen so that no long match can hide.

Schleimer, Wilkerson, Aiken: "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003. Each run of k
tokens (a k-gram) has a hash; of every w hashes in a row the smallest is kept. Two notebooks that share a run of at
least t = w + k - 1 tokens share a fingerprint, whatever stands around it; of less than k tokens none is ever made.
No k-gram reaches from one cell into the next, so that moving cells changes nothing.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autograder.similarity.tokens import Token

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class CellPrint:
    """The k-grams of one cell.

    Attributes:
        grams: the hash of the k-gram that begins at each token.
        lines: the line on which each token begins, from 1; k - 1 longer than `grams`.
        chosen: the fingerprints, sorted, each once.
    """

    grams: Hashes
    lines: NDArray[np.int32]
    chosen: Hashes


def fingerprint(tokens: Sequence[Token], k: int, window: int) -> CellPrint:
    """The fingerprints of a cell's tokens, the same on every machine."""
    grams = gram_hashes(tokens, k)
    lines = np.array([token.line for token in tokens], dtype=np.int32)
    return CellPrint(grams=grams, lines=lines, chosen=np.unique(grams[winnow(grams, window)]))


def gram_hashes(tokens: Sequence[Token], k: int) -> Hashes:
    """A hash of 64 bits for each run of k tokens; none where there are fewer."""
    codes = np.array([_code(token.text) for token in tokens], dtype=np.uint64)
    count = max(len(codes) - k + 1, 0)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(k):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes[offset : offset + count]
    # Winnowing takes the smallest: mixed bits make that a choice by chance, and not by the last token.
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return np.asarray(hashes ^ (hashes >> np.uint64(29)), dtype=np.uint64)


def winnow(hashes: Hashes, window: int) -> NDArray[np.intp]:
    """Where the smallest hash of each window stands, the rightmost of equal ones; sorted, each place once."""
    if not len(hashes):
        return np.zeros(0, dtype=np.intp)
    width = min(window, len(hashes))
    windows = np.lib.stride_tricks.sliding_window_view(hashes, width)
    return np.unique(np.arange(len(windows)) + width - 1 - np.argmin(windows[:, ::-1], axis=1))


@functools.lru_cache(maxsize=100_000)
def _code(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(errors="replace"), digest_size=8).digest(), "little")
