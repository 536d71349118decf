"""Evidence as hidden tests see it: values by name, and a student's own exception where there is no value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.checks.failure import Failure, LimitFailure
from autograder.errors import HiddenTestError
from autograder.evidence import Raised, read_evidence
from autograder.records import Run

PROBE = "$probe"  # the entry under which the runtime puts an exception that ended the whole probe


class EvidenceView:
    """What one question's probe found.

    `view["name"]` is the value, or raises `Failure` with the student's own exception and line when computing the value
    raised, or `LimitFailure` when a limit was in the way.
    """

    def __init__(self, path: Path, run: Run, question: str) -> None:
        self._path = path
        self._run = run
        self._question = question
        self._values: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        values = self._read()
        if name in values and not isinstance(values[name], Raised):
            return values[name]
        raised = values.get(name, values.get(PROBE))
        if not isinstance(raised, Raised):
            raise HiddenTestError(f"The probe of {self._question} returns no {name!r}; it returns: {sorted(values)}")
        raise self._failure(raised)

    def __contains__(self, name: str) -> bool:
        return name in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(name for name in self._read() if name != PROBE))

    def get_raised(self, name: str) -> Raised | None:
        """The exception in place of a value, or None."""
        values = self._read()
        value = values.get(name, values.get(PROBE))
        return value if isinstance(value, Raised) else None

    def _read(self) -> dict[str, Any]:
        if self._values is None:
            if not self._path.exists() and not self._path.is_symlink():
                raise self._absence()
            self._values = read_evidence(self._path)
        return self._values

    def _failure(self, raised: Raised) -> Failure:
        if raised.name == "TimeLimit":
            return LimitFailure("Calling your code took longer than grading allows.", "Look for loops that never end.")
        if raised.name == "NotImplementedError":
            return Failure(f"This has not been answered yet. Received: {raised}")
        if raised.name == "NotDefined":
            return self._undefined(raised)
        return Failure(f"Your code raised an exception when it was called. Received: {raised}")

    def _undefined(self, raised: Raised) -> Failure:
        """Why a name may be missing: what happened to the question's own cell."""
        name, cell = self._question, self._run.cell(self._question)
        if cell is None or cell.outcome == "ok":
            return Failure(f"{raised.message}. Received: the cell `{name}` ran, but did not define it")
        if cell.outcome in {"timeout", "killed"}:
            line = f", at line {cell.error.line}: `{cell.error.source}`" if cell.error and cell.error.line else ""
            return LimitFailure(
                f"{raised.message}, because the cell `{name}` was stopped when its time was over. "
                f"Received: a cell that still ran after {cell.seconds:.0f} s{line}",
                "Look for loops that never end.",
            )
        return Failure(f"{raised.message}. The cell `{name}` stopped with an exception. Received: {cell.error}")

    def _absence(self) -> Exception:
        """No evidence came: who or what is to blame."""
        probe = self._run.probe(self._question)
        if probe is not None and probe.outcome == "timeout":
            return LimitFailure(
                f"Calling your code took longer than {probe.seconds:.0f} s, which is as long as grading allows."
            )
        if self._run.limits_exceeded:
            return LimitFailure(f"The run had ended before this question. Received: {self._run.limits_exceeded[-1]}")
        if self._run.kernel_died:
            return Failure(
                f"The kernel had died before this question could be looked at. Received: {self._run.cause_of_death}",
                "Run the notebook from a fresh kernel, from top to bottom.",
            )
        detail = f": {probe.message}" if probe is not None and probe.message else ""
        return HiddenTestError(f"The probe of {self._question} left no evidence although the run was complete{detail}")
