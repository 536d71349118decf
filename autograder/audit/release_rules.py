"""Rules about the release folder: nothing secret in it, and no trace of the instructor's machine."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autograder.audit.findings import Finding
from autograder.audit.leaving import Piece, pieces
from autograder.audit.registry import rule
from autograder.audit.subject import CALIBRATION, HIDDEN_TESTS, MUTANTS, SOLUTIONS, Subject, cell_name

RELEASE_AGAIN = "Mend the source notebook, then release again: `autograder release NAME --force`."
MARK = re.compile(r"(?:BEGIN|END) (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)|#+ *(?:HASHED )?AUTOTEST\b")
NEEDED_OF_NOTEBOOK = {"kernelspec", "language_info", "autograder"}
NEEDED_OF_CELL = {"nbgrader", "tags", "deletable", "editable"}
NEEDED_OF_NBGRADER = {
    "cell_type", "checksum", "grade", "grade_id", "locked", "points", "schema_version", "solution", "task",
}  # fmt: skip
SECRET_NAMES = {
    HIDDEN_TESTS,
    MUTANTS,
    CALIBRATION,
    "calibration.py",
    ".autograder",
    ".ipynb_checkpoints",
    "__pycache__",
}


def released_pieces(subject: Subject) -> Iterator[Piece]:
    """All texts of the release folder."""
    for path in subject.released_files:
        yield from pieces(path)


def place(subject: Subject, piece: Piece) -> str:
    """Where a piece stands, for a finding."""
    where = subject.told(piece.path)
    part = f" {piece.kind}" if piece.kind in {"metadata", "output"} else ""
    return f"{where} cell {piece.cell}{part}" if piece.cell else f"{where}{part}"


@rule("secret-in-release")
def secret_in_release(subject: Subject) -> Iterator[Finding]:
    """No file of the release holds a copy of a solution, a hidden test, a demo student or the calibration."""
    for piece in released_pieces(subject):
        for copy in subject.secrets.copies(piece.text):
            found = f"{copy.tokens} tokens are also in {copy.origin}: {copy.excerpt}"
            yield Finding("secret-in-release", "error", place(subject, piece), found, RELEASE_AGAIN, copy.line)


@rule("mark-in-release")
def mark_in_release(subject: Subject) -> Iterator[Finding]:
    """No marks of nbgrader's are left, such as BEGIN SOLUTION or BEGIN HIDDEN TESTS."""
    for piece in released_pieces(subject):
        for match in MARK.finditer(piece.text):
            line = piece.text.count("\n", 0, match.start()) + 1
            found = f"the mark `{match.group()}`"
            yield Finding("mark-in-release", "error", place(subject, piece), found, RELEASE_AGAIN, line)


@rule("output-in-release")
def output_in_release(subject: Subject) -> Iterator[Finding]:
    """The released notebook was not run: no outputs, no counts."""
    for cell in subject.release.cells if subject.release is not None else []:
        if cell.cell_type == "code" and (cell.get("outputs") or cell.get("execution_count") is not None):
            where = f"{subject.told(subject.release_folder)}/{subject.name}.ipynb cell {cell_name(cell)}"
            found = f"{len(cell.get('outputs') or [])} stored outputs, execution count {cell.get('execution_count')}"
            yield Finding("output-in-release", "error", where, found, RELEASE_AGAIN)


@rule("metadata-in-release")
def metadata_in_release(subject: Subject) -> Iterator[Finding]:
    """Metadata are those that nbgrader, Jupyter and `autograder validate` need: others may tell too much."""
    if subject.release is None:
        return
    where = f"{subject.told(subject.release_folder)}/{subject.name}.ipynb"
    remedy = "Remove it from the source notebook (View > Property Inspector), then release again."
    more = [(where, set(subject.release.metadata) - NEEDED_OF_NOTEBOOK)]
    for cell in subject.release.cells:
        marks = cell.metadata.get("nbgrader", {})
        more.append((f"{where} cell {cell_name(cell)}", set(cell.metadata) - NEEDED_OF_CELL))
        more.append((f"{where} cell {cell_name(cell)}", {f"nbgrader.{key}" for key in set(marks) - NEEDED_OF_NBGRADER}))
    for place_, keys in more:
        if keys:
            found = f"metadata {', '.join(sorted(keys))}"
            yield Finding("metadata-in-release", "warning", place_, found, remedy)


@rule("attachment-in-release")
def attachment_in_release(subject: Subject) -> Iterator[Finding]:
    """Every picture that is attached to a released cell is shown by the text of that cell."""
    for cell in subject.release.cells if subject.release is not None else []:
        unused = [name for name in cell.get("attachments", {}) if f"attachment:{name}" not in cell.source]
        if unused:
            where = f"{subject.told(subject.release_folder)}/{subject.name}.ipynb cell {cell_name(cell)}"
            found = f"attached, and not shown by the text: {', '.join(sorted(unused))}"
            yield Finding("attachment-in-release", "error", where, found, RELEASE_AGAIN)


@rule("path-in-release")
def path_in_release(subject: Subject) -> Iterator[Finding]:
    """No path of the instructor's machine, and none of `solutions/`, stands in the release."""
    paths = machine_paths(subject.folder)
    for piece in released_pieces(subject):
        for line, path in paths_in(piece.text, paths):
            yield Finding("path-in-release", "error", place(subject, piece), f"the path {path}", RELEASE_AGAIN, line)


@rule("file-in-release")
def file_in_release(subject: Subject) -> Iterator[Finding]:
    """Beside the notebook lie only files that lie beside the source, the same bytes, and none of a secret name."""
    for path in subject.released_files:
        inner = path.relative_to(subject.release_folder)
        if inner == Path(f"{subject.name}.ipynb"):
            continue
        original = subject.home / inner
        if SECRET_NAMES & set(inner.parts):
            found = f"this never leaves {SOLUTIONS}/"
        elif path.is_symlink():
            found = "a link, which leads elsewhere on a student's machine"
        elif not original.is_file():
            found = f"nothing of this name lies in {SOLUTIONS}/{subject.name}"
        elif original.read_bytes() != path.read_bytes():
            found = f"not what lies in {SOLUTIONS}/{subject.name}"
        else:
            continue
        remedy = "Delete it, then release again; what students get lies in `data/` or `images/` beside the source."
        yield Finding("file-in-release", "error", subject.told(path), found, remedy)


def machine_paths(folder: Path) -> list[str]:
    """Paths that tell of this machine: the course folder, the home folder, the folder of temporary files."""
    found = [folder.resolve(), Path.home(), Path(tempfile.gettempdir())]
    return sorted({str(path) for path in found if len(path.parts) > 1}, key=len, reverse=True)


def paths_in(text: str, paths: list[str]) -> Iterator[tuple[int, str]]:
    """Where a text names one of these paths or something below it, or a place in `solutions/`; each line once."""
    machine = "|".join(rf"{re.escape(path)}(?![\w-])[^\s\"'<>]*" for path in paths)
    secret = rf"\b{SOLUTIONS}/[\w./-]+|\b{HIDDEN_TESTS}/[\w./-]*"
    pattern = re.compile(rf"(?<![\w.])(?:{machine}|{secret})" if machine else secret)
    for number, line in enumerate(text.splitlines(), 1):
        match = pattern.search(line)
        if match:
            yield number, match.group()[:120]
