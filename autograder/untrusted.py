"""The one door through which a file that a stranger wrote comes in, and the one parser of a stranger's JSON.

Nothing here trusts a name, a size or a kind: a file is looked at before it is opened and again through its descriptor,
so that what is checked is what is read. JSON is measured before it is parsed, because a few bytes of it can make many
objects, and depth costs stack.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.errors import UntrustedError

MAX_DEPTH = 100
MAX_CONTAINERS = 500_000
MAX_DIGITS = 4300  # what Python itself writes at most
MEGABYTE = 2**20

# Windows has none of these; there a link is refused by its first look alone, and the files are the user's own.
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_WALKS = os.open in os.supports_dir_fd

# Possessive, and content with a string that never ends: a hostile text must not be scanned twice.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKET = re.compile(r"[^\[\]{}]++")
_LONG_NUMBER = re.compile(rf"(?<!\d)\d{{{MAX_DIGITS + 1}}}")
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def read_bytes(path: Path, max_bytes: int, *, within: Path | None = None, sole_name: bool = False) -> bytes:
    """The whole content of a stranger's file.

    Refused are links, folders, pipes, sockets and devices (a device is not even opened), files of more than
    `max_bytes`, files that change while they are read (those of `/proc` hold more than they say), and files with a
    second name (hard link) whose owner is not the owner of their folder: they may be another's secret.

    Args:
        path: the file.
        max_bytes: how much is read at most.
        within: the last folder on the path that is trusted; none below it may be a link. The file's own folder if None.
        sole_name: whether a second name is refused whoever owns the file.

    Raises:
        UntrustedError: the file is refused, or cannot be read.
    """
    name = shown(path.name)
    try:
        with _folder_of(path, path.parent if within is None else within) as folder:
            return _read_in(folder, path, max_bytes, sole_name=sole_name)
    except FileNotFoundError:
        raise UntrustedError(name, "is not there", "no such file", reason="missing") from None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise UntrustedError(name, "lies behind a link or no folder", "a symbolic link", reason="link") from error
        received = error.strerror or type(error).__name__
        raise UntrustedError(name, "cannot be opened", received, reason="unreadable") from error
    except ValueError as error:  # a NUL or half a character in the name
        received = "a file name that this system does not allow"
        raise UntrustedError(name, "cannot be opened", received, reason="unreadable") from error


def _parts(path: Path, within: Path) -> tuple[str, ...]:
    """The names that lead from a trusted folder to the file, each of them one step down."""
    parts = path.relative_to(within).parts if path.is_relative_to(within) else ()
    if not parts or ".." in parts:
        raise UntrustedError(
            shown(path.name), "lies outside of the folder that it belongs to", shown(str(path)), reason="link"
        )
    return parts


@contextmanager
def _folder_of(path: Path, within: Path) -> Iterator[int | None]:
    """A descriptor of the folder that holds the file, reached without following a link below `within`.

    None where the system cannot open relative to a folder.
    """
    parts = _parts(path, within)
    if not _WALKS:
        folders = [within.joinpath(*parts[:count]) for count in range(1, len(parts))]
        if any(folder.is_symlink() for folder in folders):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        yield None
        return
    descriptor = os.open(within, _FOLDER)
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _read_in(folder: int | None, path: Path, max_bytes: int, *, sole_name: bool) -> bytes:
    name, entry = shown(path.name), path if folder is None else path.name
    _expect_regular(name, os.stat(entry, dir_fd=folder, follow_symlinks=False))
    descriptor = os.open(entry, _FILE, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _expect_regular(name, status)
        home = path.parent.stat() if folder is None else os.fstat(folder)
        if status.st_nlink > 1 and (sole_name or status.st_uid != home.st_uid):
            raise UntrustedError(name, "has a second name elsewhere", "a hard link", reason="link")
        if status.st_size > max_bytes:
            allowed = f"{_size(max_bytes)} are allowed"
            raise UntrustedError(name, f"is too large: {allowed}", _size(status.st_size), reason="large")
        data = file.read(status.st_size + 1) or b""
        after = os.fstat(descriptor)
    if len(data) != status.st_size or _version(after) != _version(status):
        received = f"{_size(status.st_size)} before, {_size(max(len(data), after.st_size))} after"
        raise UntrustedError(name, "changed while it was read", received, reason="changed")
    return data


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_nlink


def _expect_regular(name: str, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    if stat.S_ISLNK(status.st_mode):
        raise UntrustedError(name, "is not the file itself", "a symbolic link", reason="link")
    received = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, socket or device"
    raise UntrustedError(name, "is not a file", received, reason="kind")


def parse_json(data: bytes, name: str, *, max_depth: int = MAX_DEPTH, max_containers: int = MAX_CONTAINERS) -> Any:
    """The value of a stranger's JSON text (UTF-8, UTF-16 or UTF-32).

    Of equal keys the last one counts, as everywhere in Jupyter. NaN and infinities are numbers here: who uses them
    checks them. Half a character (a lone surrogate), which no file can hold, becomes a question mark.

    Args:
        data: the text, already bounded in size.
        name: what the text is called in messages.
        max_depth: how deep lists and objects may be nested.
        max_containers: how many lists and objects there may be: what a text costs in memory grows with them.

    Raises:
        UntrustedError: it is no JSON text, or exceeds a bound. Nothing of its size is made before that is known.
    """
    try:
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        received = repr(data[error.start : error.start + 4])
        raise UntrustedError(name, f"is not UTF-8 text (byte {error.start + 1} cannot be read)", received) from error
    _measure(text, name, max_depth, max_containers)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(text)
        received = "the end of the file" if at_end else repr(text[max(error.pos - 10, 0) : error.pos + 20])
        raise UntrustedError(name, f"is not valid JSON at line {error.lineno} ({error.msg})", received) from error
    except RecursionError as error:  # the caller's own stack was nearly full
        raise UntrustedError(name, "is nested deeper than can be read here", f"{len(data)} bytes") from error
    return _whole_characters(value) if _HALF_CHARACTER.search(text) else value


def _measure(text: str, name: str, max_depth: int, max_containers: int) -> None:
    structure = _STRING.sub("", text)
    if _LONG_NUMBER.search(structure):
        raise UntrustedError(name, "holds a number that is too long", f"more than {MAX_DIGITS} digits")
    containers = structure.count("[") + structure.count("{")
    if containers > max_containers:
        raise UntrustedError(name, f"holds more than {max_containers} lists and objects", str(containers))
    depth = 0
    for bracket in _NO_BRACKET.sub("", structure):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise UntrustedError(name, f"is nested deeper than {max_depth} levels", f"{len(text)} characters")
        if depth < 0:
            return  # no JSON; the parser says where


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value


def shown(text: str, limit: int = 80) -> str:
    """A stranger's name as a message can show it: one line, of printable characters, not too long."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:limit])
    return printable if len(text) <= limit else f"{printable}…"


def _size(count: int) -> str:
    return f"{count / MEGABYTE:.3g} MB" if count >= MEGABYTE else f"{count} bytes"
