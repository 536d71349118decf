"""Mending a submission against the release, so that it runs and is graded like every other.

Students move, delete, copy, split and unlock cells. Here every cell that nobody may change gets its released content
back and stands where it belongs. What the student wrote is kept, in the student's order. A repair neither costs nor
wins marks; each is told in a sentence.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from autograder.errors import NotebookError
from autograder.notebooks.matching import Cell, Model, match_cells, position
from autograder.notebooks.reading import NBFORMAT, grade_id
from autograder.notebooks.release import Release

MAX_ATTACHMENTS_BYTES = 4 * 2**20
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
DEFINITION = re.compile(r"^(?:async +)?(?:def|class) +(\w+)|^(\w+) *(?::[^=\n]*)?=(?!=)", re.MULTILINE)
INJECTED_LINE = re.compile(r"(#.*)?|[A-Za-z_]\w* = (-?[\w.+-]+|\"[^\"]*\"|'[^']*')")
KEPT_METADATA = ("kernelspec", "language_info")
ROLES = ("grade", "solution", "locked", "task", "points", "schema_version")


@dataclass(frozen=True)
class Prepared:
    """A submission that is ready to run, and what was mended, in sentences for its student."""

    notebook: NotebookNode
    repairs: tuple[str, ...]


def prepare(notebook: NotebookNode, release: Release) -> Prepared:
    """Mend a submission against the release; the notebook that is passed stays as it is.

    The result has every cell with a grade_id exactly once: locked ones as released, answers with the student's source
    (or the released stub where there is none), each test behind its answer, `parameters` and `setup` first. It has no
    outputs, the release's notebook metadata, and no cell metadata but the release's.

    Args:
        notebook: as `read_notebook` returns it.
        release: the released version of the assignment that was handed in.

    Raises:
        NotebookError: no question of the assignment can be found in it.
    """
    model = Model.of(release.notebook)
    repairs: list[str] = []
    original_format = notebook.metadata.get("orig_nbformat")
    if isinstance(original_format, int) and original_format < NBFORMAT[0]:
        repairs.append(f"The notebook was saved in the old format {original_format} and was upgraded.")
    cells = _without_injected([Cell(cell) for cell in notebook.cells], repairs)
    cells = match_cells(cells, model, repairs)
    if not {cell.stands_for for cell in cells} - {None, *model.opening()}:
        raise NotebookError(
            f"No question of this assignment was found in the notebook: {release.path.name} was expected. Hand in the "
            f"notebook that you were given, with your answers. Received: {_describe(cells)}"
        )
    _put_back_missing(cells, model, repairs)
    _move_opening_first(cells, model, repairs)
    _move_tests_behind_answers(cells, model, repairs)
    for cell in cells:
        cell.node = _finished(cell, model, repairs)
    metadata = {key: copy.deepcopy(value) for key, value in release.notebook.metadata.items() if key in KEPT_METADATA}
    mended = nbformat.v4.new_notebook(metadata=metadata, cells=_with_unique_ids(cells), nbformat_minor=NBFORMAT[1])
    return Prepared(notebook=mended, repairs=tuple(dict.fromkeys(repairs)))


def _describe(cells: Sequence[Cell]) -> str:
    first = next((cell.text.splitlines()[0] for cell in cells if cell.text), "")
    return f"a notebook of {len(cells)} cells" + (f" that begins with {first[:60]!r}" if first else " without content")


def _without_injected(cells: Iterable[Cell], repairs: list[str]) -> list[Cell]:
    """Without what papermill leaves when a student runs it: it would override the parameters of grading."""
    kept = []
    for cell in cells:
        tags = cell.node.metadata.get("tags")
        injected = isinstance(tags, list) and "injected-parameters" in tags
        if injected and all(INJECTED_LINE.fullmatch(line) for line in cell.text.splitlines()):
            repairs.append("A cell that papermill had injected was removed, because grading sets the parameters.")
        else:
            kept.append(cell)
    return kept


def _put_back_missing(cells: list[Cell], model: Model, repairs: list[str]) -> None:
    for name in model.order:
        if any(cell.stands_for == name for cell in cells):
            continue
        before = model.before(name)
        if model.is_test(name):
            index = _end_of_question(cells, model, name)
        else:
            index = position(cells, before[-1]) + 1 if before else 0
            while index < len(cells) and not cells[index].stands_for and model.introduces(cells[index]) == name:
                index += 1
        node = copy.deepcopy(model.cells[name])
        if model.is_answer(name) and _is_answered(cells[:index], model, node):
            # The released stub would take away what the student defined elsewhere.
            node.source = f"# The cell {name} was missing from the submission. What it asks for is defined above."
        cells.insert(index, Cell(node, name))
        answer = ", without an answer" if model.is_answer(name) else ""
        repairs.append(f"The cell `{name}` was missing and was put back as it was released{answer}.")


def _is_answered(cells: Iterable[Cell], model: Model, stub: NotebookNode) -> bool:
    """Whether the student's own code defines something that this stub defines."""
    if stub.cell_type != "code":
        return False
    wanted = _defined_names(stub.source)
    own = (cell for cell in cells if not cell.stands_for or model.is_answer(cell.stands_for))
    return any(wanted & _defined_names(cell.node.source) for cell in own if cell.node.cell_type == "code")


