"""Bars belong to an origin of the data: in generated reviews word order decides, in real ones it hardly does. A second."""

import json
from pathlib import Path

import pytest

from autograder.checks.judging import calibration_for

FOLDER = Path(__file__).resolve().parents[3] / "solutions" / "text_vectorization"
WHOLE = json.loads((FOLDER / "calibration.json").read_text(encoding="utf-8"))


def test_profiles_and_origins_that_students_meet():
    known = {(profile, origin) for profile, origins in WHOLE.items() for origin in origins}
    assert {(profile, origin) for profile in ("smoke", "cpu") for origin in ("generated", "file", "download")} <= known


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_word_order_decides_in_generated_reviews_alone(profile):
    """Of real reviews no more is demanded from a sequence model than it can give with so few of them."""
    generated, real = (calibration_for(FOLDER, profile, origin)["classify"] for origin in ("generated", "file"))
    assert real["sequence"] < real["bag_of_words"]
    assert real["sequence"] < generated["sequence"]
    assert 0.5 < real["bag_of_words"] < 0.9
