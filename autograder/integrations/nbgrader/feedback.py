"""`nbgrader generate_feedback` with this package's page, under nbgrader's file names, so that it can be released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException

from autograder import store
from autograder.config import load_course
from autograder.errors import AutograderError
from autograder.feedback import render_feedback
from autograder.integrations.nbgrader.reports import executed_notebook, graded_cells


class FeedbackExporter(Exporter):  # type: ignore[misc]
    """Turns an autograded notebook into its feedback page: the report with what was given by hand."""

    file_extension = ".html"

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        coursedir = self.parent.coursedir
        self.course_folder = Path(coursedir.root)
        try:
            self.assignment = load_course(self.course_folder).assignment(coursedir.assignment_id)
        except AutograderError as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error

    def from_filename(self, filename: str, resources: Any = None, **_: Any) -> tuple[str, Any]:
        """The page of one student; `filename` is the autograded notebook.

        Raises:
            ReportError: the submission was not graded with this package.
        """
        student = resources["nbgrader"]["student"]
        report = store.read_report(self.course_folder, self.assignment.name, student)
        notebook = None
        if report.run is not None:  # what nbgrader has of a submission that could not be read is the release
            notebook = executed_notebook(self.course_folder, report) or nbformat.read(filename, as_version=4)
        points, comments = self._given_by_hand(resources["nbgrader"]["db_url"], student)
        page = render_feedback(
            report, notebook=notebook, title=self.assignment.title, comments=comments, manual_points=points
        )
        return page, self._init_resources(resources)

    def _given_by_hand(self, db_url: str, student: str) -> tuple[dict[str, float], dict[str, str]]:
        """Points (extra credit included) and comments by question."""
        name = self.assignment.name
        questions = {cell: question.id for cell, question in graded_cells(self.assignment).items()}
        with Gradebook(db_url, self.parent.coursedir.course_id) as gradebook:
            submitted = gradebook.find_submission_notebook(name, name, student)
            points = {
                questions[grade.name]: float(grade.score)
                for grade in submitted.grades
                if grade.name in questions and (grade.manual_score is not None or grade.extra_credit)
            }
            # nbgrader's automatic "No response." is no instructor's word, and the report says it already.
            comments = {c.name: str(c.manual_comment) for c in submitted.comments if c.manual_comment}
        return points, comments
