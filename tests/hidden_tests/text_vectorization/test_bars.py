"""calibration.json says how its bars were obtained and how rarely they err; other data have other bars. A second."""

import importlib.util
import json
from pathlib import Path

import pytest

from autograder.checks.judging import calibration_for

FOLDER = Path(__file__).resolve().parents[3] / "solutions" / "text_vectorization"
ENTRIES = [
    (profile, origin, entry["classify"])
    for profile, origins in json.loads((FOLDER / "calibration.json").read_text(encoding="utf-8")).items()
    for origin, entry in origins.items()
]


@pytest.fixture(scope="module")
def calibrate():
    """The script that makes calibration.json, as a module."""
    specification = importlib.util.spec_from_file_location("calibrate_text", FOLDER / "calibrate.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_profiles_and_origins_that_students_meet():
    known = {(profile, origin) for profile, origin, _ in ENTRIES}
    assert {("smoke", "generated"), ("cpu", "generated"), ("smoke", "file"), ("cpu", "file")} <= known
    assert {("smoke", "download"), ("cpu", "download")} <= known


@pytest.mark.parametrize(("profile", "origin", "entry"), ENTRIES)
def test_who_deserves_to_pass_does(profile, origin, entry):
    assert {"date", "data", "samples", "first_seed"} <= set(entry["how"])
    for name, bar in entry["bars"].items():
        how = entry["how"][name]
        assert 0.5 < bar < 1
        assert how["false_fails"]["rate"] <= 0.02, (profile, origin, name)
        assert how["false_passes"]["rate"] == 0, (profile, origin, name)
        assert bar <= how["accuracies"]["solution"][0] - 0.02
        assert bar > how["accuracies"]["shuffled labels"][1]


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_word_order_decides_in_generated_reviews_alone(profile):
    """Of real reviews no more is demanded from a sequence model than it can give with so few of them."""
    generated, real = (calibration_for(FOLDER, profile, origin)["classify"] for origin in ("generated", "file"))
    assert generated["bars"]["sequence"] > generated["how"]["sequence"]["accuracies"]["words alone"][1]
    assert real["bars"]["sequence"] < real["bars"]["bag_of_words"]


def test_a_bar_lies_between(calibrate):
    """SLACK below the worst honest one; where the others are near, halfway to the best of them."""
    assert calibrate.bar_between(0.9, 0.6) == 0.82
    assert calibrate.bar_between(0.86, 0.74) == 0.80
