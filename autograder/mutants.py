"""Demo students: files that say what one student wrote in place of the reference solution, and what it should cost.

A mutant file is text, never imported: a docstring (what this student did), `EXPECTED` (outcomes that differ from
"passed", by question), `RIGHT` (whether it is a right answer), `DEMO = True` where the demo shows it unasked, then
cells in percent format, `# %% [question]` followed by the whole source of that question's solution cell. A cell without
source stays as it was released: unanswered.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from nbformat import NotebookNode

from autograder.errors import MutantError
from autograder.records import QuestionOutcome

CELL = re.compile(r"^# %% \[([^\]\n]+)\][ \t]*$", re.MULTILINE)
DELIMITER = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One demo student.

    Attributes:
        name: of the file, without its suffix.
        story: the docstring: what this student did.
        expected: outcome by question; a question that is not listed is expected to pass.
        right: whether this is a right answer in a style of its own.
        cells: source of the solution cells that differ from the reference, by question.
        shown: whether the demo shows this student unless others are asked for.
    """

    name: str
    story: str
    expected: Mapping[str, QuestionOutcome]
    right: bool
    cells: Mapping[str, str]
    shown: bool = False

    @property
    def headline(self) -> str:
        """The story's first sentence, without its full stop."""
        return re.split(r"(?<=[.!?])\s", " ".join(self.story.split()), maxsplit=1)[0].rstrip(".")


def read_mutants(folder: Path) -> list[Mutant]:
    """All mutants of a folder, sorted by name.

    Raises:
        MutantError: there are none, or one is wrong.
    """
    paths = sorted(folder.glob("*.py"))
    if not paths:
        raise MutantError(f"There are no demo students (files NAME.py). Received: {folder}")
    return [read_mutant(path) for path in paths]


def read_mutant(path: Path) -> Mutant:
    """Read one mutant file as text.

    Raises:
        MutantError: the file cannot be read or lacks one of its parts.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MutantError(f"The demo student {path.name} cannot be read: {error}. Received: {path}") from error
    header, *parts = CELL.split(text)  # header, then a name and a source for each cell
    story, constants = _header(path, header)
    names = [name.strip() for name in parts[::2]]
    cells = {name: source.strip("\n") for name, source in zip(names, parts[1::2], strict=True)}
    if len(cells) < len(names):
        raise MutantError(f"{path.name}: a question's cell comes twice. Received: {', '.join(names)}")
    return Mutant(
        name=path.stem,
        story=story,
        expected=_expected(path, constants),
        right=_yes_or_no(path, constants, "RIGHT"),
        shown=_yes_or_no(path, {"DEMO": False, **constants}, "DEMO"),
        cells=cells,
    )


def _header(path: Path, text: str) -> tuple[str, dict[str, Any]]:
    """The docstring and the literal constants above the first cell."""
    try:
        module = ast.parse(text)
        constants = {
            target.id: ast.literal_eval(statement.value)
            for statement in module.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }
    except (SyntaxError, ValueError) as error:
        raise MutantError(f"{path.name}: what stands above the first cell must be literals: {error}") from error
    story = ast.get_docstring(module)
    if not story:
        raise MutantError(f"{path.name} must begin with a docstring that says what this student did. Received: none")
    return story, constants


def _expected(path: Path, constants: Mapping[str, Any]) -> dict[str, QuestionOutcome]:
    expected = constants.get("EXPECTED")
    known = get_args(QuestionOutcome)
    if not isinstance(expected, dict) or not all(outcome in known for outcome in expected.values()):
        raise MutantError(
            f"{path.name} must define EXPECTED = {{question: outcome}}, outcomes being {', '.join(known)}. "
            f"Received: {expected!r}"
        )
    return expected


def _yes_or_no(path: Path, constants: Mapping[str, Any], name: str) -> bool:
    told = constants.get(name)
    if not isinstance(told, bool):
        raise MutantError(f"{path.name} must define {name} = True or False. Received: {told!r}")
    return told


def apply_mutant(release: NotebookNode, source: NotebookNode, mutant: Mutant) -> NotebookNode:
    """The notebook that this student hands in: the released one, its solution cells filled in.

    Args:
        release: the notebook that students get.
        source: the instructor's, with the reference solution.
        mutant: whose cells replace the reference's.

    Raises:
        MutantError: the mutant has a cell for a question without a solution cell.
    """
    answers = {name: DELIMITER.sub("", cell.source).strip("\n") for name, cell in _solution_cells(source)}
    unknown = sorted(set(mutant.cells) - set(answers))
    if unknown:
        raise MutantError(f"{mutant.name}: no solution cell has this name. Received: {', '.join(unknown)}")
    answers |= mutant.cells
    handed_in = copy.deepcopy(release)
    for name, cell in _solution_cells(handed_in):
        cell.source = answers.get(name) or cell.source
    return handed_in


def _solution_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            yield marks["grade_id"], cell
