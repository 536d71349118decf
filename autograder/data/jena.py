"""Where the Jena series comes from, and its cut into a public and a withheld part.

In this order: a local file, the official download, generated weather. Whatever the origin, its rows are kept as they
are, defects included: the first go to the notebook, the last to the judge alone.
"""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from autograder.data.dataset import DataSet, Origin, Place, check_fraction, digest_of_file, local_file, place_of
from autograder.data.files import replacing
from autograder.data.jena_archive import OFFICIAL, Archive, fetch_table
from autograder.data.jena_schema import WINDOW_ROWS, read_rows
from autograder.data.weather import DEFAULT_START, GENERATOR_VERSION, YEAR_ROWS, write_generated_station
from autograder.errors import DataError

JENA_VARIABLE = "AUTOGRADER_JENA_CSV"
FEWEST_PUBLIC_ROWS = 20 * WINDOW_ROWS // 3  # the notebook's validation and test parts, 15 % each, hold a window
_FILE_NAME = "jena_climate.csv"


@dataclass(frozen=True)
class _Table:
    """A Jena CSV on disk and what to call it in a report."""

    path: Path
    origin: Origin
    name: str


@dataclass(frozen=True)
class _Share:
    """How much of a series is used (None: all of it), and which last fraction of that is withheld."""

    rows: int | None
    withheld_fraction: float


def provide_jena(
    *,
    path: Path | None,
    download: bool,
    rows: int | None,
    withheld_fraction: float,
    seed: int,
    cache: Path,
    archive: Archive = OFFICIAL,
) -> DataSet:
    """The Jena series in two parts: from `path` or the file named by AUTOGRADER_JENA_CSV, else the download, else made.

    `rows` of 10 minutes each are taken from the start of the series (None: all; of generated weather: a year). The last
    `withheld_fraction` of them is withheld; a cut that would tear a repeated block moves on past it. `seed` is used by
    generated weather alone, and who knows it can make the withheld part. The files lie under `cache` by everything that
    determines them: later calls hash them and parse nothing, and calls from several processes at once are safe.

    Raises `DataError` for a file that is not a Jena file, a download that fails or has changed, and too few rows.
    """
    check_fraction(withheld_fraction)
    share = _Share(rows, withheld_fraction)
    if rows is not None:
        wanted = round(rows * (1 - withheld_fraction))
        _check_lengths(wanted, rows - wanted, f"rows={rows}")
    local = local_file(path, JENA_VARIABLE)
    if local is not None:
        return _from_table(_Table(local, "file", f"the file {local.name}"), share, cache)
    if download:
        table = fetch_table(archive, cache / "downloads")
        return _from_table(_Table(table, "download", f"the official file {table.name}"), share, cache)
    return _from_simulator(_Share(YEAR_ROWS if rows is None else rows, withheld_fraction), seed, cache)


def _from_table(table: _Table, share: _Share, cache: Path) -> DataSet:
    digest = digest_of_file(table.path, "Jena file")
    place = place_of("jena", table.origin, cache, _FILE_NAME, **asdict(share), name=table.name, digest=digest)
    return place.stored() or _cut(table, share, place)


def _from_simulator(share: _Share, seed: int, cache: Path) -> DataSet:
    made_by = {"version": GENERATOR_VERSION, "start": DEFAULT_START, "seed": seed}
    place = place_of("jena", "generated", cache, _FILE_NAME, **asdict(share), **made_by)
    if stored := place.stored():
        return stored
    with _scratch(cache) as scratch:
        whole = write_generated_station(scratch / _FILE_NAME, rows=share.rows or YEAR_ROWS, seed=seed)
        return _cut(_Table(whole, "generated", "generated weather"), share, place)


def _cut(table: _Table, share: _Share, place: Place) -> DataSet:
    times = read_rows(table.path, most=share.rows).index
    lines = _lines(table.path, 1 + len(times))
    if len(lines) != 1 + len(times):
        raise DataError(
            f"{table.path} does not end each row with a line feed; save it with Unix line ends; "
            f"of {len(times):,} rows, ended so: {len(lines) - 1:,}"
        )
    cut = _place_of_cut(times, share, table.path)
    _check_lengths(times[:cut].nunique(), times[cut:].nunique(), str(table.path))
    _write_lines(place.public, lines[: 1 + cut])
    _write_lines(place.withheld, lines[:1] + lines[1 + cut :])
    return place.vouch(
        f"Jena Climate layout, {table.name}: {len(times):,} rows from {times.min()} to {times.max()}, "
        f"the last {len(times) - cut:,} (from {times[cut:].min()}) withheld from the notebook."
    )


def _lines(table: Path, most: int) -> list[bytes]:
    """The first lines of the file, byte for byte; blank ones, which hold no row, left out."""
    with gzip.open(table) if table.name.endswith(".gz") else table.open("rb") as file:
        return list(islice((line.rstrip(b"\n") + b"\n" for line in file if line.strip()), most))


def _write_lines(destination: Path, lines: list[bytes]) -> None:
    with replacing(destination) as temporary, temporary.open("wb") as file:
        file.writelines(lines)


def _place_of_cut(times: pd.DatetimeIndex, share: _Share, table: Path) -> int:
    """The first row, from the wanted one on, before which everything is earlier than everything from it on."""
    stamps = times.to_numpy()
    latest_before = np.maximum.accumulate(stamps)[:-1]
    earliest_after = np.minimum.accumulate(stamps[::-1])[::-1][1:]
    places = 1 + np.flatnonzero(latest_before < earliest_after)
    later = places[places >= round(len(times) * (1 - share.withheld_fraction))]
    if not len(later):
        raise DataError(
            f"The rows of {table} are so far out of order that no last part lies after the rest; sort them by time; "
            f"received: first row {times[0]}, last row {times[-1]}, latest time {times.max()}"
        )
    return int(later[0])


def _check_lengths(public: int, withheld: int, what: str) -> None:
    if public >= FEWEST_PUBLIC_ROWS and withheld >= WINDOW_ROWS:
        return
    raise DataError(
        f"Too few rows for windows of {WINDOW_ROWS} steps: the public part needs {FEWEST_PUBLIC_ROWS:,} different "
        f"times and the withheld part {WINDOW_ROWS}; {what} gives: {public:,} and {withheld:,}"
    )


@contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    """A folder in the cache, gone when the block ends."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".making-", dir=cache)
    except OSError as error:
        raise DataError(f"Cannot write in the data cache {cache}; choose another folder: {error}") from error
    with folder as name:
        yield Path(name)
