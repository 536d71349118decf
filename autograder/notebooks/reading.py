"""From hostile bytes to a notebook of the current format, or one sentence that says why not.

Only what any notebook needs is settled here (bytes, JSON, format version, well-formed cells). What an assignment needs
is `autograder.notebooks.mending`.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import rejoin_lines

from autograder.errors import NotebookError, UntrustedError
from autograder.untrusted import parse_json, read_bytes, shown

NBFORMAT = (4, 5)
OLD_NBFORMAT = 3
MAX_CELLS = 2000
CELL_TYPES = ("code", "markdown", "raw")
SAVE_AGAIN = "Open it in Jupyter, save it and hand it in again."
_ADVICE = {
    "missing": "Hand in the notebook under this name.",
    "large": "Clear its outputs (Kernel > Restart and Clear Outputs), save it and hand it in again.",
    "content": SAVE_AGAIN,
}


def read_notebook(path: Path, *, max_bytes: int, within: Path | None = None) -> NotebookNode:
    """Read one notebook file, trusting nothing in it.

    UTF-8 (with or without byte order mark), UTF-16 and UTF-32 are read. An older format is upgraded, which leaves
    `metadata.orig_nbformat` behind; `prepare` tells the student. Outputs and metadata are kept as they are.

    Args:
        path: a regular file; links and pipes are refused.
        max_bytes: a larger file is refused before it is read.
        within: the last trusted folder above it, below which no folder may be a link (`untrusted.read_bytes`).

    Returns:
        A notebook of format 4.5 whose cells all have a known type, a text source and a metadata object.

    Raises:
        NotebookError: what is wrong with the file, in words for the one who handed it in.
    """
    name = shown(path.name)
    try:
        data = read_bytes(path, max_bytes, within=within)
        if not data.strip():
            raise NotebookError(f"{name} is empty. {SAVE_AGAIN} Received: {len(data)} bytes")
        document = parse_json(data, name)
    except UntrustedError as error:
        advice = _ADVICE.get(error.reason, "Hand in the notebook itself.")
        raise NotebookError(f"{name} {error.problem}. {advice} Received: {error.received}") from error
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise NotebookError(f"{name} is JSON, but not a notebook. {SAVE_AGAIN} Received: {_kind(document)}")
    return _notebook(name, _upgrade(name, document))


def read_executed(path: Path, *, max_bytes: int) -> NotebookNode:
    """Read a notebook with its outputs, as it was stored after its run: text that files keep as lines is joined again.

    Raises:
        NotebookError: the file cannot be read, or its outputs have a shape that no run of ours gives them.
    """
    notebook = read_notebook(path, max_bytes=max_bytes)
    try:
        joined = rejoin_lines(notebook)
    except (AttributeError, TypeError, ValueError) as error:
        raise NotebookError(f"{shown(path.name)} has damaged outputs. Received: {error!s:.100}") from error
    assert isinstance(joined, NotebookNode)
    return joined


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
    except Exception as error:  # nbformat on forged content may raise anything
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
