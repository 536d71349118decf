"""The account of one run while it happens: what becomes the Run record."""

from __future__ import annotations

from collections.abc import Callable

from nbformat import NotebookNode

from autograder.execution.gpu_use import GpuUse
from autograder.execution.limits import Activity, Breach, allowances
from autograder.execution.outputs import CellOutput
from autograder.execution.plan import ExecutionPlan
from autograder.records import (
    CellError,
    CellOutcome,
    CellRun,
    LimitExceeded,
    LimitName,
    ProbeOutcome,
    ProbeRun,
    Run,
)

Progress = Callable[[int, int, str | None], None]


def grade_id(cell: NotebookNode) -> str | None:
    """The nbgrader id of a cell, or None."""
    value = cell.metadata.get("nbgrader", {}).get("grade_id")
    return str(value) if value else None


class Account:
    """Collects what happened to the cells and probes of one plan."""

    def __init__(self, plan: ExecutionPlan, on_cell: Progress | None = None) -> None:
        self.plan = plan
        self.allowed = allowances(plan.limits)
        self.cells: list[CellRun] = []
        self.probes: list[ProbeRun] = []
        self.limits_exceeded: list[LimitExceeded] = []
        self.seconds = 0.0
        self.startup_seconds = 0.0
        self.peak_memory_mb: float | None = None
        self.cause_of_death = ""
        self.kernel_died = False
        self.level = plan.level
        self.level_note = ""
        self.gpu_use = GpuUse(plan)
        self._on_cell = on_cell

    def add_cell(
        self,
        cell: NotebookNode,
        index: int,
        outcome: CellOutcome,
        total: int,
        *,
        activity: Activity | None = None,
        output: CellOutput | None = None,
        error: CellError | None = None,
        refused: LimitName | None = None,
    ) -> None:
        """Record one code cell, and tell whoever follows the progress.

        Args:
            cell: the cell.
            index: its place among all cells.
            outcome: how it ended.
            total: the number of code cells.
            activity: what the watchdog saw of it.
            output: what it put out.
            error: the exception that it ended with.
            refused: the limit that the system refused to exceed, if that is what the exception says.
        """
        name = grade_id(cell)
        truncated = output is not None and bool(output.reasons)
        self.cells.append(
            CellRun(
                index=index,
                grade_id=name,
                outcome=outcome,
                error=error,
                seconds=round(activity.seconds, 3) if activity else 0.0,
                peak_memory_mb=_rounded(activity.peak_memory_mb) if activity else None,
                output_bytes=output.received_bytes if output else 0,
                output_truncated=truncated,
            )
        )
        if activity is not None and activity.breach is not None:
            self.add_breach(activity.breach, name, index)
        if output is not None:
            self._add_limits(output.exceeded, name, index)
        if refused is not None:
            self._add_limits([refused], name, index)
        if self._on_cell is not None:
            self._on_cell(len(self.cells), total, name)

    def note_truncated(self, index: int, output: CellOutput) -> None:
        """The cell that was recorded last has lost outputs, as was found out afterwards."""
        last = self.cells[-1]
        self.cells[-1] = last.model_copy(update={"output_truncated": True})
        self._add_limits(output.exceeded, last.grade_id, index)

    def _add_limits(self, limits: list[LimitName], name: str | None, index: int) -> None:
        for limit in limits:
            self.add_breach(Breach(limit, self.allowed[limit]), name, index)

    def add_breach(self, breach: Breach, name: str | None, index: int | None) -> None:
        """Record a limit, once for a cell."""
        known = {(exceeded.limit, exceeded.cell_index) for exceeded in self.limits_exceeded}
        if (breach.limit, index) not in known:
            self.limits_exceeded.append(
                LimitExceeded(limit=breach.limit, allowed=breach.allowed, grade_id=name, cell_index=index)
            )

    def add_probe(self, question: str, outcome: ProbeOutcome, message: str = "", seconds: float = 0.0) -> None:
        """Record one question's probe."""
        self.probes.append(ProbeRun(question=question, outcome=outcome, seconds=round(seconds, 3), message=message))

    def died(self, cause: str) -> None:
        """The kernel has ended before the notebook did; the first cause told is the one that counts."""
        self.cause_of_death = self.cause_of_death or cause
        self.kernel_died = True

    def run(self) -> Run:
        """The finished record; probes that were never reached are `not_run`."""
        done = {probe.question for probe in self.probes}
        for _, probe in sorted(self.plan.probes.items()):
            if probe.question not in done:
                self.add_probe(probe.question, "not_run", self._why_not_run())
        plan = self.plan
        return Run(
            assignment=plan.assignment,
            profile=plan.profile,
            seed=plan.seed,
            sandbox=self.level,
            sandbox_note=self.level_note,
            repairs=plan.repairs,
            cells=tuple(self.cells),
            probes=tuple(self.probes),
            limits_exceeded=tuple(self.limits_exceeded),
            allowed=self.allowed,
            seconds=round(self.seconds, 3),
            startup_seconds=round(self.startup_seconds, 3),
            peak_memory_mb=_rounded(self.peak_memory_mb),
            kernel_died=self.kernel_died,
            cause_of_death=self.cause_of_death,
            devices=self.gpu_use.devices(),
        )

    def _why_not_run(self) -> str:
        if self.kernel_died:
            return f"the notebook had ended before: {self.cause_of_death}"
        if any(exceeded.limit == "run time" for exceeded in self.limits_exceeded):
            return "the time for the whole notebook was over"
        return "the notebook has no cell with this question's id"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
