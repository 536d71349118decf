"""Which of the student's cells stand for which cells of the release.

nbgrader knows a cell by the `grade_id` in its metadata. Editors lose these ids and split cells carry them twice, so
cells are found by grade_id first, then by cell id, by the released source (locked cells), and last by their place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.notebooks.reading import grade_id


@dataclass
class Cell:
    """A student's cell, and the grade_id of the released cell that it stands for, if any."""

    node: NotebookNode
    stands_for: str | None = None

    @property
    def text(self) -> str:
        """The source without surrounding white space: what cells are compared by."""
        return str(self.node.source).strip()


@dataclass(frozen=True)
class Model:
    """The release as mending asks for it.

    Attributes:
        cells: the cells with a grade_id, by it, in order.
        order: their grade_ids.
        texts: source and cell id of every other released cell, and how many of `order` come before it.
    """

    cells: dict[str, NotebookNode]
    order: tuple[str, ...]
    texts: dict[str, int]

    @classmethod
    def of(cls, notebook: NotebookNode) -> Model:
        """The model of a released notebook."""
        cells: dict[str, NotebookNode] = {}
        texts: dict[str, int] = {}
        for cell in notebook.cells:
            name = grade_id(cell)
            if name:
                cells[name] = cell
            else:
                texts[cell.source.strip()] = len(cells)
                texts[f"id {cell.get('id')}"] = len(cells)
        return cls(cells=cells, order=tuple(cells), texts=texts)

    def is_answer(self, name: str) -> bool:
        """Whether the student fills this cell in; every other cell with a grade_id is locked."""
        marks = self.cells[name].metadata["nbgrader"]
        return bool(marks.get("solution") or marks.get("task"))

    def is_test(self, name: str) -> bool:
        """Whether this locked cell carries a question's points."""
        return bool(self.cells[name].metadata["nbgrader"].get("grade")) and not self.is_answer(name)

    def before(self, name: str) -> tuple[str, ...]:
        """The grade_ids that come before this one."""
        return self.order[: self.order.index(name)]

    def opening(self) -> list[str]:
        """The locked code cells before the first question: `parameters` and `setup`."""
        first = next((i for i, name in enumerate(self.order) if self.is_answer(name) or self.is_test(name)), 0)
        return [name for name in self.order[:first] if self.cells[name].cell_type == "code"]

    def introduces(self, cell: Cell) -> str | None:
        """The grade_id before which the release has this cell; None when the release has no such cell there."""
        place = self.texts.get(f"id {cell.node.get('id')}", self.texts.get(cell.text))
        return None if place is None or place >= len(self.order) else self.order[place]

    def is_as_released(self, cell: Cell, name: str) -> bool:
        """Whether the source is that of the released cell, white space around it aside."""
        return cell.text == str(self.cells[name].source).strip()


def match_cells(cells: list[Cell], model: Model, repairs: list[str]) -> list[Cell]:
    """Set `stands_for`, each grade_id once; returns the cells without superfluous copies of locked ones."""
    _by_grade_id(cells, model, repairs)
    lost = _by_identity(cells, model)
    kept = _settle_duplicates(cells, model, repairs)
    lost += _by_place(kept, model)
    if lost:
        names = ", ".join(f"`{name}`" for name in lost)
        repairs.append(
            f"These cells had lost their nbgrader id and were recognised by their content or place: {names}."
        )
    return kept


def position(cells: Sequence[Cell], name: str) -> int:
    """The index of the cell that stands for a grade_id."""
    return next(index for index, cell in enumerate(cells) if cell.stands_for == name)


def _by_grade_id(cells: list[Cell], model: Model, repairs: list[str]) -> None:
    unknown = []
    for cell in cells:
        name = grade_id(cell.node)
        if name in model.cells:
            cell.stands_for = name
        elif name:
            unknown.append(name)
    if unknown:
        repairs.append(
            f"Cells with an nbgrader id that this assignment does not have are treated as cells of your own: "
            f"{len(unknown)}, the first of them `{unknown[0][:40]}`."
        )


def _by_identity(cells: list[Cell], model: Model) -> list[str]:
    """Find missing cells by cell id, and locked ones by a source that only they have."""
    known = {str(node.id): name for name, node in model.cells.items() if node.get("id")}
    sources = Counter(node.source.strip() for node in model.cells.values())
    known_sources = {
        source: name
        for name, node in model.cells.items()
        if not model.is_answer(name) and (source := node.source.strip()) and sources[source] == 1
    }
    found = {cell.stands_for for cell in cells if cell.stands_for}
    lost = []
    for cell in cells:
        if cell.stands_for:
            continue
        candidates = (known_sources.get(cell.text), known.get(str(cell.node.get("id"))))
        name = next((name for name in candidates if name and name not in found), None)
        if name:
            cell.stands_for = name
            found.add(name)
            lost.append(name)
    return lost


def _settle_duplicates(cells: list[Cell], model: Model, repairs: list[str]) -> list[Cell]:
    """Leave each id to one cell: of an answer to the first, of a locked cell to the first that is as released."""
    keepers: dict[str, Cell] = {}
    for cell in cells:
        name = cell.stands_for
        if name is None:
            continue
        keeper = keepers.setdefault(name, cell)
        if not model.is_answer(name) and model.is_as_released(cell, name) and not model.is_as_released(keeper, name):
            keepers[name] = cell
    kept = []
    for cell in cells:
        name = cell.stands_for
        if name and cell is not keepers[name]:
            if not model.is_answer(name) and model.is_as_released(cell, name):
                repairs.append(f"A copy of the locked cell `{name}` was removed.")
                continue
            cell.stands_for = None
            repairs.append(
                f"There was more than one cell `{name}`; the first counts, the others stay as your own cells."
            )
        kept.append(cell)
    return kept


def _by_place(cells: list[Cell], model: Model) -> list[str]:
    """Take the student's cell that stands where a missing answer belongs, when there is no doubt which it is."""
    present = {cell.stands_for for cell in cells if cell.stands_for}
    lost: list[str] = []
    gap: list[str] = []
    for name in (*model.order, None):
        if name and name not in present:
            gap.append(name)
            continue
        if gap:
            before = model.before(gap[0])
            start = position(cells, before[-1]) + 1 if before else 0
            end = position(cells, name) if name else len(cells)
            lost += _fill(gap, cells[start:end], model)
        gap = []
    return lost


def _fill(gap: Sequence[str], between: Sequence[Cell], model: Model) -> list[str]:
    """Name the student's cells between two recognised ones: by the text that introduces them, else by their order."""
    sections: dict[str | None, list[Cell]] = {None: []}
    section = None
    for cell in between:
        introduced = model.introduces(cell)
        section = introduced or section
        if cell.text and not cell.stands_for and not introduced:
            sections.setdefault(section, []).append(cell)
    lost: list[str] = []
    for kind in ("code", "markdown"):
        wanted = [name for name in gap if model.is_answer(name) and model.cells[name].cell_type == kind]
        for name in list(wanted):
            lost += _name_cells([name], sections.get(name, ()), kind)
        lost += _name_cells([name for name in wanted if name not in lost], sections[None], kind)
    return lost


def _name_cells(wanted: Sequence[str], own: Sequence[Cell], kind: str) -> Sequence[str]:
    fitting = [cell for cell in own if cell.node.cell_type == kind and not cell.stands_for]
    # An answer in several code cells is still one answer: its first cell gets the id, as in a split cell.
    if len(wanted) != len(fitting) and not (len(wanted) == 1 and fitting and kind == "code"):
        return []
    for name, cell in zip(wanted, fitting, strict=False):
        cell.stands_for = name
    return wanted
