"""How a Jena series behaves, in numbers: what generated weather must share with the real station.

`python -m autograder.data.climate_statistics REAL.csv.gz` prints a real series beside generated ones.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autograder.data.jena_schema import (
    FEATURES,
    HORIZON,
    STEPS_PER_HOUR,
    TARGETS,
    WINDOW_ROWS,
    read_station,
)
from autograder.data.weather import YEAR_ROWS, simulate_station
from autograder.errors import DataError

LOOKBACK = 72  # steps of the ridge: half a day
_TARGET_COLUMNS = [FEATURES.index(name) for name in TARGETS]
_SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}
_RELATED = (
    ("T (degC)", "Tdew (degC)"),
    ("T (degC)", "rh (%)"),
    ("T (degC)", "VPdef (mbar)"),
    ("p (mbar)", "wv (m/s)"),
    ("wv (m/s)", "max. wv (m/s)"),
)


def climate_statistics(frame: pd.DataFrame) -> dict[str, float]:
    """Named numbers of a series as `read_station` returns it, about a year long; units stand in the names.

    Spread, autocorrelation and change within an hour, the day's swing by season, correlations between columns, and how
    hard the hour ahead is to forecast: persistence and ridge on the last 15 %, trained on the first 70 %.
    """
    numbers: dict[str, float] = {}
    for name in ("T (degC)", "p (mbar)", "Tdew (degC)", "wv (m/s)"):
        column = frame[name].to_numpy(np.float64)
        numbers[f"std {name}"] = float(column.std())
        numbers[f"std of change in 10 min, {name}"] = float((column[1:] - column[:-1]).std())
        for hours in (1, 6, 24):
            numbers[f"autocorrelation {hours} h, {name}"] = _correlation_with_past(column, hours * STEPS_PER_HOUR)
    for season, months in _SEASONS.items():
        within = frame.loc[np.isin(frame.index.month, months), "T (degC)"]
        by_hour = within.groupby(within.index.hour).mean()
        numbers[f"day's swing in {season}, T (degC)"] = float(by_hour.max() - by_hour.min())
    for one, other in _RELATED:
        numbers[f"correlation {one}, {other}"] = float(frame[one].corr(frame[other]))
    train, test = frame.iloc[: int(0.7 * len(frame))], frame.iloc[int(0.85 * len(frame)) :]
    persistence, ridge = forecast_errors(train, test)
    for i, name in enumerate(TARGETS):
        numbers[f"persistence MAE, {name}"] = float(persistence[i])
        numbers[f"ridge MAE, {name}"] = float(ridge[i])
        numbers[f"ridge skill, {name}"] = float(1 - ridge[i] / persistence[i])
    return numbers


def forecast_errors(train: pd.DataFrame, test: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """MAE of persistence and of a ridge over the hour ahead, each `(2,)` in degC and mbar, on windows of `test`.

    The ridge sees the last 72 steps of all columns, as differences from the last, and forecasts the change of the
    targets: the honest simple model that a student's network should at least match.
    """
    inputs, changes = _windows(train, stride=3)
    model = make_pipeline(StandardScaler(), Ridge(alpha=0.5 * len(inputs)))
    model.fit(inputs, changes)
    test_inputs, test_changes = _windows(test, stride=3)
    errors = np.abs(test_changes - model.predict(test_inputs))
    persistence = np.abs(test_changes).reshape(-1, HORIZON, len(TARGETS)).mean(axis=(0, 1))
    return persistence, errors.reshape(-1, HORIZON, len(TARGETS)).mean(axis=(0, 1))


def _windows(frame: pd.DataFrame, stride: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences from the last step and that step itself, `(n, 72 * 14)`; changes of the targets, `(n, 6 * 2)`."""
    if len(frame) < WINDOW_ROWS:
        raise DataError(f"A series needs {WINDOW_ROWS} rows for one window; received: {len(frame)}")
    values = frame.to_numpy(np.float64)
    spans = np.lib.stride_tricks.sliding_window_view(values, WINDOW_ROWS, axis=0)[::stride].swapaxes(1, 2)
    past, future = spans[:, -HORIZON - LOOKBACK : -HORIZON], spans[:, -HORIZON:, _TARGET_COLUMNS]
    last = past[:, -1:]
    inputs = np.concatenate([past[:, :-1] - last, last], axis=1)
    changes = future - last[:, :, _TARGET_COLUMNS]
    return inputs.reshape(len(spans), -1), changes.reshape(len(spans), -1)


def _correlation_with_past(column: NDArray[np.float64], steps: int) -> float:
    return float(np.corrcoef(column[steps:], column[:-steps])[0, 1])


def main(arguments: list[str] | None = None) -> None:
    """Print the statistics of a real file beside those of generated years."""
    parser = argparse.ArgumentParser(description="Compare a real Jena series with generated weather.")
    parser.add_argument("real", type=Path, help="a Jena Climate CSV, about a year")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    chosen = parser.parse_args(arguments)
    real = climate_statistics(read_station(chosen.real))
    made = pd.DataFrame([climate_statistics(simulate_station(YEAR_ROWS, seed)) for seed in chosen.seeds])
    table = pd.DataFrame({"real": real, "generated": made.mean(), "from": made.min(), "to": made.max()})
    print(table.to_string(float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
