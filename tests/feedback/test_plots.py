"""Pictures: drawn from numbers that may be anything, with text alternatives. Takes about three seconds."""

import math
import re

import pytest

from autograder.errors import ReportError
from autograder.feedback.pictures import read_picture
from autograder.feedback.plots import COLOURS, PERSISTENCE, TRUTH, draw
from autograder.records import Picture


def drawn(kind, data, prefix="q1-p1"):
    return draw(read_picture(Picture(kind=kind, data=data)), prefix)


def curves(values, band=None):
    return {"title": "Curves", "series": {"mlp": {"loss": values, "val_loss": values}}, "band": band}


def test_equal_numbers_give_equal_bytes():
    assert drawn("curves", curves([3, 2, 1])) == drawn("curves", curves([3, 2, 1]))
    assert drawn("curves", curves([3, 2, 1])) != drawn("curves", curves([3, 2, 1.5]))


def test_curves_state_their_numbers_and_the_references_range():
    band = {"val_loss": {"low": [0.1, 0.2], "high": [0.3, 0.4]}}
    svg = drawn("curves", curves([0.9, 0.5, 0.7], band)).panels[0].svg
    described = re.search(r"<desc[^>]*>(.*?)</desc>", svg)[1]
    assert "training loss from 0.9 to 0.7 over 3 epochs, lowest 0.5 in epoch 2" in described
    assert "ends between 0.2 and 0.4" in described


def test_a_run_that_diverged_is_drawn_up_to_there():
    """NaN, None, infinity and numbers beyond any axis are gaps, and are counted."""
    svg = drawn("curves", curves([1.0, 1e5, None, math.inf, 1e300])).panels[0].svg
    assert "3 of them not finite" in svg


def test_a_wide_range_gets_a_log_axis_with_plain_numbers():
    """Formulas are off, since names are a student's; the axis must not show them as text either."""
    svg = drawn("curves", curves([10_000, 10, 1])).panels[0].svg
    assert "mathdefault" not in svg
    assert ">1e+03<" in svg


def test_all_values_missing_still_makes_a_picture():
    assert drawn("curves", curves([None, None])).panels[0].svg.startswith("<svg")
    assert drawn("curves", {"series": {"mlp": {}}}).panels[0].svg.startswith("<svg")


@pytest.mark.parametrize(
    "values",
    [[1e-300, 1e12], [1e12, 1e12], [-1e12, 1e12], [0.0, 0.0], [989.0] * 3, [1e-9, 2e-9], [True, False], ["1.5"], [5]],
)
def test_values_of_any_size_are_drawn_without_a_warning(values):
    """Warnings are errors here: an axis that overflows would fail."""
    assert drawn("curves", curves(values)).panels[0].svg.startswith("<svg")
    assert (
        drawn("bars", {"rows": [{"label": "a", "value": value} for value in values]}).panels[0].svg.startswith("<svg")
    )
    rows = [
        {"forecaster": "gru", "target": "T", "mae": v, "baseline_mae": v, "skill": v, "low": v, "high": v}
        for v in values
    ]
    assert drawn("skill", {"rows": rows}).panels[0].svg.startswith("<svg")


def test_long_names_and_many_forecasters_fit():
    panel = {
        "target": "T" * 80,
        "unit": "u" * 80,
        "minutes": [-9000, 0],
        "past": [1, 2],
        "future_minutes": [10],
        "truth": [3],
        "persistence": [2],
        "forecasts": {f"{place}{'long_name' * 9}": [3] for place in range(12)},
    }
    assert drawn("forecast", {"panels": [panel]}).panels[0].svg.startswith("<svg")


def test_forecasts_state_every_value_and_their_error():
    panel = {
        "target": "T (degC)",
        "unit": "degC",
        "minutes": [-10, 0],
        "past": [1, 2],
        "future_minutes": [10, 20],
        "truth": [3.0, 4.0],
        "persistence": [2.0, 2.0],
        "forecasts": {"gru": [3.25, 4.25]},
    }
    made = drawn("forecast", {"title": "x", "panels": [panel]}).panels[0]
    assert "truth 3, 4; persistence 2, 2; gru 3.25, 4.25" in made.svg
    assert "persistence 1.5, gru 0.25" in made.caption


