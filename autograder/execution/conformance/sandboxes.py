"""What the kit needs of a sandbox, and how one is named on the command line."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, get_args

from autograder.errors import SandboxError
from autograder.execution import ExecutionPlan, execute, levels
from autograder.records import Run, SandboxLevel

Progress = Callable[[int, int, str | None], None]


class Sandbox(Protocol):
    """Anything that runs a notebook for the grader.

    Attributes:
        name: shown in test ids and tables.
        known_failures: promise (a test's name without `test_`) to the reason why it does not hold here. The test must
            then fail: a promise that holds again is reported, so that the entry is removed.
    """

    @property
    def name(self) -> str:
        """Shown in test ids and tables."""

    @property
    def known_failures(self) -> Mapping[str, str]:
        """Promises that do not hold, and why."""

    def execute(self, plan: ExecutionPlan, folder: Path, on_cell: Progress | None = None) -> Run:
        """Run the plan as `autograder.execution.execute` does, whatever the plan's `level` says."""


@dataclass(frozen=True)
class Level:
    """One of this package's own levels as a sandbox under test."""

    level: SandboxLevel
    known_failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The level's own name."""
        return self.level

    def execute(self, plan: ExecutionPlan, folder: Path, on_cell: Progress | None = None) -> Run:
        """Run the plan at this level.

        Raises:
            SandboxError: another level took over, whose promises would be tested instead.
        """
        run = execute(replace(plan, level=self.level), folder, on_cell=on_cell)
        if run.sandbox != self.level:
            raise SandboxError(f"the level {self.level!r} was asked for. Received: a run at {run.sandbox!r}")
        return run

    def why_not(self) -> str:
        """Why this level does not work on this machine; empty if it does."""
        status = next(status for status in levels() if status.level == self.level)
        return "" if status.works else f"the level {self.level!r} does not work here: {status.why}"


def load_sandbox(spec: str) -> Sandbox:
    """A sandbox by its name on the command line: `warm`, `cold`, `none`, or `package.module:OBJECT`.

    Raises:
        SandboxError: there is no such sandbox, or the object lacks what a sandbox needs.
    """
    if spec in get_args(SandboxLevel):
        return next(Level(level) for level in get_args(SandboxLevel) if level == spec)
    module, _, name = spec.partition(":")
    try:
        found: Sandbox = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        known = ", ".join(get_args(SandboxLevel))
        raise SandboxError(
            f"--sandbox takes {known} or package.module:OBJECT, importable from here ({error}). Received: {spec!r}"
        ) from error
    missing = [part for part in ("name", "known_failures", "execute") if not hasattr(found, part)]
    if missing:
        raise SandboxError(
            f"a sandbox has name, known_failures and execute; {', '.join(missing)} missing. Received: {spec!r}"
        )
    return found
