"""Evidence: the file format between a probe in the student's kernel and the hidden tests.

One zip file per question, `<question>.npz`, without any pickle: arrays as `.npy` members and one `tree.json` that says
how they hang together. The kernel's half of the codec is `autograder/probes/_autograder_codec.py`; this half writes
what a probe is given, and reads what comes back as the hostile bytes that it is: every size is checked before anything
of that size is allocated, no name in the file is ever used as a path, and every array is used once, so that what is
read costs in memory and time what the file costs on disk.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autograder.errors import EvidenceError, UntrustedError
from autograder.npz import read_array, read_members
from autograder.untrusted import parse_json, read_bytes

TREE = "tree.json"
MAX_MEMBERS = 4000
MAX_TREE_BYTES = 16 * 2**20
MAX_DEPTH = 40
MAX_COLUMNS = 4000  # of all tables of a file together; pandas needs a tenth of a millisecond for each
MAX_TEXT = 20_000
MAX_NAME = 200


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
        Numbers may be NaN or infinite; text holds whole characters only.

    Raises:
        EvidenceError: the file is not a regular file, is too large, or is not what a probe writes.
    """
    try:
        return decode(read_bytes(path, max_bytes), max_bytes)
    except UntrustedError as error:
        raise EvidenceError(f"Evidence cannot be read: {error}") from error


def decode(data: bytes, max_bytes: int = 64 * 2**20) -> dict[str, Any]:
    """Decode evidence from bytes; see `read_evidence`."""
    if len(data) > max_bytes:
        raise EvidenceError(f"Evidence is too large: at most {max_bytes} bytes are read. Received: {len(data)} bytes")
    try:
        members = read_members(data, max_members=MAX_MEMBERS)
        text = bytes(members.pop(TREE, b""))
        if not text or len(text) > MAX_TREE_BYTES:
            raise EvidenceError(f"Evidence needs a {TREE} of at most {MAX_TREE_BYTES} bytes. Received: {len(text)}")
        # A level of evidence takes two of JSON: the kind of the node, and what is in it.
        tree = parse_json(text, TREE, max_depth=2 * MAX_DEPTH + 4)
        if not isinstance(tree, dict):
            raise EvidenceError(f"{TREE} must hold an object. Received: {type(tree).__name__}")
        decoder = _Decoder(members)
        return {key[:MAX_NAME]: decoder.value(node, 0) for key, node in tree.items()}
    except EvidenceError:
        raise
    except UntrustedError as error:
        raise EvidenceError(f"Evidence cannot be read: {error}") from error
    except Exception as error:  # NumPy and pandas on forged content may raise anything
        raise EvidenceError(f"Evidence cannot be read: {type(error).__name__}: {error!s:.200}") from error


class _Decoder:
    """Turns the nodes of the tree into values. Each array is handed out once; columns of tables are counted."""

    def __init__(self, members: dict[str, memoryview]) -> None:
        self.members = members
        self.columns_left = MAX_COLUMNS

    def value(self, node: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise EvidenceError(f"Evidence may be nested {MAX_DEPTH} levels deep. Received: more")
        if isinstance(node, str):
            return node[:MAX_TEXT]
        if isinstance(node, list):
            return [self.value(item, depth + 1) for item in node]
        return self.special(node, depth) if isinstance(node, dict) else node

    def special(self, node: dict[str, Any], depth: int) -> Any:
        """A node of one key: the kind of the value, and what makes it."""
        if len(node) != 1:
            raise EvidenceError(f"A node of the evidence has one key. Received: {sorted(node)!s:.80}")
        ((kind, content),) = node.items()
        if kind == "$dict":
            return {key[:MAX_NAME]: self.value(item, depth + 1) for key, item in content.items()}
        readers: dict[str, Callable[[Any], Any]] = {
            "$array": self.array,
            "$bytes": lambda name: self.array(name).tobytes(),
            "$frame": self.frame,
            "$series": self.series,
            "$raised": _raised,
            "$other": lambda told: Other(type=str(told["type"])[:MAX_NAME], repr=str(told["repr"])[:500]),
        }
        if kind not in readers:
            raise EvidenceError(f"Unknown kind of evidence. Received: {kind!r:.60}")
        return readers[kind](content)

    def array(self, name: Any) -> np.ndarray[Any, Any]:
        member = self.members.pop(name, None)
        if member is None:
            raise EvidenceError(f"Evidence names an array that is not there, or twice. Received: {name!r:.60}")
        return read_array(member)

    def count(self, columns: int) -> None:
        self.columns_left -= columns
        if self.columns_left < 0:
            raise EvidenceError(f"The tables of the evidence may have {MAX_COLUMNS} columns together. Received: more")

    def column(self, content: Any) -> Any:
        """A column is an array's name, or a list of texts where the student's column held objects."""
        return [str(item)[:MAX_NAME] for item in content] if isinstance(content, list) else self.array(content)

    def index(self, content: Mapping[str, Any]) -> Any:
        index = self.column(content["index"])
        if not content["datetime"]:
            return pd.Index(index)
        if not isinstance(index, np.ndarray) or index.dtype != np.int64:
            raise EvidenceError("Times of a table come as nanoseconds. Received: an index of another type")
        return pd.DatetimeIndex(index.view("datetime64[ns]"))

    def series(self, content: Mapping[str, Any]) -> Any:
        self.count(1)
        name = None if content["name"] is None else str(content["name"])[:MAX_NAME]
        return pd.Series(self.column(content["array"]), index=self.index(content), name=name)

    def frame(self, content: Mapping[str, Any]) -> pd.DataFrame:
        self.count(1 + len(content["arrays"]))
        columns = [self.column(name) for name in content["arrays"]]
        index = self.index(content)
        frame = (
            pd.concat([pd.Series(column, index=index) for column in columns], axis=1)
            if columns
            else pd.DataFrame(index=index)
        )
        frame.columns = pd.Index([str(column)[:MAX_NAME] for column in content["columns"]])
        return frame


def _raised(content: Mapping[str, Any]) -> Raised:
    """Written next to student code: each field is brought to its type and to a bearable length."""
    line, function, source = content.get("line"), content.get("function"), content.get("source")
    return Raised(
        name=str(content["name"])[:100],
        message=str(content["message"])[:1000],
        function=None if function is None else str(function)[:100],
        line=line if isinstance(line, int) else None,
        source=None if source is None else str(source)[:200],
    )
