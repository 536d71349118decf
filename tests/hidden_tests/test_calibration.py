"""calibration.json covers every profile, says how it was obtained, and its rules err as rarely as it claims to demand."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from autograder.checks.judging import calibration_for
from autograder.config import load_course

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "solutions" / "jena_multistep"
PROFILES = sorted(load_course(ROOT).assignment("jena_multistep").profiles)


@pytest.fixture(scope="module")
def calibrate():
    """The script that makes calibration.json, as a module."""
    specification = importlib.util.spec_from_file_location("calibrate_jena", FOLDER / "calibrate.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile(profile, calibrate):
    entry = json.loads((FOLDER / "calibration.json").read_text())[profile]["generated"]["beat_baseline"]
    for name, candidates in calibrate.RULES.items():
        assert entry[name] in candidates
    how = entry["how"]
    assert {"date", "data", "stations", "first_seed", "networks"} <= set(how)
    for name in ("false_fails_one", "false_fails_both", "false_passes_one", "false_passes_both"):
        assert how[name]["low"] <= how[name]["rate"] <= how[name]["high"] and how[name]["n"] >= 30
        assert how[name]["rate"] <= 0.05, name


@pytest.mark.parametrize("origin", ["generated", "file", "download"])
def test_other_data_fall_back_on_generated(origin):
    assert calibration_for(FOLDER, "smoke", origin)["beat_baseline"]["confidence"] > 0


def test_band_of_curves():
    band = calibration_for(FOLDER, "smoke", "generated")["training"]["band"]["val_loss"]
    assert len(band["low"]) == len(band["high"]) >= 2
    assert all(low <= high for low, high in zip(band["low"], band["high"], strict=True))


def test_choice_of_a_rule(calibrate):
    """Few false passes come first, then few false fails; of equal rules the lenient one for one target is kept."""
    rules = list(np.ndindex(*(len(values) for values in calibrate.RULES.values())))
    values = [tuple(list(v)[i] for v, i in zip(calibrate.RULES.values(), rule, strict=True)) for rule in rules]
    passes_all = dict.fromkeys(values, (True, True))
    fails_all = dict.fromkeys(values, (False, False))
    chosen = calibrate.choose([passes_all] * 3, [(fails_all, False)] * 3)
    assert (chosen["confidence"], chosen["margin"], chosen["both_confidence"]) == (0.8, 0.05, 0.0)
    strict_only = {value: (value[0] < 0.95, False) for value in values}  # a liar whom only the strictest rule stops
    assert calibrate.choose([passes_all] * 3, [(strict_only, False)] * 3)["confidence"] == 0.95


def test_band_keeps_the_last_value_of_a_short_training(calibrate):
    band = calibrate.band([[3.0, 2.0, 1.0], [2.0, 1.5]])
    assert band == {"val_loss": {"low": [2.0, 1.5, 1.0], "high": [3.0, 2.0, 1.5]}}
