"""The layout of review files, JSON lines with `text` and `label`, and a reader that takes nothing else.

A file may be compressed (its name ends in `.gz` or `.xz`). Other keys are welcome; of them only `split` counts, the
official part, `train` or `test`, that a review belongs to.
"""

import gzip
import json
import lzma
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from autograder.data.files import replacing
from autograder.errors import DataError

NEGATIVE, POSITIVE = 0, 1
TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Review:
    """One review: its text as it was written (HTML tags included), 1 for a positive one, and its official part."""

    text: str
    label: int
    split: str = ""


def read_reviews(path: Path) -> list[Review]:
    """The file's reviews in its order; blank lines are skipped.

    Raises `DataError` for whatever is no review file: absent, a directory, empty, not UTF-8, damaged, a line that is no
    JSON object, a text that is missing or blank, a label that is neither 0 nor 1.
    """
    try:
        with _open(path) as file:
            reviews = [_review(line, f"{path}, line {number}") for number, line in enumerate(file, 1) if line.strip()]
    except FileNotFoundError as error:
        raise DataError(f"No review file here; give the path of JSON lines (.jsonl, .gz, .xz): {path}") from error
    except IsADirectoryError as error:
        raise DataError(f"A directory instead of a review file; name the file inside it: {path}") from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, lzma.LZMAError) as error:
        raise DataError(
            f"{path} cannot be read as JSON lines (UTF-8, compressed if the name ends in .gz or .xz); fetch or "
            f"generate it again. The reader said: {error}"
        ) from error
    if not reviews:
        raise DataError(f"The review file is empty; fetch or generate it again: {path}")
    return reviews


def write_reviews(destination: Path, reviews: Sequence[Review]) -> Path:
    """Write `text` and `label` of each as JSON lines, atomically; returns `destination`.

    Raises `DataError` where the folder cannot be written.
    """
    lines = [json.dumps({"text": review.text, "label": review.label}, ensure_ascii=False) for review in reviews]
    with replacing(destination) as temporary:
        temporary.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return destination


def _open(path: Path) -> IO[str]:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    if path.name.endswith(".xz"):
        return lzma.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _review(line: str, where: str) -> Review:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: each line is one JSON object; received: {line.strip()[:60]!r}") from error
    if not isinstance(found, dict):
        raise DataError(f"{where}: each line is one JSON object; received: {line.strip()[:60]!r}")
    text, label, split = found.get("text"), found.get("label"), found.get("split", "")
    if not isinstance(text, str) or not text.strip() or not _can_be_written(text):
        raise DataError(f"{where}: `text` holds a review's own words; received: {text!r:.60}")
    if type(label) is not int or label not in {NEGATIVE, POSITIVE}:
        raise DataError(f"{where}: `label` is 0 (negative) or 1 (positive); received: {label!r:.60}")
    return Review(text, label, split if split in (TRAIN, TEST) else "")


def _can_be_written(text: str) -> bool:
    """False for halves of surrogate pairs, which JSON can escape and no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
