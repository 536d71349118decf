"""What grading costs on a fleet: every number that the simulation is fed with, where it is from, and since when.

`SOURCES` says of each number whether it was measured or assumed. A new measurement changes a number and its line here,
and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

HOUR = 3600.0
MEGABYTE = 1e6


@dataclass(frozen=True)
class RunTimes:
    """How long a submission keeps a slot, in seconds: log-normal, but for some that break off and some that never end.

    Attributes:
        median: of the notebook's own cells and probes, on one slot.
        spread: standard deviation of the logarithm.
        overhead: kernel start, papermill, collecting; on the slot, beside the cells.
        broken_share: crash or are empty, and use a uniform part of their time.
        endless_share: have a cell that is interrupted at `cell_limit`.
    """

    median: float = 120.0
    spread: float = 0.35
    overhead: float = 0.26
    broken_share: float = 0.03
    endless_share: float = 0.01
    cell_limit: float = 1800.0

    @property
    def mean(self) -> float:
        """Expected seconds of one submission."""
        whole = self.median * math.exp(self.spread**2 / 2)
        return self.overhead + whole * (1 - self.broken_share / 2) + self.endless_share * self.cell_limit


@dataclass(frozen=True)
class Coordinator:
    """The machine with the scheduler, the store, the hidden tests and the gradebook, and what a submission costs it.

    Attributes:
        prepare, keep: seconds of the one thread that leads the batch: notebook into parcel, answer into store.
        judges: processes that judge and report, one core each; they may be on several machines.
        judge, report: seconds of a judge per submission.
        scheduler: seconds of the scheduler's one thread per submission.
        megabytes_out, megabytes_in: what travels to a runner and back.
        link: megabytes per second of the coordinator's network, each way.
        writer: seconds of the gradebook's one writer per submission.
        writes_at_end: whether the writer begins when all reports are there.
    """

    prepare: float = 0.02
    keep: float = 0.02
    judges: int = 16
    judge: float = 0.45
    report: float = 0.70
    scheduler: float = 0.0069
    megabytes_out: float = 3.5
    megabytes_in: float = 3.5
    link: float = 118.0
    writer: float = 0.05
    writes_at_end: bool = True

    def hourly(self) -> dict[str, float]:
        """Submissions per hour that each shared part can carry, whatever the number of devices."""
        return {
            "gradebook's writer": HOUR / self.writer,
            "judging and reporting": HOUR * self.judges / (self.judge + self.report),
            "leading thread": HOUR / (self.prepare + self.keep),
            "network": HOUR * self.link / max(self.megabytes_out, self.megabytes_in),
            "scheduler": HOUR / self.scheduler,
        }


@dataclass(frozen=True)
class Fleet:
    """The runners. A node that is lost takes what runs on all of its slots with it.

    Attributes:
        devices: GPUs, `kernels` slots each.
        per_node: devices in one machine, lost together.
        hours_between_losses: mean time between losses of one node, exponential.
        detection: seconds until the scheduler gives a silent node up.
        replacement: seconds from the loss until another node takes its place.
    """

    devices: int
    kernels: int = 1
    per_node: int = 4
    hours_between_losses: float = math.inf
    detection: float = 300.0
    replacement: float = 600.0


@dataclass(frozen=True)
class Arrivals:
    """When submissions come in: `days` before the deadline, a share of them as a rush that grows towards it.

    Attributes:
        days: of the open time; 0 means that grading begins with everything at the deadline.
        rush: share that comes exponentially close to the deadline; the rest is uniform.
        rush_hours: mean time of the rush before the deadline.
    """

    days: float = 0.0
    rush: float = 0.7
    rush_hours: float = 6.0


AS_IT_IS = Coordinator()
# Judging on 128 cores, preparing and storing beside the leading thread, the probes' inputs sent once per node, runs
# compressed, the gradebook written in batches as reports come.
CHANGED = Coordinator(
    prepare=0.005,
    keep=0.0,
    judges=128,
    scheduler=0.00225,
    megabytes_out=0.06,
    megabytes_in=0.93,
    writer=0.02,
    writes_at_end=False,
)

SOURCES: tuple[tuple[str, str, str], ...] = (
    ("training on a GPU, median", "120 s; 30 and 300 s beside it", "**assumed**: no GPU was to be had"),
    (
        "its spread",
        "log-normal, sigma 0.35",
        "measured 2026-11-21: 0.14 to 0.37 in 100 runs of four homeworks, variants of model solutions, smoke profile",
    ),
    ("break off early; never end", "3 %; 1 %", "**assumed**; at 1800 s a cell is interrupted (profile `gpu`)"),
    (
        "beside the cells, on the slot",
        "0.26 s",
        "measured 2026-11-21: 0.36 s in all, 0.10 s of it judging ([benchmarks.md](../../docs/benchmarks.md))",
    ),
    (
        "preparing; storing",
        "0.02 s; 0.02 s (in all 0.005 s, **assumed**, beside the leading thread)",
        "measured 2026-11-21, `jena_multistep`, smoke profile: decide 0.012, pack 0.005, read and store 0.02 s",
    ),
    (
        "judging; report and page",
        "0.45 s; 0.70 s of a core",
        "measured 2026-11-21, `jena_multistep`, smoke profile, a busy machine (two small questions: 0.10 s together)",
    ),
    (
        "sent to a runner",
        "3.5 MB; 0.06 MB with inputs sent once per node",
        "measured 2026-11-21: the notebook 0.055 MB, the probes' inputs 3.4 MB and the same for all",
    ),
    ("sent back", "3.5 MB; 0.93 MB compressed", "measured 2026-11-21: stored run of `jena_multistep`, zlib"),
    (
        "Dask's scheduler",
        "6.9 ms; 2.25 ms with the smaller parcels",
        "measured 2026-11-21 (fleet_dask.json); [Dask](https://distributed.dask.org/en/latest/) itself says about 1 ms",
    ),
    (
        "the gradebook's writer",
        "0.05 s, at the end; 0.02 s, as reports come",
        "measured 2026-11-21: 0.03 s of processor, 0.08 s by the clock of a busy machine; 0.02 s is **assumed**",
    ),
    ("coordinator", "16 judges (128), 1 Gbit/s each way", "**assumed**"),
    (
        "a lost node",
        "4 GPUs, noticed after 300 s, replaced after 600 s",
        "300 s is Dask's `worker-ttl`; the rest **assumed**",
    ),
    ("arrivals over a week", "70 % in a rush of mean 6 h before the deadline", "**assumed**"),
)
