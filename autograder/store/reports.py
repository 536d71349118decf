"""Published reports: what everybody reads, one folder for each submission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

from pydantic import ValidationError

from autograder import atomic
from autograder.errors import ReportError, UntrustedError
from autograder.records import Report
from autograder.store import history
from autograder.store.runs import NOTEBOOK_FILE
from autograder.untrusted import read_bytes, shown

REPORT_FILE = "report.json"
FEEDBACK_FILE = "feedback.html"
MAX_REPORT_BYTES = 64 * 2**20


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
        history.append(folder, report)
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


def find_report(course_folder: Path, assignment: str, student: str) -> Report | None:
    """The stored report of one submission; None where there is none that can be read."""
    try:
        return read_report(course_folder, assignment, student)
    except ReportError:
        return None


def reported_students(course_folder: Path, assignment: str) -> list[str]:
    """The students who have a report for this assignment, sorted; folders of other names hold none of ours."""
    folder = course_folder / "reports" / assignment
    names = {path.parent.name for path in folder.glob(f"*/{REPORT_FILE}")}
    return sorted(filter(is_folder_name, names))


class StoredReports(Sequence[Report]):
    """Published reports of an assignment, each read when it is asked for: a class of them takes hundreds of megabytes.

    Reading one takes half a millisecond, and raises `ReportError` when it has gone meanwhile.
    """

    def __init__(self, course_folder: Path, assignment: str, students: Iterable[str]) -> None:
        self._course_folder = course_folder
        self._assignment = assignment
        self._students = tuple(students)

    @overload
    def __getitem__(self, index: int) -> Report: ...

    @overload
    def __getitem__(self, index: slice) -> StoredReports: ...

    def __getitem__(self, index: int | slice) -> Report | StoredReports:
        """The report at this place, or those at these."""
        if isinstance(index, slice):
            return StoredReports(self._course_folder, self._assignment, self._students[index])
        return read_report(self._course_folder, self._assignment, self._students[index])

    def __len__(self) -> int:
        """How many there are."""
        return len(self._students)
