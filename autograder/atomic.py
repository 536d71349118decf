"""Files that appear whole or not at all, also when several processes write the same one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(destination: Path) -> Iterator[Path]:
    """A temporary file beside `destination`, renamed to it when the block ends well and removed when it does not.

    Raises:
        OSError: the folder or the file cannot be written; callers say what that means in their own words.
    """
    temporary = temporary_beside(destination)
    try:
        yield temporary
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)


def write(destination: Path, content: str | bytes) -> None:
    """Write a file so that readers see the old one or the new one, never half of it; text as UTF-8.

    Raises:
        OSError: as `replacing`.
    """
    with replacing(destination) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def temporary_beside(destination: Path) -> Path:
    """A new empty file in the folder of `destination`, which is made where it is missing."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{destination.name}.", dir=destination.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o644)  # mkstemp makes it private, but other accounts on a grading machine read it too
    return temporary
