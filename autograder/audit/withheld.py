"""The data that students never get, as fingerprints of their records."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autograder.audit.fingerprints import LENGTH, Fingerprints, tokens_of
from autograder.audit.leaving import read_text
from autograder.config import Assignment
from autograder.data import provide_data
from autograder.errors import DataError
from autograder.store import data_folder

MANIFEST = "dataset.json"
SMALLEST_ITEM = 64  # bytes: smaller items of an array are too common to tell anything
_ARRAYS = {".npz", ".npy"}


@dataclass(frozen=True)
class PreparedData:
    """One data set as it lies in the cache: its folder, its two files, and what its manifest says of them."""

    folder: Path
    public: Path
    withheld: Path
    noted: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WithheldPart:
    """What one data set keeps back: beginnings of records as fingerprints, items of arrays as digests.

    `public_sha256` is the digest of what its notebooks get; reports name it.
    """

    public_sha256: str
    records: Fingerprints
    items: frozenset[bytes]


@dataclass(frozen=True)
class Withheld:
    """What is kept back by each data set of an assignment, or why that is not known."""

    parts: tuple[WithheldPart, ...] = ()
    problem: str = ""


def prepared_data(folder: Path, assignment: Assignment) -> list[PreparedData]:
    """The data sets that were cut for grading, of the source that the assignment uses."""
    if assignment.data is None:
        return []
    found = []
    for path in sorted((data_folder(folder) / assignment.data.source).glob(f"*/{MANIFEST}")):
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            noted = {}
        public, withheld = (next(iter(sorted((path.parent / part).glob("*"))), None) for part in ("public", "withheld"))
        if public is not None and withheld is not None:
            found.append(PreparedData(path.parent, public, withheld, noted if isinstance(noted, dict) else {}))
    return found


def read_withheld(folder: Path, assignment: Assignment) -> Withheld:
    """Fingerprints of everything withheld: of all prepared data sets, or of the smallest profile's, made for this."""
    if assignment.data is None:
        return Withheld()
    prepared = prepared_data(folder, assignment)
    if prepared:
        return Withheld(tuple(_part(data.public, data.withheld) for data in prepared))
    if getattr(assignment.data, "download", False):
        return Withheld(problem="the data have not been downloaded yet, so no withheld record is known")
    rows = [profile.data_rows for profile in assignment.profiles.values() if profile.data_rows is not None]
    with tempfile.TemporaryDirectory(prefix="autograder-audit-") as scratch:
        try:
            data = provide_data(
                assignment.data, rows=min(rows, default=None), course_folder=folder, cache=Path(scratch)
            )
        except DataError as error:
            return Withheld(problem=f"the data cannot be prepared: {error}")
        return Withheld((_part(data.public, data.withheld),))


def _part(public: Path, withheld: Path) -> WithheldPart:
    digest = hashlib.sha256(public.read_bytes()).hexdigest()
    if withheld.suffix in _ARRAYS:
        items = frozenset(array_items(withheld)) - frozenset(array_items(public))
        return WithheldPart(digest, Fingerprints(), items)
    known = set(_beginnings(public))
    records = [(begin, f"the withheld part of {public.name}") for begin in _beginnings(withheld) if begin not in known]
    return WithheldPart(digest, Fingerprints(records), frozenset())


def _beginnings(path: Path) -> Iterator[str]:
    """The first tokens of each record that is long enough to be known by them; of JSON lines, of each text in them."""
    lines = read_text(path).splitlines()
    texts = (text for line in lines for text in _texts_in(line)) if path.suffix == ".jsonl" else iter(lines[1:])
    for text in texts:
        tokens = tokens_of(text, LENGTH)
        if len(tokens) == LENGTH:
            yield " ".join(tokens)


def _texts_in(line: str) -> list[str]:
    try:
        record = json.loads(line)
    except ValueError:
        return [line]
    return [value for value in record.values() if isinstance(value, str)] if isinstance(record, dict) else [line]


def array_items(path: Path) -> Iterator[bytes]:
    """Digests of the items along the first axis of all arrays in a file; nothing where it cannot be read."""
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = [loaded[name] for name in loaded.files] if hasattr(loaded, "files") else [loaded]
    except (OSError, ValueError, EOFError, KeyError):
        return
    for array in arrays:
        for item in array if array.ndim > 1 else ():
            if item.nbytes >= SMALLEST_ITEM and len(np.unique(item)) > 1:
                yield hashlib.sha256(np.ascontiguousarray(item).tobytes()).digest()
