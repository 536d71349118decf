"""Where in two notebooks the code stands that they share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from autograder.similarity.fingerprints import CellPrint

MAX_PASSAGES = 300


@dataclass(frozen=True)
class Place:
    """Lines of a cell: the cell's number from 0, and the first and last line, from 1."""

    cell: int
    first: int
    last: int

    def touches(self, other: Place) -> bool:
        """Whether both are in the same cell and overlap or lie side by side."""
        return self.cell == other.cell and self.first <= other.last + 1 and other.first <= self.last + 1

    def joined(self, other: Place) -> Place:
        """From the first line of either to the last."""
        return replace(self, first=min(self.first, other.first), last=max(self.last, other.last))


@dataclass(frozen=True)
class Passage:
    """Code that stands in both notebooks; `number` counts from 1 in the order of the left one."""

    number: int
    left: Place
    right: Place


def shared_passages(
    left: Sequence[CellPrint], right: Sequence[CellPrint], *, k: int, shared: Collection[int]
) -> tuple[Passage, ...]:
    """The passages that two notebooks share.

    All k-grams are followed here, and not only the fingerprints, so that a passage is marked to its ends.

    Args:
        left: the cells of one notebook.
        right: those of the other.
        k: the length of a k-gram in tokens.
        shared: hashes of the k-grams that both have and that count.
    """
    found = _first_places(right, shared)
    passages: list[tuple[Place, Place]] = []
    for number, cell in enumerate(left):
        expected: tuple[int, int] | None = None  # where the passage goes on, if it does
        for place, gram in enumerate(cell.grams.tolist()):
            first = found.get(gram)
            if first is None:
                expected = None
                continue
            there = expected if expected and _begins(right, expected, gram) else first
            here = (_lines(cell, number, place, k), _lines(right[there[0]], *there, k))
            if there == expected:
                passages[-1] = (passages[-1][0].joined(here[0]), passages[-1][1].joined(here[1]))
            else:
                passages.append(here)
            expected = (there[0], there[1] + 1)
    joined = _join_neighbours(passages)[:MAX_PASSAGES]
    return tuple(Passage(number, *both) for number, both in enumerate(joined, start=1))


def _first_places(cells: Sequence[CellPrint], shared: Collection[int]) -> dict[int, tuple[int, int]]:
    """Where each k-gram first begins: cell and token."""
    found: dict[int, tuple[int, int]] = {}
    for number, cell in enumerate(cells):
        for place, gram in enumerate(cell.grams.tolist()):
            if gram in shared:
                found.setdefault(gram, (number, place))
    return found


def _begins(cells: Sequence[CellPrint], at: tuple[int, int], gram: int) -> bool:
    grams = cells[at[0]].grams
    return at[1] < len(grams) and int(grams[at[1]]) == gram


def _lines(cell: CellPrint, number: int, place: int, k: int) -> Place:
    return Place(number, int(cell.lines[place]), int(cell.lines[place + k - 1]))


def _join_neighbours(passages: Sequence[tuple[Place, Place]]) -> list[tuple[Place, Place]]:
    """Passages that touch on both sides are one."""
    joined: list[tuple[Place, Place]] = []
    for left, right in passages:
        if joined and joined[-1][0].touches(left) and joined[-1][1].touches(right):
            joined[-1] = (joined[-1][0].joined(left), joined[-1][1].joined(right))
        else:
            joined.append((left, right))
    return joined
