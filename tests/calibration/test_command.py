"""`autograder calibrate` from notebooks to calibration.json, on the tiny course. Real kernels, no TensorFlow: about 20 s."""

from __future__ import annotations

import json

import pytest

from autograder.cli import main
from tests.tiny_course import NAME, make_course

MEASURED = '''

def test_skill(evidence, measured):
    """triple(7) reaches the bar."""
    if not measured(evidence["value"], 21.0):
        raise Failure(f"Too low. Received: {evidence['value']}", hint="Train longer.")
'''
MODELS = """
from autograder.calibration import Answer, Bar

STYLES = {"trained": {"return double(x) + x": "return 24.0 + SEED % 2"}}
BARS = {"triple": {"test_skill": Bar("bar", least=1.0, most=22.5)}}


def answers(tests, materials, seed):
    yield Answer("guess", "triple", "test_skill", 5.0)
    yield Answer("closed form", "triple", "test_skill", 23.0, honest=True)
"""


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = make_course(tmp_path_factory.mktemp("calibrate") / "course")
    home = folder / "solutions" / NAME
    test = home / "hidden_tests" / "test_triple.py"
    test.write_text(test.read_text().partition("def test_value")[0].rstrip() + "\n" + MEASURED)
    (home / "calibration.py").write_text(MODELS)
    for notebook in (folder / "assignments" / NAME / f"{NAME}.ipynb", home / f"{NAME}.ipynb"):
        notebook.write_text(notebook.read_text().replace("FACTOR = 2", "FACTOR = 2\\nSEED = 0"))
    return folder


@pytest.fixture(scope="module")
def calibrated(course):
    assert run("calibrate", NAME, "--course", course, "--seeds", 2) == 0
    return json.loads((course / "solutions" / NAME / "calibration.json").read_text())["cpu"]["generated"]["triple"]


def test_it_writes_the_bar_its_error_rates_and_the_spread(calibrated):
    figures = calibrated["checks"]["test_skill"]
    assert figures["honest"] == {
        "solution": [21.0, 21.0],
        "trained": [24.0, 25.0],
        "right_lambda": [21.0, 21.0],
        "closed form": [23.0] * 20,
    }
    assert figures["dishonest"] == {"guess": [5.0] * 20}
    assert calibrated["bar"] == figures["bar"] == 11.0  # 40 % of the way from 5 to 21
    assert (figures["false_fails"]["n"], figures["false_fails"]["rate"]) == (26, 0.0)
    assert figures["false_passes"]["n"] == 20
    assert calibrated["spread"]["test_skill"] == pytest.approx(
        (0.5 / 3) ** 0.5, abs=1e-5
    )  # pooled over three notebooks
    assert calibrated["how"]["notebooks"] == ["solution", "trained", "right_lambda"]


def test_a_page_shows_the_distributions(course, calibrated):
    page = (course / ".autograder" / "calibration" / NAME / "cpu-generated.html").read_text()
    for told in ("closed form", "guess", "right_lambda", "False fails: 0.0% of 26", "<svg"):
        assert told in page


def test_a_second_call_runs_nothing_and_may_leave_the_file_as_it_is(course, calibrated, capsys):
    path = course / "solutions" / NAME / "calibration.json"
    path.write_text("{}")
    assert run("calibrate", NAME, "--course", course, "--seeds", 2, "--keep") == 0
    assert path.read_text() == "{}"
    told = capsys.readouterr().out
    assert "triple" in told
    assert "starts, never run" not in told
    path.unlink()


def test_what_a_style_breaks_is_told(course, calibrated, capsys):
    models = course / "solutions" / NAME / "calibration.py"
    before = models.read_text()
    models.write_text(before.replace("return 24.0 + SEED % 2", "return 24.0 +"))
    try:
        assert run("calibrate", NAME, "--course", course, "--seeds", 1, "--keep") == 1
    finally:
        models.write_text(before)
    assert "! trained, seed 500000" in capsys.readouterr().out
