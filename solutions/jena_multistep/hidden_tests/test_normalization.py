"""fit_normalization, normalize, denormalize_targets: learned from the training part alone, inverse to each other."""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_array,
    as_frame,
    as_list,
    change_after,
    expect,
    expect_close,
    expect_columns,
    expect_finite,
    expect_index,
    expect_unchanged,
    expect_unmoved,
    has_moved,
)
from reference_models.jena_oracles import FEATURES, TARGET_COLUMNS, oracle_normalization

TOPIC = "Week 9, data leakage:"
CONSTANT = 12
LEADING_SHAPES = ((), (4,), (3, 6), (2, 3, 6))
COLUMNS = [column for column in range(len(FEATURES)) if column != CONSTANT]


def given(rng):
    frame = weather(rng, 400)
    changed = change_after(frame, 300, rng)
    y = {str(len(shape)): rng.normal(size=(*shape, 2)).astype("float32") for shape in LEADING_SHAPES}
    shift, scale = rng.normal(size=len(FEATURES)), rng.uniform(0.5, 2.0, size=len(FEATURES))
    return Given(frame=frame, changed=changed, cut=280, y=y, shift=shift, scale=scale).keep(
        population=oracle_normalization(frame.iloc[:280], ddof=0), sample=oracle_normalization(frame.iloc[:280], ddof=1)
    )


def weather(rng, rows):
    """Columns of very different level and spread, drifting, one of them constant."""
    level = rng.uniform(-5.0, 5.0, len(FEATURES)) + np.where(np.arange(len(FEATURES)) == 0, 990.0, 0.0)
    spread = rng.uniform(0.5, 30.0, len(FEATURES))
    drift = np.linspace(-1.0, 2.0, rows)[:, None] * spread
    values = level + drift + spread * rng.normal(size=(rows, len(FEATURES)))
    values[:, CONSTANT] = 3.3
    index = pd.date_range("2013-03-01", periods=rows, freq="10min")
    return pd.DataFrame(values.astype("float32"), index=index, columns=list(FEATURES))


def probe(student, given):
    def part(frame):
        return frame.iloc[: given.cut].copy()

    def statistics(frame):
        mean, std = student.fit_normalization(frame)
        return mean, std

    def own_or_plain(frame):
        """The student's statistics, or plain ones where there are none: the other functions are judged all the same."""
        try:
            return statistics(frame)
        except Exception:
            std = frame.std()
            return frame.mean(), std.where(std > 0, 1.0)

    def shifted(mean, std):
        """Statistics of the student's own kind with other values, so that what is done with them has to be computed."""
        try:
            return mean + given.shift, std * given.scale
        except Exception:
            return mean, std

    def chain(frame):
        train = next(iter(student.split_by_time(frame.copy())))
        return {"train": train, "statistics": list(statistics(train))}

    def left_alone():
        train, later = part(given.frame), given.frame.iloc[given.cut :].copy()
        y = given.y["2"].copy()
        mean, std = own_or_plain(train)
        student.normalize(later, mean, std)
        student.denormalize_targets(y, mean, std)
        return {"train": train, "later": later, "y": y}

    mean, std = own_or_plain(part(given.frame))
    other_mean, other_std = shifted(mean, std)
    return {
        "statistics": lambda: list(statistics(part(given.frame))),
        "used": [mean, std],
        "other": [other_mean, other_std],
        "normalized": lambda: student.normalize(given.frame.copy(), mean, std),
        "normalized_other": lambda: student.normalize(given.frame.copy(), other_mean, other_std),
        "physical 0": lambda: student.denormalize_targets(given.y["0"].copy(), other_mean, other_std),
        "physical 1": lambda: student.denormalize_targets(given.y["1"].copy(), other_mean, other_std),
        "physical 2": lambda: student.denormalize_targets(given.y["2"].copy(), other_mean, other_std),
        "physical 3": lambda: student.denormalize_targets(given.y["3"].copy(), other_mean, other_std),
        "left_alone": left_alone,
        "chain": lambda: chain(given.frame),
        "chain_changed": lambda: chain(given.changed),
    }


def columns_of(value, what):
    """Mean or deviation as one number per column: a Series by its labels, anything else in column order."""
    if isinstance(value, pd.Series) and set(value.index.astype(str)) == set(FEATURES) and value.index.is_unique:
        value = value.set_axis(value.index.astype(str)).loc[list(FEATURES)]
    array = as_array(value, what)
    expect(
        array.size == len(FEATURES),
        f"{what} should have one value for each of the 14 columns.",
        received=f"shape {array.shape}",
    )
    return array.reshape(-1).astype(np.float64)


def statistics_of(value):
    mean, std = as_list(value, "fit_normalization(train)", length=2, hint="Return two things: `return mean, std`.")
    return columns_of(mean, "The mean"), columns_of(std, "The standard deviation")


@pytest.mark.weight(3)
def test_mean(given, evidence):
    """The mean is each column's mean over the frame that fit_normalization is given."""
    mean, _ = statistics_of(evidence["statistics"])
    hint = f"{TOPIC} `fit_normalization` learns from its argument, the training part, and from nothing else."
    expect_close(mean, given.population[0], what="The mean of each column of `train`", rtol=1e-3, atol=1e-3, hint=hint)


