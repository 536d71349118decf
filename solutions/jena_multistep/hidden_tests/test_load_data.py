"""load_data: a clean, strictly increasing float32 frame from the station's file."""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import Given, as_frame, expect, expect_close, expect_index, expect_unmoved
from reference_models.jena_oracles import FEATURES

MISSING = np.array([-9999.0, -999.0, -1200.5])
TOPIC = "Week 9, time series as tensors:"


def given(rng):
    plain = station(rng, 60)
    return Given(
        plain=to_csv(plain),
        disordered=to_csv(disorder(rng, plain)),
        broken=to_csv(break_sensors(plain, FEATURES[1:5], first=20)),
        late_start=to_csv(break_sensors(plain, FEATURES[5:7], first=0)),
        odd=to_csv(plain.assign(**{FEATURES[1]: -40.25, FEATURES[11]: -998.5})),
        everything=to_csv(everything_at_once(rng, plain)),
        before=to_csv(break_sensors(plain, FEATURES, first=37)),
        after=to_csv(change_from_row(break_sensors(plain, FEATURES, first=37), 40)),
    ).keep(frame=plain, everything_filled=plain.where(~everything_mask(plain)).ffill().bfill())


def station(rng, rows):
    """Rows of 10 minutes across the end of a month, so that day and month cannot be mistaken for each other."""
    index = pd.date_range("2015-01-31 20:20:00", periods=rows, freq="10min")
    values = np.round(rng.normal(50.0, 20.0, size=(rows, len(FEATURES))), 2) + np.arange(len(FEATURES)) * 100.0
    return pd.DataFrame(np.round(values, 2), index=index, columns=list(FEATURES))


def to_csv(frame):
    text = frame.to_csv(index_label="Date Time", date_format="%d.%m.%Y %H:%M:%S", float_format="%.2f")
    return text.encode()


def break_sensors(frame, columns, first):
    """Three missing values in a row, one of each code, in the given columns."""
    broken = frame.copy()
    for column in columns:
        broken.iloc[first : first + len(MISSING), broken.columns.get_loc(column)] = MISSING
    return broken


def disorder(rng, frame):
    """The same rows shuffled; then five of their times once more, further down, with other values."""
    repeated = frame.iloc[[3, 17, 30, 31, 52]] + 7.0
    return pd.concat([frame.iloc[rng.permutation(len(frame))], repeated])


def everything_mask(frame):
    mask = pd.DataFrame(False, index=frame.index, columns=frame.columns)
    mask.iloc[10:13, 2] = mask.iloc[0:2, 4] = mask.iloc[30, 6] = mask.iloc[59, 11] = True
    return mask


def everything_at_once(rng, frame):
    """Out of order, with missing values at both ends, and with a first of two equal times whose sensor was broken."""
    broken = frame.mask(everything_mask(frame), -9999.0)
    return pd.concat([broken.iloc[rng.permutation(len(frame))], frame.iloc[[11, 30, 40]] + 3.0])


def change_from_row(frame, row):
    changed = frame.copy()
    changed.iloc[row:] = changed.iloc[row:] * 0.5 + 200.0
    return changed


def probe(student, given):
    import gzip
    import pathlib
    import tempfile

    folder = pathlib.Path(tempfile.mkdtemp())

    def load(name, *, compressed=False):
        path = folder / (f"{name}.csv.gz" if compressed else f"{name}.csv")
        content = getattr(given, name)
        path.write_bytes(gzip.compress(content) if compressed else content)
        return student.load_data(str(path))

    return {
        "plain": lambda: load("plain"),
        "disordered": lambda: load("disordered"),
        "broken": lambda: load("broken"),
        "late_start": lambda: load("late_start"),
        "odd": lambda: load("odd"),
        "everything": lambda: load("everything"),
        "before": lambda: load("before"),
        "after": lambda: load("after"),
        "compressed": lambda: load("plain", compressed=True),
    }


def rows_of(value, expected):
    """A student's frame as an array in the order of time and columns of `expected`, if it has these."""
    frame = as_frame(value, "load_data(path)")
    hint = f"{TOPIC} the file writes day.month.year; pass `format` to `pd.to_datetime`."
    expect(
        isinstance(frame.index, pd.DatetimeIndex),
        "The index should be a DatetimeIndex.",
        received=str(frame.index.dtype),
    )
    missing = [name for name in expected.columns if name not in frame.columns]
    expect(not missing, "The frame should have the 14 columns in FEATURES.", received=f"without {missing}")
    unique = frame[~frame.index.duplicated(keep="first")]
    absent = expected.index.difference(unique.index)
    expect(
        not len(absent),
        "The frame should have a row for each time in the file.",
        received=f"none for {absent[:1]}",
        hint=hint,
    )
    aligned = unique.loc[expected.index, list(expected.columns)]
    wrong = [name for name in aligned.columns if aligned[name].dtype.kind not in "biuf"]
    expect(not wrong, "All columns should hold numbers.", received=f"{wrong[:3]} do not")
    return aligned.to_numpy(dtype=np.float64)


