"""Where stored runs and reports lie in a course folder, and when they exist.

    .autograder/runs/<key>/            one execution: executed.ipynb, evidence/, materials.json, run.json
    .autograder/data/                  data sets as they were cut for grading
    reports/<assignment>/<student>/    report.json, executed.ipynb, feedback.html

A run is stored under a key made of everything that determines it. It is written into a folder of another name first and
renamed when it is whole: a run either exists or does not, whenever a grader is stopped. The same holds for each file of
a report.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autograder.errors import ReportError
from autograder.records import Report

STATE_FOLDER = ".autograder"
RUN_FILE = "run.json"
REPORT_FILE = "report.json"
NOTEBOOK_FILE = "executed.ipynb"
FEEDBACK_FILE = "feedback.html"


def key_of(parts: Mapping[str, Any]) -> str:
    """A run's key: SHA-256 over the JSON of everything that determines it."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:40]


def data_folder(course_folder: Path) -> Path:
    """Where data sets are kept as they were cut for grading."""
    return course_folder / STATE_FOLDER / "data"


def run_folder(course_folder: Path, key: str) -> Path:
    """Where a run of this key lies, if there is one."""
    return course_folder / STATE_FOLDER / "runs" / key


def has_run(course_folder: Path, key: str) -> bool:
    """Whether a whole run of this key is stored."""
    return (run_folder(course_folder, key) / RUN_FILE).is_file()


@contextmanager
def new_run(course_folder: Path, key: str) -> Iterator[Path]:
    """A folder to write a run into. It becomes the stored run when the block ends, and vanishes when it raises."""
    final = run_folder(course_folder, key)
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=final.parent))
    try:
        yield temporary
        if final.exists():  # an incomplete one of an older version, or one that another grader has just finished
            shutil.rmtree(final)
        temporary.replace(final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def report_folder(course_folder: Path, assignment: str, student: str) -> Path:
    """Where one submission's report lies."""
    return course_folder / "reports" / assignment / student


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that readers see the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_report(course_folder: Path, report: Report, *, notebook: str | None, feedback: str) -> Path:
    """Publish a report with its page and notebook; `report.json` comes last, so that it never points to nothing.

    Returns:
        The folder of the report.
    """
    folder = report_folder(course_folder, report.assignment, report.student)
    folder.mkdir(parents=True, exist_ok=True)
    if notebook is None:
        (folder / NOTEBOOK_FILE).unlink(missing_ok=True)
    else:
        write_atomically(folder / NOTEBOOK_FILE, notebook)
    write_atomically(folder / FEEDBACK_FILE, feedback)
    write_atomically(folder / REPORT_FILE, report.model_dump_json(indent=1))
    return folder


def read_report(course_folder: Path, assignment: str, student: str) -> Report:
    """The stored report of one submission.

    Raises:
        ReportError: there is none, or it cannot be read.
    """
    path = report_folder(course_folder, assignment, student) / REPORT_FILE
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ReportError(
            f"There is no report of {student} for {assignment}; grade it first: autograder grade {assignment} "
            f"--student {student}. Received: {error.strerror}"
        ) from error
    except ValidationError as error:
        raise ReportError(
            f"The report of {student} for {assignment} is damaged; grade again. Received: {path}"
        ) from error


def reported_students(course_folder: Path, assignment: str) -> list[str]:
    """The students who have a report for this assignment, sorted."""
    folder = course_folder / "reports" / assignment
    return sorted(path.parent.name for path in folder.glob(f"*/{REPORT_FILE}"))
