"""The official Jena Climate archive, fetched once, checked and pinned.

Its publisher states no checksum. So the structure is checked (one named member, the number of rows, the first time),
the SHA-256 of archive and table are written down at the first download, and whatever differs later is refused.
"""

import json
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from autograder.data.download import CHUNK_BYTES, Remote, download
from autograder.data.files import replacing, sha256, write_once
from autograder.data.jena_schema import TIME_FORMAT, read_rows
from autograder.errors import DataError


@dataclass(frozen=True)
class Archive:
    """A zip with one CSV in it, and what is known of it beforehand; bounds in bytes, the timeout in seconds."""

    url: str
    member: str
    rows: int
    first_time: str
    largest_zip: int = 64 << 20
    largest_table: int = 256 << 20
    timeout: float = 60.0

    @property
    def remote(self) -> Remote:
        """The zip, as it is fetched."""
        return Remote(self.url, "Jena archive", "AUTOGRADER_JENA_CSV", self.largest_zip, self.timeout)


@dataclass(frozen=True)
class _Pin:
    """What was downloaded first."""

    url: str
    zip_sha256: str
    table_sha256: str


OFFICIAL = Archive(
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/jena_climate_2009_2016.csv.zip",
    member="jena_climate_2009_2016.csv",
    rows=420_551,
    first_time="01.01.2009 00:10:00",
)


def fetch_table(archive: Archive, cache: Path) -> Path:
    """Path of the archive's CSV in `cache`, downloaded unless it is there with the digest pinned at the first download.

    Raises `DataError` when the server cannot be reached or sends something else than expected: too large, no zip,
    damaged, another member, other rows, another digest than the pinned one. Nothing of a refused download stays.
    """
    table, note = cache / archive.member, cache / f"{archive.member}.pinned.json"
    pin = _read_pin(note)
    if pin and table.is_file() and sha256(table) == pin.table_sha256:
        return table
    with replacing(table) as temporary:
        with tempfile.TemporaryFile(dir=cache) as file:
            zip_sha256 = download(archive.remote, file)
            _compare_with_pin(zip_sha256, note)
            _extract(archive, file, temporary)
        _check_structure(archive, temporary)
        fresh = _Pin(archive.url, zip_sha256, sha256(temporary))
        if not write_once(note, json.dumps(vars(fresh), indent=1) + "\n"):
            _compare_with_pin(zip_sha256, note)  # another process was first
    return table


def _extract(archive: Archive, file: BinaryIO, table: Path) -> None:
    try:
        with zipfile.ZipFile(file) as bundle:
            names = sorted(bundle.namelist())
            if archive.member not in names:
                raise DataError(f"The zip from {archive.url} should hold {archive.member}; it holds: {names[:5]}")
            size = bundle.getinfo(archive.member).file_size  # zipfile never yields more than this
            if size > archive.largest_table:
                raise DataError(
                    f"{archive.member} from {archive.url} would unpack to more than {archive.largest_table:,} bytes, "
                    f"so it is not the Jena table: {size:,}"
                )
            with bundle.open(archive.member) as source, table.open("wb") as target:
                shutil.copyfileobj(source, target, CHUNK_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"What came from {archive.url} is no sound zip archive; try again later: {error}") from error


def _check_structure(archive: Archive, table: Path) -> None:
    rows = read_rows(table)
    first = rows.index[0].strftime(TIME_FORMAT)
    if (len(rows), first) != (archive.rows, archive.first_time):
        raise DataError(
            f"{archive.url} should hold {archive.rows:,} rows from {archive.first_time} on; name a local copy "
            f"(AUTOGRADER_JENA_CSV) instead; received: {len(rows):,} rows from {first} on"
        )


def _read_pin(note: Path) -> _Pin | None:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
        return _Pin(str(content["url"]), str(content["zip_sha256"]), str(content["table_sha256"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(f"The note of the first download is damaged; remove {note} to pin anew: {error!r}") from error


def _compare_with_pin(zip_sha256: str, note: Path) -> None:
    pin = _read_pin(note)
    if pin and pin.zip_sha256 != zip_sha256:
        raise DataError(
            f"The Jena archive is not the one that was downloaded first. If its publisher has replaced it, remove "
            f"{note} to accept the new one (marks may change). SHA-256 pinned: {pin.zip_sha256}; received: {zip_sha256}"
        )
