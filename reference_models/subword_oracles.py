"""Byte-pair encoding of words, in Python alone (R. Sennrich, B. Haddow, A. Birch, "Neural machine translation of rare
words with subword units", 2016).
"""

from collections import Counter
from collections.abc import Mapping, Sequence

END = "</w>"

Pair = tuple[str, str]


def learn_bpe(word_counts: Mapping[str, int], n_merges: int) -> list[Pair]:
    """Up to `n_merges` merges in the order in which they were learned.

    Words start as characters and the end mark; each merge joins the most frequent pair of neighbours, of equal ones the
    lexicographically smallest.
    """
    symbols = {word: [*word, END] for word in word_counts}
    merges: list[Pair] = []
    while len(merges) < n_merges:
        pairs: Counter[Pair] = Counter()
        for word, count in word_counts.items():
            for pair in zip(symbols[word], symbols[word][1:], strict=False):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        symbols = {word: merge(parts, best) for word, parts in symbols.items()}
    return merges


def apply_bpe(word: str, merges: Sequence[Pair]) -> list[str]:
    """The word's symbols, the end mark among them, after all merges in their order."""
    symbols = [*word, END]
    for pair in merges:
        symbols = merge(symbols, pair)
    return symbols


def merge(symbols: Sequence[str], pair: Pair) -> list[str]:
    """The symbols with each occurrence of the pair joined, from left to right and none twice."""
    merged: list[str] = []
    i = 0
    while i < len(symbols):
        joined = tuple(symbols[i : i + 2]) == pair
        merged.append("".join(pair) if joined else symbols[i])
        i += 2 if joined else 1
    return merged
