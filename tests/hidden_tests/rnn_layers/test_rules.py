"""What every hidden-test file keeps to, the calibration, and the mutant files. Under five seconds, no TensorFlow."""

import ast
import builtins
import dis
import inspect
import json
import re
import types
from pathlib import Path

import nbformat
import pytest

from autograder import probes
from autograder.evidence import encode
from autograder.mutants import read_mutant, read_mutants

FOLDER = Path(__file__).resolve().parents[3] / "solutions" / "rnn_layers"
POINTS = {
    "rnn_step": 0.10, "rnn_forward": 0.10, "sequence_tasks": 0.15, "lstm_step": 0.15, "gru_step": 0.15, "count_parameters": 0.10,
    "bptt": 0.15, "clipping": 0.10, "keras_models": 0.35, "memory_task": 0.20, "gpu_training": 0.05, "concepts": 0.20,
}  # fmt: skip
MUTANTS = sorted(path.stem for path in (FOLDER / "mutants").glob("*.py"))
CELLS = {cell.id: cell for cell in nbformat.read(FOLDER / "rnn_layers.ipynb", as_version=4).cells}


def globals_used(code):
    """Names that a function's code and the functions within it look up outside of the function."""
    names = {each.argval for each in dis.get_instructions(code) if each.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return names.union(*(globals_used(each) for each in inner))


def test_every_question_has_hidden_tests(questions):
    assert set(questions) == set(POINTS)


@pytest.mark.parametrize("question", POINTS)
def test_probe_travels_alone_and_carries_no_answer(questions, question):
    source = questions[question].probe_source
    assert globals_used(questions[question].module.probe.__code__) <= set(dir(builtins))
    assert "oracle" not in source
    assert set(re.findall(r"\w*autograder\w*", source)) <= set(probes.MODULES)


@pytest.mark.parametrize("question", POINTS)
def test_the_seed_decides_the_inputs(questions, question, materials):
    first, again, other = (encode(questions[question].given(seed, materials).inputs) for seed in (7, 7, 8))
    assert first == again
    assert len(first) < 8 * 2**20
    if "rng" in inspect.signature(questions[question].module.given).parameters:
        assert first != other


@pytest.mark.parametrize("question", POINTS)
def test_titles_are_for_students(questions, question):
    tests = [value for name, value in vars(questions[question].module).items() if name.startswith("test_")]
    assert all(test.__doc__ and "evidence" not in test.__doc__ for test in tests)


def test_labels_stay_with_the_grader(questions, materials):
    given = questions["memory_task"].given(7, materials)
    assert "y" in given.answers
    assert "y" not in given.inputs


def test_profiles_without_an_entry_have_defaults(questions, materials):
    assert "gpu" not in json.loads((FOLDER / "calibration.json").read_text())
    assert questions["memory_task"].module.settings_of(materials)["bar"] == 0.55


def test_there_are_enough_mutants_of_both_kinds():
    mutants = read_mutants(FOLDER / "mutants")
    assert sum(mutant.right for mutant in mutants) >= 4
    assert sum(not mutant.right for mutant in mutants) >= 15


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant(name):
    mutant = read_mutant(FOLDER / "mutants" / f"{name}.py")
    assert name.startswith("right_" if mutant.right else "wrong_")
    assert mutant.right == (not mutant.expected)
    assert set(mutant.expected) <= set(POINTS) - {"gpu_training"}
    assert mutant.cells
    for question, source in mutant.cells.items():
        ast.parse(source)
        assert "SOLUTION" not in source
        assert source.strip() != CELLS[question].source.strip()


def test_every_question_that_code_answers_is_lost_by_somebody():
    lost = {question for mutant in read_mutants(FOLDER / "mutants") for question in mutant.expected}
    assert lost == set(POINTS) - {"gpu_training"}
