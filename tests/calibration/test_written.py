"""What stands in every calibration.json: bars that err rarely, with intervals, and under what they were measured."""

import json
from pathlib import Path

import pytest

from autograder.calibration import read_models
from autograder.calibration.models import SOLUTION
from autograder.checks.judging import calibration_for
from autograder.config import load_course

ROOT = Path(__file__).parents[2]
COURSE = load_course(ROOT)
CHECKS = [
    (assignment.name, profile, origin, question, check)
    for assignment in COURSE.assignments
    for profile, origins in json.loads(
        (ROOT / "solutions" / assignment.name / "calibration.json").read_text(encoding="utf-8")
    ).items()
    for origin, questions in origins.items()
    for question, entry in questions.items()
    for check in entry.get("checks", ())
]
MEASURED = sorted({name for name, *_ in CHECKS})


def entry_of(name, profile, origin, question):
    whole = json.loads((ROOT / "solutions" / name / "calibration.json").read_text(encoding="utf-8"))
    return whole[profile][origin][question]


def test_assignments_are_calibrated_by_the_command():
    assert {"jena_multistep", "rnn_layers", "text_vectorization"} <= set(MEASURED)


@pytest.mark.parametrize(("name", "profile", "origin", "question", "check"), CHECKS)
def test_bars_err_rarely_and_say_how_they_were_found(name, profile, origin, question, check):
    entry = entry_of(name, profile, origin, question)
    found = entry["checks"][check]
    assert {"seeds", "first_seed", "notebooks", "parameters", "data", "environment", "date"} <= set(entry["how"])
    assert SOLUTION in found["honest"]
    assert sum(map(len, found["honest"].values())) == found["false_fails"]["n"] >= 8
    for rates in filter(None, (found["false_fails"], found["false_passes"])):
        assert rates["low"] <= rates["rate"] <= rates["high"]
        assert rates["rate"] <= 0.05
    assert entry["spread"][check] >= 0
    wanted = read_models(ROOT / "solutions" / name).bars.get(question, {}).get(check)
    if wanted is not None:
        assert entry[wanted.setting] == found["bar"]


@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.name)
def test_every_origin_has_an_entry_or_falls_back_on_generated_data(assignment):
    folder = ROOT / "solutions" / assignment.name
    for profile in ("smoke", "cpu"):
        for origin in ("generated", "file", "download", ""):
            assert calibration_for(folder, profile, origin), (profile, origin)


def test_the_band_behind_the_curves():
    band = calibration_for(ROOT / "solutions" / "jena_multistep", "smoke", "generated")["training"]["band"]["val_loss"]
    assert len(band["low"]) == len(band["high"]) >= 2
    assert all(low <= high for low, high in zip(band["low"], band["high"], strict=True))
