"""What an audit looks at, read once: the course's files about one assignment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from autograder.audit.findings import Finding
from autograder.audit.fingerprints import Fingerprints
from autograder.audit.leaving import files_below, pieces, read_text
from autograder.audit.syntax import HiddenFile, imported_modules
from autograder.audit.withheld import Withheld, read_withheld
from autograder.config import Assignment, Course
from autograder.errors import AutograderError
from autograder.mutants import Mutant, read_mutant
from autograder.notebooks import grade_id, read_notebook, release_path
from autograder.notebooks.release import MAX_RELEASE_BYTES

SOLUTIONS = "solutions"
HIDDEN_TESTS = "hidden_tests"
MUTANTS = "mutants"
CALIBRATION = "calibration.json"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
REGION = re.compile(r"(?P<end>BEGIN|END) (?P<kind>SOLUTION|HIDDEN TESTS|MARK SCHEME)\b")


@dataclass
class Subject:
    """One assignment of a course, as far as it can be read; what cannot be read is among the `problems`."""

    folder: Path
    course: Course
    assignment: Assignment
    source: NotebookNode | None = None
    release: NotebookNode | None = None
    hidden: dict[str, HiddenFile] = field(default_factory=dict)
    mutants: list[Mutant] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)
    is_released: bool = True

    @property
    def name(self) -> str:
        """Of the assignment."""
        return self.assignment.name

    @property
    def home(self) -> Path:
        """Where the assignment's secrets lie."""
        return self.folder / SOLUTIONS / self.name

    @property
    def source_path(self) -> Path:
        """The instructor's notebook."""
        return self.home / f"{self.name}.ipynb"

    @property
    def release_folder(self) -> Path:
        """What students get."""
        return release_path(self.folder, self.name).parent

    @cached_property
    def released_files(self) -> list[Path]:
        """The files that students get."""
        return files_below(self.release_folder) if self.is_released else []

    def told(self, path: Path) -> str:
        """A path as findings name it: seen from the course folder."""
        return str(path.relative_to(self.folder)) if path.is_relative_to(self.folder) else str(path)

    @cached_property
    def secret_files(self) -> list[Path]:
        """Python files and JSON that never leave: all in `solutions/NAME`, and modules of the course they import."""
        own = [path for path in sorted(self.home.rglob("*")) if path.suffix in {".py", ".json"} and _is_ours(path)]
        wanted = {name for path in own if path.suffix == ".py" for name in imported_modules(read_text(path))}
        return [*own, *_modules_of(self.folder, wanted)]

    @cached_property
    def public_text(self) -> list[str]:
        """What students may know: the source notebook with nbgrader's stubs in place of the solutions."""
        cells = self.source.cells if self.source is not None else []
        return [outside_solution(cell, STUB) for cell in cells]

    @cached_property
    def solution_texts(self) -> list[tuple[str, str]]:
        """The secret parts of the source notebook, with the cell that each stands in."""
        where = self.told(self.source_path)
        cells = self.source.cells if self.source is not None else []
        return [(text, f"{where} cell {cell_name(cell)}") for cell in cells for text in solution_regions(cell)]

    @cached_property
    def secrets(self) -> Fingerprints:
        """Of everything that must not leave, without what students may know."""
        return self._fingerprints(self.secret_files)

    @cached_property
    def solutions(self) -> Fingerprints:
        """Of solutions alone: the reference, oracles, demo students, what calibrates them; no hidden tests."""
        tests = {hidden.path for hidden in self.hidden.values()}
        return self._fingerprints([path for path in self.secret_files if path not in tests])

    def _fingerprints(self, paths: list[Path]) -> Fingerprints:
        texts = [(piece.text, self.told(path)) for path in paths for piece in pieces(path)]
        raw = [(read_text(path), self.told(path)) for path in paths if path.suffix == ".json"]
        return Fingerprints([*self.solution_texts, *texts, *raw]).without(self.public_text)

    @cached_property
    def test_secrets(self) -> Fingerprints:
        """Of the hidden tests alone, without the sentences that their author wrote for students."""
        files = [(hidden.text, self.told(hidden.path)) for hidden in self.hidden.values()]
        sentences = [text for hidden in self.hidden.values() for text in hidden.sentences]
        return Fingerprints(files).without([*self.public_text, *sentences])

    @cached_property
    def withheld(self) -> Withheld:
        """What students never get of the assignment's data."""
        return read_withheld(self.folder, self.assignment)

    @cached_property
    def release_text(self) -> str:
        """Everything that a student can read in the released notebook: its text, the given code, the visible tests."""
        return "\n".join(cell.source for cell in self.release.cells) if self.release is not None else ""


