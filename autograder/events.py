"""What is told of a running batch, as it happens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Started:
    """A submission's notebook begins to run; `attempt` counts from 1, and `why` says why it has to run."""

    name: str
    attempt: int
    why: str = ""


@dataclass(frozen=True)
class CellDone:
    """`done` of `total` code cells have run; `cell` is the grade_id of the last one, if it has one."""

    name: str
    done: int
    total: int
    cell: str | None


@dataclass(frozen=True)
class Outcome:
    """How a submission ended: the status of its report, or None and why there is none; and what it needed."""

    name: str
    value: str | None
    problem: str = ""
    seconds: float = 0.0
    action: str = "run"


Event = Started | CellDone | Outcome
