"""From a submission to its report, and from there to what nbgrader keeps: points by cell, outputs in the notebook."""

from __future__ import annotations

import copy
import html
import logging
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import get_args

import nbformat
from nbformat import NotebookNode

from autograder import store
from autograder.config import Assignment, Course, Question
from autograder.errors import GradebookError, NotebookError, ReportError
from autograder.notebooks import Release, grade_id, prepare, read_executed, read_notebook
from autograder.notebooks.reading import NBFORMAT
from autograder.records import Report, SandboxLevel
from autograder.reporting import file_sha256

PROFILE_VARIABLE = "AUTOGRADER_PROFILE"
MAX_EXECUTED_BYTES = 256 * 2**20
MISSING = object()
GRADED_MARK = "autograder"  # in the metadata of an autograded notebook: it is finished
log = logging.getLogger(__name__)


def grade_student(folder: Path, course: Course, assignment: str, student: str) -> Report:
    """Grade one submission in place; what is in the store is not executed again.

    It is graded as before where there is a report already, so that `nbgrader autograde` gives the marks that
    `autograder grade` gave; otherwise with the profile in AUTOGRADER_PROFILE, otherwise with the course's default.

    Raises:
        AutograderError: there is no such submission, or something that is not the student's is at fault.
    """
    from autograder import grading  # heavy, and nbgrader's other commands load this package too

    (submission,), _ = grading.find_submissions(folder, course, assignment, [student])
    profile, sandbox = _settings_of_last_time(folder, course.assignment(assignment), student)
    profile = profile or os.environ.get(PROFILE_VARIABLE) or None
    return grading.grade_submission(folder, course, submission, profile=profile, sandbox=sandbox)


def stored_report(folder: Path, assignment: Assignment, student: str) -> Report | None:
    """The report of what is handed in now; None where there is none, or another notebook was handed in since."""
    try:
        report = store.read_report(folder, assignment.name, student)
    except ReportError:
        return None
    recorded = report.provenance.get("submission_sha256", MISSING)
    if recorded is MISSING:  # grading failed before it looked at the notebook: a person has to look, not this function
        return report
    path = folder / "submitted" / student / assignment.name / f"{assignment.name}.ipynb"
    return report if file_sha256(path, _max_bytes(assignment)) == recorded else None


def _max_bytes(assignment: Assignment) -> int:
    """How large a submitted notebook may be, under whichever profile."""
    return max(profile.limits.notebook_mb for profile in assignment.profiles.values()) * 2**20


def _settings_of_last_time(
    folder: Path, assignment: Assignment, student: str
) -> tuple[str | None, SandboxLevel | None]:
    try:
        provenance = store.read_report(folder, assignment.name, student).provenance
    except ReportError:  # none yet, or a damaged one, which grading again replaces
        return None, None
    profile = provenance.get("profile")
    level = next((known for known in get_args(SandboxLevel) if known == provenance.get("sandbox")), None)
    return (str(profile) if profile in assignment.profiles else None), level


def prepared_submission(
    path: Path, assignment: Assignment, release: Release, *, tell: Callable[[str], None] = log.debug
) -> NotebookNode:
    """What a student handed in, whatever it is, as it is graded.

    A notebook that cannot be read is replaced by the released one with a note, and gets no marks: nbgrader itself would
    lose the student, or with some damage the whole batch. `tell` hears of it.
    """
    try:
        return prepare(read_notebook(path, max_bytes=_max_bytes(assignment)), release).notebook
    except NotebookError as error:
        tell(f"Not readable, a person has to look: {error}")
        notebook = prepare(release.notebook, release).notebook
        # The message quotes the file: as text, because the formgrader shows text cells as HTML.
        note = f"**What was handed in could not be read; below is the released notebook.** {html.escape(str(error))}"
        notebook.cells.insert(0, nbformat.v4.new_markdown_cell(note, id="autograder-note"))
        return notebook


