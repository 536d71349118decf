"""The release: made by nbgrader from `solutions/`, checked against the configuration, known to the gradebook."""

from __future__ import annotations

import copy
import json
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import GradeCell, MissingEntry, SolutionCell, SourceCell, TaskCell
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import is_grade, is_locked, is_solution, is_task

from autograder.config import Assignment, Course, DataSettings, Profile, load_course
from autograder.errors import AutograderError, GradebookError, ReleaseError
from autograder.integrations.nbgrader.configure import RELEASE_FOLDER, SOURCE_FOLDER, load_config, own_tools
from autograder.integrations.nbgrader.converting import convert, course_directory
from autograder.integrations.nbgrader.database import open_gradebook
from autograder.notebooks import Release, load_release, read_notebook, release_path
from autograder.notebooks.release import MAX_RELEASE_BYTES, disagreements


class ReleaseExporter(NotebookExporter):  # type: ignore[misc]
    """What `nbgrader generate_assignment` writes with.

    Before anything is replaced, the notebook must agree with course_config.py; and the gradebook learns the due date.
    The released notebook says about itself what `autograder validate` needs on a student's machine.
    """

    def __init__(self, config: Any = None, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        converter = self.parent
        try:
            course = getattr(converter, "course", None) or load_course(Path(converter.coursedir.root))
            assignment = course.assignment(converter.coursedir.assignment_id)
            for path in sorted(Path(name) for names in converter.assignments.values() for name in names):
                if path.stem == assignment.name:
                    _check_source(path, assignment)
        except AutograderError as error:
            self.log.error(str(error))
            raise NbGraderException(str(error)) from error
        if not converter.no_database:
            _save_due_date(converter.coursedir, assignment)
        self._assignment = assignment

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kwargs: Any) -> tuple[str, Any]:
        """The released notebook as text."""
        described = copy.deepcopy(nb)
        described.metadata["autograder"] = for_students(self._assignment)
        text, resources = super().from_notebook_node(described, resources, **kwargs)
        return str(text), resources


def for_students(assignment: Assignment) -> dict[str, Any]:
    """What a released notebook says of its contract, for `validate` on a machine without the course.

    The names each question asks for, the smoke parameters, and which data to generate.
    """
    smoke = assignment.profiles.get("smoke")
    return {
        "data": {"source": assignment.data.source, "rows": _public_rows(assignment.data, smoke)}
        if assignment.data
        else None,
        "names": {question.id: list(question.defines) for question in assignment.questions if question.defines},
        "profiles": {"smoke": dict(smoke.parameters)} if smoke else {},
    }


def _public_rows(data: DataSettings, profile: Profile | None) -> int | None:
    """How many rows a notebook gets under a profile; None for as many as there are."""
    if profile is None or profile.data_rows is None:
        return None
    return round(profile.data_rows * (1 - data.withheld_fraction))


def _check_source(path: Path, assignment: Assignment) -> None:
    found = disagreements(read_notebook(path, max_bytes=MAX_RELEASE_BYTES), assignment)
    if found:
        raise ReleaseError(
            f"The notebook of {assignment.name} and course_config.py disagree; correct one of them. "
            f"Received: {'; '.join(found)}"
        )


def _due_in_utc(assignment: Assignment) -> datetime | None:
    """The gradebook keeps times in UTC, without saying so."""
    return assignment.due.astimezone(UTC).replace(tzinfo=None) if assignment.due else None


def _save_due_date(coursedir: Any, assignment: Assignment) -> None:
    due = _due_in_utc(assignment)
    with open_gradebook(coursedir) as gradebook:
        gradebook.update_or_create_assignment(assignment.name, duedate=due)