def test_skill_has_one_panel_per_target_and_a_table_with_intervals():
    rows = [
        {
            "forecaster": "gru",
            "target": target,
            "mae": 0.27,
            "baseline_mae": 0.3,
            "skill": 0.1,
            "low": 0.05,
            "high": 0.15,
        }
        for target in ("T", "p")
    ]
    made = drawn("skill", {"rows": rows, "note": "95 %"})
    assert len(made.panels) == 2
    assert made.table.rows[0] == ("gru", "T", "0.27", "0.3", "+0.100", "+0.050 to +0.150")
    assert "gru +0.100, interval +0.050 to +0.150" in made.panels[0].svg


def test_a_skill_without_interval_says_so():
    rows = [{"forecaster": "gru", "target": "T", "mae": None, "baseline_mae": 0.3, "skill": None}]
    assert drawn("skill", {"rows": rows}).table.rows[0][-1] == "\N{EN DASH}"


def test_ids_of_two_pictures_on_a_page_do_not_meet():
    """Both drawings have a clip path and markers of equal content."""
    ids = [
        set(re.findall(r'\bid="([^"]+)"', drawn("curves", curves([2, 1]), prefix).panels[0].svg))
        for prefix in ("q1-p1", "q2-p1")
    ]
    assert not ids[0] & ids[1]
    svg = drawn("curves", curves([2, 1])).panels[0].svg
    for used in re.findall(r'(?:url\(#|href="#)([^")]+)', svg):
        assert f'id="{used}"' in svg


@pytest.mark.parametrize("name", ["$x^{$", "_hidden", "<b>&\"'", "日本語", "a\nb", "", "]]>", "\u202e", "\x00\x07"])
def test_any_name_of_a_model_can_be_drawn(name, audit):
    data = {"series": {name: {"loss": [1, 2], "val_loss": [2, 3]}}}
    svg = drawn("curves", data).panels[0].svg
    assert audit(svg).problems == []
    assert not set(svg) & set("\u202e\x00\x07")


def test_the_pages_colour_is_the_drawings_ink():
    svg = drawn("bars", {"rows": [{"label": "a", "value": -3}]}).panels[0].svg
    assert "currentColor" in svg
    assert "#000000" not in svg


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("video", {}, "must be one of curves, forecast, skill, bars. Received: 'video'"),
        ("curves", {}, "series"),
        ("curves", {"series": {}}, "series"),
        ("curves", {"series": {"a": {"loss": ["x"]}}}, "series.a.loss.0"),
        (
            "curves",
            {"series": {"a": {"loss": [1]}}, "band": {"val_loss": {"low": [1], "high": []}}},
            "differ in length: 1 and 0",
        ),
        ("curves", {"series": {"a": {"loss": [0.0] * 5001}}}, "at most 5000"),
        (
            "forecast",
            {
                "panels": [
                    {
                        "target": "T",
                        "minutes": [1],
                        "past": [],
                        "future_minutes": [],
                        "truth": [],
                        "persistence": [],
                        "forecasts": {},
                    }
                ]
            },
            "1 times for 0 past values",
        ),
        ("skill", {"rows": "many"}, "rows"),
        ("bars", {"rows": [{"label": 3}]}, "label"),
    ],
)
def test_damaged_pictures_are_told_in_one_sentence(kind, data, told):
    with pytest.raises(ReportError, match=re.escape(told)):
        drawn(kind, data)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [TRUTH, PERSISTENCE, *COLOURS])
@pytest.mark.parametrize("ground", ["#ffffff", "#14171c"])
def test_lines_stand_out_on_light_and_dark_grounds(colour, ground):
    """WCAG 2.2, 1.4.11: graphical objects have a contrast of at least 3:1."""
    low, high = sorted([luminance(colour), luminance(ground)])
    assert (high + 0.05) / (low + 0.05) >= 3
