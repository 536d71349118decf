"""Whatever a student's value is, the vocabulary turns it into a value of the right type or into a Failure that helps."""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import (
    Failure,
    as_array,
    as_frame,
    as_list,
    as_mapping,
    as_number,
    expect,
    expect_close,
    expect_columns,
    expect_dtype,
    expect_finite,
    expect_index,
    expect_same_frame,
    expect_shape,
    expect_unchanged,
    shorten,
)
from autograder.evidence import Other, Raised

ODD = [
    None,
    "text",
    b"bytes",
    True,
    [[1, 2], [3]],
    ["1", "2"],
    [1, "a", None],
    {"a": 1},
    Other("a.B", "<B>"),
    Raised("ValueError", "no"),
    np.array(["a"]),
    np.array([1 + 2j]),
    np.array(["2020-01-01"], "datetime64[D]"),
    pd.Series(["a", "b"]),
    pd.DataFrame({"a": ["x"]}),
    np.zeros((0, 3)),
    np.zeros((2, 3, 4, 5)),
    np.array(np.nan),
    float("inf"),
    10**400,
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_odd_values_are_failures_and_never_errors(value):
    """Each helper either accepts a value or raises Failure with what was received."""
    helpers = [
        lambda: as_array(value, "x", ndim=2),
        lambda: expect_shape(value, (2, None), "x"),
        lambda: expect_dtype(value, "float32", "x"),
        lambda: expect_finite(value, "x"),
        lambda: expect_close(value, np.ones((2, 3)), what="x"),
        lambda: as_number(value, "x"),
        lambda: as_mapping(value, "x"),
        lambda: as_list(value, "x", length=3),
        lambda: as_frame(value, "x"),
        lambda: expect_unchanged(value, pd.DataFrame({"a": [1.0]}), "x"),
    ]
    for helper in helpers:
        try:
            helper()
        except Failure as failure:
            assert "Received: " in failure.message
            assert len(failure.message) < 500


@pytest.mark.parametrize(
    "value", [[1.0, 2.0], (1, 2), np.array([1, 2], "float64"), pd.Series([1.0, 2.0]), np.array([1, 2])]
)
def test_expect_close_takes_any_array_like(value):
    expect_close(value, np.array([1.0, 2.0], "float32"), what="x")


def test_expect_close_names_the_worst_place():
    with pytest.raises(Failure, match=r"x: 4 expected at \(1, 1\). Received: 9 there; 2 of 4 values are off") as raised:
        expect_close([[1.0, 2.5], [3.0, 9.0]], [[1.0, 2.0], [3.0, 4.0]], what="x", hint="why")
    assert raised.value.hint == "why"


def test_expect_close_takes_nan_for_the_worst():
    with pytest.raises(Failure, match="Received: nan there"):
        expect_close([np.nan, 5.0], [1.0, 1.0], what="x")


def test_expect_close_does_not_broadcast():
    with pytest.raises(Failure, match=r"shape \(3,\). Received: shape \(1,\)"):
        expect_close([1.0], np.ones(3), what="x")


def test_expect_shape_shows_free_sizes():
    with pytest.raises(Failure, match=r"shape \(n, 6\). Received: shape \(2, 5\)"):
        expect_shape(np.zeros((2, 5)), (None, 6), "x")


def test_expect_dtype_and_finite():
    with pytest.raises(Failure, match="float32. Received: float64"):
        expect_dtype(np.zeros(3), "float32", "x")
    with pytest.raises(Failure, match="Received: 2 of 3 values"):
        expect_finite([1.0, np.nan, np.inf], "x")


def test_expect_ends_with_what_was_received():
    expect(condition=True, message="never shown")
    with pytest.raises(Failure, match="Two are asked for. Received: 1$"):
        expect(condition=False, message="Two are asked for.", received=1)


@pytest.mark.parametrize("number", [3, 3.0, np.float32(3), np.array([3.0]), np.array(3), pd.Series([3.0])])
def test_as_number(number):
    assert as_number(number, "x") == 3.0


def test_as_mapping_of_a_table():
    assert list(as_mapping(pd.DataFrame({"a": [1.0]}), "x")) == ["a"]


def test_shorten_hides_contents_and_bounds_length():
    assert shorten(np.zeros((50, 2))) == "an array of shape (50, 2), float64"
    assert shorten(pd.DataFrame({"a": [1.0, 2.0]})) == "a DataFrame of 2 rows and 1 columns"
    assert len(shorten("x" * 1000)) == 160
    assert "\n" not in shorten("a\nb")


FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}, index=pd.date_range("2020", periods=2, freq="10min"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (FRAME[["a"]], "without"),
        (FRAME[["b", "a"]], "the order"),
        (FRAME.assign(c=1.0), "also"),
        (FRAME.iloc[:1], "1 rows"),
        (FRAME.reset_index(drop=True), "DatetimeIndex"),
        (FRAME.set_axis(FRAME.index + pd.Timedelta("1s")), "row 0 should be labelled"),
        (FRAME.assign(b=[3.0, 5.0]), "Received: 5 there"),
    ],
    ids=["column missing", "column order", "column more", "row missing", "index lost", "index moved", "value"],
)
def test_frames_that_differ(changed, message):
    with pytest.raises(Failure, match=message):
        expect_same_frame(changed, FRAME, "the frame")


def test_frames_that_agree():
    expect_same_frame(FRAME.rename_axis("time").copy(), FRAME, "the frame")
    expect_columns(FRAME, ["a", "b"], "the frame")
    expect_index(FRAME, FRAME.index, "the frame")
    expect_unchanged(FRAME.copy(), FRAME, "the frame")
