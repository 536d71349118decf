"""Find copies of secret text in other text, whatever its layout: fingerprints of token sequences.

Text is cut into tokens (names, numbers, single signs); spaces and line ends do not count. Every run of `LENGTH` tokens
of a secret is a fingerprint. A text that has one of them holds a copy. Runs that also occur in what is allowed to be
known are no fingerprints, so that imports, signatures and the text of the assignment itself raise no alarm.

The length was chosen by a measurement: docs/audit.md has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

LENGTH = 24
"""Tokens of a fingerprint: about two lines of code."""

SHORTEST = 12
"""A secret that is shorter than `LENGTH` as a whole is a fingerprint by itself, if it has as many tokens as this."""

_TOKEN = re.compile(r"[^\W\d]\w*|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[^\w\s]")
_FEW = 5
Gram = tuple[str, ...]


@dataclass(frozen=True)
class Copy:
    """A stretch of text that is also in a secret.

    Attributes:
        origin: where the secret stands.
        line: where the copy begins, counted from 1.
        tokens: how long it is.
        excerpt: its beginning.
    """

    origin: str
    line: int
    tokens: int
    excerpt: str


def tokens_of(text: str, most: int | None = None) -> list[str]:
    """The text's tokens in their order, or the first of them."""
    return [match.group() for match in islice(_TOKEN.finditer(text), most)]


class Fingerprints:
    """The fingerprints of some secrets, each with where it comes from."""

    def __init__(self, secrets: Iterable[tuple[str, str]] = ()) -> None:
        origins: dict[Gram, str] = {}
        for text, origin in secrets:
            tokens = tokens_of(text)
            if SHORTEST <= len(tokens) < LENGTH:
                origins.setdefault(tuple(tokens), origin)
            for place in range(len(tokens) - LENGTH + 1):
                origins.setdefault(tuple(tokens[place : place + LENGTH]), origin)
        self._keep(origins)

    def _keep(self, origins: dict[Gram, str]) -> None:
        self._origins = origins
        self._lengths = sorted({len(gram) for gram in origins}, reverse=True)
        self._words = {token for gram in origins for token in gram}

    def __len__(self) -> int:
        return len(self._origins)

    def without(self, known: Iterable[str]) -> Fingerprints:
        """Those that do not occur in texts which may be known."""
        allowed = {gram for text in known for _, gram in self._hits(tokens_of(text))}
        rest = Fingerprints()
        rest._keep({gram: origin for gram, origin in self._origins.items() if gram not in allowed})
        return rest

    def copies(self, text: str) -> list[Copy]:
        """The stretches of a text that are also in a secret, in their order; at most a few."""
        if not self._origins:
            return []
        found: list[Copy] = []
        matches = list(_TOKEN.finditer(text))
        for begin, end, grams in _merged(self._hits([match.group() for match in matches])):
            start, stop = matches[begin].start(), matches[end - 1].end()
            excerpt = " ".join(text[start:stop].split())[:80]
            line = text.count("\n", 0, start) + 1
            origin, _ = Counter(self._origins[gram] for gram in grams).most_common(1)[0]
            found.append(Copy(origin, line, end - begin, excerpt))
            if len(found) == _FEW:
                break
        return found

    def _hits(self, tokens: list[str]) -> Iterator[tuple[int, Gram]]:
        """All fingerprints that occur, each with its first token's place, longer ones first at one place."""
        unbroken = 0  # how many tokens from here on, without a gap, occur in any fingerprint at all
        reach = [0] * len(tokens)
        for place in range(len(tokens) - 1, -1, -1):
            unbroken = unbroken + 1 if tokens[place] in self._words else 0
            reach[place] = unbroken
        for place, most in enumerate(reach):
            for length in self._lengths:
                if most >= length:
                    gram = tuple(tokens[place : place + length])
                    if gram in self._origins:
                        yield place, gram


def _merged(hits: Iterator[tuple[int, Gram]]) -> Iterator[tuple[int, int, list[Gram]]]:
    """Overlapping fingerprints as one stretch: its first token, the one after its last, and the fingerprints in it."""
    begin, end, grams = 0, 0, list[Gram]()
    for place, gram in hits:
        if grams and place > end:
            yield begin, end, grams
            grams = []
        if not grams:
            begin, end = place, place
        grams.append(gram)
        end = max(end, place + len(gram))
    if grams:
        yield begin, end, grams
