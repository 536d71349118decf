"""What is told of a running batch, as it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Fault = Literal["machine", "grader"]


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
    """How a submission ended: the status of its report, or None and why there is none; and what it needed.

    `fault` says whose it is that there is none: the machine's, or the grader's own.
    """

    name: str
    value: str | None
    problem: str = ""
    seconds: float = 0.0
    action: str = "run"
    fault: Fault | None = None


Event = Started | CellDone | Outcome
