"""What leaves the grader: files as pieces of text, each with the place where a person finds it."""

from __future__ import annotations

import gzip
import html
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.errors import NotebookError
from autograder.notebooks import grade_id, read_executed

MAX_BYTES = 2**30  # outputs are bounded when a notebook runs; this keeps a damaged file from filling memory
_DATA_URI = re.compile(r"data:[\w/+.;=-]*;base64,[A-Za-z0-9+/=]+")
_INVISIBLE = re.compile(r"<(style)\b.*?</\1>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_OPENED_BY: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
_PICTURE = ("image/", "application/pdf", "audio/", "video/")


@dataclass(frozen=True)
class Piece:
    """A text that leaves.

    Attributes:
        path: the file.
        cell: the cell of a notebook; empty for other files.
        text: as it stands there; pictures are left out.
        kind: "source", "output" or "metadata" of a cell, or "file".
    """

    path: Path
    cell: str
    text: str
    kind: str = "file"


def read_text(path: Path) -> str:
    """A file as text, unpacked where its name says so; what is no UTF-8 is replaced, and what is damaged is empty."""
    opened = _OPENED_BY.get(path.suffix, open)
    try:
        with opened(path, "rt", encoding="utf-8", errors="replace") as file:
            return str(file.read())
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return ""


def files_below(folder: Path) -> list[Path]:
    """All files of a folder that leave with it, sorted; nothing where there is no folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def pieces(path: Path) -> Iterator[Piece]:
    """The texts of a file: of a notebook cell by cell, of a page without its marks, of JSON its strings."""
    if path.suffix == ".ipynb":
        try:
            notebook = read_executed(path, max_bytes=MAX_BYTES)
        except NotebookError:
            yield Piece(path, "", read_text(path))  # damaged, and looked at as plain text
        else:
            yield from _cells(path, notebook)
        return
    text = _DATA_URI.sub("", read_text(path))
    if path.suffix in {".html", ".htm"}:
        yield Piece(path, "", visible(text))
    elif path.suffix in {".json", ".jsonl"}:
        yield Piece(path, "", _json_text(text))
    else:
        yield Piece(path, "", text)


def visible(page: str) -> str:
    """What a page of HTML says, without its marks; lines stay lines."""
    return html.unescape(_TAG.sub(" ", _INVISIBLE.sub("", page)))


def _cells(path: Path, notebook: NotebookNode) -> Iterator[Piece]:
    yield Piece(path, "", _strings(notebook.metadata), "metadata")
    for cell in notebook.cells:
        name = grade_id(cell) or str(cell.get("id", "?"))
        yield Piece(path, name, _DATA_URI.sub("", cell.source), "source")
        yield Piece(path, name, _strings(cell.metadata), "metadata")
        for output in cell.get("outputs", []):
            shown = {kind: data for kind, data in output.get("data", {}).items() if not kind.startswith(_PICTURE)}
            parts = [output.get("text", ""), "\n".join(output.get("traceback", [])), output.get("evalue", "")]
            yield Piece(path, name, _DATA_URI.sub("", "\n".join([*parts, _strings(shown)])), "output")


def _strings(value: Any) -> str:
    """All strings and numbers inside of a value, keys included, one on each line."""
    if isinstance(value, dict):
        return "\n".join(part for item in value.items() for part in map(_strings, item))
    if isinstance(value, list):
        return "\n".join(map(_strings, value))
    return "" if value is None else str(value)


def _json_text(text: str) -> str:
    """The strings of JSON, or of JSON lines, without their escapes; the text itself where it is neither."""
    try:
        return _strings(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        return "\n".join(_strings(json.loads(line)) for line in text.splitlines() if line.strip())
    except (ValueError, RecursionError):
        return text
