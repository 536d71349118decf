"""The demo students of `jena_multistep`: every file can be read, names real questions, and compiles. A second."""

import ast
from pathlib import Path

import nbformat
import pytest

from autograder.mutants import read_mutant, read_mutants

FOLDER = Path(__file__).parents[2] / "solutions" / "jena_multistep"
MUTANTS = sorted(path.stem for path in (FOLDER / "mutants").glob("*.py"))
CODE = {
    cell.id: cell.source
    for cell in nbformat.read(FOLDER / "jena_multistep.ipynb", as_version=4).cells
    if cell.cell_type == "code"
}
ANSWERS = {name for name in CODE if f"test_{name}" in CODE}
QUESTIONS = {name.removeprefix("test_") for name in CODE if name.startswith("test_")}


def test_there_are_enough_of_both_kinds() -> None:
    mutants = read_mutants(FOLDER / "mutants")
    assert sum(mutant.right for mutant in mutants) >= 4
    assert sum(not mutant.right for mutant in mutants) >= 12


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant(name: str) -> None:
    """A right one expects nothing but passes; a wrong one loses something; its cells replace answers and differ from them."""
    mutant = read_mutant(FOLDER / "mutants" / f"{name}.py")
    assert name.startswith("right_" if mutant.right else "wrong_")
    assert mutant.right == (not mutant.expected)
    assert set(mutant.expected) <= QUESTIONS - {"gpu_training"}
    assert mutant.cells
    assert set(mutant.cells) <= ANSWERS
    for question, source in mutant.cells.items():
        ast.parse(source)
        assert "SOLUTION" not in source
        assert source.strip() != CODE[question].strip()


def test_every_question_that_code_answers_is_lost_by_somebody() -> None:
    """Each hidden test has a student whom it must catch."""
    lost = {question for mutant in read_mutants(FOLDER / "mutants") for question in mutant.expected}
    assert lost == QUESTIONS - {"gpu_training"}
