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
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autograder import atomic
from autograder.errors import ReportError, UntrustedError
from autograder.records import Report
from autograder.untrusted import read_bytes, shown

STATE_FOLDER = ".autograder"
RUN_FILE = "run.json"
REPORT_FILE = "report.json"
NOTEBOOK_FILE = "executed.ipynb"
FEEDBACK_FILE = "feedback.html"
MAX_REPORT_BYTES = 64 * 2**20


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
    """Where one submission's report lies.

    Raises:
        ReportError: a name is none that a folder can have, or leads elsewhere.
    """
    for name in (assignment, student):
        if not is_folder_name(name):
            raise ReportError(f"Names of students and assignments are names of folders. Received: {shown(name)!r}")
    return course_folder / "reports" / assignment / student


def is_folder_name(name: str) -> bool:
    """Whether a name is one step down from a folder, and can be shown and written as text."""
    return name not in {"", ".", ".."} and name.isprintable() and not {"/", "\\"} & set(name)


def write_report(course_folder: Path, report: Report, *, notebook: str | None, feedback: str) -> Path:
    """Publish a report with its page and notebook; `report.json` comes last, so that it never points to nothing.

    Returns:
        The folder of the report.

    Raises:
        ReportError: the files cannot be written.
    """
    folder = report_folder(course_folder, report.assignment, report.student)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if notebook is None:
            (folder / NOTEBOOK_FILE).unlink(missing_ok=True)
        else:
            atomic.write(folder / NOTEBOOK_FILE, notebook)
        atomic.write(folder / FEEDBACK_FILE, feedback)
        atomic.write(folder / REPORT_FILE, report.model_dump_json(indent=1))
    except OSError as error:
        raise ReportError(
            f"The report could not be written; check the folder's space and permissions. Received: {folder} ({error})"
        ) from error
    return folder


def read_report(course_folder: Path, assignment: str, student: str) -> Report:
    """The stored report of one submission.

    Raises:
        ReportError: there is none, or it cannot be read.
    """
    path = report_folder(course_folder, assignment, student) / REPORT_FILE
    damaged = f"The report of {student} for {assignment} is damaged; grade again"
    try:
        report = Report.model_validate_json(read_bytes(path, MAX_REPORT_BYTES))
    except UntrustedError as error:
        if error.reason == "missing":
            raise ReportError(
                f"There is no report of {student} for {assignment}; grade it first: autograder grade {assignment} "
                f"--student {student}. Received: {error.received}"
            ) from error
        raise ReportError(f"{damaged}: it {error.problem}. Received: {path} ({error.received})") from error
    except ValidationError as error:
        raise ReportError(f"{damaged}. Received: {path}") from error
    if (report.assignment, report.student) != (assignment, student):
        raise ReportError(
            f"{damaged}: it is another's. Received: a report of {shown(report.student)} for {shown(report.assignment)}"
        )
    return report


def reported_students(course_folder: Path, assignment: str) -> list[str]:
    """The students who have a report for this assignment, sorted; folders of other names hold none of ours."""
    folder = course_folder / "reports" / assignment
    names = {path.parent.name for path in folder.glob(f"*/{REPORT_FILE}")}
    return sorted(filter(is_folder_name, names))
