"""Files that appear whole or not at all, also when several processes write the same one; and their digests."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import DataError


@contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """A temporary file beside `destination`, renamed to it when the block ends well and removed when it does not.

    Raises `DataError` when the folder or the file cannot be written.
    """
    temporary = _temporary_beside(destination)
    try:
        yield temporary
        temporary.replace(destination)
    except OSError as error:
        raise DataError(f"Cannot write {destination} (disk full, or a directory of that name?): {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_once(destination: Path, text: str) -> bool:
    """Write a file that nobody has written yet; False, and nothing is changed, when another process was first."""
    temporary = _temporary_beside(destination)
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


def _temporary_beside(destination: Path) -> Path:
    folder = destination.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", dir=folder)
        os.close(handle)
    except OSError as error:
        raise DataError(f"Cannot write in {folder}; choose another folder or mend its permissions: {error}") from error
    temporary = Path(name)
    temporary.chmod(0o644)  # mkstemp makes it private, but other accounts on a grading machine read it too
    return temporary