@pytest.mark.weight(3)
def test_std(given, evidence):
    """The standard deviation is each column's over the frame that fit_normalization is given."""
    _, std = statistics_of(evidence["statistics"])
    hint = f"{TOPIC} the population's or the sample's standard deviation of each column of the argument."
    try:
        expect_close(
            std[COLUMNS],
            given.population[1][COLUMNS],
            what="The standard deviation of each column",
            rtol=1e-3,
            hint=hint,
        )
    except Failure:
        expect_close(
            std[COLUMNS], given.sample[1][COLUMNS], what="The standard deviation of each column", rtol=1e-3, hint=hint
        )


def other_statistics(given, evidence):
    """What `normalize` and `denormalize_targets` were called with: the student's statistics, shifted and stretched."""
    used, other = evidence["used"], evidence["other"]
    for i, expected in enumerate((lambda mean: mean + given.shift, lambda std: std * given.scale)):
        before, after = (as_array(each[i], "What fit_normalization returns").reshape(-1) for each in (used, other))
        expect(
            before.shape == after.shape == given.shift.shape
            and np.allclose(after, expected(before), rtol=1e-4, atol=1e-4),
            "fit_normalization should return the mean and the standard deviation as Series or arrays of 14 numbers.",
            received="values that cannot be added to and multiplied",
        )
    return statistics_of(other)


def normalized_by(frame, statistics):
    mean, std = statistics
    with np.errstate(all="ignore"):
        return ((frame.to_numpy(dtype=np.float64) - mean) / std)[:, COLUMNS]


@pytest.mark.weight(2)
def test_normalize(given, evidence):
    """normalize subtracts the mean and divides by the deviation that it is given."""
    hint = "Week 9, preparing data: `(frame - mean) / std`, with the `mean` and `std` of the arguments."
    for key, statistics in (
        ("normalized", statistics_of(evidence["used"])),
        ("normalized_other", other_statistics(given, evidence)),
    ):
        frame = as_frame(evidence[key], "normalize(frame, mean, std)", hint=hint)
        expect_columns(frame, FEATURES, "normalize(frame, mean, std)")
        values = expect_shape_of(frame, given.frame)[:, COLUMNS]
        expected = normalized_by(given.frame, statistics)
        expect_close(values, expected, what="normalize(frame, mean, std)", rtol=1e-3, atol=1e-3, hint=hint)


def expect_shape_of(frame, original):
    expect(
        frame.shape == original.shape,
        f"normalize should return {original.shape[0]} rows.",
        received=f"{frame.shape[0]} rows",
    )
    return as_array(frame, "normalize(frame, mean, std)")


def test_normalize_keeps_labels(given, evidence):
    """normalize returns a frame with the same index and the same columns."""
    frame = as_frame(
        evidence["normalized"],
        "normalize(frame, mean, std)",
        hint="Wrap an array again: `pd.DataFrame(values, index=frame.index, ...)`.",
    )
    expect_columns(frame, FEATURES, "normalize(frame, mean, std)")
    expect_index(frame, given.frame.index, "normalize(frame, mean, std)")


def test_constant_column(evidence):
    """A column that never changes gives no NaN and no infinity."""
    frame = as_frame(evidence["normalized"], "normalize(frame, mean, std)")
    expect_finite(
        frame, "normalize(frame, mean, std) with a constant column", hint="Its deviation is 0: divide by 1 there."
    )


@pytest.mark.weight(2)
def test_denormalize(given, evidence):
    """denormalize_targets takes (..., 2), temperature first, back to degrees and mbar."""
    mean, std = other_statistics(given, evidence)
    columns = list(TARGET_COLUMNS)
    hint = "Week 9, units: TARGETS are temperature, then pressure; in FEATURES they are columns 1 and 0."
    for key, y in given.y.items():
        received = evidence[f"physical {key}"]
        expected = y.astype(np.float64) * std[columns] + mean[columns]
        expect_close(
            received, expected, what=f"denormalize_targets for shape {y.shape}", rtol=1e-3, atol=1e-3, hint=hint
        )


@pytest.mark.weight(3)
def test_fit_ignores_the_future(given, evidence):
    """Mean and deviation of the training part stay the same when only later rows of the record change."""
    try:
        parts = [as_frame(evidence[key]["train"], "The training part") for key in ("chain", "chain_changed")]
        same_past = not has_moved(*parts)
    except (Failure, TypeError) as failure:
        raise NotAssessed("This needs a training part from `split_by_time`, which is judged by itself.") from failure
    if not same_past:
        raise NotAssessed("The training part of `split_by_time` itself depends on later rows, which is judged there.")
    before, after = (statistics_of(evidence[key]["statistics"]) for key in ("chain", "chain_changed"))
    hint = f"{TOPIC} mean and deviation are learned, like weights; learn them from `train` alone."
    expect_unmoved(np.concatenate(before), np.concatenate(after), "What fit_normalization learned", hint=hint)


def test_inputs_are_left_alone(given, evidence):
    """The frames and forecasts that the functions are given are not changed."""
    after = evidence["left_alone"]
    expect_unchanged(after["train"], given.frame.iloc[: given.cut], "The frame given to fit_normalization")
    expect_unchanged(after["later"], given.frame.iloc[given.cut :], "The frame given to normalize")
    expect(
        not has_moved(after["y"], given.y["2"]),
        "denormalize_targets should leave its input unchanged.",
        received="other values in it afterwards",
    )
