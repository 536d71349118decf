"""What every hidden-test file must keep to: a probe that travels alone and carries no answer, inputs that a seed decides."""

import builtins
import inspect
import re
import types

import pytest

from autograder import probes
from autograder.evidence import encode

QUESTIONS = ("load_data", "split_by_time", "normalization", "windows", "naive_baseline", "models", "variants", "training",
             "evaluation", "beat_baseline", "gpu_training", "figures")  # fmt: skip


def globals_used(code):
    """Names that a function's code and the functions within it look up outside of the function."""
    import dis

    names = {each.argval for each in dis.get_instructions(code) if each.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return names.union(*(globals_used(each) for each in inner))


def test_every_question_has_hidden_tests(questions):
    assert set(questions) == set(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_probe_uses_nothing_from_outside_its_body(questions, question):
    outside = globals_used(questions[question].module.probe.__code__) - set(dir(builtins))
    assert outside == set()
    assert "reference_models" not in questions[question].probe_source
    source = questions[question].probe_source
    ours = set(re.findall(r"\w*autograder\w*", source))
    assert ours <= {"_autograder_models"}, "of this package, only what travels into the kernel is there"
    assert ours <= set(probes.MODULES)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_seed_decides_the_inputs(questions, question, materials):
    first, again, other = (encode(questions[question].given(seed, materials).inputs) for seed in (7, 7, 8))
    assert first == again
    assert len(first) < 8 * 2**20
    if "rng" in inspect.signature(questions[question].module.given).parameters:
        assert first != other


@pytest.mark.parametrize("question", QUESTIONS)
def test_titles_are_for_students(questions, question):
    """Each test has a line for students, without code of ours; some check counts."""
    tests = {name: value for name, value in vars(questions[question].module).items() if name.startswith("test_")}
    weights = []
    for test in tests.values():
        assert test.__doc__
        assert "evidence" not in test.__doc__
        weights += [mark.args[0] for mark in getattr(test, "pytestmark", []) if mark.name == "weight"] or [1]
    assert sum(weights) > 0
