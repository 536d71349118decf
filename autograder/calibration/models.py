"""Who a calibration listens to: notebooks that deserve to pass, and answers that need no training.

`solutions/<assignment>/calibration.py` says what is particular to an assignment; each of these names may be missing:

    STYLES   {name: {old: new}}: the reference solution as other honest students would have it, by changes in its source
    BARS     {question: {check: Bar(setting, ...)}}: the bars that are chosen here, and their names in calibration.json
    answers  answers(tests, materials, seed) yields an `Answer` for what needs no notebook: baselines, guesses

The solution itself and the right ones among the demo students always count as honest.
"""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from autograder.checks.given import Materials
from autograder.checks.judging import HiddenTests
from autograder.errors import CalibrationError
from autograder.mutants import Mutant, apply_mutant

MODELS_FILE = "calibration.py"
SOLUTION = "solution"


@dataclass(frozen=True)
class Answer:
    """A result that needs no notebook: what a check would measure of a model, and whether that deserves to pass it."""

    model: str
    question: str
    check: str
    value: float
    honest: bool = False


@dataclass(frozen=True)
class Bar:
    """A bar that a calibration chooses.

    Attributes:
        setting: its name in the question's entry of `calibration.json`.
        least: it is never lower, whatever the results: what the question's text promises.
        most: it is never higher.
    """

    setting: str
    least: float = float("-inf")
    most: float = float("inf")


Answers = Callable[[Mapping[str, HiddenTests], Materials, int], Iterable[Answer]]


def _no_answers(*_: object) -> Iterable[Answer]:
    return ()


@dataclass(frozen=True)
class Models:
    """What an assignment's `calibration.py` says."""

    styles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    bars: Mapping[str, Mapping[str, Bar]] = field(default_factory=dict)
    answers: Answers = _no_answers


def read_models(solution_folder: Path) -> Models:
    """What the assignment's `calibration.py` says; nothing where there is none.

    Raises:
        CalibrationError: the file does not run.
    """
    path = solution_folder / MODELS_FILE
    if not path.is_file():
        return Models()
    specification = importlib.util.spec_from_file_location(f"calibration_of_{solution_folder.name}", path)
    if specification is None or specification.loader is None:
        raise CalibrationError(f"Not a Python file. Received: {path}")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except Exception as error:  # the file is a program of the instructor's
        raise CalibrationError(
            f"{MODELS_FILE} of {solution_folder.name} does not run: {type(error).__name__}: {error}"
        ) from error
    return Models(getattr(module, "STYLES", {}), getattr(module, "BARS", {}), getattr(module, "answers", _no_answers))


def honest_notebooks(
    release: NotebookNode, source: NotebookNode, mutants: Iterable[Mutant], models: Models
) -> dict[str, NotebookNode]:
    """The notebooks that deserve to pass, by name: the solution, its styles, and the right demo students.

    Raises:
        CalibrationError: a style changes what the solution does not hold.
    """
    unchanged = Mutant(SOLUTION, "", {}, right=True, cells={})
    found = {SOLUTION: apply_mutant(release, source, unchanged)}
    for name, changes in sorted(models.styles.items()):
        found[name] = apply_mutant(release, _changed(source, name, changes), unchanged)
    for mutant in mutants:
        if mutant.right:
            found[mutant.name] = apply_mutant(release, source, mutant)
    return found


def _changed(source: NotebookNode, name: str, changes: Mapping[str, str]) -> NotebookNode:
    notebook = copy.deepcopy(source)
    for old, new in changes.items():
        cells = [cell for cell in notebook.cells if cell.cell_type == "code" and old in cell.source]
        if not cells:
            raise CalibrationError(f"The style {name!r} changes what the solution does not hold. Received: {old!r}")
        for cell in cells:
            cell.source = cell.source.replace(old, new)
    return notebook
