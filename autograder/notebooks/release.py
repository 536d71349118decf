"""The released version of an assignment: what students were given, and what every submission is compared with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.config import Assignment
from autograder.errors import NotebookError, ReleaseError
from autograder.notebooks.reading import digest, grade_id, read_notebook

RELEASE_FOLDER = "assignments"
MAX_RELEASE_BYTES = 50 * 2**20


@dataclass(frozen=True)
class Release:
    """A released notebook, checked against the configuration.

    Attributes:
        notebook: as students got it; nobody changes it.
        path: where it lies.
        digest: `digest(notebook)`, for provenance and caches.
    """

    notebook: NotebookNode
    path: Path
    digest: str


def release_path(course_folder: Path, assignment_name: str) -> Path:
    """Where the released notebook of an assignment lies."""
    return course_folder / RELEASE_FOLDER / assignment_name / f"{assignment_name}.ipynb"


def load_release(course_folder: Path, assignment: Assignment) -> Release:
    """Read `assignments/<name>/<name>.ipynb` and check its questions and points against the configuration.

    Raises:
        ReleaseError: it is missing or damaged, or names everything in which it disagrees with the configuration.
    """
    path = release_path(course_folder, assignment.name)
    make_it = f"Make it with `nbgrader generate_assignment {assignment.name}`."
    if not path.is_file():
        raise ReleaseError(f"Assignment {assignment.name} has no released notebook. {make_it} Received: no file {path}")
    try:
        notebook = read_notebook(path, max_bytes=MAX_RELEASE_BYTES)
    except NotebookError as error:
        raise ReleaseError(f"The released notebook of {assignment.name} cannot be read: {error}") from error
    found = disagreements(notebook, assignment)
    if found:
        raise ReleaseError(
            f"The released notebook of {assignment.name} and course_config.py disagree. Correct one of them, then "
            f"release again with `nbgrader generate_assignment {assignment.name} --force`. "
            f"Received: {'; '.join(found)}"
        )
    return Release(notebook=notebook, path=path, digest=digest(notebook))


def disagreements(notebook: NotebookNode, assignment: Assignment) -> list[str]:
    """Everything that would keep a submission from being graded as configured, each as a short clause."""
    marks = {name: cell.metadata["nbgrader"] for cell in notebook.cells if (name := grade_id(cell))}
    counts = Counter(name for cell in notebook.cells if (name := grade_id(cell)))
    found = [f"the notebook has {count} cells `{name}`" for name, count in sorted(counts.items()) if count > 1]
    expected: dict[str, float] = {}
    for question in assignment.questions:
        name = question.id if question.manual else f"test_{question.id}"
        expected[name] = question.points
        if name not in marks:
            found.append(f"the notebook has no cell `{name}`")
        elif not marks[name].get("grade") or bool(marks[name].get("solution")) != question.manual:
            kind = "a graded answer (manual)" if question.manual else "a graded test cell"
            found.append(f"the cell `{name}` is not {kind}")
        elif marks[name].get("points") != question.points:
            points = marks[name].get("points")
            found.append(f"the cell `{name}` has {points} points, the configuration {question.points}")
    found += [
        f"the cell `{name}` carries points, but the configuration has no such question"
        for name in sorted(marks)
        if marks[name].get("grade") and name not in expected
    ]
    return found
