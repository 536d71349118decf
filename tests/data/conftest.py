"""Small Jena files, and the real year where a developer has it."""

import os
from pathlib import Path

import pytest

from autograder.data import write_generated_station
from autograder.data.sources import JENA_VARIABLE


@pytest.fixture(autouse=True)
def no_file_in_the_environment(monkeypatch):
    """A developer's own AUTOGRADER_JENA_CSV must not change what these tests test."""
    monkeypatch.delenv(JENA_VARIABLE, raising=False)


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """4,000 generated rows, defects included."""
    return write_generated_station(tmp_path / "station.csv", rows=4000, seed=5)


@pytest.fixture(scope="session")
def real_year() -> Path:
    """A year of the real station: development data that is no part of the project."""
    project = Path(__file__).parents[2]
    folder = Path(os.environ.get("AUTOGRADER_SHARED_DATA", project / ".." / "shared" / "data"))
    path = folder / "jena_climate_2020.csv.gz"
    if not path.is_file():
        pytest.skip("the real year is not here; set AUTOGRADER_SHARED_DATA to the folder of jena_climate_2020.csv.gz")
    return path
