"""Stored runs: one execution each, kept under a key made of everything that determines it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from autograder import atomic
from autograder.errors import UntrustedError
from autograder.untrusted import parse_json, read_bytes

STATE_FOLDER = ".autograder"
RUN_FILE = "run.json"
KEY_FILE = "key.json"
NOTEBOOK_FILE = "executed.ipynb"
PART = ".part-"  # how a run's folder begins while it is being written
_MAX_KEY_BYTES = 2**20


def key_of(parts: Mapping[str, Any]) -> str:
    """A key: SHA-256 over the JSON of everything that determines something."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:40]


def data_folder(course_folder: Path) -> Path:
    """Where data sets are kept as they were cut for grading."""
    return course_folder / STATE_FOLDER / "data"


def run_folder(course_folder: Path, key: str) -> Path:
    """Where a run of this key lies, if there is one."""
    return course_folder / STATE_FOLDER / "runs" / key


def has_run(course_folder: Path, key: str) -> bool:
    """Whether a whole run of this key is stored."""
    return (run_folder(course_folder, key) / RUN_FILE).is_file()


def note_use(course_folder: Path, key: str) -> None:
    """Remember that a run was needed today: those not needed for long are the first to be reclaimed."""
    with suppress(OSError):  # a store that cannot be written to can still be read
        os.utime(run_folder(course_folder, key))


def write_key(folder: Path, parts: Mapping[str, Any]) -> None:
    """Keep, beside a run, a digest of each part that its key was made of."""
    digests = {name: key_of({name: part}) for name, part in sorted(parts.items())}
    atomic.write(folder / KEY_FILE, json.dumps(digests, indent=1))


def changed_parts(course_folder: Path, key: str, parts: Mapping[str, Any]) -> list[str] | None:
    """Which parts of a key are no longer what they were when the run `key` was made; None when that is not known."""
    try:
        kept = parse_json(read_bytes(run_folder(course_folder, key) / KEY_FILE, _MAX_KEY_BYTES), KEY_FILE)
    except UntrustedError:
        return None
    if not isinstance(kept, dict):
        return None
    return [name for name, part in sorted(parts.items()) if kept.get(name) != key_of({name: part})]


@contextmanager
def new_run(course_folder: Path, key: str) -> Iterator[Path]:
    """A folder to write a run into. It becomes the stored run when the block ends, and vanishes when it raises."""
    final = run_folder(course_folder, key)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=PART, dir=final.parent))
    try:
        yield temporary
        if final.exists():  # an incomplete one of an older version, or one that another grader has just finished
            shutil.rmtree(final)
        temporary.replace(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
