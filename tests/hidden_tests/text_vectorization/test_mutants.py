"""Demo students of `text_vectorization` at the questions that need no training: the verdicts that they expect. 15 seconds.

Each question is judged for whoever answers it in another way, or should lose something there; the rest is the
reference solution, which is judged once.
"""

import ast
from pathlib import Path

import nbformat
import pytest

from autograder.mutants import read_mutants

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently
FOLDER = Path(__file__).resolve().parents[3] / "solutions" / "text_vectorization"
MUTANTS = {mutant.name: mutant for mutant in read_mutants(FOLDER / "mutants")}
WITHOUT_TRAINING = ("standardize", "tokenize", "subwords", "vocabulary", "encode", "bag_of_words", "keras_vectorizer",
                    "split_reviews", "models")  # fmt: skip
CELLS = {cell.id: cell.source for cell in nbformat.read(FOLDER / "text_vectorization.ipynb", as_version=4).cells}
IMPORTS = "import pandas as pd\n"
STUB = "def learn_bpe(*a):\n    raise NotImplementedError\ndef apply_bpe(*a):\n    raise NotImplementedError"


def handed_in(cells):
    """The answers before training, one cell after the other; one without source is as it was released."""
    return IMPORTS + "\n\n".join(cells.get(name, CELLS[name]) or STUB for name in WITHOUT_TRAINING)


def touched(mutant):
    """Questions to judge; `models`, whose probe trains, of a few alone."""
    names = {*mutant.cells, *mutant.expected}
    if mutant.name not in JUDGED_AT_MODELS:
        names.discard("models")
    return [name for name in WITHOUT_TRAINING if name in names]


JUDGED_AT_MODELS = {"right_classes", "wrong_models_fixed_length", "wrong_padding_decides"}
PAIRS = [(name, question) for name, mutant in MUTANTS.items() for question in touched(mutant)]


@pytest.mark.parametrize("question", WITHOUT_TRAINING)
def test_the_reference_passes(judge, question):
    assert judge(question, handed_in({})) == {}


@pytest.mark.parametrize(("name", "question"), PAIRS)
def test_mutant(judge, questions, name, question):
    found = judge(question, handed_in(MUTANTS[name].cells))
    checks = [each for each in vars(questions[question].module) if each.startswith("test_")]
    outcome = "passed" if not found else "failed" if len(found) == len(checks) else "partial"
    assert outcome == MUTANTS[name].expected.get(question, "passed"), found


def test_there_are_enough_of_both_kinds():
    assert sum(mutant.right for mutant in MUTANTS.values()) >= 4
    assert sum(not mutant.right for mutant in MUTANTS.values()) >= 15


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_says_what_it_is(mutant):
    """A right one expects nothing but passes; a wrong one loses something; its cells compile and differ from the reference."""
    assert mutant.name.startswith("right_" if mutant.right else "wrong_")
    assert mutant.right == (not mutant.expected)
    assert mutant.cells
    for question, source in mutant.cells.items():
        ast.parse(source)
        assert "SOLUTION" not in source
        assert source.strip() != CELLS[question].strip()


def test_every_question_that_code_answers_is_lost_by_somebody():
    lost = {question for mutant in MUTANTS.values() for question in mutant.expected}
    assert lost == {*WITHOUT_TRAINING, "classify"}
