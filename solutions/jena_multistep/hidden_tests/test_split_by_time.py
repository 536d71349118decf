"""split_by_time: three contiguous parts in time order."""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_frame,
    as_list,
    change_after,
    expect,
    expect_index,
    expect_same_frame,
    expect_unchanged,
    expect_unmoved,
    is_value,
)
from reference_models.jena_oracles import FEATURES

TOPIC = "Week 9, evaluating forecasts:"
NAMES = ("train", "validation", "test")
OTHER_FRACTIONS = (0.55, 0.3)


def given(rng, materials):
    fractions = [
        float(materials.parameters.get(name, default))
        for name, default in (("TRAIN_FRACTION", 0.7), ("VALIDATION_FRACTION", 0.15))
    ]
    odd, gappy, small = numbered(997), numbered(613, gap=200), numbered(20)
    start_of_test = round(fractions[0] * 997)
    changed = change_after(odd, start_of_test + 2, rng)
    return Given(odd=odd, changed=changed, gappy=gappy, small=small, other=list(OTHER_FRACTIONS)).keep(
        fractions=fractions, first_change=start_of_test + 2
    )


def numbered(rows, gap=None):
    """A frame whose values say which row and column they are; with a gap of two days in its times, if asked for."""
    index = pd.date_range("2014-06-01", periods=rows, freq="10min")
    if gap is not None:
        index = index.where(np.arange(rows) < gap, index + pd.Timedelta(days=2))
    values = np.arange(rows)[:, None] * 100.0 + np.arange(len(FEATURES))
    return pd.DataFrame(values.astype("float32"), index=index, columns=list(FEATURES))


def probe(student, given):
    def after_split():
        frame = given.odd.copy()
        student.split_by_time(frame)
        return frame

    a, b = given.other
    return {
        "odd": lambda: list(student.split_by_time(given.odd.copy())),
        "changed": lambda: list(student.split_by_time(given.changed.copy())),
        "gappy": lambda: list(student.split_by_time(given.gappy.copy(), train_fraction=a, validation_fraction=b)),
        "small": lambda: list(student.split_by_time(given.small.copy(), a, b)),
        "after_split": after_split,
    }


def parts_of(value):
    hint = f"{TOPIC} return train, validation, test: `return frame.iloc[:a], frame.iloc[a:b], frame.iloc[b:]`."
    parts = as_list(value, "split_by_time(frame)", length=3, hint=hint)
    return [as_frame(part, f"The {name} part", hint=hint) for name, part in zip(NAMES, parts, strict=True)]


def test_three_parts(given, evidence):
    """Three frames come back, none of them empty, with the frame's columns."""
    for frame, key in ((given.odd, "odd"), (given.small, "small")):
        for name, part in zip(NAMES, parts_of(evidence[key]), strict=True):
            expect(len(part), f"The {name} part should not be empty.", received=f"0 of {len(frame)} rows")
            expect(
                list(part.columns) == list(frame.columns),
                f"The {name} part should have the frame's columns.",
                received=list(part.columns),
            )


@pytest.mark.weight(4)
def test_time_order(given, evidence):
    """The parts follow each other in time without overlap, and together they are the whole frame."""
    hint = f"{TOPIC} rows of 10:00 and 10:10 are almost the same; shuffled, one trains and the other one tests."
    for key, frame in (("odd", given.odd), ("gappy", given.gappy)):
        whole = pd.concat(parts_of(evidence[key]))
        expect(
            len(whole) == len(frame),
            f"The parts of {len(frame)} rows should have {len(frame)} rows together.",
            received=f"{len(whole)} rows",
            hint=hint,
        )
        expect_index(whole, frame.index, "The parts one after the other", hint=hint)
        expect_same_frame(whole, frame, "The parts one after the other", hint=hint)


def check_sizes(parts, frame, fractions):
    for part, fraction, name in zip(parts[:2], fractions, NAMES[:2], strict=True):
        wanted = round(fraction * len(frame))
        expect(
            abs(len(part) - wanted) <= 1,
            f"The {name} part of {len(frame)} rows should have {wanted} rows, give or take one.",
            received=f"{len(part)} rows",
            hint=f"{TOPIC} the fractions are shares of the rows of the whole frame.",
        )


def test_sizes(given, evidence):
    """The parts have the sizes that the parameters of the notebook ask for."""
    check_sizes(parts_of(evidence["odd"]), given.odd, given.fractions)


def test_fractions_are_arguments(given, evidence):
    """Other fractions than the notebook's give parts of other sizes."""
    check_sizes(parts_of(evidence["gappy"]), given.gappy, OTHER_FRACTIONS)
    check_sizes(parts_of(evidence["small"]), given.small, OTHER_FRACTIONS)


@pytest.mark.weight(3)
def test_training_part_ignores_the_future(given, evidence):
    """The training part is the same, whatever comes after it."""
    before, after = parts_of(evidence["odd"])[0], parts_of(evidence["changed"])[0]
    rows = len(before)
    expect(
        rows <= given.first_change,
        f"The training part should end before row {given.first_change}.",
        received=f"{rows} rows",
    )
    numbers = [part.to_numpy() for part in (before, after)]
    if any(values.dtype.kind not in "biuf" for values in numbers):
        raise Failure("The training part should hold the numbers of the frame. Received: values of another type")
    expect_unmoved(
        *numbers, "The training part", hint=f"{TOPIC} the cut depends on the number of rows, not on their values."
    )


def test_frame_is_left_alone(given, evidence):
    """The frame that is split is not changed."""
    if not is_value(evidence["after_split"]):
        raise NotAssessed("The frame could not be looked at.")
    expect_unchanged(evidence["after_split"], given.odd, "The frame")
