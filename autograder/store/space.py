"""What the store takes, and how it is reclaimed: runs that no report rests on, the longest unused ones first."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from autograder.store.runs import PART, RUN_FILE, STATE_FOLDER

_ABANDONED_SECONDS = 24 * 3600.0  # a run that is still being written after a day has lost its grader


@dataclass(frozen=True)
class StoredRun:
    """One folder of the store.

    Attributes:
        key: the run's key.
        size: bytes on disk.
        used: when it was needed last, in seconds since 1970.
        needed: whether a published report rests on it.
    """

    key: str
    size: int
    used: float
    needed: bool


@dataclass(frozen=True)
class Reclaimed:
    """What a clean-up did: how many runs went and stayed, and their bytes."""

    removed: int
    freed: int
    kept: int
    size: int
    over_limit: bool


def stored_runs(course_folder: Path, needed: Collection[str]) -> list[StoredRun]:
    """All whole runs, those first that would be reclaimed first."""
    folder = course_folder / STATE_FOLDER / "runs"
    found = [
        StoredRun(path.name, _size(path), path.stat().st_mtime, path.name in needed)
        for path in (folder.iterdir() if folder.is_dir() else ())
        if (path / RUN_FILE).is_file()
    ]
    return sorted(found, key=lambda run: (run.needed, run.used, run.key))


def reclaim(
    course_folder: Path, needed: Collection[str], *, max_bytes: int | None = None, max_days: float | None = None
) -> Reclaimed:
    """Remove what is not needed any more.

    What a grader left unfinished goes; so does, of the runs that no report rests on, what was not used for `max_days`
    and, oldest first, what is above `max_bytes`. A run that a published report rests on is never removed: without it,
    a regrade would have to train again.

    Args:
        course_folder: the course folder.
        needed: keys of the runs on which published reports rest.
        max_bytes: how large the store may be; None for no limit.
        max_days: how long a run may lie unused; None for no limit. Without both, all runs that are not needed go.
    """
    now = time.time()
    _remove_abandoned(course_folder / STATE_FOLDER / "runs", now)
    runs = stored_runs(course_folder, needed)
    size = sum(run.size for run in runs)
    removed = freed = 0
    for run in runs:
        unlimited = max_bytes is None and max_days is None
        too_old = max_days is not None and now - run.used > max_days * 86400
        too_much = max_bytes is not None and size > max_bytes
        if run.needed or not (unlimited or too_old or too_much):
            continue
        _remove(course_folder / STATE_FOLDER / "runs" / run.key)
        removed, freed, size = removed + 1, freed + run.size, size - run.size
    return Reclaimed(removed, freed, len(runs) - removed, size, max_bytes is not None and size > max_bytes)


def _remove(folder: Path) -> None:
    """The run's own file first: from then on it does not exist, whatever happens to the rest."""
    (folder / RUN_FILE).unlink(missing_ok=True)
    shutil.rmtree(folder)


def _remove_abandoned(folder: Path, now: float) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        unfinished = path.name.startswith(PART) or not (path / RUN_FILE).is_file()
        if unfinished and now - path.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
