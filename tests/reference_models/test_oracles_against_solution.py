"""Two people's answers to one contract: the oracles and the reference solution agree on small frames. TensorFlow; 10 seconds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

from reference_models import jena_oracles as oracles

NOTEBOOK = Path(__file__).parents[2] / "solutions" / "jena_multistep" / "jena_multistep.ipynb"
pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently


@pytest.fixture(scope="module")
def solution() -> dict[str, Callable[..., Any]]:
    """The functions of the reference solution that need no training."""
    import matplotlib as mpl

    mpl.use("Agg")
    sources = {cell.id: cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells}
    names: dict[str, Any] = {}
    for cell in ("parameters", "setup", "load_data", "split_by_time", "normalization", "windows", "naive_baseline"):
        exec(sources[cell], names)
    return names


def weather(rows: int, seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(0.0, 1.0, size=(rows, 14)).cumsum(axis=0)
    values += np.arange(14) * 70.0
    index = pd.date_range("2016-02-27 22:10", periods=rows, freq="10min")
    return pd.DataFrame(values.astype(np.float32), index=index, columns=list(oracles.FEATURES))


def defective_file(path: Path, seed: int) -> Path:
    """Rows out of order, some times twice with other values, missing values everywhere, also at the start and in doubles."""
    rng = np.random.default_rng(seed)
    table = weather(300, seed).round(2)
    table = pd.concat([table, table.iloc[rng.integers(0, 300, 40)] + 5]).iloc[rng.permutation(340)]
    table = table.mask(rng.random(table.shape) < 0.1, rng.choice([-9999.0, -999.0, -1000.5]))
    stamps = table.index.strftime("%d.%m.%Y %H:%M:%S")
    table.insert(0, "Date Time", stamps)
    table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_load(solution: dict[str, Callable[..., Any]], tmp_path: Path, seed: int) -> None:
    path = defective_file(tmp_path / "station.csv.gz", seed)
    pd.testing.assert_frame_equal(
        solution["load_data"](str(path)), oracles.oracle_load(path), check_freq=False, check_names=False
    )


@pytest.mark.parametrize(("rows", "fractions"), [(1000, (0.7, 0.15)), (997, (0.55, 0.3)), (11, (0.5, 0.25))])
def test_split(solution: dict[str, Callable[..., Any]], rows: int, fractions: tuple[float, float]) -> None:
    frame = weather(rows, 1)
    for received, expected in zip(
        solution["split_by_time"](frame, *fractions), oracles.oracle_split(frame, *fractions), strict=True
    ):
        pd.testing.assert_frame_equal(received, expected)


def test_normalization(solution: dict[str, Callable[..., Any]]) -> None:
    frame = weather(500, 2)
    frame["wd (deg)"] = np.float32(0.1)
    mean, std = solution["fit_normalization"](frame)
    oracle_mean, oracle_std = oracles.oracle_normalization(frame)
    np.testing.assert_allclose(mean, oracle_mean, rtol=1e-6)
    np.testing.assert_allclose(std, oracle_std, rtol=1e-6)
    np.testing.assert_allclose(
        solution["normalize"](frame, mean, std), oracles.oracle_normalize(frame, mean, std), rtol=1e-4, atol=1e-5
    )
    y = np.random.default_rng(0).normal(size=(2, 5, 6, 2))
    np.testing.assert_allclose(
        solution["denormalize_targets"](y, mean, std), oracles.oracle_denormalize_targets(y, mean, std), rtol=1e-6
    )


@pytest.mark.parametrize(("rows", "stride"), [(437, 1), (438, 1), (445, 3), (700, 36)])
def test_windows_and_persistence(solution: dict[str, Callable[..., Any]], rows: int, stride: int) -> None:
    frame = weather(rows, 3)
    batches = list(solution["make_dataset"](frame, stride=stride, batch_size=4).as_numpy_iterator())
    windows = oracles.oracle_windows(frame, stride)
    assert sum(len(x) for x, _ in batches) == len(windows.starts)
    if batches:
        np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), windows.x)
        np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), windows.y)
        np.testing.assert_array_equal(solution["naive_forecast"](windows.x), oracles.oracle_persistence(windows.x))
