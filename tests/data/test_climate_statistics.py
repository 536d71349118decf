"""Generated weather is as hard as the real station's, and hard work pays on it. Takes about ten seconds.

What `python -m autograder.data.climate_statistics` printed for the real year 2020 and the seeds 1 to 6, shortened:

                                          real  generated   from     to
    std T (degC)                         7.468      7.501  6.752  8.199
    std p (mbar)                         9.207      8.239  7.368  9.397
    autocorrelation 6 h, T (degC)        0.816      0.819  0.773  0.841
    autocorrelation 24 h, p (mbar)       0.770      0.768  0.741  0.798
    correlation T (degC), Tdew (degC)    0.783      0.779  0.750  0.806
    persistence MAE, T (degC)            0.299      0.341  0.330  0.360
    ridge skill, T (degC)                0.150      0.185  0.169  0.194
    persistence MAE, p (mbar)            0.216      0.232  0.187  0.264
    ridge skill, p (mbar)                0.334      0.362  0.342  0.386
"""

import numpy as np
import pandas as pd
import pytest

from autograder.data import provide_jena, read_station
from autograder.data.climate_statistics import climate_statistics, forecast_errors, main
from autograder.data.weather import YEAR_ROWS, simulate_station
from autograder.errors import DataError

SEEDS = (1, 2, 3)
# How far the mean of the seeds may be from the one real year, which is itself a sample: years differ by about as much.
TOLERANCES = {
    "std T (degC)": 1.2,
    "std p (mbar)": 2.0,
    "std Tdew (degC)": 1.0,
    "std wv (m/s)": 0.3,
    "std of change in 10 min, T (degC)": 0.06,
    "std of change in 10 min, p (mbar)": 0.02,
    "std of change in 10 min, Tdew (degC)": 0.03,
    "std of change in 10 min, wv (m/s)": 0.1,
    "autocorrelation 1 h, T (degC)": 0.005,
    "autocorrelation 6 h, T (degC)": 0.05,
    "autocorrelation 24 h, T (degC)": 0.05,
    "autocorrelation 1 h, p (mbar)": 0.002,
    "autocorrelation 6 h, p (mbar)": 0.02,
    "autocorrelation 24 h, p (mbar)": 0.08,
    "autocorrelation 1 h, Tdew (degC)": 0.005,
    "autocorrelation 24 h, Tdew (degC)": 0.08,
    "autocorrelation 1 h, wv (m/s)": 0.05,
    "autocorrelation 24 h, wv (m/s)": 0.12,
    "day's swing in winter, T (degC)": 1.2,
    "day's swing in spring, T (degC)": 1.5,
    "day's swing in summer, T (degC)": 2.0,
    "day's swing in autumn, T (degC)": 2.2,
    "correlation T (degC), Tdew (degC)": 0.07,
    "correlation T (degC), rh (%)": 0.12,
    "correlation T (degC), VPdef (mbar)": 0.07,
    "correlation p (mbar), wv (m/s)": 0.15,
    "correlation wv (m/s), max. wv (m/s)": 0.04,
    "persistence MAE, T (degC)": 0.07,
    "persistence MAE, p (mbar)": 0.05,
    "ridge MAE, T (degC)": 0.05,
    "ridge MAE, p (mbar)": 0.03,
    "ridge skill, T (degC)": 0.06,
    "ridge skill, p (mbar)": 0.06,
}


@pytest.fixture(scope="module")
def generated_years():
    return pd.DataFrame([climate_statistics(simulate_station(YEAR_ROWS, seed)) for seed in SEEDS])


@pytest.fixture(scope="module")
def real_numbers(real_year):
    return climate_statistics(read_station(real_year))


@pytest.mark.parametrize("name", TOLERANCES)
def test_generated_years_are_like_the_real_one(generated_years, real_numbers, name):
    assert generated_years[name].mean() == pytest.approx(real_numbers[name], abs=TOLERANCES[name])


def test_a_generated_year_can_be_learned(generated_years):
    """Also without the real year at hand: in every year the simple honest model beats persistence, in both targets."""
    assert (generated_years["ridge skill, T (degC)"] > 0.10).all()
    assert (generated_years["ridge skill, p (mbar)"] > 0.25).all()
    assert generated_years["persistence MAE, T (degC)"].between(0.22, 0.45).all()
    assert generated_years["persistence MAE, p (mbar)"].between(0.14, 0.32).all()


@pytest.mark.parametrize("seed", range(4))
def test_short_series_can_be_learned(tmp_path, seed):
    """12,000 rows, as a class uses them: trained on the first 70 % of the public part, judged on the withheld one."""
    data = provide_jena(path=None, download=False, rows=12_000, withheld_fraction=0.15, seed=seed, cache=tmp_path)
    public, withheld = read_station(data.public), read_station(data.withheld)
    persistence, ridge = forecast_errors(public.iloc[: int(0.7 * len(public))], withheld)
    assert (1 - ridge / persistence > [0.15, 0.15]).all()


def test_a_random_walk_cannot_be_forecast():
    """The yardstick itself: where nothing can be known ahead, no skill is reported."""
    steps = np.random.default_rng(1).standard_normal((6000, 14)).astype(np.float32)
    index = pd.date_range("2009-01-01", periods=6000, freq="10min")
    walk = simulate_station(6000, seed=1).set_index(index) * 0 + steps.cumsum(axis=0)
    persistence, ridge = forecast_errors(walk.iloc[:4200], walk.iloc[4200:])
    assert (ridge > 0.98 * persistence).all()


def test_a_series_without_a_window_is_refused():
    with pytest.raises(DataError, match="received: 400"):
        forecast_errors(simulate_station(400, seed=1), simulate_station(500, seed=1))


def test_table_is_printed(real_year, capsys):
    main([str(real_year), "--seeds", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["real", "generated", "from", "to"]
    assert any(line.startswith("ridge skill, p (mbar)") for line in lines)