def test_index_is_time(given, evidence):
    """The index is a DatetimeIndex with the times of the file, day before month."""
    frame = as_frame(evidence["plain"], "load_data(path)")
    hint = f"{TOPIC} the file writes day.month.year; pass `format` to `pd.to_datetime`."
    expect_index(frame, given.frame.index, "load_data(path)", hint=hint)


def test_columns(given, evidence):
    """The columns are FEATURES, in that order."""
    frame = as_frame(evidence["plain"], "load_data(path)")
    wanted = [str(name) for name in frame.columns if str(name) in FEATURES]  # others beside them are welcome
    expect(
        wanted == list(FEATURES),
        "load_data(path) should have the 14 columns of FEATURES, in their order.",
        received=[str(name) for name in frame.columns],
        hint="The time belongs to the index; `table[FEATURES]` picks and orders columns.",
    )


def test_dtype(evidence):
    """All columns are float32."""
    frame = as_frame(evidence["plain"], "load_data(path)")
    received = sorted({str(dtype) for name, dtype in frame.dtypes.items() if str(name) in FEATURES})
    expect(
        received == ["float32"],
        "All columns of FEATURES should be float32.",
        received=received,
        hint='`frame.astype("float32")` at the end.',
    )


@pytest.mark.weight(2)
def test_values_stay(given, evidence):
    """Values that are not missing stay as they are, negative and extreme ones too."""
    hint = f"{TOPIC} only values of -999 or below mean that something is missing."
    expect_close(
        rows_of(evidence["plain"], given.frame), given.frame, what="The values of a file without defects", hint=hint
    )
    odd = given.frame.assign(**{FEATURES[1]: -40.25, FEATURES[11]: -998.5})
    expect_close(rows_of(evidence["odd"], odd), odd, what="Values above -999", hint=hint)


@pytest.mark.weight(3)
def test_order_and_duplicates(given, evidence):
    """Rows are sorted by time; of repeated times the row that comes first in the file is kept."""
    hint = f"{TOPIC} look at `Index.duplicated(keep='first')` before `sort_index()`."
    frame = as_frame(evidence["disordered"], "load_data(path)", hint=hint)
    expect(
        isinstance(frame.index, pd.DatetimeIndex),
        "The index should be a DatetimeIndex.",
        received=str(frame.index.dtype),
    )
    repeated = int(frame.index.duplicated().sum())
    expect(not repeated, "No time should come twice.", received=f"{repeated} repeated times", hint=hint)
    expect(
        frame.index.is_monotonic_increasing, "Times should increase strictly.", received="rows out of order", hint=hint
    )
    values = rows_of(frame, given.frame)
    expect_close(values, given.frame, what="Of two rows with the same time, the first in the file", hint=hint)


@pytest.mark.weight(3)
def test_missing_values(given, evidence):
    """A value of -999 or below is replaced by the last valid value of its column before it in time."""
    hint = f"{TOPIC} `frame.mask(frame <= -999).ffill()`; zero, the mean or an interpolation would invent weather."
    expected = given.frame.copy()
    for column in FEATURES[1:5]:
        expected.iloc[20:23, expected.columns.get_loc(column)] = expected[column].iloc[19]
    expect_close(rows_of(evidence["broken"], expected), expected, what="A gap in the middle of the record", hint=hint)


def test_missing_at_the_start(given, evidence):
    """A column that starts with missing values takes its first valid one there."""
    expected = given.frame.copy()
    for column in FEATURES[5:7]:
        expected.iloc[0:3, expected.columns.get_loc(column)] = expected[column].iloc[3]
    hint = f"{TOPIC} there is nothing before the first row to fill forward from; `bfill` after `ffill`."
    expect_close(
        rows_of(evidence["late_start"], expected), expected, what="A gap at the start of the record", hint=hint
    )


def test_all_steps_in_order(given, evidence):
    """Repeated times are dropped first, then rows are sorted, then gaps are filled."""
    expected = given.everything_filled
    hint = f"{TOPIC} the row before in the file is not the row before in time; fill after sorting."
    expect_close(rows_of(evidence["everything"], expected), expected, what="A file with all defects at once", hint=hint)


def test_filling_knows_only_the_past(given, evidence):
    """What fills a gap comes from before it: changing later rows of the file changes no earlier one."""
    early = given.frame.iloc[:40]
    before, after = rows_of(evidence["before"], early), rows_of(evidence["after"], early)
    hint = f"{TOPIC} interpolation and `bfill` carry the future into the past: leakage."
    expect_unmoved(before, after, "Every row before the change", hint=hint)


def test_compressed_file(given, evidence):
    """A path that ends in .gz is read, too."""
    values = rows_of(evidence["compressed"], given.frame)
    expect_close(values, given.frame, what="The values of a compressed file", hint="pandas recognises .gz by itself.")