@own_tools()
def generate_release(course_folder: Path, course: Course, assignment_name: str, *, force: bool = False) -> Path:
    """Make what students get from `solutions/`, with nbgrader's `generate_assignment`.

    A release that is there is replaced when the new one is complete, and stays when it cannot be made.

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
    path = release_path(folder, assignment_name)
    if path.is_file() and not force:
        return load_release(folder, assignment).path
    if not (folder / SOURCE_FOLDER / assignment_name / f"{assignment_name}.ipynb").is_file():
        raise ReleaseError(
            f"Assignment {assignment_name} cannot be released without its source notebook. "
            f"Received: no file {SOURCE_FOLDER}/{assignment_name}/{assignment_name}.ipynb in {folder}"
        )
    with tempfile.TemporaryDirectory(prefix="autograder-") as made:
        config = load_config(folder)
        config.CourseDirectory.release_directory = made
        errors = convert(GenerateAssignment, course_directory(folder, config, assignment_name), config, course=course)
        if errors:
            raise ReleaseError(f"nbgrader could not release {assignment_name}. Received: {errors[0]}")
        shutil.rmtree(path.parent, ignore_errors=True)
        shutil.copytree(Path(made) / assignment_name, path.parent)
    return load_release(folder, assignment).path


@own_tools()
def register_assignment(course_folder: Path, course: Course, assignment_name: str) -> None:
    """Make the gradebook know the release that students have; make the release first when there is none.

    The cells are read from the release, so that a course without `solutions/` can be graded. Where the gradebook knows
    it already, nothing is written.

    Raises:
        ReleaseError: there is neither a release nor a source.
        GradebookError: the gradebook has submissions and the release has other cells than it had then.
    """
    folder = course_folder.resolve()
    generate_release(folder, course, assignment_name)
    config = load_config(folder)
    with open_gradebook(course_directory(folder, config, assignment_name)) as gradebook:
        if _knows(
            gradebook, course.assignment(assignment_name), load_release(folder, course.assignment(assignment_name))
        ):
            return
    with tempfile.TemporaryDirectory(prefix="autograder-") as unused:
        config.CourseDirectory.source_directory = RELEASE_FOLDER
        config.CourseDirectory.release_directory = unused
        config.GenerateAssignment.preprocessors = [SaveCells]
        errors = convert(GenerateAssignment, course_directory(folder, config, assignment_name), config, course=course)
    if errors:
        raise GradebookError(f"The gradebook does not take the release of {assignment_name}. Received: {errors[0]}")


def is_registered(coursedir: Any, assignment_name: str) -> bool:
    """Whether the gradebook knows the assignment's notebook."""
    with open_gradebook(coursedir) as gradebook:
        try:
            gradebook.find_notebook(assignment_name, assignment_name)
        except MissingEntry:
            return False
    return True


def _knows(gradebook: Any, assignment: Assignment, release: Release) -> bool:
    """Whether the gradebook has the due date and the cells as nbgrader's `SaveCells` would save them."""
    try:
        notebook = gradebook.find_notebook(assignment.name, assignment.name)
    except MissingEntry:
        return False
    if notebook.assignment.duedate != _due_in_utc(assignment):
        return False
    if json.loads(notebook.kernelspec or "{}") != release.notebook.metadata.get("kernelspec", {}):
        return False

    def rows(kind: Any, *columns: str) -> set[tuple[Any, ...]]:
        chosen = [getattr(kind, column) for column in ("name", *columns)]
        return {tuple(row) for row in gradebook.db.query(*chosen).filter(kind.notebook_id == notebook.id)}

    wanted = _cells(release.notebook)
    return (
        rows(SourceCell, "cell_type", "locked", "source", "checksum") == wanted["source"]
        and rows(GradeCell, "max_score", "cell_type") == wanted["grade"]
        and rows(SolutionCell) == wanted["solution"]
        and rows(TaskCell, "max_score", "cell_type") == wanted["task"]
    )


def _cells(notebook: NotebookNode) -> dict[str, set[tuple[Any, ...]]]:
    """The rows that a released notebook makes in the gradebook's tables of cells."""
    rows: dict[str, set[tuple[Any, ...]]] = {"source": set(), "grade": set(), "solution": set(), "task": set()}
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        name = marks.get("grade_id")
        if is_grade(cell):
            rows["grade"].add((name, float(marks["points"]), cell.cell_type))
        if is_solution(cell):
            rows["solution"].add((name,))
        if is_task(cell):
            rows["task"].add((name, float(marks["points"]), cell.cell_type))
        if is_grade(cell) or is_solution(cell) or is_locked(cell) or is_task(cell):
            rows["source"].add((name, cell.cell_type, bool(is_locked(cell)), cell.source, marks.get("checksum")))
    return rows
