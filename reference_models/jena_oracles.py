"""The right answers of `jena_multistep`, in NumPy and pandas alone, for hidden tests in the trusted process.

Every function is written anew from the assignment's contract, so that the reference solution and these oracles check
each other. Windows are float32 `(n, 432, 14)` in physical units (degrees Celsius, mbar, and so on as the column names
say), forecasts `(n, 6, 2)`: temperature, then pressure. One step is 10 minutes.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from autograder.errors import DataError

FEATURES = (
    "p (mbar)", "T (degC)", "Tpot (K)", "Tdew (degC)", "rh (%)", "VPmax (mbar)", "VPact (mbar)", "VPdef (mbar)",
    "sh (g/kg)", "H2OC (mmol/mol)", "rho (g/m**3)", "wv (m/s)", "max. wv (m/s)", "wd (deg)",
)  # fmt: skip
TARGETS = ("T (degC)", "p (mbar)")
TARGET_COLUMNS = tuple(FEATURES.index(name) for name in TARGETS)
ERROR_COLUMNS = ("mae_T", "mae_p", "rmse_T", "rmse_p")
INPUT_LENGTH = 432
HORIZON = 6
MISSING_AT_OR_BELOW = -999.0

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]


class Windows(NamedTuple):
    """Windows cut from a frame.

    `x` is float32 `(n, input_length, 14)`, `y` float32 `(n, horizon, 2)`, `starts` the row of the frame where each
    window begins, `(n,)`. `x` is a read-only view of the frame's values, so that many windows take little memory.
    """

    x: Float32s
    y: Float32s
    starts: NDArray[np.int64]


def oracle_load(path: str | Path) -> pd.DataFrame:
    """A Jena Climate file (`.csv` or `.csv.gz`) as `load_data` should return it.

    Returns columns `FEATURES`, float32, with a strictly increasing `DatetimeIndex`. First of duplicated times in file
    order, then sorted, then each value at or below -999 replaced by the last valid one before it (at the start of a
    column, by its first valid one). Raises `DataError` where the file lacks a column.
    """
    table = pd.read_csv(path)
    absent = [name for name in ("Date Time", *FEATURES) if name not in table.columns]
    if absent:
        raise DataError(f"{path} is no Jena Climate file; these columns are missing: {absent}")
    times = pd.to_datetime(table["Date Time"], format="%d.%m.%Y %H:%M:%S").to_numpy()
    unique_times, first_rows = np.unique(times, return_index=True)  # sorted; return_index names the first of equals
    values = table[list(FEATURES)].to_numpy(dtype=np.float64)[first_rows]
    for column in values.T:
        _fill_missing(column)
    return pd.DataFrame(values.astype(np.float32), index=pd.DatetimeIndex(unique_times), columns=list(FEATURES))


def _fill_missing(column: Floats) -> None:
    """Fill a `(rows,)` column in place; one without any valid value stays as it is."""
    valid = np.flatnonzero(column > MISSING_AT_OR_BELOW)
    if valid.size:
        latest = np.searchsorted(valid, np.arange(column.size), side="right") - 1
        column[:] = column[valid[np.maximum(latest, 0)]]


def oracle_split(
    frame: pd.DataFrame, train_fraction: float = 0.7, validation_fraction: float = 0.15
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Train, validation and test part of a frame, in time order; sizes `round(fraction * len(frame))` and the rest."""
    train_rows = round(train_fraction * len(frame))
    validation_rows = round(validation_fraction * len(frame))
    return (
        frame.iloc[:train_rows],
        frame.iloc[train_rows : train_rows + validation_rows],
        frame.iloc[train_rows + validation_rows :],
    )


