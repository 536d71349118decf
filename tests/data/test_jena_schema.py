"""Reading a Jena file: the contract's rules, and every kind of file that is none. Takes about a second."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest

from autograder.data import FEATURES, read_station
from autograder.data.jena_schema import HEADER, read_rows
from autograder.errors import DataError


def _write(path, rows, header=HEADER):
    """`rows` maps a time to what differs from 1, 2, ..., 14 in its row; a list of pairs allows repeated times."""
    lines = [",".join(header)]
    for time, differing in rows:
        values = dict(zip(FEATURES, range(1, 15), strict=True)) | differing
        lines.append(",".join([time, *(str(values[name]) for name in FEATURES)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_repeated_times_keep_the_first_of_the_file_then_sort_then_fill(tmp_path):
    """A missing value takes the last valid one before it in time, not in the file; the order of the three steps shows."""
    path = _write(
        tmp_path / "small.csv",
        [
            ("01.01.2009 00:30:00", {"wv (m/s)": -9999}),
            ("01.01.2009 00:20:00", {"wv (m/s)": 5}),
            ("01.01.2009 00:10:00", {"wv (m/s)": -999}),
            ("01.01.2009 00:30:00", {"wv (m/s)": 7}),  # repeated: dropped before anything is filled
            ("01.01.2009 00:40:00", {"wv (m/s)": -998.9}),  # above the code: a value like any other
        ],
    )
    frame = read_station(path)
    assert list(frame.columns) == list(FEATURES)
    assert set(frame.dtypes) == {np.dtype("float32")}
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert list(frame.index) == list(pd.date_range("2009-01-01 00:10", periods=4, freq="10min"))
    np.testing.assert_allclose(frame["wv (m/s)"], [5, 5, 5, -998.9], rtol=1e-6)
    np.testing.assert_array_equal(frame["wd (deg)"], [14, 14, 14, 14])


def test_days_come_before_months(tmp_path):
    path = _write(tmp_path / "small.csv", [("02.01.2009 00:10:00", {}), ("01.02.2009 00:10:00", {})])
    assert list(read_station(path).index.month) == [1, 2]


def test_generated_station_reads_like_a_slow_reader_reads_it(station):
    """The vectorised reader against one that goes line by line in plain Python."""
    seen = {}
    for line in station.read_text(encoding="ascii").splitlines()[1:]:
        time, *cells = line.split(",")
        seen.setdefault(pd.to_datetime(time, dayfirst=True), [float(cell) for cell in cells])
    rows = [seen[time] for time in sorted(seen)]
    for column in range(14):
        valid = next(row[column] for row in rows if row[column] > -999)
        for row in rows:
            valid = row[column] = row[column] if row[column] > -999 else valid
    frame = read_station(station)
    assert len(frame) < 4000, "the repeated block should be gone"
    assert list(frame.index) == sorted(seen)
    np.testing.assert_array_equal(frame.to_numpy(), np.array(rows, dtype=np.float32))


def test_compressed_file_reads_the_same(station, tmp_path):
    packed = tmp_path / "station.csv.gz"
    packed.write_bytes(gzip.compress(station.read_bytes()))
    pd.testing.assert_frame_equal(read_station(packed), read_station(station))


def test_first_rows_only(station):
    pd.testing.assert_frame_equal(read_rows(station, most=7), read_rows(station).iloc[:7])


def _refused(path):
    with pytest.raises(DataError) as caught:
        read_station(path)
    message = str(caught.value)
    assert path.name in message
    return message


def test_missing_file(tmp_path):
    assert "No Jena file here" in _refused(tmp_path / "absent.csv")


def test_directory(tmp_path):
    assert "directory" in _refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (bytes(range(256)) * 40, "cannot be read as"),
        (b"\x00" * 5000, "15 columns|cannot be read as"),
        (b"<html><body>404 Not Found</body></html>", "15 columns"),
        (",".join(HEADER).encode() + b"\n", "no rows"),
        (",".join(HEADER).encode() + b"\n01.01.2009 00:10:00" + b",1" * 15 + b"\n", "more cells than its header"),
        (",".join(HEADER).encode() + b"\n01.01.2009 00:10:00" + b",1" * 9 + b"\n", "received: nan"),
        (",".join(HEADER).encode() + b"\n01.01.2009 00:10:00" + b",1" * 13 + b",windy\n", "cannot be read as.*windy"),
        (",".join(HEADER).encode() + b"\n01.01.2009 00:10:00" + b",1" * 13 + b",inf\n", "'wd .deg.'.*received: inf"),
        (",".join(HEADER).encode() + b"\n2009-01-01 00:10:00" + b",1" * 14 + b"\n", "row 1.*received: '2009-01-01"),
        (",".join(HEADER).encode() + b"\n" + b",1" * 14 + b"\n", "row 1: times are written.*nan"),
        (",".join(HEADER).encode() + b"\n01.01.2009 00:10:00" + b",-9999" * 14 + b"\n", "nothing but missing values"),
    ],
)
def test_file_of_another_kind(tmp_path, content, said):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    assert re.search(said, _refused(path))


def test_wrong_column_name_is_named(tmp_path):
    header = ["T (C)" if name == "T (degC)" else name for name in HEADER]
    message = _refused(_write(tmp_path / "renamed.csv", [("01.01.2009 00:10:00", {})], header))
    assert "missing ['T (degC)']" in message
    assert "unexpected ['T (C)']" in message


def test_columns_in_another_order(tmp_path):
    header = [HEADER[0], *reversed(HEADER[1:])]
    assert "the order" in _refused(_write(tmp_path / "swapped.csv", [("01.01.2009 00:10:00", {})], header))


@pytest.mark.parametrize("damage", [lambda packed: packed[: len(packed) // 2], lambda packed: b"Date Time,p (mbar)\n"])
def test_compressed_file_that_is_cut_short_or_not_compressed(station, tmp_path, damage):
    packed = tmp_path / "station.csv.gz"
    packed.write_bytes(damage(gzip.compress(station.read_bytes())))
    assert "cannot be read as" in _refused(packed)
