"""Rules about data: what is withheld stays here, and what was cut for grading is what it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.audit.findings import Finding, Severity
from autograder.audit.leaving import pieces, read_text
from autograder.audit.published_rules import REPORTS, published
from autograder.audit.registry import rule
from autograder.audit.release_rules import place
from autograder.audit.subject import Subject
from autograder.audit.withheld import WithheldPart, array_items, prepared_data
from autograder.store import REPORT_FILE

REMEDY = "Take it out, and choose another seed or another cut: what has been seen is withheld no more."


@rule("withheld-in-release")
def withheld_in_release(subject: Subject) -> Iterator[Finding]:
    """No record of the withheld part of the data is in the release folder."""
    if subject.withheld.problem:
        where = subject.told(subject.release_folder)
        remedy = "Prepare them: `autograder doctor` does."
        yield Finding("withheld-in-release", "note", where, subject.withheld.problem, remedy)
    for path in subject.released_files:
        yield from _records("withheld-in-release", subject, path, subject.withheld.parts)


@rule("withheld-in-feedback")
def withheld_in_feedback(subject: Subject) -> Iterator[Finding]:
    """No record of the withheld part of the data is in a report, a feedback page or an executed notebook."""
    for student, path in published(subject):
        # What one profile withholds may be public under another: a report says which data it rests on.
        used = _data_of(subject.folder / REPORTS / subject.name / student / REPORT_FILE) if student else ""
        parts = [part for part in subject.withheld.parts if not used or part.public_sha256 == used]
        severity: Severity = "error" if used or len(parts) == 1 else "warning"
        yield from _records("withheld-in-feedback", subject, path, parts, severity)


@rule("data-digest")
def data_digest(subject: Subject) -> Iterator[Finding]:
    """Data that were cut for grading have the digests of their manifest, and reports rest on data that are here."""
    known = set()
    for data in prepared_data(subject.folder, subject.assignment):
        for part, path in (("public", data.public), ("withheld", data.withheld)):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            noted = data.noted.get(f"{part}_sha256")
            known.add(digest)
            if digest != noted:
                found = f"the {part} file has the digest {digest[:16]}, its manifest says {str(noted)[:16]}"
                remedy = f"Delete {subject.told(data.folder)}: it is made again when it is needed."
                yield Finding("data-digest", "error", subject.told(path), found, remedy)
    for path in sorted((subject.folder / REPORTS / subject.name).glob(f"*/{REPORT_FILE}")) if known else []:
        used = _data_of(path)
        if used and used not in known:
            found = f"it rests on data of the digest {used[:16]}, which are not here any more"
            yield Finding("data-digest", "warning", subject.told(path), found, f"Grade {subject.name} again.")


def _records(
    identifier: str, subject: Subject, path: Path, parts: Sequence[WithheldPart], severity: Severity = "error"
) -> Iterator[Finding]:
    """At most one finding for each text of a file."""
    if path.suffix in {".npz", ".npy"}:
        items = list(array_items(path))
        count = max((sum(item in part.items for item in items) for part in parts), default=0)
        if count:
            found = f"{count} items of its arrays are withheld"
            yield Finding(identifier, severity, subject.told(path), found, REMEDY)
        return
    for piece in pieces(path):
        copies = [copy for part in parts for copy in part.records.copies(piece.text)]
        if copies:
            found = f"a record of {copies[0].origin}: {copies[0].excerpt}"
            yield Finding(identifier, severity, place(subject, piece), found, REMEDY, copies[0].line)


def _data_of(path: Path) -> str:
    """The digest of the data that a report rests on; nothing where it says none."""
    try:
        report = json.loads(read_text(path))
    except ValueError:
        return ""
    provenance = report.get("provenance") if isinstance(report, dict) else None
    return str((provenance or {}).get("data_sha256") or "")
