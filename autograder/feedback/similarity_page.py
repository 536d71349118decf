"""One page for the instructor: pairs of submissions whose code is alike, side by side. It accuses nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.feedback.pages import environment

MAX_LINES = 400
MAX_LINE_CHARACTERS = 400

DISCLAIMER = (
    "This list accuses nobody. It shows where code is alike, for a person to read; why it is alike it cannot know. "
    "People who learned from the same lecture, worked together where that is allowed, or asked the same page or "
    "program write alike too."
)


@dataclass(frozen=True)
class Likeness:
    """How alike two things are: 0 to 1, and how many fingerprints of the smaller both have."""

    similarity: float
    shared: int
    smaller: int

    @property
    def percent(self) -> str:
        """The similarity in whole percent, rounded down, so that only what is the same is 100 %."""
        return f"{int(100 * self.similarity + 1e-9)}\N{NO-BREAK SPACE}%"


@dataclass(frozen=True)
class Marked:
    """A stretch of lines, from 1, that belongs to a passage which both have."""

    first: int
    last: int
    passage: int


@dataclass(frozen=True)
class Listing:
    """One code cell of one student, and what in it the other has too."""

    source: str
    marked: tuple[Marked, ...] = ()


@dataclass(frozen=True)
class QuestionBeside:
    """Both students' cells for one question; `likeness` is None where what they share stands in other questions."""

    title: str
    likeness: Likeness | None
    left: tuple[Listing, ...]
    right: tuple[Listing, ...]


@dataclass(frozen=True)
class PairBeside:
    """Two students, how alike their code is, and the questions in which something is marked."""

    left: str
    right: str
    overall: Likeness
    questions: tuple[QuestionBeside, ...]

    @property
    def likest(self) -> list[QuestionBeside]:
        """The questions that share something, most alike first."""
        alike = [question for question in self.questions if question.likeness is not None]
        return sorted(alike, key=lambda each: -each.likeness.similarity if each.likeness else 0.0)


@dataclass(frozen=True)
class Line:
    """One line as it is shown: its number, the sign of the passage to which it belongs (or ""), and its text."""

    number: int
    sign: str
    text: str


def render_similarity(
    pairs: Sequence[PairBeside],
    by_question: Sequence[PairBeside],
    *,
    title: str,
    compared: int,
    facts: Sequence[str],
    problems: Sequence[str],
) -> str:
    """The pairs of a class as one self-contained HTML page.

    Args:
        pairs: alike over the whole notebook, in the order in which they are listed.
        by_question: others, that are alike in one question.
        title: of the assignment.
        compared: how many submissions were compared.
        facts: sentences on how they were compared, and how alike the class is.
        problems: sentences on what could not be compared.
    """
    return (
        environment()
        .get_template("similarity.html.j2")
        .render(
            title=title,
            pairs=pairs,
            by_question=by_question,
            compared=compared,
            facts=facts,
            problems=problems,
            disclaimer=DISCLAIMER,
            lines=shown_lines,
            max_lines=MAX_LINES,
        )
    )


def shown_lines(listing: Listing) -> Iterator[Line]:
    """The lines of a cell: the first of a passage with its number, the others with a bar."""
    signs = _signs(listing.marked)
    for number, text in enumerate(listing.source.split("\n")[:MAX_LINES], start=1):
        short = text if len(text) <= MAX_LINE_CHARACTERS else f"{text[:MAX_LINE_CHARACTERS]} …"
        yield Line(number, signs.get(number, ""), short)


def _signs(marked: Iterable[Marked]) -> Mapping[int, str]:
    """By line: the number of each passage that begins there, a bar inside of one."""
    signs: dict[int, str] = {}
    begun: dict[int, list[int]] = {}
    for each in marked:
        begun.setdefault(each.first, []).append(each.passage)
        for line in range(each.first, min(each.last, MAX_LINES) + 1):
            signs[line] = "│"
    return signs | {line: ",".join(map(str, sorted(set(numbers)))) for line, numbers in begun.items()}
