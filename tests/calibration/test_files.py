"""`calibration.py` of an assignment, and the `calibration.json` that comes of it. A second."""

import json
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.calibration import Figures, Models, Rate, Trials, read_models, write_calibration
from autograder.calibration.entries import band_of
from autograder.calibration.models import honest_notebooks
from autograder.config import load_course
from autograder.errors import CalibrationError
from autograder.mutants import Mutant

ROOT = Path(__file__).parents[2]
COURSE = load_course(ROOT)
NAMES = sorted(assignment.name for assignment in COURSE.assignments)


def notebook(source):
    marks = {"nbgrader": {"solution": True, "grade_id": "double"}}
    return new_notebook(cells=[new_code_cell(source, metadata=marks)])


SOURCE = notebook("### BEGIN SOLUTION\nvalue = fit(rate=1)\n### END SOLUTION")
RELEASE = notebook("raise NotImplementedError()")


def test_honest_notebooks_are_the_solution_its_styles_and_right_demo_students():
    mutants = [
        Mutant("right_a", "", {}, right=True, cells={"double": "value = 2"}),
        Mutant("wrong_b", "", {}, right=False, cells={"double": "value = 3"}),
    ]
    found = honest_notebooks(RELEASE, SOURCE, mutants, Models(styles={"slow": {"rate=1": "rate=2"}}))
    assert {name: each.cells[0].source for name, each in found.items()} == {
        "solution": "value = fit(rate=1)",
        "slow": "value = fit(rate=2)",
        "right_a": "value = 2",
    }


def test_a_style_that_changes_nothing_is_told():
    with pytest.raises(CalibrationError, match=r"'slow' changes what the solution does not hold. Received: 'rte=1'"):
        honest_notebooks(RELEASE, SOURCE, [], Models(styles={"slow": {"rte=1": "rate=2"}}))


def test_no_file_says_nothing_and_a_broken_one_is_told(tmp_path):
    models = read_models(tmp_path)
    assert (models.styles, models.bars, list(models.answers({}, None, 1))) == ({}, {}, [])
    (tmp_path / "calibration.py").write_text("1 / 0")
    with pytest.raises(CalibrationError, match=f"calibration.py of {tmp_path.name} does not run: ZeroDivisionError"):
        read_models(tmp_path)


FIGURES = Figures("q", "test_bar", {"solution": (0.91234, 0.9)}, {"guess": (0.25,)}, 0.5, "bar", 0.02,
                  Rate(0.0, 0.0, 0.6, 2), Rate(0.0, 0.0, 0.8, 1))  # fmt: skip


def trials(profile="smoke", origin="generated", curves=()):
    return Trials(profile, origin, 2, (), dict(curves), (), {"seeds": 2}, Models())


def test_an_entry_holds_what_hidden_tests_read_and_leaves_others_alone(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"smoke": {"generated": {"old": {"bar": 1}}, "file": {"q": {"bar": 9}}}, "cpu": {}}))
    curves = {"training": ((3.0, 2.0, 1.0), (2.0, 1.5))}
    write_calibration(path, trials(curves=curves.items()), [FIGURES], date="2026-01-02")
    whole = json.loads(path.read_text())
    entry = whole["smoke"]["generated"]
    assert entry["q"]["bar"] == 0.5
    assert entry["q"]["spread"] == {"test_bar": 0.02}
    assert entry["q"]["checks"]["test_bar"]["honest"] == {"solution": [0.9123, 0.9]}
    assert entry["q"]["checks"]["test_bar"]["false_fails"] == {"rate": 0.0, "low": 0.0, "high": 0.6, "n": 2}
    assert entry["q"]["how"] == {"seeds": 2, "date": "2026-01-02"}
    assert entry["training"]["band"] == {"val_loss": {"low": [2.0, 1.5, 1.0], "high": [3.0, 2.0, 1.5]}}
    assert (entry["old"], whole["smoke"]["file"], whole["cpu"]) == ({"bar": 1}, {"q": {"bar": 9}}, {})
    assert '"solution": [0.9123, 0.9]' in path.read_text()  # a person can read it


def test_a_damaged_file_is_told_and_kept(tmp_path):
    path = tmp_path / "calibration.json"
    path.write_text("{")
    with pytest.raises(CalibrationError, match="calibration.json is not JSON"):
        write_calibration(path, trials(), [FIGURES], date="2026-01-02")
    assert path.read_text() == "{"


def test_a_band_keeps_the_last_value_of_a_short_training():
    assert band_of([[3.0, 2.0, 1.0], [2.0, 1.5]]) == {"low": [2.0, 1.5, 1.0], "high": [3.0, 2.0, 1.5]}


@pytest.mark.parametrize("name", NAMES)
def test_every_assignment_says_who_is_honest(name):
    models = read_models(ROOT / "solutions" / name)
    questions = {question.id for question in COURSE.assignment(name).questions}
    assert set(models.bars) <= questions
    assert models.styles or name == "jena_multistep"


@pytest.mark.parametrize("name", NAMES)
def test_hidden_tests_find_their_bars(name):
    """Every bar that is chosen is in the calibration of the profiles that the course grades with."""
    whole = json.loads((ROOT / "solutions" / name / "calibration.json").read_text())
    models = read_models(ROOT / "solutions" / name)
    for profile in ("smoke", "cpu"):
        for question, bars in models.bars.items():
            entry = whole[profile]["generated"][question]
            for bar in bars.values():
                assert bar.least <= entry[bar.setting] <= bar.most
