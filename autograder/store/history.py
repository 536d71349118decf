"""The history of a mark: one line for every time that it was published with another value or on another basis.

`reports/<assignment>/<student>/history.jsonl`, oldest first. A line is written before the report that it tells of, so
that no mark is ever without one; a line that was cut off by a crash is left out on reading.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from autograder.errors import UntrustedError
from autograder.records import Record, Report
from autograder.untrusted import read_bytes

HISTORY_FILE = "history.jsonl"
BASIS = (
    "submission_sha256",
    "submitted_at",
    "hidden_tests_sha256",
    "data_sha256",
    "withheld_sha256",
    "profile",
    "sandbox",
    "seed",
    "run",
    "further_runs",
    "environment",
)
"""What of a report's provenance a line keeps; when none of it and no mark has changed, no line is written."""
_MAX_BYTES = 16 * 2**20
log = logging.getLogger(__name__)


class Mark(Record):
    """A mark as it was published once: the score, the points by question, and what they rest on."""

    at: datetime
    status: str
    score: float | None
    points: dict[str, float | None]
    devices: tuple[str, ...] = ()
    basis: dict[str, object]

    def same_as(self, other: Mark) -> bool:
        """Whether both tell the same, whenever they were written."""
        return self.model_copy(update={"at": other.at}) == other


def append(folder: Path, report: Report) -> None:
    """Add a line to the history in a report's folder, unless the last one tells the same.

    Raises:
        OSError: the file cannot be written.
    """
    mark = Mark(
        at=datetime.now(UTC).replace(microsecond=0),
        status=report.status,
        score=report.score,
        points={question.id: question.points for question in report.questions},
        devices=tuple(device.name for device in report.run.devices) if report.run else (),
        basis={name: report.provenance[name] for name in BASIS if name in report.provenance},
    )
    earlier = read(folder)
    if earlier and earlier[-1].same_as(Mark.model_validate_json(mark.model_dump_json())):
        return
    path = folder / HISTORY_FILE
    line = b"\n" if path.exists() and not path.read_bytes().endswith(b"\n") else b""  # after one that was cut off
    line += mark.model_dump_json().encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def read(folder: Path) -> list[Mark]:
    """The history in a report's folder, oldest first; lines that cannot be read are left out, and logged."""
    try:
        lines = read_bytes(folder / HISTORY_FILE, _MAX_BYTES).splitlines()
    except UntrustedError as error:
        if error.reason != "missing":
            log.warning("A history cannot be read: %s", error)
        return []
    marks = []
    for number, line in enumerate(lines, 1):
        try:
            marks += [Mark.model_validate_json(line)] if line.strip() else []
        except ValidationError:
            log.warning("Line %d of a history is damaged and left out. Received: %s", number, folder / HISTORY_FILE)
    return marks
