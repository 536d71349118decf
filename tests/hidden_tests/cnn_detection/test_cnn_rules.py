"""What every hidden-test file of `cnn_detection` must keep to, and its calibration. Four seconds."""

import builtins
import dis
import inspect
import json
import re
import types
from pathlib import Path

import pytest

from autograder import probes
from autograder.checks.judging import calibration_for
from autograder.evidence import encode

FOLDER = Path(__file__).resolve().parents[3] / "solutions" / "cnn_detection"
QUESTIONS = ("convolution", "pooling", "layer_arithmetic", "iou", "nms", "grid_encoding", "models", "localization", "detection",
             "gpu_training", "figure")  # fmt: skip


def globals_used(code):
    """Names that a function's code and the functions within it look up outside of the function."""
    names = {each.argval for each in dis.get_instructions(code) if each.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return names.union(*(globals_used(each) for each in inner))


def test_every_question_has_hidden_tests(questions):
    assert set(questions) == set(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_probe_uses_nothing_from_outside_its_body(questions, question):
    assert globals_used(questions[question].module.probe.__code__) <= set(dir(builtins))
    source = questions[question].probe_source
    assert "reference_models" not in source
    assert set(re.findall(r"\w*autograder\w*", source)) <= {"_autograder_models"} <= set(probes.MODULES)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_seed_decides_the_inputs(questions, question, materials):
    first, again, other = (encode(questions[question].given(seed, materials).inputs) for seed in (7, 7, 8))
    assert first == again
    assert len(first) < 8 * 2**20
    if "rng" in inspect.signature(questions[question].module.given).parameters:
        assert first != other


@pytest.mark.parametrize("question", QUESTIONS)
def test_titles_are_for_students(questions, question):
    tests = {name: value for name, value in vars(questions[question].module).items() if name.startswith("test_")}
    weights = []
    for test in tests.values():
        assert test.__doc__ and "evidence" not in test.__doc__
        weights += [mark.args[0] for mark in getattr(test, "pytestmark", []) if mark.name == "weight"] or [1]
    assert sum(weights) > 0


@pytest.mark.parametrize("question", ["localization", "detection"])
def test_withheld_answers_do_not_travel(questions, question, materials):
    """Images do; boxes and labels of withheld scenes stay."""
    given = questions[question].given(7, materials)
    assert set(given.inputs) <= {"images", "own", "order"}
    assert {"boxes", "labels"} <= set(given.answers)


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_calibration(profile):
    """Bars lie between what was measured of honest and of hopeless ones, and say how often they err.

    In the short training of `smoke` a dense class head is hardly better than a look-up of similar scenes: both pass.
    """
    entry = json.loads((FOLDER / "calibration.json").read_text())[profile]["generated"]
    for question, names in (("localization", ("accuracy", "iou")), ("detection", ("map_50",))):
        how = entry[question]["how"]
        assert {"date", "data", "networks", "first_seed"} <= set(how)
        for name in names:
            assert how[name]["false_fails"]["rate"] == 0 and entry[question][name] < how[name]["honest"]["least"]
            if (profile, name) != ("smoke", "accuracy"):
                assert how[name]["false_passes"]["rate"] == 0 and how[name]["hopeless"]["most"] < entry[question][name]
            for rates in (how[name]["false_fails"], how[name]["false_passes"]):
                assert rates["low"] <= rates["rate"] <= rates["high"]
                assert rates["n"] >= how["networks"]


def test_other_data_fall_back_on_drawn_scenes():
    assert calibration_for(FOLDER, "smoke", "file")["detection"]["map_50"] > 0
