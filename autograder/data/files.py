"""Data files that appear whole or not at all, with errors that name them; and their digests."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder import atomic
from autograder.errors import DataError


@contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """A temporary file beside `destination`, renamed to it when the block ends well and removed when it does not.

    Raises `DataError` when the folder or the file cannot be written.
    """
    _make_folder(destination)
    try:
        with atomic.replacing(destination) as temporary:
            yield temporary
    except OSError as error:
        raise DataError(f"Cannot write {destination} (disk full, or a directory of that name?): {error}") from error


def write_once(destination: Path, text: str) -> bool:
    """Write a file that nobody has written yet; False, and nothing is changed, when another process was first."""
    _make_folder(destination)
    temporary = atomic.temporary_beside(destination)
    try:
        temporary.write_text(text, encoding="utf-8")
        os.link(temporary, destination)  # unlike a rename, it fails when the name is taken
    except FileExistsError:
        return False
    except OSError as error:
        raise DataError(f"Cannot write {destination} (disk full, or no hard links here?): {error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return True


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_folder(destination: Path) -> None:
    folder = destination.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(f"no permission to write: {folder}")
    except OSError as error:
        raise DataError(f"Cannot write in {folder}; choose another folder or mend its permissions: {error}") from error
