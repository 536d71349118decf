"""The release: made by nbgrader from `solutions/`, checked against the configuration, known to the gradebook."""

from __future__ import annotations

import tempfile
from datetime import UTC
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import NbGraderPreprocessor, SaveCells

from autograder.config import Assignment, Course, load_course
from autograder.errors import GradebookError, ReleaseError
from autograder.integrations.nbgrader.configure import RELEASE_FOLDER, SOURCE_FOLDER, load_config, own_tools
from autograder.integrations.nbgrader.converting import convert, course_directory
from autograder.notebooks import load_release, release_path
from autograder.notebooks.release import disagreements


class CheckRelease(NbGraderPreprocessor):  # type: ignore[misc]
    """First step of `nbgrader generate_assignment`: the notebook must agree with course_config.py."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Check, and tell the gradebook when the assignment is due.

        Raises:
            ReleaseError: names everything in which notebook and configuration disagree.
            ConfigurationError: course_config.py is wrong, or has no such assignment.
        """
        converter = self.parent.parent
        course = load_course(Path(converter.coursedir.root))
        assignment = course.assignment(resources["nbgrader"]["assignment"])
        found = disagreements(nb, assignment)
        if found:
            raise ReleaseError(
                f"The notebook of {assignment.name} and course_config.py disagree; correct one of them. "
                f"Received: {'; '.join(found)}"
            )
        if not converter.no_database:
            save_due_date(converter.coursedir, assignment)
        return nb, resources


@own_tools()
def generate_release(course_folder: Path, course: Course, assignment_name: str, *, force: bool = False) -> Path:
    """Make what students get from `solutions/`, as `nbgrader generate_assignment` does.

    Args:
        course_folder: the course folder.
        course: its configuration.
        assignment_name: which assignment.
        force: replace a release that is there; without it, an existing one is left as it is.

    Returns:
        The released notebook.

    Raises:
        ReleaseError: nbgrader could not make it, or it does not agree with the configuration.
        ConfigurationError: there is no such assignment.
    """
    assignment = course.assignment(assignment_name)
    folder = course_folder.resolve()
    if not (folder / SOURCE_FOLDER / assignment_name / f"{assignment_name}.ipynb").is_file():
        raise ReleaseError(
            f"Assignment {assignment_name} cannot be released without its source notebook. "
            f"Received: no file {SOURCE_FOLDER}/{assignment_name}/{assignment_name}.ipynb in {folder}"
        )
    config = load_config(folder)
    config.GenerateAssignment.force = force
    errors = convert(GenerateAssignment, course_directory(folder, config, assignment_name), config)
    if errors:
        raise ReleaseError(f"nbgrader could not release {assignment_name}. Received: {errors[0]}")
    return load_release(folder, assignment).path


@own_tools()
def register_assignment(course_folder: Path, course: Course, assignment_name: str) -> None:
    """Make the gradebook know the release that students have; make the release first when there is none.

    The cells are read from the release, so that a course without `solutions/` can be graded.

    Raises:
        ReleaseError: there is neither a release nor a source.
        GradebookError: the gradebook has submissions and the release has other cells than it had then.
    """
    assignment = course.assignment(assignment_name)
    folder = course_folder.resolve()
    if not release_path(folder, assignment_name).is_file():
        generate_release(folder, course, assignment_name)
    load_release(folder, assignment)
    config = load_config(folder)
    config.CourseDirectory.source_directory = RELEASE_FOLDER
    config.GenerateAssignment.preprocessors = [SaveCells]
    with tempfile.TemporaryDirectory(prefix="autograder-") as elsewhere:
        config.CourseDirectory.release_directory = elsewhere  # the release itself stays untouched
        coursedir = course_directory(folder, config, assignment_name)
        errors = convert(GenerateAssignment, coursedir, config)
    if errors:
        raise GradebookError(f"The gradebook does not take the release of {assignment_name}. Received: {errors[0]}")
    save_due_date(coursedir, assignment)


def save_due_date(coursedir: Any, assignment: Assignment) -> None:
    """Tell the gradebook when an assignment is due; it keeps times in UTC without saying so."""
    due = assignment.due.astimezone(UTC).replace(tzinfo=None) if assignment.due else None
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        gradebook.update_or_create_assignment(assignment.name, duedate=due)


def is_registered(coursedir: Any, assignment_name: str) -> bool:
    """Whether the gradebook knows the assignment's notebook."""
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        try:
            gradebook.find_notebook(assignment_name, assignment_name)
        except MissingEntry:
            return False
    return True
