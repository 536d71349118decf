"""Generated mutants that behave like the solution on every input: said once by the instructor, and remembered.

`solutions/ASSIGNMENT/equivalent_mutants.json` keeps each under a digest of its question and its code, so that an entry
holds as long as the changed code is the same, and lapses when the solution changes there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from autograder import atomic
from autograder.errors import MutantError, UntrustedError
from autograder.records import Record
from autograder.selftest.mutations import Mutation
from autograder.untrusted import read_bytes

EQUIVALENTS_FILE = "equivalent_mutants.json"
_MAX_BYTES = 16 * 2**20


class Equivalent(Record):
    """One such mutant: what it was called when it was marked, why it is as right as the solution, and its change."""

    name: str
    question: str
    because: str
    diff: tuple[str, ...]


_ENTRIES = TypeAdapter(dict[str, Equivalent])


def equivalents_file(course_folder: Path, assignment: str) -> Path:
    """Where an assignment's equivalent mutants are kept."""
    return course_folder / "solutions" / assignment / EQUIVALENTS_FILE


def read_equivalents(path: Path) -> dict[str, Equivalent]:
    """The entries by digest; none where there is no file.

    Raises:
        MutantError: the file cannot be read.
    """
    try:
        return _ENTRIES.validate_json(read_bytes(path, _MAX_BYTES))
    except UntrustedError as error:
        if error.reason == "missing":
            return {}
        raise MutantError(f"{EQUIVALENTS_FILE} {error.problem}. Received: {path} ({error.received})") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise MutantError(f"{EQUIVALENTS_FILE} is damaged: {field}: {first['msg']}. Received: {path}") from error


def add_equivalent(path: Path, mutation: Mutation, because: str) -> None:
    """Remember that a mutant is as right as the solution.

    Raises:
        MutantError: the reason is missing, or the file cannot be read.
    """
    if not because.strip():
        raise MutantError(f"Say why {mutation.name} is as right as the solution. Received: no reason")
    entry = Equivalent(
        name=mutation.name,
        question=mutation.question,
        because=because.strip(),
        diff=tuple(mutation.diff.splitlines()),
    )
    entries = {**read_equivalents(path), mutation.digest: entry}
    ordered = dict(sorted(entries.items(), key=lambda each: (each[1].question, each[1].name, each[0])))
    text = json.dumps(_ENTRIES.dump_python(ordered, mode="json"), indent=1, ensure_ascii=False)
    atomic.write(path, text + "\n")


def lapsed(entries: Mapping[str, Equivalent], mutations: Sequence[Mutation]) -> list[Equivalent]:
    """Entries whose mutant can no longer be made."""
    made = {mutation.digest for mutation in mutations}
    return [entry for digest, entry in entries.items() if digest not in made]