def _defined_names(source: str) -> set[str]:
    """Names of the top level, read without parsing: a cell may hold magics or half a statement."""
    return {function or variable for function, variable in DEFINITION.findall(source)}


def _end_of_question(cells: Sequence[Cell], model: Model, test: str) -> int:
    """Where a test belongs: behind the code that follows its answer, and before the next question."""
    before = model.before(test)
    if not before:
        return 0
    end = position(cells, before[-1]) + 1
    for index in range(end, len(cells)):
        cell = cells[index]
        introduces = model.introduces(cell)
        if cell.stands_for or introduces not in {None, *before, test}:
            break
        if cell.node.cell_type == "code" or introduces == test:
            end = index + 1
    return end


def _move_opening_first(cells: list[Cell], model: Model, repairs: list[str]) -> None:
    """`parameters` and `setup` before any other code: everything else needs what they define."""
    names = model.opening()
    first = [cell.stands_for for cell in cells if cell.stands_for or cell.node.cell_type == "code"]
    if first[: len(names)] == names:
        return
    opening = [cells.pop(position(cells, name)) for name in names]
    index = next(i for i, cell in enumerate(cells) if cell.stands_for or cell.node.cell_type == "code")
    cells[index:index] = opening
    repairs.append(f"The cells {', '.join(f'`{name}`' for name in names)} were moved before all other code.")


def _move_tests_behind_answers(cells: list[Cell], model: Model, repairs: list[str]) -> None:
    for name in filter(model.is_test, model.order):
        # A question that asks for nothing new is judged on the last answer before it.
        answer = next((other for other in reversed(model.before(name)) if model.is_answer(other)), None)
        if answer is None or position(cells, name) > position(cells, answer):
            continue
        test = cells.pop(position(cells, name))
        cells.insert(_end_of_question(cells, model, name), test)
        repairs.append(f"The cell `{name}` stood before the answer that it tests and was moved behind it.")


def _finished(cell: Cell, model: Model, repairs: list[str]) -> NotebookNode:
    """The cell as it is graded: the release's with the student's source where it is an answer, or a plain cell."""
    node, name = cell.node, cell.stands_for
    if not name:
        return _clean(node, node.cell_type, node.get("id"), repairs)
    released = model.cells[name]
    kind = released.cell_type
    if node.cell_type != kind:
        repairs.append(f"The cell `{name}` had become a {node.cell_type} cell and is a {kind} cell again.")
    if grade_id(node) == name and _roles(node) != _roles(released):
        repairs.append(f"The points or locks of the cell `{name}` had been changed and were restored.")
    if not model.is_answer(name):
        if not model.is_as_released(cell, name):
            repairs.append(f"The locked cell `{name}` had been changed and was restored.")
        node = released
    result = _clean(node, kind, released.get("id"), repairs)
    result["metadata"] = copy.deepcopy(released.metadata)
    return result


def _roles(cell: NotebookNode) -> list[object]:
    marks = cell.metadata.get("nbgrader")
    return [marks.get(role) or None for role in ROLES] if isinstance(marks, dict) else []


def _clean(node: NotebookNode, kind: str, cell_id: object, repairs: list[str]) -> NotebookNode:
    """A cell of this type with this source: no outputs, counts, tags or other metadata."""
    result = nbformat.from_dict({"id": cell_id, "cell_type": kind, "metadata": {}, "source": node.source})
    if kind == "code":
        result.update(execution_count=None, outputs=[])
    attachments = node.get("attachments")
    if attachments and kind == "markdown":
        if _are_pictures(attachments):
            result["attachments"] = copy.deepcopy(attachments)
        else:
            repairs.append("Pictures attached to a text cell were damaged or too large and were left out.")
    assert isinstance(result, NotebookNode)
    return result


def _are_pictures(attachments: object) -> bool:
    """Whether these are pictures as Jupyter attaches them, of bounded size."""
    if not isinstance(attachments, dict) or not all(isinstance(bundle, dict) for bundle in attachments.values()):
        return False
    pictures = [picture for bundle in attachments.values() for picture in bundle.items()]
    if not all(str(kind).startswith("image/") and isinstance(data, str) for kind, data in pictures):
        return False
    return sum(len(data) for _, data in pictures) <= MAX_ATTACHMENTS_BYTES


def _with_unique_ids(cells: Sequence[Cell]) -> list[NotebookNode]:
    """Cell ids that are valid and unique: the release's where it has one, the student's, or a counted one."""
    reserved = {str(cell.node.get("id")) for cell in cells if cell.stands_for}
    taken: set[str] = set()
    for number, cell in enumerate(cells):
        wanted = cell.node.get("id")
        valid = isinstance(wanted, str) and CELL_ID.fullmatch(wanted) is not None
        if not valid or wanted in taken or (not cell.stands_for and wanted in reserved):
            wanted = f"cell-{number}"
            while wanted in taken or wanted in reserved:
                wanted += "-"
        taken.add(wanted)
        cell.node["id"] = wanted
    return [cell.node for cell in cells]
