"""A graded class into nbgrader's gradebook and `autograded/`: one process, one writer, one submission after another.

The result is that of nbgrader's own converter, which takes a quarter of a second for each submission where nothing has
to be executed, most of it for looking up and committing single cells. A submission that is there already, as it would
be written, is left alone. Marks come first and the folder after them: whenever a writer is killed, what it had not
finished differs from what should be there, and the next one finishes it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, SchemaTooOldError, ValidationError
from nbgrader.utils import compute_checksum, is_solution, is_task, parse_utc

from autograder import store
from autograder.config import Assignment, Course
from autograder.errors import AutograderError, GradebookError, ReleaseError, ReportError, UntrustedError
from autograder.integrations.nbgrader.autograded import AutogradedFolder, instructors_files
from autograder.integrations.nbgrader.configure import load_config, own_tools
from autograder.integrations.nbgrader.converting import course_directory
from autograder.integrations.nbgrader.database import only_writer, open_gradebook, told
from autograder.integrations.nbgrader.marks import Marks, MarkTable
from autograder.integrations.nbgrader.preprocessing import Preprocessing
from autograder.integrations.nbgrader.release import register_assignment
from autograder.integrations.nbgrader.reports import (
    automatic_points,
    grade_student,
    graded_cells,
    prepared_submission,
    show_report,
    stored_report,
)
from autograder.notebooks import Release, grade_id, load_release
from autograder.records import Report
from autograder.submissions import MAX_TIMESTAMP_BYTES, find_submissions
from autograder.untrusted import read_bytes

COMPARED_AT_ONCE = 100
TIMESTAMP_FILE = "timestamp.txt"
NO_RESPONSE = "No response."  # nbgrader's own words


@own_tools()
def write_gradebook(
    course_folder: Path, course: Course, assignment_name: str, students: Sequence[str] | None = None
) -> list[str]:
    """Write the reports of an assignment into nbgrader's gradebook and its `autograded/` folder.

    Submissions without a report are graded first. Marks and comments that an instructor gave by hand stay. What is
    there already and unchanged is not touched. Afterwards the gradebook is compared with the reports.

    It may be stopped or killed at any moment: the same call then makes the gradebook what an undisturbed one would have
    made. Only one process at a time can write; others can read meanwhile.

    Args:
        course_folder: the course folder.
        course: its configuration.
        assignment_name: which assignment.
        students: whose submissions; None for all of them.

    Returns:
        What did not go well, one sentence each; the others are written all the same.

    Raises:
        ReleaseError: there is no release, and it cannot be made; or nbgrader does not read it.
        GradebookError: the gradebook does not take the assignment, or another program holds it; the message says which.
        SubmissionError: nothing was handed in, or a student asked for has no submission.
    """
    folder = course_folder.resolve()
    assignment = course.assignment(assignment_name)
    submissions, _ = find_submissions(folder, course, assignment_name, students)
    config = load_config(folder)
    coursedir = course_directory(folder, config, assignment_name)
    excluded = set(coursedir.student_id_exclude.split(","))
    wanted = [submission.student for submission in submissions if submission.student not in excluded]
    with only_writer(folder), told(coursedir):
        register_assignment(folder, course, assignment_name)
        with open_gradebook(coursedir) as gradebook:
            writer = _Writer.over(gradebook, folder, course, assignment, coursedir, config)
            done = [student for student in wanted if writer.write(student)]
            return list(dict.fromkeys([*writer.problems, *writer.differences(done)]))


@dataclass
class _Writer:
    """Writes one submission after another, and keeps what a person should be told."""

    folder: Path
    course: Course
    assignment: Assignment
    release: Release
    converter: Any
    preprocessing: Preprocessing
    source_files: Mapping[str, Path]
    table: MarkTable
    problems: list[str] = field(default_factory=list)

    @classmethod
    def over(
        cls, gradebook: Any, folder: Path, course: Course, assignment: Assignment, coursedir: Any, config: Any
    ) -> _Writer:
        """A writer with the settings that nbgrader's own converter would have."""
        converter = Autograde(coursedir=coursedir, config=config, log=_silent())
        preprocessing = Preprocessing(converter)
        release = load_release(folder, assignment)
        _check_metadata(release)
        return cls(
            folder=folder,
            course=course,
            assignment=assignment,
            release=release,
            converter=converter,
            preprocessing=preprocessing,
            source_files=instructors_files(converter),
            table=MarkTable(
                gradebook,
                assignment.name,
                penalty=preprocessing.late_penalty,
                create_students=converter.create_student,
            ),
        )

    def write(self, student: str) -> bool:
        """Make the gradebook and the folder of one student what they should be; False where that is not possible."""
        try:
            self._write(student)
        except (AutograderError, OSError) as error:
            self.problems.append(f"{student}: {type(error).__name__}: {error}")
            return False
        return True

    def _write(self, student: str) -> None:
        name = self.assignment.name
        submitted = self.folder / "submitted" / student / name
        self.converter.notebooks = [str(submitted / f"{name}.ipynb")]
        self.converter.run_pre_convert_hook()
        report = stored_report(self.folder, self.assignment, student) or grade_student(
            self.folder, self.course, name, student
        )
        text, marks = self._outcome(student, submitted, report)
        place = AutogradedFolder(self.converter, student, source_files=self.source_files)
        self.problems += [
            f"{student}: {left} is not a file itself, but a link, pipe or device, and is left out of autograded/."
            for left in place.left_out
        ]
        changed = not place.holds(text)
        try:
            if changed:
                place.prepare(text)
            self.table.write(student, marks, work_changed=changed, handed_in=_notebooks_in(submitted))
            if changed:
                place.publish()
        finally:
            place.clear()
        if changed:
            self.converter.run_post_convert_hook()

    def _outcome(self, student: str, submitted: Path, report: Report) -> tuple[str, Marks]:
        """The text of the autograded notebook, and what the gradebook gets."""
        path = submitted / f"{self.assignment.name}.ipynb"
        notebook = prepared_submission(path, self.assignment, self.release)
        if self.table.kernelspec:
            notebook.metadata["kernelspec"] = self.table.kernelspec
        resources = self.converter.init_single_notebook_resources(str(path))
        notebook, resources = self.preprocessing.before(notebook, resources)
        comments = dict(_automatic_comments(notebook, report))
        points = show_report(notebook, self.folder, self.assignment, report)
        notebook, _ = self.preprocessing.after(notebook, resources)
        try:
            nbformat.validate(notebook)
        except nbformat.ValidationError as error:
            raise GradebookError(f"The autograded notebook would be damaged. Received: {error!s:.200}") from error
        text = nbformat.v4.writes(notebook).rstrip("\n") + "\n"
        return text, Marks(points, comments, self._submitted_at(student, submitted / TIMESTAMP_FILE))

    def _submitted_at(self, student: str, path: Path) -> Any:
        """As nbgrader reads it: in UTC, without saying so."""
        try:
            text = read_bytes(path, MAX_TIMESTAMP_BYTES).decode().strip()
            return parse_utc(text) if text else None
        except UntrustedError as error:
            if error.reason == "missing":
                return None
            received = error.received
        except (ValueError, OverflowError) as error:
            received = str(error)
        self.problems.append(
            f"{student}: when it was handed in is not known, because {path.name} cannot be read; a person has to look "
            f"whether it was late. Received: {received:.100}"
        )
        return None

    def differences(self, students: Sequence[str]) -> Iterator[str]:
        """Where the gradebook does not hold what the reports say."""
        for first in range(0, len(students), COMPARED_AT_ONCE):
            some = students[first : first + COMPARED_AT_ONCE]
            held = self.table.points_of(some)
            for student in some:
                try:
                    report = store.read_report(self.folder, self.assignment.name, student)
                    wrong = [
                        question.id
                        for cell, question in graded_cells(self.assignment).items()
                        if held[student][cell] != automatic_points(report, question)
                    ]
                except (ReportError, GradebookError) as error:
                    yield str(error)
                except KeyError:
                    yield f"{student} is not in the gradebook for {self.assignment.name}; a person has to look."
                else:
                    if wrong:
                        where = ", ".join(wrong)
                        yield (
                            f"The gradebook and the report of {student} for {self.assignment.name} differ in {where}."
                        )


def _check_metadata(release: Release) -> None:
    """What nbgrader's `CheckCellMetadata` asks of every submission, whose metadata come from the release."""
    try:
        MetadataValidator().validate_nb(release.notebook)
    except (ValidationError, SchemaTooOldError, SchemaTooNewError) as error:
        raise ReleaseError(
            f"nbgrader does not read the released notebook; release it again with nbgrader's current version. "
            f"Received: {release.path.name}, {str(error).splitlines()[0]:.200}"
        ) from error


def _automatic_comments(notebook: NotebookNode, report: Report) -> Iterator[tuple[str, str | None]]:
    """nbgrader's comment on every answer: that there is none, where the cell is as it was released."""
    for cell in notebook.cells:
        name = grade_id(cell)
        if name is not None and (is_solution(cell) or is_task(cell)):
            untouched = not is_task(cell) and cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
            # Without a run the stubs of the release stand there: that they are unanswered says nothing.
            yield name, NO_RESPONSE if untouched and report.run is not None else None


def _notebooks_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.ipynb")}


def _silent() -> logging.Logger:
    """For nbgrader, whose announcements nobody asked for: what goes wrong comes back as a sentence."""
    logger = logging.getLogger(f"{__name__}.nbgrader")
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    return logger
