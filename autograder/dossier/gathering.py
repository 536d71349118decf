"""Everything that is known of one submission, for whoever looks for a reason: `autograder show`.

Of the evidence only names, kinds and shapes are told: what is in it is judged by hidden tests, and a person who wants
to see it runs one of them by hand, with the command that is told as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from autograder import store
from autograder.attention import Kind, find_case
from autograder.checks.view import PROBE
from autograder.errors import EvidenceError
from autograder.evidence import Other, Raised, read_evidence
from autograder.records import Record, Report
from autograder.store import history

MANY_FILES = 200
MANY_NAMES = 200  # of one file, some of which a student may have chosen
FEW_NAMES = 12  # of a dictionary or table
BASIS_WORDS: Mapping[str, str] = {
    "submission_sha256": "submission",
    "submitted_at": "time of submission",
    "hidden_tests_sha256": "hidden tests",
    "data_sha256": "data",
    "withheld_sha256": "withheld data",
    "further_runs": "further runs",
}
"""Parts of a mark's basis in words; the others are words already."""


class Found(Record):
    """One value that a probe left: its name, and what kind of thing it is."""

    name: str
    what: str


class EvidenceFile(Record):
    """What one round of a question's probe left.

    `found` are its values by name, `more` counts those that are left out, and `problem` says why there are none.
    """

    question: str
    file: str
    size: int = 0
    found: tuple[Found, ...] = ()
    more: int = 0
    problem: str = ""


class StoredRun(Record):
    """One stored run: its folder (None where it is gone) and the evidence in it."""

    key: str
    folder: Path | None
    evidence: tuple[EvidenceFile, ...] = ()


class Publication(Record):
    """One line of a mark's history: when it was published, the score, and what had changed since the line before."""

    at: datetime
    status: str
    score: float | None
    changed: tuple[str, ...]


class Dossier(Record):
    """One submission, looked into.

    Attributes:
        report: as it was published.
        kind: what kind of thing happened to it, and `reason` in a sentence; None when it is plainly graded.
        report_folder: with the page and the executed notebook.
        runs: those that the report rests on, the first one first.
        log: what its worker printed, where it printed something.
        history: of the mark, oldest first.
        judge_again: for each question the command, in the course folder, that judges it by hand.
    """

    report: Report
    kind: Kind | None = None
    reason: str = ""
    report_folder: Path
    runs: tuple[StoredRun, ...] = ()
    log: Path | None = None
    history: tuple[Publication, ...] = ()
    judge_again: dict[str, str] = Field(default_factory=dict)

    @property
    def first_to_judge(self) -> str | None:
        """The command for the question that a person is most likely to look at: one that went wrong, or failed."""
        order = {"error": 0, "failed": 1, "partial": 2}
        questions = sorted(self.report.questions, key=lambda question: order.get(question.outcome, 3))
        return next((self.judge_again[question.id] for question in questions if question.id in self.judge_again), None)

    def to_json(self) -> str:
        """All of it but the pictures, which are in the report's own file."""
        told = self.model_dump(mode="json")
        for question in told["report"]["questions"]:
            del question["pictures"]
        return json.dumps(told, indent=1)


def look_into(course_folder: Path, assignment: str, student: str) -> Dossier:
    """Gather what is stored of one submission; nothing is run, judged or written.

    Raises:
        ReportError: it has no report, or one that cannot be read.
    """
    report = store.read_report(course_folder, assignment, student)
    folder = store.report_folder(course_folder, assignment, student)
    case = find_case(report)
    runs = tuple(_stored_run(course_folder, key) for key in report.runs if store.is_folder_name(key))
    log = course_folder / store.STATE_FOLDER / "logs" / assignment / f"{student}.log"
    return Dossier(
        report=report,
        kind=case.kind if case else None,
        reason=case.reason if case else "",
        report_folder=folder,
        runs=runs,
        log=log if log.is_file() else None,
        history=tuple(_publications(history.read(folder))),
        judge_again=_commands(course_folder, report, runs),
    )


