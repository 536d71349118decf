"""Evidence as hidden tests see it: values by name, and a student's own exception where there is no value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.checks.failure import Failure, LimitFailure
from autograder.errors import HiddenTestError
from autograder.evidence import MAX_NAME, Raised, read_evidence
from autograder.records import LIMIT_ADVICE, CellRun, LimitExceeded, LimitName, Run, limit_behind

PROBE = "$probe"  # the entry under which the runtime puts an exception that ended the whole probe


class EvidenceView:
    """What one question's probe found.

    `view["name"]` is the value, or raises `Failure` with the student's own exception and line when computing the value
    raised, or `LimitFailure` when a limit was in the way. Names are compared as far as evidence keeps them: some hold a
    name that a student chose.
    """

    def __init__(self, path: Path, run: Run, question: str) -> None:
        self._path = path
        self._run = run
        self._question = question
        self._values: dict[str, Any] | None = None
        self._rounds: dict[int, EvidenceView] = {}

    def __getitem__(self, name: str) -> Any:
        values, name = self._read(), name[:MAX_NAME]
        if name in values and not isinstance(values[name], Raised):
            return values[name]
        raised = values.get(name, values.get(PROBE))
        if not isinstance(raised, Raised):
            raise HiddenTestError(f"The probe of {self._question} returns no {name!r}; it returns: {sorted(values)}")
        raise self._failure(raised)

    def round(self, number: int) -> EvidenceView:
        """What the probe found in a later round (`Given.then`); round 0 is this one."""
        if not number:
            return self
        if number not in self._rounds:
            path = self._path.with_name(f"{self._question}.{number}{self._path.suffix}")
            self._rounds[number] = EvidenceView(path, self._run, self._question)
        return self._rounds[number]

    def __contains__(self, name: str) -> bool:
        return name[:MAX_NAME] in self._read()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(name for name in self._read() if name != PROBE))

    def get_raised(self, name: str) -> Raised | None:
        """The exception in place of a value, or None."""
        values = self._read()
        value = values.get(name[:MAX_NAME], values.get(PROBE))
        return value if isinstance(value, Raised) else None

    def _read(self) -> dict[str, Any]:
        if self._values is None:
            if not self._path.exists() and not self._path.is_symlink():
                raise self._absence()
            self._values = read_evidence(self._path)
        return self._values

    def _failure(self, raised: Raised) -> Failure:
        if raised.name == "TimeLimit":
            return LimitFailure("Calling your code took longer than grading allows.", LIMIT_ADVICE["cell time"])
        if (limit := limit_behind(raised.name, raised.message)) is not None:
            return self._refused(limit, str(raised))
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
        limit = self._limit_that_stopped(cell)
        if limit is not None:
            line = f", at line {cell.error.line}: `{cell.error.source}`" if cell.error and cell.error.line else ""
            return LimitFailure(
                f"{raised.message}, because the cell `{name}` ran into a limit. "
                f"Received: {limit}; the cell ran for {cell.seconds:.0f} s{line}",
                limit.advice,
            )
        return Failure(f"{raised.message}. The cell `{name}` stopped with an exception. Received: {cell.error}")

    def _refused(self, limit: LimitName, received: str) -> LimitFailure:
        allowed = self._run.allowed.get(limit, "no more of it")
        return LimitFailure(
            f"Your code ran into a limit when it was called ({limit}: {allowed} allowed). Received: {received}",
            LIMIT_ADVICE[limit],
        )

    def _limit_that_ended_the_run(self) -> LimitExceeded | None:
        """The limit after which nothing ran any more; the others are matters of single cells."""
        killed = {cell.index for cell in self._run.cells if cell.outcome == "killed"}
        return next(
            (
                exceeded
                for exceeded in self._run.limits_exceeded
                if exceeded.limit == "run time"
                or exceeded.cell_index is None
                or (exceeded.cell_index in killed and exceeded.allowed in self._run.cause_of_death)
            ),
            None,
        )

    def _limit_that_stopped(self, cell: CellRun) -> LimitExceeded | None:
        """The limit that ended a cell early. One that only cut its output does not count, unless it was interrupted."""
        interrupted = cell.error is None or cell.error.name == "KeyboardInterrupt"
        return next(
            (
                exceeded
                for exceeded in self._run.limits_exceeded
                if exceeded.cell_index == cell.index and (interrupted or not exceeded.limit.startswith("output"))
            ),
            None,
        )

    def _absence(self) -> Exception:
        """No evidence came: who or what is to blame."""
        probe = self._run.probe(self._question)
        if probe is not None and probe.outcome == "timeout":
            return LimitFailure(
                f"Calling your code took longer than {probe.seconds:.0f} s, which is as long as grading allows.",
                LIMIT_ADVICE["cell time"],
            )
        name, _, message = probe.message.partition(": ") if probe is not None else ("", "", "")
        if (limit := limit_behind(name, message)) is not None:
            return self._refused(limit, f"{name}: {message}")
        if (end := self._limit_that_ended_the_run()) is not None:
            return LimitFailure(f"The run had ended before this question. Received: {end}", end.advice)
        if self._run.kernel_died:
            return Failure(
                f"The kernel had died before this question could be looked at. Received: {self._run.cause_of_death}",
                "Run the notebook from a fresh kernel, from top to bottom.",
            )
        detail = f": {probe.message}" if probe is not None and probe.message else ""
        return HiddenTestError(f"The probe of {self._question} left no evidence although the run was complete{detail}")
