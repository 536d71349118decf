"""A graded class into nbgrader's gradebook: one process, one writer, nbgrader's own converter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde

from autograder import store
from autograder.config import Assignment, Course
from autograder.errors import GradebookError, ReportError
from autograder.integrations.nbgrader.configure import load_config, own_tools
from autograder.integrations.nbgrader.converting import convert, course_directory
from autograder.integrations.nbgrader.release import register_assignment
from autograder.integrations.nbgrader.reports import automatic_points, graded_cells
from autograder.records import Report
from autograder.submissions import find_submissions


class _AutogradeThese(Autograde):  # type: ignore[misc]
    """nbgrader's converter over exactly these students, whose ids need not survive as a file pattern."""

    students: tuple[str, ...] = ()
    stored_reports = True
    course: Course | None = None

    def init_notebooks(self) -> None:
        name = self.coursedir.assignment_id
        self.assignments = {}
        for student in self.students:
            submitted = self.coursedir.format_path(self.coursedir.submitted_directory, student, name)
            self.assignments[submitted] = [str(Path(submitted) / f"{name}.ipynb")]


@own_tools()
def write_gradebook(
    course_folder: Path, course: Course, assignment_name: str, students: Sequence[str] | None = None
) -> list[str]:
    """Write the reports of an assignment into nbgrader's gradebook and its `autograded/` folder.

    Submissions without a report are graded first. Marks and comments that an instructor gave by hand stay. Afterwards
    the gradebook is compared with the reports.

    Args:
        course_folder: the course folder.
        course: its configuration.
        assignment_name: which assignment.
        students: whose submissions; None for all of them.

    Returns:
        What did not go well, one sentence each; the others are written all the same.

    Raises:
        ReleaseError: there is no release, and it cannot be made.
        GradebookError: the gradebook does not take the assignment.
        SubmissionError: nothing was handed in, or a student asked for has no submission.
    """
    folder = course_folder.resolve()
    assignment = course.assignment(assignment_name)
    submissions, _ = find_submissions(folder, course, assignment_name, students)
    register_assignment(folder, course, assignment_name)
    config = load_config(folder)
    coursedir = course_directory(folder, config, assignment_name)
    wanted = tuple(submission.student for submission in submissions)
    errors = convert(_AutogradeThese, coursedir, config, students=wanted, course=course, force=True)
    found = list(_differences(folder, coursedir, assignment, wanted))
    return [*errors, *found] if found else errors


def _differences(folder: Path, coursedir: Any, assignment: Assignment, students: Iterable[str]) -> Iterable[str]:
    """Where the gradebook does not hold what the reports say."""
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        for student in students:
            try:
                report = store.read_report(folder, assignment.name, student)
                wrong = list(_wrong_grades(gradebook, report, assignment))
            except (ReportError, GradebookError) as error:
                yield str(error)
            except MissingEntry:
                yield f"{student} is not in the gradebook for {assignment.name}; a person has to look."
            else:
                if wrong:
                    where = ", ".join(wrong)
                    yield f"The gradebook and the report of {student} for {assignment.name} differ in {where}."


def _wrong_grades(gradebook: Gradebook, report: Report, assignment: Assignment) -> Iterable[str]:
    for cell, question in graded_cells(assignment).items():
        grade = gradebook.find_grade(cell, assignment.name, assignment.name, report.student)
        if grade.auto_score != automatic_points(report, question):
            yield question.id