def show_report(
    notebook: NotebookNode, folder: Path, assignment: Assignment, report: Report
) -> dict[str, float | None]:
    """Fill a prepared notebook with the outputs and points of its report, and mark it as graded.

    Returns:
        The points by the grade_id of the cell that carries them.

    Raises:
        GradebookError: points of the report are none.
    """
    points = {cell: automatic_points(report, question) for cell, question in graded_cells(assignment).items()}
    show_outputs(notebook, executed_notebook(folder, report), points)
    notebook.metadata[GRADED_MARK] = {"status": report.status, "score": report.score}
    return points


def graded_cells(assignment: Assignment) -> dict[str, Question]:
    """The questions by the grade_id of the cell that carries their points in the notebook."""
    return {(question.id if question.manual else f"test_{question.id}"): question for question in assignment.questions}


def automatic_points(report: Report, question: Question) -> float | None:
    """The points that the gradebook gets, or None where a person has to look.

    Raises:
        GradebookError: the points are no number between 0 and the question's.
    """
    points = next((result.points for result in report.questions if result.id == question.id), None)
    if question.manual or points is None:
        return None
    if not math.isfinite(points) or not 0 <= points <= question.points + 1e-9:
        raise GradebookError(
            f"The report of {report.student} gives {question.id} points outside of 0 to {question.points}. "
            f"Grade again: autograder grade {report.assignment} --student {report.student}. Received: {points}"
        )
    return points


def executed_notebook(folder: Path, report: Report) -> NotebookNode | None:
    """The notebook as it ran; None where it did not run or cannot be read, and then the marks stand without it."""
    path = store.report_folder(folder, report.assignment, report.student) / store.NOTEBOOK_FILE
    if report.run is None or not path.is_file():
        return None
    try:
        return read_executed(path, max_bytes=MAX_EXECUTED_BYTES)
    except NotebookError as error:
        log.warning("The outputs of %s are not shown: %s", report.student, error)
        return None


def show_outputs(notebook: NotebookNode, executed: NotebookNode | None, points: Mapping[str, float | None]) -> None:
    """Fill the cells of nbgrader's notebook with the outputs of the run, and test cells with their points.

    nbgrader reads points from the outputs of a test cell: an error or anything on stderr is zero, anything else that is
    no number is full marks. So a test cell ends with one result that is a plain number, and holds no error or stderr.

    Args:
        notebook: is changed.
        executed: the notebook as it ran; its cells are found by cell id.
        points: by the grade_id of the cell that carries them.
    """
    ran = {str(cell.get("id")): cell for cell in executed.cells if cell.cell_type == "code"} if executed else {}
    sound = executed is None or _is_sound(executed)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        source = ran.get(str(cell.get("id")), {})
        cell.outputs = [copy.deepcopy(output) for output in source.get("outputs", []) if sound or _is_output(output)]
        count = source.get("execution_count")
        cell.execution_count = count if isinstance(count, int) else None
        name = grade_id(cell)
        if name is not None and name in points:
            cell.outputs = [*_as_text(cell.outputs), _points_output(points[name], cell.execution_count)]


def _is_sound(notebook: NotebookNode) -> bool:
    """Whether the whole notebook is as the format has it, which is much faster found out than output by output."""
    version, minor = NBFORMAT
    return next(nbformat.validator.iter_validate(notebook, version=version, version_minor=minor), None) is None


def _is_output(output: object) -> bool:
    """Whether it is an output as the format has them; a kernel wrote it, so it may be anything."""
    if not isinstance(output, NotebookNode):
        return False
    try:
        nbformat.validate(output, ref="output", version=4, version_minor=5)
    except nbformat.ValidationError:
        return False
    return True


def _as_text(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs without those that nbgrader would take for a mark: errors stay readable as text."""
    kept = []
    for output in outputs:
        if output.output_type == "error":
            kept.append(nbformat.v4.new_output("stream", name="stdout", text="\n".join(output.traceback) + "\n"))
        elif output.output_type != "execute_result" and output.get("name") != "stderr":
            kept.append(output)
    return kept


def _points_output(points: float | None, count: int | None) -> NotebookNode:
    if points is None:
        text = "No points yet: a person has to look.\n"
        return nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": text})
    data = {"text/plain": f"{points:.4f}".rstrip("0").rstrip(".")}
    result = {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": count}
    return nbformat.from_dict(result)