def oracle_normalization(train: pd.DataFrame, ddof: int = 0) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column, both `(columns,)` in double precision.

    `ddof` 0 is the population's, 1 the sample's; the contract allows both. The deviation of a constant column is 1,
    so that it normalises to zeros.
    """
    values = train.to_numpy(dtype=np.float64)
    std = values.std(axis=0, ddof=ddof)
    return values.mean(axis=0), np.where(np.ptp(values, axis=0) > 0, std, 1.0)


def oracle_normalize(frame: pd.DataFrame, mean: ArrayLike, std: ArrayLike) -> pd.DataFrame:
    """A frame in normalised units, double precision; index and columns as they were."""
    scaled = (frame.to_numpy(dtype=np.float64) - np.asarray(mean)) / np.asarray(std)
    return pd.DataFrame(scaled, index=frame.index, columns=frame.columns)


def oracle_denormalize_targets(y: ArrayLike, mean: ArrayLike, std: ArrayLike) -> Floats:
    """Forecasts `(..., 2)` from normalised units to degrees and mbar; `mean` and `std` are `(14,)` in column order."""
    columns = list(TARGET_COLUMNS)
    scale, offset = (np.asarray(values, dtype=np.float64)[columns] for values in (std, mean))
    return np.asarray(y, dtype=np.float64) * scale + offset


def oracle_windows(
    frame: pd.DataFrame, stride: int, input_length: int = INPUT_LENGTH, horizon: int = HORIZON
) -> Windows:
    """All windows of a frame that start at rows 0, stride, 2 stride, ... and fit with their targets; perhaps none.

    Raises `DataError` for a stride below 1.
    """
    if stride < 1:
        raise DataError(f"The stride between windows counts steps and must be at least 1; received {stride}")
    values = frame[list(FEATURES)].to_numpy(dtype=np.float32)
    length = input_length + horizon
    starts = np.arange(0, len(values) - length + 1, stride, dtype=np.int64)
    if not starts.size:
        empty = np.empty((0, length, len(FEATURES)), dtype=np.float32)
        return Windows(empty[:, :input_length], empty[:, input_length:, : len(TARGETS)], starts)
    view = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)  # (rows - length + 1, 14, length)
    whole = np.swapaxes(view[::stride], 1, 2)
    return Windows(whole[:, :input_length], whole[:, input_length:, list(TARGET_COLUMNS)], starts)


def oracle_persistence(x: ArrayLike, horizon: int = HORIZON) -> Floats:
    """The last values of the targets, `horizon` times: `(n, steps, 14)` to `(n, horizon, 2)`, units as in `x`."""
    last = np.asarray(x)[:, -1, list(TARGET_COLUMNS)].astype(np.float64)
    return np.broadcast_to(last[:, None, :], (len(last), horizon, len(TARGETS))).copy()


def forecast_errors(y: ArrayLike, forecast: ArrayLike) -> dict[str, float]:
    """Errors of forecasts `(n, 6, 2)` over windows and steps together, under the names in `ERROR_COLUMNS`.

    Physical units if both are in physical units: degrees Celsius for `_T`, mbar for `_p`. Raises `DataError` where
    the shapes differ (broadcasting would hide it) or there are no windows.
    """
    truth, guess = np.asarray(y, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if truth.shape != guess.shape or truth.ndim != 3 or truth.shape[2] != len(TARGETS) or not len(truth):
        raise DataError(
            f"Truth and forecast must both be (n, steps, 2) with n > 0; received {truth.shape}, {guess.shape}"
        )
    difference = guess - truth
    mae = np.abs(difference).mean(axis=(0, 1))
    rmse = np.sqrt((difference**2).mean(axis=(0, 1)))
    return dict(zip(ERROR_COLUMNS, [*mae.tolist(), *rmse.tolist()], strict=True))


class RidgeBaseline(NamedTuple):
    """A linear forecast of the change from the last value: what can be had without a network.

    `weights` is `(steps * 14 + 1, 12)`, the last row the intercept; `scale` `(14,)` is what the changes of the inputs
    were divided by; `steps` is how much of the window's end it looks at.
    """

    weights: Floats
    scale: Floats
    steps: int

    def forecast(self, x: ArrayLike) -> Floats:
        """Raw windows `(n, 432, 14)` in physical units to forecasts `(n, 6, 2)` in physical units."""
        change = _recent_changes(x, self.scale, self.steps) @ self.weights
        return oracle_persistence(x) + change.reshape(-1, HORIZON, len(TARGETS))


def fit_ridge(x: ArrayLike, y: ArrayLike, steps: int = 72, penalty: float = 300.0) -> RidgeBaseline:
    """Ridge regression (Hoerl and Kennard 1970) of the change over the next hour on the last `steps` steps.

    `x` `(n, 432, 14)` and `y` `(n, 6, 2)` in physical units; every input is a change from the last value, divided by
    the column's standard deviation in `x`. Needs no iterations and no seed.
    """
    windows = np.asarray(x)
    deviation = windows[:, -steps:].std(axis=(0, 1), dtype=np.float64)
    scale = np.where(deviation > 0, deviation, 1.0)
    design = _recent_changes(windows, scale, steps)
    change = (np.asarray(y, dtype=np.float64) - oracle_persistence(windows)).reshape(len(windows), -1)
    ridge = penalty * np.eye(design.shape[1])
    ridge[-1, -1] = 0.0  # the intercept is not shrunk
    weights = np.linalg.solve(design.T @ design + ridge, design.T @ change).astype(np.float64)
    return RidgeBaseline(weights, scale, steps)


def _recent_changes(x: ArrayLike, scale: Floats, steps: int) -> Floats:
    """The last steps of `(n, 432, 14)` as seen from the very last, and a column of ones: `(n, steps * 14 + 1)`."""
    recent = np.asarray(x)[:, -steps:].astype(np.float64)
    changes = ((recent - recent[:, -1:]) / scale).reshape(len(recent), -1)
    return np.hstack([changes, np.ones((len(changes), 1))])
