"""The code cells that students wrote, by question, and the code that everybody was given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.config import Assignment, Course
from autograder.errors import NotebookError
from autograder.notebooks import Release, grade_id, load_release, prepare, read_notebook
from autograder.submissions import find_submissions

MAX_SOURCE_BYTES = 50 * 2**20


@dataclass(frozen=True)
class AnswerCell:
    """A code cell that a student wrote, and the question to which it belongs."""

    question: str
    source: str


@dataclass(frozen=True)
class Answers:
    """What one student wrote, in the order of the notebook."""

    student: str
    cells: tuple[AnswerCell, ...]


@dataclass(frozen=True)
class Given:
    """What everybody has: code of the release and of the reference solution, and the names that they may not change."""

    sources: tuple[str, ...]
    names: frozenset[str]


def read_given(course_folder: Path, assignment: Assignment, problems: list[str]) -> tuple[Release, Given]:
    """The release, and what everybody has; without a reference solution, a sentence is added to `problems`.

    Raises:
        ReleaseError: the release is missing or damaged.
    """
    release = load_release(course_folder, assignment)
    sources = list(_code(release.notebook))
    names = {name for source in sources for name in _top_level_names(source)}
    names.update(name for question in assignment.questions for name in question.defines)
    path = course_folder / "solutions" / assignment.name / f"{assignment.name}.ipynb"
    try:
        sources += _code(read_notebook(path, max_bytes=MAX_SOURCE_BYTES))
    except NotebookError as error:
        problems.append(f"What is as in the reference solution counts too, because that cannot be read: {error}")
    return release, Given(tuple(sources), frozenset(names))


def read_answers(
    course_folder: Path, course: Course, assignment: Assignment, release: Release, problems: list[str]
) -> list[Answers]:
    """What each student wrote, sorted by student; who cannot be read gets a sentence in `problems`.

    Raises:
        SubmissionError: nothing was handed in.
    """
    submissions, strays = find_submissions(course_folder, course, assignment.name)
    problems += strays
    max_bytes = assignment.profile(course.default_profile).limits.notebook_mb * 2**20
    answers = []
    for submission in submissions:
        try:
            notebook = read_notebook(submission.path, max_bytes=max_bytes, within=course_folder / "submitted")
            mended = prepare(notebook, release).notebook
        except NotebookError as error:
            problems.append(f"{submission.student} is not compared: {error}")
            continue
        answers.append(Answers(submission.student, tuple(answer_cells(mended, release.notebook))))
    return answers


def answer_cells(mended: NotebookNode, released: NotebookNode) -> Iterator[AnswerCell]:
    """Code of answer cells and of the student's own, which belong to the answer before them, or to the first.

    Args:
        mended: what was handed in, as `prepare` returns it.
        released: what students were given; a cell that is as it was released is nobody's own.
    """
    given = {cell.source.strip() for cell in released.cells}
    question = next((grade_id(cell) for cell in mended.cells if _is_answer(cell)), None) or ""
    for cell in mended.cells:
        name = grade_id(cell)
        if cell.cell_type != "code" or (name and not _is_answer(cell)):
            continue
        question = name or question
        if cell.source.strip() not in given:
            yield AnswerCell(question, cell.source)


def _is_answer(cell: NotebookNode) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(marks.get("solution"))


def _code(notebook: NotebookNode) -> Iterator[str]:
    return (cell.source for cell in notebook.cells if cell.cell_type == "code")


def _top_level_names(source: str) -> Iterator[str]:
    """What a cell of the release imports or defines; a cell that is no Python (magics) defines nothing."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return
    for statement in statements:
        match statement:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case _:
                pass