def _stored_run(course_folder: Path, key: str) -> StoredRun:
    if not store.has_run(course_folder, key):
        return StoredRun(key=key, folder=None)
    folder = store.run_folder(course_folder, key)
    files = sorted((folder / "evidence").glob("*.npz"))[:MANY_FILES]
    return StoredRun(key=key, folder=folder, evidence=tuple(map(_evidence_file, files)))


def _evidence_file(path: Path) -> EvidenceFile:
    """`windows.npz` is of the question `windows`, and so is `windows.1.npz`, of a later round."""
    question = path.stem.partition(".")[0]
    size = path.lstat().st_size
    try:
        values = read_evidence(path)
    except EvidenceError as error:
        return EvidenceFile(question=question, file=path.name, size=size, problem=str(error))
    ended = values.pop(PROBE, None)
    names = sorted(values)
    found = tuple(Found(name=name, what=describe(values[name])) for name in names[:MANY_NAMES])
    problem = f"the probe ended with {ended.name}" if isinstance(ended, Raised) else ""
    return EvidenceFile(
        question=question, file=path.name, size=size, found=found, more=len(names) - len(found), problem=problem
    )


def describe(value: Any, *, within: bool = False) -> str:
    """The kind and shape of a piece of evidence, without what is in it; `within` others, in few words."""
    match value:
        case Raised():
            told = f"raised {value.name}"
        case Other():
            told = f"a {value.type}"
        case np.ndarray():
            told = f"{value.dtype} {value.shape}"
        case pd.DataFrame():
            told = f"table of {len(value)} rows" + ("" if within else f": {_few(list(map(str, value.columns)))}")
        case pd.Series():
            told = f"series of {len(value)}, {value.dtype}"
        case dict():
            told = f"{len(value)} by name" + ("" if within or not value else f": {_few(sorted(value))}")
        case list():
            kinds = sorted({describe(item, within=True) for item in value[:FEW_NAMES]})
            told = f"list of {len(value)}" + ("" if within or not value else f": {' or '.join(kinds[:2])}")
        case str() | bytes():
            told = f"{'text' if isinstance(value, str) else 'bytes'} of {len(value)}"
        case _:
            told = type(value).__name__
    return told


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - FEW_NAMES} more" if len(names) > FEW_NAMES else ""
    return ", ".join(names[:FEW_NAMES]) + more


def _commands(course_folder: Path, report: Report, runs: Sequence[StoredRun]) -> dict[str, str]:
    """How to judge each question by hand, as far as its hidden tests and the run are there."""
    stored = next((run for run in runs if run.folder is not None), None)
    if stored is None:
        return {}
    tests = Path("solutions") / report.assignment / "hidden_tests"
    evidence = store.run_folder(Path(), stored.key)
    return {
        question.id: f"pytest {tests / f'test_{question.id}.py'} --evidence {evidence}"
        for question in report.questions
        if (course_folder / tests / f"test_{question.id}.py").is_file()
    }


def _publications(marks: Sequence[history.Mark]) -> Iterator[Publication]:
    before: history.Mark | None = None
    for mark in marks:
        changed = ("first published",) if before is None else tuple(_changes(before, mark))
        yield Publication(at=mark.at, status=mark.status, score=mark.score, changed=changed)
        before = mark


def _changes(before: history.Mark, after: history.Mark) -> Iterator[str]:
    """What is another, in words: parts of the basis, then devices and points."""
    for name in history.BASIS:
        old, new = before.basis.get(name), after.basis.get(name)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            versions = sorted(part for part in {*old, *new} if old.get(part) != new.get(part))
            yield ", ".join(f"{part} {old.get(part)} → {new.get(part)}" for part in versions)
        elif name in {"profile", "sandbox", "seed"}:
            yield f"{name} {old} → {new}"
        else:
            yield BASIS_WORDS.get(name, name)
    if before.devices != after.devices:
        yield f"devices: {', '.join(after.devices) or 'none'}"
    points = sorted(
        name for name in {*before.points, *after.points} if before.points.get(name) != after.points.get(name)
    )
    if points:
        yield f"points of {', '.join(points)}"
