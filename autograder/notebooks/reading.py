"""From hostile bytes to a notebook of the current format, or one sentence that says why not.

Only what any notebook needs is settled here (bytes, JSON, format version, well-formed cells). What an assignment needs
is `autograder.notebooks.mending`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.errors import NotebookError

NBFORMAT = (4, 5)
OLD_NBFORMAT = 3
MAX_CELLS = 2000
CELL_TYPES = ("code", "markdown", "raw")
SAVE_AGAIN = "Open it in Jupyter, save it and hand it in again."


def read_notebook(path: Path, *, max_bytes: int) -> NotebookNode:
    """Read one notebook file, trusting nothing in it.

    UTF-8 (with or without byte order mark), UTF-16 and UTF-32 are read. An older format is upgraded, which leaves
    `metadata.orig_nbformat` behind; `prepare` tells the student. Outputs and metadata are kept as they are.

    Args:
        path: a regular file; links and pipes are refused.
        max_bytes: a larger file is refused before it is read.

    Returns:
        A notebook of format 4.5 whose cells all have a known type, a text source and a metadata object.

    Raises:
        NotebookError: what is wrong with the file, in words for the one who handed it in.
    """
    data = _read_bytes(path, max_bytes)
    try:
        return _notebook(path.name, _upgrade(path.name, _parse(path.name, data)))
    except RecursionError as error:
        raise NotebookError(
            f"{path.name} holds JSON that is nested deeper than any notebook. {SAVE_AGAIN} Received: {len(data)} bytes"
        ) from error


def grade_id(cell: NotebookNode) -> str | None:
    """The name that nbgrader gave a cell; None when the cell has none or its metadata are damaged."""
    marks = cell.metadata.get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) and name else None


def digest(notebook: NotebookNode) -> str:
    """SHA-256 (hex) over types, sources and grade_ids of the cells: what decides how a notebook runs and is graded."""
    content = [[cell.cell_type, cell.source, grade_id(cell)] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _notebook(name: str, document: dict[str, Any]) -> NotebookNode:
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise NotebookError(f"{name} has no list of cells. {SAVE_AGAIN} Received: {_kind(cells)}")
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"{name} may have {MAX_CELLS} cells at most. Received: {len(cells)}")
    metadata = document.get("metadata")
    result = nbformat.from_dict(
        {
            "nbformat": NBFORMAT[0],
            "nbformat_minor": NBFORMAT[1],
            "metadata": metadata if isinstance(metadata, dict) else {},
            "cells": [_well_formed(name, number, cell) for number, cell in enumerate(cells, start=1)],
        }
    )
    assert isinstance(result, NotebookNode)
    return result


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    # Opened once, without following a link or waiting on a pipe, and examined through the descriptor: what is checked
    # is what is read, even when the file is exchanged in between.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise NotebookError(f"The submission has no notebook {path.name}. Hand it in under this name.") from None
    except (OSError, ValueError) as error:
        raise NotebookError(f"{path.name} cannot be opened. Received: {_why_not_opened(error)}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        received = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or device"
        raise NotebookError(f"{path.name} is not a file. Hand in the notebook itself. Received: {received}")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(max_bytes + 1) if status.st_size <= max_bytes else b""
    if status.st_size > max_bytes or len(data) > max_bytes:
        raise NotebookError(
            f"{path.name} is too large: {max_bytes / 2**20:.3g} MB are allowed. Clear its outputs "
            f"(Kernel > Restart and Clear Outputs), save it and hand it in again. "
            f"Received: {status.st_size / 2**20:.3g} MB"
        )
    if not data.strip():
        raise NotebookError(f"{path.name} is empty. {SAVE_AGAIN} Received: {len(data)} bytes")
    return data


def _why_not_opened(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return "a symbolic link" if error.errno == errno.ELOOP else str(error.strerror)
    return "a file name that this system does not allow"


def _parse(name: str, data: bytes) -> dict[str, Any]:
    try:
        text = data.decode(json.detect_encoding(data))
        document = json.loads(text)
    except UnicodeDecodeError as error:
        raise NotebookError(
            f"{name} is not UTF-8 text (byte {error.start + 1} cannot be read). {SAVE_AGAIN} "
            f"Received: {data[error.start : error.start + 4]!r}"
        ) from error
    except json.JSONDecodeError as error:
        at_end = error.pos >= len(text)
        received = "the end of the file" if at_end else repr(text[max(error.pos - 10, 0) : error.pos + 20])
        raise NotebookError(
            f"{name} is damaged or no notebook: it is not valid JSON at line {error.lineno} ({error.msg}). "
            f"{SAVE_AGAIN} Received: {received}"
        ) from error
    except ValueError as error:
        raise NotebookError(f"{name} holds a number that is too long. {SAVE_AGAIN} Received: {error!s:.80}") from error
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise NotebookError(f"{name} is JSON, but not a notebook. {SAVE_AGAIN} Received: {_kind(document)}")
    return _encodable(document)


def _encodable(document: dict[str, Any]) -> dict[str, Any]:
    """JSON escapes can name half a character (a lone surrogate), which no file can hold: it becomes a question mark."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        replaced = json.dumps(document, ensure_ascii=False).encode(errors="replace")
        result = json.loads(replaced)
        assert isinstance(result, dict)
        return result
    return document


def _upgrade(name: str, document: dict[str, Any]) -> dict[str, Any]:
    version = document["nbformat"]
    if version == NBFORMAT[0]:
        return document
    if version != OLD_NBFORMAT:
        raise NotebookError(
            f"{name} has a notebook format that is not read here; {OLD_NBFORMAT} and {NBFORMAT[0]} are. Save it with a "
            f"current Jupyter and hand it in again. Received: format {version}"
        )
    try:
        upgraded = nbformat.convert(nbformat.from_dict(document), NBFORMAT[0])
    except (AttributeError, KeyError, TypeError, ValueError, nbformat.ValidationError) as error:
        raise NotebookError(
            f"{name} has the old notebook format {version} and could not be upgraded. {SAVE_AGAIN} "
            f"Received: {type(error).__name__}: {error!s:.100}"
        ) from error
    upgraded.metadata["orig_nbformat"] = version
    assert isinstance(upgraded, dict)
    return upgraded


def _well_formed(name: str, number: int, cell: Any) -> dict[str, Any]:
    """One cell with a known type, text as source, an object as metadata; what is merely missing is filled in."""
    if not isinstance(cell, dict):
        raise NotebookError(f"Cell {number} of {name} is damaged. {SAVE_AGAIN} Received: {_kind(cell)}")
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise NotebookError(f"Cell {number} of {name} has no text as source. {SAVE_AGAIN} Received: {_kind(source)}")
    metadata = cell.get("metadata")
    kind = cell.get("cell_type")
    result = {
        "id": f"cell-{number}",
        **cell,
        "cell_type": kind if kind in CELL_TYPES else "raw",  # what nobody knows is kept, and not run
        "metadata": metadata if isinstance(metadata, dict) else {},
        "source": source.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}"),
    }
    if result["cell_type"] == "code" and not isinstance(cell.get("outputs"), list):
        result["outputs"] = []
    return result


def _kind(value: Any) -> str:
    """What something is in JSON's terms, for messages."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(sorted(map(str, value))[:5])}"[:120] if value else "an empty object"
    return names.get(type(value), "a number")
