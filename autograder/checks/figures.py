"""What a hidden test can say about a matplotlib figure from the plain data that a probe took from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.checks.failure import Failure
from autograder.checks.values import shorten, with_received
from autograder.errors import EvidenceError

UNIT = re.compile(
    r"°\s*[CFK]|º\s*C|℃|\\circ|\bdeg(?:rees?)?\b\.?|\bdegC\b|celsius|kelvin|\bK\b|\bC\b|\bm?bar\b|millibar|\bh?Pa\b|pascal",
    re.IGNORECASE,
)
BRACKETED = re.compile(r"[\[(]\s*([^\])]*[A-Za-z°%][^\])]*)[\])]|\bin\s+([A-Za-z°]+)|/\s*(°?\s*[A-Za-z]+)\s*$")
NO_UNIT = re.compile(r"normali[sz]ed|scaled|standardi[sz]ed|arbitrary|a\.\s*u\.|z-?score", re.IGNORECASE)


@dataclass(frozen=True)
class AxesFacts:
    """One axes of a figure: its drawn lines (their values over x), its labels, and the texts of its legend."""

    lines: tuple[tuple[float, ...], ...]
    other_marks: int
    xlabel: str
    ylabel: str
    title: str
    legend: tuple[str, ...] | None

    @property
    def curves(self) -> int:
        """Lines with points, and scattered or stepped marks in place of lines."""
        return sum(bool(line) for line in self.lines) + self.other_marks


@dataclass(frozen=True)
class FigureFacts:
    """One figure; texts of the figure as a whole stand in for those that an axes lacks."""

    axes: tuple[AxesFacts, ...]
    xlabel: str
    ylabel: str
    legend: tuple[str, ...] | None

    @property
    def drawn(self) -> tuple[AxesFacts, ...]:
        """The axes with something on them."""
        return tuple(axes for axes in self.axes if axes.curves)

    @property
    def curves(self) -> int:
        """How many lines there are on all axes together."""
        return sum(axes.curves for axes in self.axes)

    @property
    def xlabels(self) -> list[str]:
        """Labels that say what runs along."""
        return [text for text in [self.xlabel, *(axes.xlabel for axes in self.drawn)] if text.strip()]

    @property
    def ylabels(self) -> list[str]:
        """Labels that say what goes up."""
        return [text for text in [self.ylabel, *(axes.ylabel for axes in self.drawn)] if text.strip()]

    @property
    def legend_texts(self) -> list[str]:
        """What the legends of all axes and of the figure say."""
        return [text for legend in [self.legend, *(axes.legend for axes in self.drawn)] for text in legend or ()]


def read_figure(value: Any, what: str) -> FigureFacts:
    """A figure as a probe described it.

    Raises:
        Failure: what the student defined is no figure.
        EvidenceError: the description is not what a probe writes.
    """
    if isinstance(value, dict) and "not_a_figure" in value:
        hint = "`figure, axes = plt.subplots()` gives the figure; from an axes it is `axes.figure`."
        raise Failure(
            with_received(f"{what} should be a matplotlib Figure.", shorten(str(value["not_a_figure"]))), hint
        )
    try:
        axes = tuple(
            AxesFacts(
                lines=tuple(tuple(float(y) for y in line) for line in each["lines"]),
                other_marks=int(each["other_marks"]),
                xlabel=str(each["xlabel"]),
                ylabel=str(each["ylabel"]),
                title=str(each["title"]),
                legend=_texts(each["legend"]),
            )
            for each in value["axes"]
        )
        return FigureFacts(axes, str(value["xlabel"]), str(value["ylabel"]), _texts(value["legend"]))
    except (TypeError, LookupError, ValueError, OverflowError) as error:
        raise EvidenceError(f"A figure is not described as its probe does it: {error!r:.200}") from error


def _texts(value: Any) -> tuple[str, ...] | None:
    return None if value is None else tuple(str(text) for text in value)


def has_unit(texts: Sequence[str]) -> bool:
    """Whether a label names a unit: one of temperature or pressure, or any in brackets, after a slash or after "in"."""
    return any(_names_unit(text) for text in texts)


def _names_unit(text: str) -> bool:
    if UNIT.search(text):
        return True
    found = BRACKETED.search(text)
    return found is not None and not NO_UNIT.search(found.group(0))
