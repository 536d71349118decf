"""Rules about what is published of grading: reports, feedback pages, executed notebooks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from autograder.audit.findings import Finding, Severity
from autograder.audit.fingerprints import Fingerprints
from autograder.audit.leaving import files_below, pieces
from autograder.audit.registry import rule
from autograder.audit.release_rules import machine_paths, paths_in, place
from autograder.audit.subject import Subject

REPORTS, FEEDBACK, SUBMITTED = "reports", "feedback", "submitted"
NOT_THE_PAGE = "Find out how it came there (a message, a hint, an output), mend that, and grade again."


def published(subject: Subject) -> Iterator[tuple[str, Path]]:
    """What students may get back, with the student's name; the class's own pages have none."""
    for path in files_below(subject.folder / REPORTS / subject.name):
        inner = path.relative_to(subject.folder / REPORTS / subject.name)
        yield (inner.parts[0] if len(inner.parts) > 1 else ""), path
    for folder in sorted((subject.folder / FEEDBACK).glob(f"*/{subject.name}")):
        for path in files_below(folder):
            yield folder.parent.name, path


def handed_in(subject: Subject, student: str) -> list[str]:
    """The texts of a student's own submission; empty where it is not here."""
    folder = subject.folder / SUBMITTED / student / subject.name
    return [piece.text for path in files_below(folder) for piece in pieces(path)] if student else []


@rule("test-in-feedback")
def test_in_feedback(subject: Subject) -> Iterator[Finding]:
    """No report, feedback page or executed notebook holds the source of a hidden test; its sentences may be there."""
    yield from _copies("test-in-feedback", subject, subject.test_secrets)


@rule("solution-in-feedback")
def solution_in_feedback(subject: Subject) -> Iterator[Finding]:
    """No report, feedback page or executed notebook holds solution code that the student did not hand in."""
    sentences = [text for hidden in subject.hidden.values() for text in hidden.sentences]
    yield from _copies("solution-in-feedback", subject, subject.solutions.without(sentences))


@rule("path-in-feedback")
def path_in_feedback(subject: Subject) -> Iterator[Finding]:
    """No report, feedback page or executed notebook names a place in the course folder."""
    paths = [path for path in machine_paths(subject.folder) if path == str(subject.folder)]
    for student, path in published(subject):
        own: list[str] | None = None
        for piece in pieces(path):
            for line, named in paths_in(piece.text, paths):
                if named.startswith((sys.prefix, sys.base_prefix)):
                    continue  # libraries that the student's own code has called
                own = handed_in(subject, student) if own is None else own
                if not any(named in text for text in own):
                    found = f"the path {named}"
                    yield Finding("path-in-feedback", "error", place(subject, piece), found, NOT_THE_PAGE, line)


def _copies(identifier: str, subject: Subject, secrets: Fingerprints) -> Iterator[Finding]:
    """Copies of secrets in what is published, without what the student wrote as well."""
    for student, path in published(subject):
        for piece in pieces(path):
            if not secrets.copies(piece.text):
                continue
            own = handed_in(subject, student)
            severity: Severity = "error" if own or not student else "warning"
            doubt = "" if own or not student else " (the submission is not here: the student may have written it)"
            for copy in secrets.without(own).copies(piece.text):
                found = f"{copy.tokens} tokens are also in {copy.origin}: {copy.excerpt}{doubt}"
                yield Finding(identifier, severity, place(subject, piece), found, NOT_THE_PAGE, copy.line)
