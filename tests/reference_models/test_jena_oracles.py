"""The oracles against answers worked out by hand, and against nothing that the reference solution computes. A second."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autograder.errors import DataError
from reference_models import jena_oracles as oracles


def frame_of(rows: int, seed: int = 0) -> pd.DataFrame:
    """A float32 frame of random weather, 10 minutes a row."""
    values = np.random.default_rng(seed).normal(10.0, 3.0, size=(rows, 14)).astype(np.float32)
    index = pd.date_range("2015-01-01", periods=rows, freq="10min")
    return pd.DataFrame(values, index=index, columns=list(oracles.FEATURES))


def write_station(path: Path, stamps: list[str], temperature: list[float]) -> Path:
    """A Jena file whose columns are all 1.0 but the temperature."""
    table = pd.DataFrame({"Date Time": stamps} | dict.fromkeys(oracles.FEATURES, 1.0))
    table["T (degC)"] = temperature
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["station.csv", "station.csv.gz"])
def test_load_drops_duplicates_before_it_sorts_and_fills(tmp_path: Path, name: str) -> None:
    """The first of two equal times counts, even if its value is missing; it is filled from the time before, not the row before."""
    stamps = ["02.01.2015 00:20:00", "02.01.2015 00:10:00", "01.02.2014 00:00:00", "02.01.2015 00:10:00"]
    frame = oracles.oracle_load(write_station(tmp_path / name, stamps, [3.0, -9999.0, 1.5, 7.0]))
    assert frame.index.tolist() == [
        pd.Timestamp(2014, 2, 1),
        pd.Timestamp(2015, 1, 2, 0, 10),
        pd.Timestamp(2015, 1, 2, 0, 20),
    ]
    assert frame["T (degC)"].tolist() == [1.5, 1.5, 3.0]
    assert set(frame.dtypes) == {np.dtype("float32")}
    assert tuple(frame.columns) == oracles.FEATURES


def test_load_fills_a_missing_start_with_the_first_valid_value(tmp_path: Path) -> None:
    """-999 is missing, -998.9 is not; a column that starts with missing values takes its first valid one."""
    stamps = [f"01.01.2015 0{hour}:00:00" for hour in range(4)]
    frame = oracles.oracle_load(write_station(tmp_path / "s.csv", stamps, [-999.0, -12345.0, -998.9, -999.0]))
    assert frame["T (degC)"].tolist() == pytest.approx([-998.9] * 4)


def test_load_leaves_a_column_without_any_valid_value(tmp_path: Path) -> None:
    """There is nothing to fill from, and an oracle invents nothing."""
    frame = oracles.oracle_load(write_station(tmp_path / "s.csv", ["01.01.2015 00:00:00"], [-9999.0]))
    assert frame["T (degC)"].tolist() == [-9999.0]


def test_load_names_the_missing_columns(tmp_path: Path) -> None:
    """A file of something else is refused by what it lacks."""
    path = tmp_path / "other.csv"
    path.write_text("Date Time,a\n01.01.2015 00:00:00,1\n")
    with pytest.raises(DataError, match=r"wd \(deg\)"):
        oracles.oracle_load(path)


@pytest.mark.parametrize(("rows", "sizes"), [(100, (70, 15, 15)), (101, (71, 15, 15)), (7, (5, 1, 1))])
def test_split_sizes(rows: int, sizes: tuple[int, int, int]) -> None:
    """Each size is the rounded fraction, and the parts are the frame."""
    frame = frame_of(rows)
    parts = oracles.oracle_split(frame)
    assert tuple(len(part) for part in parts) == sizes
    assert pd.concat(parts).equals(frame)


def test_normalization_round_trip_and_constant_column() -> None:
    """Targets come back from normalised units; a constant column normalises to zeros with either kind of deviation."""
    frame = frame_of(200)
    frame["rh (%)"] = np.float32(0.1)
    for ddof in (0, 1):
        mean, std = oracles.oracle_normalization(frame, ddof)
        scaled = oracles.oracle_normalize(frame, mean, std)
        assert std[0] == pytest.approx(frame["p (mbar)"].astype("float64").std(ddof=ddof))
        assert np.abs(scaled["rh (%)"]).max() < 1e-6
        back = oracles.oracle_denormalize_targets(scaled[list(oracles.TARGETS)].to_numpy(), mean, std)
        np.testing.assert_allclose(back, frame[list(oracles.TARGETS)], rtol=1e-6)


@pytest.mark.parametrize(("rows", "stride", "count"), [(437, 1, 0), (438, 1, 1), (440, 1, 3), (440, 2, 2), (441, 2, 2)])
def test_window_counts(rows: int, stride: int, count: int) -> None:
    """A window of 438 steps fits into `rows - 437` places; every `stride`-th of them counts."""
    windows = oracles.oracle_windows(frame_of(rows), stride)
    assert windows.x.shape == (count, 432, 14)
    assert windows.y.shape == (count, 6, 2)
    assert windows.starts.tolist() == [stride * i for i in range(count)]


def test_window_contents() -> None:
    """The target starts right after the input, temperature first."""
    frame = frame_of(500)
    windows = oracles.oracle_windows(frame, 20)
    values = frame.to_numpy()
    np.testing.assert_array_equal(windows.x[2], values[40:472])
    np.testing.assert_array_equal(windows.y[2], values[472:478][:, [1, 0]])


def test_window_stride_must_be_positive() -> None:
    """A stride of 0 would never end."""
    with pytest.raises(DataError, match="received 0"):
        oracles.oracle_windows(frame_of(500), 0)


def test_persistence_repeats_the_last_targets() -> None:
    """Six times the last row, temperature first."""
    x = oracles.oracle_windows(frame_of(460), 5).x
    forecast = oracles.oracle_persistence(x)
    assert forecast.shape == (len(x), 6, 2)
    assert np.all(forecast == x[:, -1:, [1, 0]])


def test_errors_by_hand() -> None:
    """One window is 1 degree too warm at each step, the other one right; the pressure is 3 mbar off at half of the steps."""
    truth = np.zeros((2, 6, 2))
    forecast = np.zeros((2, 6, 2))
    forecast[0, :, 0] = 1.0
    forecast[:, ::2, 1] = -3.0
    errors = oracles.forecast_errors(truth, forecast)
    assert errors == pytest.approx({"mae_T": 0.5, "mae_p": 1.5, "rmse_T": 0.5**0.5, "rmse_p": 4.5**0.5})


@pytest.mark.parametrize("shape", [(2, 6, 1), (2, 1, 2), (1, 6, 2), (6, 2)])
def test_errors_refuse_shapes_that_would_broadcast(shape: tuple[int, ...]) -> None:
    """NumPy would compute something; the message tells both shapes."""
    with pytest.raises(DataError, match="received"):
        oracles.forecast_errors(np.zeros((2, 6, 2)), np.zeros(shape))


def test_ridge_finds_a_trend_that_persistence_cannot() -> None:
    """Temperature and pressure that go on as they went: the error of ridge is a small part of persistence's."""
    frame = frame_of(1500, seed=3)
    hours = np.arange(1500) / 6
    frame["T (degC)"] = (10 + 5 * np.sin(hours / 4)).astype(np.float32)
    frame["p (mbar)"] = (990 + 8 * np.sin(hours / 9)).astype(np.float32)
    train, test = oracles.oracle_windows(frame.iloc[:1000], 2), oracles.oracle_windows(frame.iloc[1000:], 2)
    ridge = oracles.fit_ridge(train.x, train.y, steps=12, penalty=1e-3)
    errors = oracles.forecast_errors(test.y, ridge.forecast(test.x))
    naive = oracles.forecast_errors(test.y, oracles.oracle_persistence(test.x))
    assert errors["mae_T"] < 0.2 * naive["mae_T"]
    assert errors["mae_p"] < 0.2 * naive["mae_p"]
