"""The watchdog: a thread beside the Jupyter client that holds a sandbox to its limits.

It samples what all processes of the sandbox use together, and enforces deadlines: first an interrupt, repeated for a
while, then the kill. It does so from its own thread because the client's event loop may be busy with a flood of output,
and it only ever signals; that the kernel has died is found out by the client in its ordinary way.

Other limits are the system's to hold (open files, the size of a file, the disk, and memory in a control group). Student
code may catch the error that it then gets, and is not stopped for it; see `records.limit_behind`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import psutil

from autograder.config import Limits
from autograder.errors import ExecutionError
from autograder.execution.cgroup import OWN_PROCESSES, SandboxGroup
from autograder.execution.metering import ProcessMeter, Use
from autograder.records import CellError, LimitName, limit_behind

_SAMPLE_SECONDS = 0.25
_INTERRUPT_EVERY = 1.0
_GRACE_SECONDS = 4.0
_MEGABYTE = 2**20
# A sandbox that cannot start any more processes is not killed at once: student code may catch the error, and wait for
# some to end. It is killed when it was found so that many times within that many seconds.
_FULL_SAMPLES = 3
_FULL_SECONDS = 10.0
# The file systems of a sandbox may each hold `files`, and refuse more by themselves.
_FILES_SLACK = 1.1


@dataclass(frozen=True)
class Breach:
    """A limit that was run into: which, and how much was allowed, in words."""

    limit: LimitName
    allowed: str


@dataclass(frozen=True)
class DiskUse:
    """What the kernel has written: bytes, and the number of files."""

    used: int
    files: int


def allowances(limits: Limits) -> dict[LimitName, str]:
    """How much is allowed of everything that is limited, in words."""
    return {
        "cell time": _seconds(limits.cell_seconds),
        "run time": _seconds(limits.run_seconds),
        "cpu time": f"{_seconds(limits.cpu_seconds)} of processor time",
        "memory": f"{limits.memory_mb} MB",
        "processes": f"{limits.processes} processes and threads",
        "open files": f"{limits.open_files} open files",
        "disk": f"{limits.disk_mb} MB",
        "files": f"{limits.files} files and folders",
        "file size": f"{limits.file_mb} MB in a file",
        "output": f"{limits.cell_output_kb} kB, and {limits.image_kb} kB for a picture",
        "output count": f"{limits.cell_output_messages} outputs, {limits.cell_images} of them pictures",
    }


class Kernel(Protocol):
    """What the watchdog needs of a running kernel; each method may be called from another thread."""

    def root_process(self) -> psutil.Process | None:
        """The process whose descendants are the sandbox; None before the start and after the end."""

    def interrupt_now(self) -> None:
        """Send the kernel a SIGINT."""

    def kill_now(self) -> None:
        """Kill everything in the sandbox."""

    def disk_use(self) -> DiskUse | None:
        """What lies in the writable folders; None where it cannot be told."""


class Activity:
    """One cell or one probe while it runs, and what the watchdog saw of it."""

    def __init__(self, limit: LimitName, seconds: float) -> None:
        self.started = time.monotonic()
        self.deadline = self.started + seconds
        self.at_deadline = Breach(limit, _seconds(seconds))
        self.breach: Breach | None = None
        self.peak_memory_mb: float | None = None
        self.interrupted_at: float | None = None

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.started


class Watchdog:
    """Watches one kernel from `start` to `stop`.

    Args:
        kernel: the sandbox, to be measured and killed.
        limits: what it may use.
        group: its control group, if it has one.
    """

    def __init__(self, kernel: Kernel, limits: Limits, group: SandboxGroup | None = None) -> None:
        self.limits = limits
        self.fatal: Breach | None = None
        self._allowed = allowances(limits)
        self._kernel = kernel
        self._group = group
        self._meter = ProcessMeter(kernel.root_process, limits.memory_mb * _MEGABYTE)
        self._run_deadline = float("inf")
        self._activity: Activity | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._full: deque[float] = deque(maxlen=_FULL_SAMPLES)
        self._refused_tasks = 0
        self._cpu_before = 0.0
        self._cpu_seconds = 0.0
        self._last_memory_mb: float | None = None
        self._peak_memory_mb: float | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch. The time of the whole run counts from here, processor time from the kernel's start."""
        before = self._meter.use() if self._group is not None else None
        self._cpu_before = before.cpu_seconds if before is not None else 0.0
        self._run_deadline = time.monotonic() + self.limits.run_seconds
        self._thread.start()

    def stop(self) -> None:
        """End the thread; after this no signal is sent any more."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def peak_memory_mb(self) -> float | None:
        """The most memory that was used: the system's own account where there is one, else the largest sample."""
        peak = self._group.peak_bytes() if self._group is not None else None
        return self._peak_memory_mb if peak is None else peak / _MEGABYTE

    def breach(self, limit: LimitName) -> Breach:
        """The breach of a limit as it was configured."""
        return Breach(limit, self._allowed[limit])

    def out_of_memory(self) -> bool:
        """Whether the system has killed a process because the memory was used up; if so, all the others are killed too.

        The kernel may be that process and have ended, which the client may see before the watchdog does; or it may be
        a process that the kernel started, and then the kernel might go on as if nothing had happened.
        """
        if self._group is None or not self._group.lost_to_memory():
            return False
        self._note_memory(self.limits.memory_mb)
        self._kill(self.breach("memory"))
        return True

    def refused(self, error: CellError) -> LimitName | None:
        """The limit that the system refused to exceed, if that is what a student's exception says.

        A file system says the same of too many bytes and of too many files.
        """
        limit = limit_behind(error.name, error.message)
        disk = self._kernel.disk_use() if limit == "disk" else None
        return "files" if disk is not None and disk.files >= self.limits.files else limit

    def post_mortem(self, exit_status: str) -> Breach | None:
        """The limit that a kernel has died of, if it was one; two of them the system itself may have enforced.

        Args:
            exit_status: how its process ended, with the name of the signal if it was one.

        Raises:
            ExecutionError: it died because the machine had no memory left, and not by its own limit.
        """
        if self._group is not None and self._group.lost_to_memory() and not self._group.met_memory_limit():
            raise ExecutionError(
                "the machine ran out of memory while a sandbox kept to its own limit; grade with fewer workers, or set "
                f"a smaller memory_mb. Received: memory_mb {self.limits.memory_mb}"
            )
        if self.fatal is None and not self.out_of_memory() and (self._cpu_time_is_over() or "SIGXCPU" in exit_status):
            return self.breach("cpu time")
        return self.fatal

    def _cpu_time_is_over(self) -> bool:
        """Whether the system, which ends each process at the same number, may have been faster than the watchdog."""
        self._use()
        return self._cpu_seconds >= self.limits.cpu_seconds - 2 * _SAMPLE_SECONDS

    @property
    def run_time_spent(self) -> bool:
        """Whether the time for the whole run is over."""
        return time.monotonic() >= self._run_deadline

    @contextmanager
    def activity(self, limit: LimitName, seconds: float) -> Iterator[Activity]:
        """Hold what runs in the block to `seconds`, or to what is left of the run's time, whichever is less."""
        activity = Activity(limit, seconds)
        if self._run_deadline < activity.deadline:
            activity.deadline = self._run_deadline
            activity.at_deadline = self.breach("run time")
        activity.peak_memory_mb = self._last_memory_mb
        with self._lock:
            self._activity = activity
        self._wake.set()
        try:
            yield activity
        finally:
            with self._lock:
                self._activity = None

    def stop_flood(self, limit: LimitName) -> None:
        """Interrupt what runs now because it floods its output; if that does not help it is killed."""
        activity = self._activity
        if activity is not None and activity.breach is None:
            activity.at_deadline = self.breach(limit)
            activity.deadline = time.monotonic()
            self._wake.set()

    def _watch(self) -> None:
        next_sample = 0.0
        while not self._stopped:
            self._wake.wait(self._pause())
            self._wake.clear()
            with self._lock:
                self._enforce_deadline()
            if time.monotonic() >= next_sample:
                self._sample()
                next_sample = time.monotonic() + _SAMPLE_SECONDS

    def _pause(self) -> float:
        activity = self._activity
        left = activity.deadline - time.monotonic() if activity and activity.interrupted_at is None else _SAMPLE_SECONDS
        return min(max(left, 0.0), _SAMPLE_SECONDS)

    def _enforce_deadline(self) -> None:
        """Called with the lock held, so that no interrupt meant for one cell reaches the next."""
        activity, now = self._activity, time.monotonic()
        if activity is None or now < activity.deadline:
            return
        if activity.breach is None:
            activity.breach = activity.at_deadline
        if now > activity.deadline + _GRACE_SECONDS:
            self._kill(activity.breach)
        elif activity.interrupted_at is None or now - activity.interrupted_at >= _INTERRUPT_EVERY:
            activity.interrupted_at = now
            self._kernel.interrupt_now()

    def _kill(self, breach: Breach) -> None:
        if self.fatal is None:
            self.fatal = breach
            self._kernel.kill_now()

    def _use(self) -> Use | None:
        """What is used now, None when nothing runs any more."""
        use = self._group.use() if self._group is not None else None
        use = replace(use, cpu_seconds=self._cpu_before + use.cpu_seconds) if use is not None else self._meter.use()
        self._cpu_seconds = use.cpu_seconds if use is not None else self._cpu_seconds
        return use

    def _sample(self) -> None:
        if self.fatal is not None or self.out_of_memory():
            return
        use = self._use()
        if use is None:
            return
        self._note_memory(use.memory_bytes / _MEGABYTE)
        limit = self._exceeded(use)
        if limit is not None:
            self._kill(self.breach(limit))

    def _exceeded(self, use: Use) -> LimitName | None:
        if self._is_full(use):
            return "processes"
        if use.memory_bytes > self.limits.memory_mb * _MEGABYTE:
            return "memory"
        if use.cpu_seconds > self.limits.cpu_seconds:
            return "cpu time"
        disk = self._kernel.disk_use()
        if disk is not None and disk.used > self.limits.disk_mb * _MEGABYTE:
            return "disk"
        if disk is not None and disk.files > self.limits.files * _FILES_SLACK:
            return "files"
        return None

    def _is_full(self, use: Use) -> bool:
        """Whether the system has refused more processes for a while, or does not refuse any: a fork bomb."""
        if use.tasks > self.limits.processes + OWN_PROCESSES:
            return True
        refused, self._refused_tasks = use.refused_tasks > self._refused_tasks, use.refused_tasks
        if refused or use.tasks >= self.limits.processes:
            self._full.append(time.monotonic())
        return len(self._full) == _FULL_SAMPLES and self._full[-1] - self._full[0] < _FULL_SECONDS

    def _note_memory(self, megabytes: float) -> None:
        self._last_memory_mb = megabytes
        self._peak_memory_mb = max(self._peak_memory_mb or 0.0, megabytes)
        activity = self._activity
        if activity is not None:
            activity.peak_memory_mb = max(activity.peak_memory_mb or 0.0, megabytes)


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"
