"""Find what was handed in: nbgrader's `submitted/<student>/<assignment>/<assignment>.ipynb`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from autograder.config import Course
from autograder.errors import SubmissionError, UntrustedError
from autograder.records import Submission
from autograder.untrusted import read_bytes, shown

MAX_TIMESTAMP_BYTES = 1000


def find_submissions(
    course_folder: Path, course: Course, assignment: str, students: Collection[str] | None = None
) -> tuple[list[Submission], list[str]]:
    """All submissions of an assignment, sorted by student, and a sentence for every folder that is not as it should be.

    Raises:
        SubmissionError: nothing was handed in, or a student asked for has no submission.
    """
    course.assignment(assignment)
    root = course_folder / "submitted"
    if not root.is_dir():
        raise SubmissionError(
            f"There are no submissions: collect them with nbgrader, or put notebooks at "
            f"submitted/STUDENT/{assignment}/{assignment}.ipynb. Received: no folder {root}"
        )
    found: list[Submission] = []
    problems: list[str] = []
    known = {entry.name for entry in course.assignments}
    for folder in sorted(path for path in root.iterdir() if not path.name.startswith(".")):
        if students is not None and folder.name not in students:
            continue
        if not folder.is_dir() or folder.is_symlink():
            problems.append(f"submitted/{shown(folder.name)} is not a student's folder; it is left out.")
            continue
        if not folder.name.isprintable():  # line breaks, terminal codes, bytes that are no text
            problems.append(
                f"submitted/{shown(folder.name)} has a name that cannot be shown; it is left out. Rename it."
            )
            continue
        home = folder / assignment
        if home.is_dir() and not home.is_symlink():
            found.append(_submission(folder.name, assignment, home))
            continue
        strays = sorted(
            path.name for path in folder.iterdir() if path.name not in known and not path.name.startswith(".")
        )
        if strays:
            found_names = ", ".join(shown(name) for name in strays[:5])
            problems.append(
                f"submitted/{folder.name} has no folder {assignment}; move the notebook to "
                f"submitted/{folder.name}/{assignment}/{assignment}.ipynb. Received: {found_names}"
            )
    missing = sorted(set(students or ()) - {submission.student for submission in found})
    if missing:
        raise SubmissionError(
            f"No submission of {', '.join(missing)} for {assignment}. " + " ".join(problems) + f" Received: {root}"
        )
    return found, problems


def _submission(student: str, assignment: str, home: Path) -> Submission:
    return Submission(
        student=student,
        assignment=assignment,
        path=home / f"{assignment}.ipynb",
        submitted_at=_timestamp(home / "timestamp.txt"),
    )


def _timestamp(path: Path) -> datetime | None:
    """nbgrader's `timestamp.txt`, e.g. `2025-12-08 21:15:02.000000 UTC`; one that cannot be read is no timestamp."""
    try:
        text = read_bytes(path, MAX_TIMESTAMP_BYTES).decode().strip()
        return datetime.fromisoformat(
            text.removesuffix(" UTC").replace(" UTC", "") + ("+00:00" if text.endswith("UTC") else "")
        )
    except (UntrustedError, ValueError):
        return None
