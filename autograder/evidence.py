"""Evidence: the file format between a probe in the student's kernel and the hidden tests.

One zip file per question, `<question>.npz`, without any pickle: arrays as `.npy` members and one `tree.json` that says
how they hang together. The kernel's half of the codec is `autograder/probes/_autograder_runtime.py`; this half writes
what a probe is given, and reads what comes back as the hostile bytes that it is: every size is checked before anything
of that size is allocated, and no name in the file is ever used as a path.
"""

from __future__ import annotations

import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autograder.errors import EvidenceError

TREE = "tree.json"
MAX_MEMBERS = 4000
MAX_TREE_BYTES = 16 * 2**20
MAX_DEPTH = 40
MAX_HEADER_BYTES = 4096
DTYPE_KINDS = "biufcmMU"


@dataclass(frozen=True)
class Raised:
    """In place of a value: the exception of the student's code that was called for it."""

    name: str
    message: str
    function: str | None = None
    line: int | None = None
    source: str | None = None

    def __str__(self) -> str:
        """The exception in one line, with the student's own function and line."""
        text = f"{self.name}: {self.message}" if self.message else self.name
        if self.source and self.line:
            text += f" (in {self.function}, line {self.line}: `{self.source}`)"
        return text


@dataclass(frozen=True)
class Other:
    """In place of a value that is no array, table, number or text: its type and a shortened repr."""

    type: str
    repr: str

    def __repr__(self) -> str:
        """What a message shows of it."""
        return f"{self.repr} ({self.type})"


def encode(values: Mapping[str, Any]) -> bytes:
    """What a probe is given, as the bytes that travel into the kernel.

    Takes arrays, DataFrames, bytes, numbers, text, None, and lists and dicts of these.

    Raises:
        EvidenceError: a value is of another type.
    """
    arrays: list[np.ndarray[Any, Any]] = []
    tree = {str(key): _encode(value, arrays) for key, value in values.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(TREE), json.dumps(tree))
        for number, array in enumerate(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"a{number}.npy"), member.getvalue())
    return buffer.getvalue()


def _encode(value: Any, arrays: list[np.ndarray[Any, Any]]) -> Any:
    def add(array: np.ndarray[Any, Any]) -> str:
        arrays.append(array)
        return f"a{len(arrays) - 1}.npy"

    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        node: Any = {"$bytes": add(np.frombuffer(value, np.uint8))}
    elif isinstance(value, np.ndarray):
        node = {"$array": add(value)}
    elif isinstance(value, pd.DataFrame):
        columns = [add(value.iloc[:, position].to_numpy()) for position in range(value.shape[1])]
        node = {
            "$frame": {
                "columns": [str(column) for column in value.columns],
                "arrays": columns,
                "index": add(_index_array(value.index)),
                "datetime": isinstance(value.index, pd.DatetimeIndex),
            }
        }
    elif isinstance(value, Mapping):
        node = {"$dict": {str(key): _encode(item, arrays) for key, item in value.items()}}
    elif isinstance(value, Sequence):
        node = [_encode(item, arrays) for item in value]
    else:
        raise EvidenceError(f"A probe cannot be given a {type(value).__name__}. Received: {value!r:.100}")
    return node


def _index_array(index: Any) -> np.ndarray[Any, Any]:
    if isinstance(index, pd.DatetimeIndex):
        return np.asarray(index.as_unit("ns").asi8)
    return np.asarray(index)


def read_evidence(path: Path, max_bytes: int = 64 * 2**20) -> dict[str, Any]:
    """Read one evidence file as hostile bytes.

    Returns:
        Values by name: arrays, DataFrames, Series, numbers, text, lists and dicts of these, `Raised` or `Other`.

    Raises:
        EvidenceError: the file is not a regular file, is too large, or is not what a probe writes.
    """
    return decode(_read_bounded(path, max_bytes), max_bytes)


