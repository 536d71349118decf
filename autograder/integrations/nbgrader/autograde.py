"""`nbgrader autograde` with this package inside: it mends what it reads, grades instead of executing, saves reports.

nbgrader goes through a submission twice: it sanitises `submitted/` into `autograded/`, then executes `autograded/` in
place. Both passes use the exporter below; `GradeSubmission` and `SaveGrades` stand in the second one where nbgrader has
`Execute` and `SaveAutoGrades`.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import rmtree

from autograder.config import Course, load_course
from autograder.errors import AutograderError, NotebookError
from autograder.integrations.nbgrader.release import is_registered, register_assignment
from autograder.integrations.nbgrader.reports import (
    GRADED_MARK,
    grade_student,
    prepared_submission,
    show_report,
)
from autograder.notebooks import load_release, read_notebook
from autograder.records import Report

MAX_AUTOGRADED_BYTES = 200 * 2**20


class SubmissionExporter(NotebookExporter):  # type: ignore[misc]
    """Reads what students handed in, whatever it is.

    A notebook that cannot be read is replaced by the released one with a note, and gets no marks: nbgrader itself would
    lose the student, or with some damage the whole batch.

    Attributes:
        course_folder: nbgrader's course directory.
        course: its configuration.
        release: the released version of the assignment.
    """

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        coursedir = self.parent.coursedir
        self.course_folder = Path(coursedir.root)
        try:
            self.course: Course = load_course(self.course_folder)
            self.assignment = self.course.assignment(coursedir.assignment_id)
            if not is_registered(coursedir, self.assignment.name):
                register_assignment(self.course_folder, self.course, self.assignment.name)
            self.release = load_release(self.course_folder, self.assignment)
        except AutograderError as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error
        _complete(self.parent)

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[str, Any]:
        """Read a submission, or an autograded notebook as it is."""
        path = Path(filename)
        if path.is_relative_to(self.course_folder / self.parent.coursedir.submitted_directory):
            notebook = prepared_submission(path, self.assignment, self.release, tell=self.log.warning)
            return self.from_notebook_node(notebook, resources=resources)  # type: ignore[no-any-return]
        return super().from_filename(filename, resources=resources, **kw)  # type: ignore[no-any-return]


def _complete(converter: Any) -> None:
    """Put right what nbgrader is about to leave out.

    nbgrader takes an existing folder in `autograded/` for a finished one, also when it was killed in the middle; and it
    passes over a submission without a notebook of the expected name. The first is removed, the second listed.
    """
    coursedir = converter.coursedir
    if coursedir.notebook_id != "*":
        return
    name = coursedir.assignment_id
    pattern = coursedir.format_path(coursedir.submitted_directory, coursedir.student_id, name)
    for folder in sorted(glob.glob(pattern)):  # noqa: PTH207 - nbgrader's own pattern, matched as nbgrader does
        expected = str(Path(folder) / f"{name}.ipynb")
        notebooks = converter.assignments.setdefault(folder, [])
        if expected not in notebooks:
            notebooks.append(expected)
        autograded = Path(coursedir.format_path(coursedir.autograded_directory, Path(folder).parent.name, name))
        if autograded.is_dir() and not _is_finished(autograded / f"{name}.ipynb"):
            converter.log.warning("Grading again what had been interrupted: %s", autograded)
            rmtree(str(autograded))


def _is_finished(path: Path) -> bool:
    try:
        return GRADED_MARK in read_notebook(path, max_bytes=MAX_AUTOGRADED_BYTES).metadata
    except NotebookError:
        return False


class GradeSubmission(NbGraderPreprocessor):  # type: ignore[misc]
    """Stands where nbgrader executes: grades the submission and shows outputs and points in nbgrader's notebook."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Grade; the report travels on in `resources` to `SaveGrades`."""
        exporter: SubmissionExporter = self.parent
        student, name = resources["nbgrader"]["student"], resources["nbgrader"]["assignment"]
        report = grade_student(exporter.course_folder, exporter.course, name, student)
        points = show_report(nb, exporter.course_folder, exporter.assignment, report)
        resources["autograder"] = {"report": report, "points": points}
        return nb, resources


class SaveGrades(SaveAutoGrades):  # type: ignore[misc]
    """Writes the report's points into the gradebook; a question without points waits there for a person.

    What an instructor gave by hand stays. As in nbgrader, grading again asks to look at it again.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Save grades and comments of all cells."""
        self.report: Report = resources["autograder"]["report"]
        self.points: dict[str, float | None] = resources["autograder"]["points"]
        return super().preprocess(nb, resources)  # type: ignore[no-any-return]

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        del resources
        name = cell.metadata["nbgrader"]["grade_id"]
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        grade.auto_score = self.points.get(name)
        grade.needs_manual_grade = grade.auto_score is None or grade.manual_score is not None
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: Any) -> None:
        super()._add_comment(cell, resources)
        if self.report.run is None:  # the stubs of the release stand there: that they are unanswered says nothing
            name = cell.metadata["nbgrader"]["grade_id"]
            comment = self.gradebook.find_comment(name, self.notebook_id, self.assignment_id, self.student_id)
            comment.auto_comment = None
            self.gradebook.db.commit()
