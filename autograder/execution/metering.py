"""What a sandbox uses, added up over its processes: for level `none`, and where there are no control groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Use:
    """What a whole sandbox uses.

    Attributes:
        tasks: processes and threads.
        memory_bytes: memory that cannot be given back.
        cpu_seconds: of all processors together, since the sandbox started.
        refused_tasks: how many times a process or thread was refused so far, where that is counted.
    """

    tasks: int
    memory_bytes: int
    cpu_seconds: float
    refused_tasks: int = 0


class ProcessMeter:
    """Adds up a process and its descendants.

    Args:
        root: gives the process; None before its start and after its end.
        memory_bytes: how much is allowed. Only a sum above it is taken a second, more costly time, with what
            forks share counted once.
    """

    def __init__(self, root: Callable[[], psutil.Process | None], memory_bytes: int) -> None:
        self._root = root
        self._allowed = memory_bytes
        self._cpu_seen: dict[tuple[int, float], float] = {}
        self._cpu_most = 0.0

    def use(self) -> Use | None:
        """What is used now; None when the sandbox does not run."""
        processes = self._processes()
        if not processes:
            return None
        memory = sum(_measured(process, _resident) for process in processes)
        if memory > self._allowed:
            memory = sum(_measured(process, _proportional) for process in processes)
        return Use(
            tasks=sum(int(_measured(process, psutil.Process.num_threads)) for process in processes),
            memory_bytes=int(memory),
            cpu_seconds=self._cpu_seconds(processes),
        )

    def _cpu_seconds(self, processes: list[psutil.Process]) -> float:
        """The time of those that run and, as far as it can be known, of those that have ended.

        A process that ends adds its time to its parent's account of children, unless the parent ignores how its
        children end. So two sums are taken, and the larger counts: what the running ones report for themselves and
        their children, and what was last seen of every process that there ever was.
        """
        reported = 0.0
        for process in processes:
            reported += _measured(process, _own_and_childrens_time)
            own = _measured(process, _own_time)
            key = (process.pid, _measured(process, psutil.Process.create_time))
            self._cpu_seen[key] = max(own, self._cpu_seen.get(key, 0.0))
        self._cpu_most = max(self._cpu_most, reported, sum(self._cpu_seen.values()))
        return self._cpu_most

    def _processes(self) -> list[psutil.Process]:
        root = self._root()
        if root is None:
            return []
        try:
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []  # it has just ended, which the client finds out


def _measured(process: psutil.Process, measure: Callable[[psutil.Process], float]) -> float:
    """A number about one process, 0 if it has ended meanwhile."""
    try:
        return measure(process)
    except psutil.Error:
        return 0


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss)


def _proportional(process: psutil.Process) -> float:
    """Memory with shared pages divided among those who share them; resident memory where the system does not tell."""
    try:
        return float(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return float(process.memory_info().rss)


def _own_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _own_and_childrens_time(process: psutil.Process) -> float:
    times = process.cpu_times()
    # Only Linux accounts for children.
    return float(times.user + times.system + getattr(times, "children_user", 0) + getattr(times, "children_system", 0))