def read_subject(folder: Path, course: Course, name: str, *, is_released: bool = True) -> Subject:
    """Read everything about an assignment; what is missing or damaged becomes a problem, not an exception.

    Where it `is_released` not yet, an older release is left out.

    Raises:
        ConfigurationError: the course has no such assignment.
    """
    subject = Subject(folder.resolve(), course, course.assignment(name), is_released=is_released)
    subject.source = _notebook(subject, subject.source_path, "Put the instructor's notebook there.")
    released = release_path(subject.folder, name)
    if is_released:
        subject.release = _notebook(subject, released, f"Make it: `autograder release {name}`.")
    for path in sorted((subject.home / HIDDEN_TESTS).glob("test_*.py")):
        try:
            hidden = HiddenFile.read(path)
        except (OSError, SyntaxError, ValueError) as error:
            line = error.lineno if isinstance(error, SyntaxError) else None
            problem = f"cannot be read: {error}"
            subject.problems.append(_unreadable(subject, path, problem, "Correct the file.", line))
        else:
            subject.hidden[hidden.question] = hidden
    for path in sorted((subject.home / MUTANTS).glob("*.py")):
        try:
            subject.mutants.append(read_mutant(path))
        except AutograderError as error:
            subject.problems.append(_unreadable(subject, path, str(error), "Correct the file."))
    return subject


def _notebook(subject: Subject, path: Path, remedy: str) -> NotebookNode | None:
    try:
        return read_notebook(path, max_bytes=MAX_RELEASE_BYTES)
    except AutograderError as error:
        subject.problems.append(_unreadable(subject, path, str(error), remedy))
        return None


def _unreadable(subject: Subject, path: Path, found: str, remedy: str, line: int | None = None) -> Finding:
    return Finding("unreadable", "error", subject.told(path), found, remedy, line)


def _is_ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts


def _modules_of(folder: Path, names: set[str]) -> list[Path]:
    """Files in the course folder for imported modules, and for what these import; the product itself is public."""
    found: dict[Path, None] = {}
    waiting = sorted(names)
    seen = set(waiting)
    while waiting:
        name = waiting.pop(0)
        parts = name.split(".")
        if parts[0] == "autograder":
            continue
        base = folder.joinpath(*parts)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file() and path not in found:
                found[path] = None
                more = imported_modules(read_text(path)) - seen
                seen |= more
                waiting += sorted(more)
    return list(found)


def cell_name(cell: NotebookNode) -> str:
    """A cell's grade_id, else its own id."""
    return grade_id(cell) or str(cell.get("id", "?"))


def solution_regions(cell: NotebookNode) -> list[str]:
    """The text between nbgrader's marks; the whole of a solution cell of code that has no marks."""
    regions: list[list[str]] = []
    for line, region, is_mark in _by_region(cell):
        if is_mark and region:
            regions.append([])
        elif region:
            regions[-1].append(line)
    if not regions and _is_code_to_write(cell):
        return [str(cell.source)]
    return ["\n".join(region) for region in regions]


def outside_solution(cell: NotebookNode, stub: str = "") -> str:
    """The text of a cell that students get, with `stub` in the place of each solution."""
    if _is_code_to_write(cell) and not any(region for _, region, _ in _by_region(cell)):
        return stub
    lines = []
    for line, region, is_mark in _by_region(cell):
        if not region and not is_mark:
            lines.append(line)
        elif is_mark and region == "SOLUTION":
            lines.append(stub)
    return "\n".join(lines)


def _is_code_to_write(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _by_region(cell: NotebookNode) -> Iterator[tuple[str, str, bool]]:
    """The lines of a cell, each with the kind of the region that it is in or begins, and whether it is a mark."""
    region = ""
    for line in cell.source.splitlines():
        mark = REGION.search(line)
        if mark is not None:
            region = mark["kind"] if mark["end"] == "BEGIN" else ""
        yield line, region, mark is not None
