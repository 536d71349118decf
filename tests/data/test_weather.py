"""Generated weather: physics, layout, defects, and that the seed alone decides. Takes about two seconds."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from autograder.data import FEATURES, psychrometrics, read_station, write_generated_station
from autograder.data.jena_schema import HEADER, read_rows
from autograder.data.weather import YEAR_ROWS, simulate_station
from autograder.errors import DataError

STARTS = ["01.01.2009 00:10:00", "28.02.2012 12:00:00", "21.06.2015 23:50:00", "31.10.1999 05:30:30"]


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_values_are_possible_weather(seed, start):
    """Whatever the seed and the start: ranges that Central Germany knows, and no column beyond what physics allows."""
    weather = simulate_station(20_000, seed, start)
    assert np.isfinite(weather.to_numpy()).all()
    assert weather["T (degC)"].between(-35, 48).all()
    assert weather["p (mbar)"].between(900, 1075).all()
    assert weather["rh (%)"].between(3, 100).all()
    assert (weather["Tdew (degC)"] <= weather["T (degC)"]).all()
    assert (weather["VPdef (mbar)"] >= 0).all()
    assert weather["wv (m/s)"].between(0, 45).all()
    assert (weather["max. wv (m/s)"] >= weather["wv (m/s)"]).all()
    assert weather["wd (deg)"].between(0, 360).all()
    assert weather["wd (deg)"].std() > 30


def test_derived_columns_follow_from_pressure_temperature_and_dew_point():
    weather = simulate_station(5_000, seed=3)
    pressure, temperature = weather["p (mbar)"].to_numpy(), weather["T (degC)"].to_numpy()
    saturation = psychrometrics.vapour_pressure(temperature)
    vapour = psychrometrics.vapour_pressure(weather["Tdew (degC)"].to_numpy())
    expected = {
        "VPmax (mbar)": (saturation, 0.03),
        "VPact (mbar)": (vapour, 0.02),
        "VPdef (mbar)": (saturation - vapour, 0.04),
        "rh (%)": (100 * vapour / saturation, 0.2),
        "sh (g/kg)": (psychrometrics.specific_humidity(pressure, vapour), 0.02),
        "H2OC (mmol/mol)": (psychrometrics.vapour_concentration(pressure, vapour), 0.02),
        "rho (g/m**3)": (psychrometrics.air_density(pressure, temperature, vapour), 0.06),
        "Tpot (K)": (psychrometrics.potential_temperature(pressure, temperature), 0.02),
    }
    for column, (values, rounding) in expected.items():
        np.testing.assert_allclose(weather[column], values, rtol=0, atol=rounding, err_msg=column)


def test_the_sun_rules_the_day():
    """Summer is warmer than winter, early afternoon warmer than the hour before sunrise, and more so in summer."""
    temperature = simulate_station(YEAR_ROWS, seed=4)["T (degC)"]
    summer, winter = (temperature[temperature.index.month.isin(months)] for months in ((6, 7, 8), (12, 1, 2)))
    assert summer.mean() > winter.mean() + 10

    def swing(season):
        return season[season.index.hour == 14].mean() - season[season.index.hour == 4].mean()

    assert swing(summer) > swing(winter) + 2 > 3


def test_start_and_step():
    weather = simulate_station(3, seed=1, start="28.02.2012 23:50:00")
    assert list(weather.index) == list(pd.to_datetime(["2012-02-28 23:50", "2012-02-29 00:00", "2012-02-29 00:10"]))


def test_same_seed_same_file_other_seed_other_file(tmp_path):
    def digest(name, **settings):
        path = write_generated_station(tmp_path / name, **settings)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    first = digest("a.csv", rows=1500, seed=9)
    assert digest("b.csv", rows=1500, seed=9) == first
    assert digest("c.csv", rows=1500, seed=10) != first
    assert digest("d.csv", rows=1500, seed=9, start="02.01.2009 00:10:00") != first
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.csv", "b.csv", "c.csv", "d.csv"]  # nothing else


def test_file_has_the_published_layout(station):
    header, first, *rest = station.read_text(encoding="ascii").splitlines()
    assert header == ",".join(f'"{name}"' for name in HEADER)
    time, *cells = first.split(",")
    assert time == "01.01.2009 00:10:00"
    assert len(cells) == 14
    assert all(len(cell.split(".")[1]) == 2 for cell in cells)
    assert len(rest) == 4000 - 1


@pytest.mark.parametrize("seed", range(5))
def test_defects_of_the_published_file(tmp_path, seed):
    """One block of times comes twice, in a row, and wind is -9999 now and then; nothing else is missing."""
    path = write_generated_station(tmp_path / "s.csv", rows=4000, seed=seed)
    rows = read_rows(path)
    repeated = np.flatnonzero(rows.index.duplicated())
    assert len(repeated) == 40
    assert np.all(np.diff(repeated) == 1), "one block"
    assert repeated.max() < 2000, "in the first half"
    missing = (rows <= -999).sum()
    assert set(missing[missing > 0].index) == {"wv (m/s)", "max. wv (m/s)"}
    assert (rows.to_numpy()[rows.to_numpy() <= -999] == -9999).all()
    clean = read_station(path)
    assert (clean > -999).all(axis=None)
    assert (clean.index[1:] - clean.index[:-1] == pd.Timedelta(minutes=10)).all()
    faultless = simulate_station(4000 - 40, seed).drop(columns=["wv (m/s)", "max. wv (m/s)"])
    np.testing.assert_array_equal(clean[faultless.columns], faultless.astype(np.float32))


def test_a_few_rows_have_no_defects(tmp_path):
    rows = read_rows(write_generated_station(tmp_path / "s.csv", rows=1, seed=0))
    assert rows.shape == (1, len(FEATURES))


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"rows": 0, "seed": 1}, "received: 0"),
        ({"rows": -5, "seed": 1}, "received: -5"),
        ({"rows": 10**9, "seed": 1}, "received: 1000000000"),
        ({"rows": 10, "seed": -1}, "received: -1"),
        ({"rows": 10, "seed": 1, "start": "2009-01-01"}, "received: '2009-01-01'"),
        ({"rows": 10, "seed": 1, "start": "31.02.2009 00:10:00"}, "received: '31.02.2009 00:10:00'"),
    ],
)
def test_impossible_settings(tmp_path, settings, received):
    with pytest.raises(DataError, match=received):
        write_generated_station(tmp_path / "s.csv", **settings)
    assert list(tmp_path.iterdir()) == []


def test_destination_that_cannot_be_written(tmp_path):
    """A file where a folder should be, and a folder where the file should be; neither leaves anything behind."""
    (tmp_path / "file").write_text("x", encoding="ascii")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="Cannot write in"):
        write_generated_station(tmp_path / "file" / "s.csv", rows=10, seed=1)
    with pytest.raises(DataError, match="Cannot write .*folder"):
        write_generated_station(tmp_path / "folder", rows=10, seed=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
