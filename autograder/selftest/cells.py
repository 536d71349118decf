"""The solution cells of a source notebook: where the solution stands, and what the notebook's text says about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.config import Assignment
from autograder.mutants import DELIMITER

_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"
_CODE_SPAN = re.compile(r"`([^`]+)`")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?")
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
_HINT = re.compile(r"^[*_]+Hints?\b.*", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class SolutionCell:
    """One code cell with a solution.

    Attributes:
        question: the cell's grade_id.
        source: as it stands in the instructor's notebook, delimiters included.
        text: the Markdown before it, without headings and hints: a hint fixes nothing.
        defines: the names that its contract asks for; empty where the configuration names none.
    """

    question: str
    source: str
    text: str = ""
    defines: tuple[str, ...] = ()

    @property
    def lines(self) -> frozenset[int]:
        """The numbers of the lines between the delimiters, from 1; all lines where there are no delimiters."""
        chosen, inside = set(), False
        rows = [row.strip() for row in self.source.splitlines()]
        for number, row in enumerate(rows, 1):
            if row == _BEGIN:
                inside = True
            elif row == _END:
                inside = False
            elif inside:
                chosen.add(number)
        return frozenset(chosen) if _BEGIN in rows else frozenset(range(1, len(rows) + 1))

    @property
    def code_spans(self) -> str:
        """What the text sets as code, without blanks, a line for each."""
        return "\n".join("".join(span.split()) for span in _CODE_SPAN.findall(self.text))

    def names(self, word: str) -> bool:
        """Whether the text has this identifier in what it sets as code."""
        return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", self.code_spans) is not None

    def fixes(self, keyword: str, value: str) -> bool:
        """Whether the text fixes a keyword argument to this value, as in `padding="same"`."""
        return re.search(rf"(?<!\w){re.escape(f'{keyword}={value}')}(?![\w.])", self.code_spans) is not None

    @property
    def numbers(self) -> frozenset[float]:
        """The numbers in the text."""
        return frozenset(float(number) for number in _NUMBER.findall(self.text))


def solution_cells(source: NotebookNode, assignment: Assignment) -> list[SolutionCell]:
    """The code cells with a solution, in the notebook's order."""
    defines = {question.id: question.defines for question in assignment.questions}
    return [
        SolutionCell(question, code, text, defines.get(question, ()))
        for question, code, text in _code_with_text(source)
    ]


def _code_with_text(source: NotebookNode) -> Iterator[tuple[str, str, str]]:
    text: list[str] = []
    for cell in source.cells:
        if cell.cell_type != "code":
            text.append(_HINT.sub("", _HEADING.sub("", cell.source)))
            continue
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            yield marks["grade_id"], cell.source, "\n".join(text)
        text = []


def without_delimiters(source: str) -> str:
    """The cell as a student would hand it in."""
    return DELIMITER.sub("", source).strip("\n")