def decode(data: bytes, max_bytes: int = 64 * 2**20) -> dict[str, Any]:
    """Decode evidence from bytes; see `read_evidence`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            declared = sum(member.file_size for member in members)
            if len(members) > MAX_MEMBERS or declared > max_bytes:
                raise EvidenceError(
                    f"Evidence is too large: at most {MAX_MEMBERS} members and {max_bytes} bytes are read. "
                    f"Received: {len(members)} members, {declared} bytes"
                )
            contents = {member.filename: _member(archive, member) for member in members}
        tree_bytes = contents.pop(TREE, b"")
        if not tree_bytes or len(tree_bytes) > MAX_TREE_BYTES:
            raise EvidenceError(
                f"Evidence needs a {TREE} of at most {MAX_TREE_BYTES} bytes. Received: {len(tree_bytes)}"
            )
        tree = json.loads(tree_bytes)
        if not isinstance(tree, dict):
            raise EvidenceError(f"{TREE} must hold an object. Received: {type(tree).__name__}")
        return {str(key): _decode(value, contents, 0) for key, value in tree.items()}
    except EvidenceError:
        raise
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise EvidenceError(f"Evidence cannot be read: {type(error).__name__}: {error!s:.200}") from error
    except (OverflowError, NotImplementedError, RuntimeError, EOFError, MemoryError, OSError) as error:
        raise EvidenceError(f"Evidence cannot be read: {type(error).__name__}: {error!s:.200}") from error


def _read_bounded(path: Path, max_bytes: int) -> bytes:
    """The bytes of a regular file, never through a link, never more than allowed, never waiting on a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise EvidenceError(f"Evidence cannot be opened: {path.name}: {error.strerror}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise EvidenceError(f"Evidence must be a regular file. Received: {path.name}")
        if status.st_size > max_bytes:
            raise EvidenceError(f"Evidence may have {max_bytes} bytes. Received: {path.name} with {status.st_size}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(max_bytes + 1)
    finally:
        os.close(descriptor)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        data = file.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise EvidenceError(f"A member of the evidence is not of its stated size. Received: {len(data)} bytes")
    return data


def _array(data: bytes) -> np.ndarray[Any, Any]:
    """One `.npy` member; its header is checked against the bytes that are there before an array is made."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise EvidenceError(f"Arrays come in .npy version 1.0. Received: {version}")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, max_header_size=MAX_HEADER_BYTES)
    if dtype.kind not in DTYPE_KINDS or dtype.hasobject or dtype.names:
        raise EvidenceError(f"Arrays hold numbers, times or text. Received: dtype {dtype!s:.60}")
    rest = len(data) - file.tell()
    if any(size < 0 for size in shape) or len(shape) > 16 or math.prod(shape) * dtype.itemsize != rest:
        raise EvidenceError(f"An array's header does not fit its bytes. Received: shape {shape!s:.80}, {rest} bytes")
    if not rest:
        return np.empty(shape, dtype)
    array: np.ndarray[Any, Any] = np.frombuffer(data, dtype, offset=file.tell())
    return array.reshape(shape, order="F" if fortran else "C")


def _decode(node: Any, contents: Mapping[str, bytes], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise EvidenceError(f"Evidence may be nested {MAX_DEPTH} levels deep. Received: more")
    if isinstance(node, list):
        return [_decode(item, contents, depth + 1) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) != 1:
        raise EvidenceError(f"A node of the evidence has one key. Received: {sorted(node)!s:.80}")
    kind, value = next(iter(node.items()))
    if kind == "$dict":
        return {str(key): _decode(item, contents, depth + 1) for key, item in value.items()}
    reader = _READERS.get(kind)
    if reader is None:
        raise EvidenceError(f"Unknown kind of evidence. Received: {kind!r:.60}")
    return reader(value, contents)


def _column(name: Any, contents: Mapping[str, bytes]) -> Any:
    """A column is an array's name, or a list of texts where the student's column held objects."""
    return [str(item) for item in name] if isinstance(name, list) else _array(contents[name])


def _index(value: Mapping[str, Any], contents: Mapping[str, bytes]) -> Any:
    index = _column(value["index"], contents)
    return pd.DatetimeIndex(index.astype("datetime64[ns]")) if value["datetime"] else pd.Index(index)


def _frame(value: Mapping[str, Any], contents: Mapping[str, bytes]) -> pd.DataFrame:
    columns = [_column(name, contents) for name in value["arrays"]]
    index = _index(value, contents)
    frame = (
        pd.concat([pd.Series(column, index=index) for column in columns], axis=1)
        if columns
        else pd.DataFrame(index=index)
    )
    frame.columns = pd.Index([str(column) for column in value["columns"]])
    return frame


def _series(value: Mapping[str, Any], contents: Mapping[str, bytes]) -> Any:
    return pd.Series(_column(value["array"], contents), index=_index(value, contents), name=value["name"])


def _raised(value: Mapping[str, Any], _: Mapping[str, bytes]) -> Raised:
    """Written next to student code: each field is brought to its type and to a bearable length."""
    line, function, source = value.get("line"), value.get("function"), value.get("source")
    return Raised(
        name=str(value["name"])[:100],
        message=str(value["message"])[:1000],
        function=None if function is None else str(function)[:100],
        line=line if isinstance(line, int) else None,
        source=None if source is None else str(source)[:200],
    )


def _other(value: Mapping[str, Any], _: Mapping[str, bytes]) -> Other:
    return Other(type=str(value["type"]), repr=str(value["repr"]))


_READERS: dict[str, Callable[[Any, Mapping[str, bytes]], Any]] = {
    "$array": lambda value, contents: _array(contents[value]),
    "$bytes": lambda value, contents: _array(contents[value]).tobytes(),
    "$frame": _frame,
    "$series": _series,
    "$raised": _raised,
    "$other": _other,
}
