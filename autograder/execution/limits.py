"""The watchdog: a thread beside the Jupyter client that holds a kernel to its limits.

It samples the memory of the kernel and of all its descendants, and enforces deadlines: first an interrupt, repeated for
a while, then the kill. It does so from its own thread because the client's event loop may be busy with a flood of
output, and it only ever signals; that the kernel has died is found out by the client in its ordinary way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import psutil

from autograder.config import Limits
from autograder.records import LimitName

_SAMPLE_SECONDS = 0.25
_INTERRUPT_EVERY = 1.0
_GRACE_SECONDS = 4.0
_MEGABYTE = 2**20
_MOST_FILES = 200_000


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
    """Watches one kernel from `start` to `stop`."""

    def __init__(self, kernel: Kernel, limits: Limits) -> None:
        self.limits = limits
        self.peak_memory_mb: float | None = None
        self.fatal: Breach | None = None
        self._kernel = kernel
        self._run_deadline = float("inf")
        self._activity: Activity | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = False
        self._last_memory_mb: float | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch; the time of the whole run counts from here."""
        self._run_deadline = time.monotonic() + self.limits.run_seconds
        self._thread.start()

    def stop(self) -> None:
        """End the thread; after this no signal is sent any more."""
        self._stopped = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

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
            activity.at_deadline = Breach("run time", _seconds(self.limits.run_seconds))
        activity.peak_memory_mb = self._last_memory_mb
        with self._lock:
            self._activity = activity
        self._wake.set()
        try:
            yield activity
        finally:
            with self._lock:
                self._activity = None

    def stop_flood(self, allowed: str) -> None:
        """Interrupt what runs now because it floods its output; if that does not help it is killed."""
        activity = self._activity
        if activity is not None and activity.breach is None:
            activity.at_deadline = Breach("output", allowed)
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

    def _sample(self) -> None:
        processes = self._processes()
        if not processes or self.fatal is not None:
            return
        threads = sum(_measured(process, psutil.Process.num_threads) for process in processes)
        if threads >= self.limits.processes:
            # The system refuses any more of them (RLIMIT_NPROC): a fork bomb, which would only slow everybody down.
            self._kill(Breach("processes", f"{self.limits.processes} processes and threads"))
            return
        memory, allowed = sum(_measured(process, _resident) for process in processes), self.limits.memory_mb * _MEGABYTE
        if memory > allowed:
            # Resident memory counts what forks share once per process: before anything is killed, count it properly.
            memory = sum(_measured(process, _proportional) for process in processes)
            if memory > allowed:
                self._kill(Breach("memory", f"{self.limits.memory_mb} MB"))
        self._note_memory(memory / _MEGABYTE)
        disk = self._kernel.disk_use()
        if disk is not None and (disk.used > self.limits.disk_mb * _MEGABYTE or disk.files > _MOST_FILES):
            self._kill(Breach("disk", f"{self.limits.disk_mb} MB in {_MOST_FILES} files"))

    def _note_memory(self, megabytes: float) -> None:
        self._last_memory_mb = megabytes
        self.peak_memory_mb = max(self.peak_memory_mb or 0.0, megabytes)
        activity = self._activity
        if activity is not None:
            activity.peak_memory_mb = max(activity.peak_memory_mb or 0.0, megabytes)

    def _processes(self) -> list[psutil.Process]:
        root = self._kernel.root_process()
        if root is None:
            return []
        try:
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []  # it has just ended, which the client finds out


def _measured(process: psutil.Process, measure: Callable[[psutil.Process], int]) -> int:
    """A number about one process, 0 if it has ended meanwhile."""
    try:
        return measure(process)
    except psutil.Error:
        return 0


def _resident(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _proportional(process: psutil.Process) -> int:
    """Memory with shared pages divided among those who share them; resident memory where the system does not tell."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)


def _seconds(seconds: float) -> str:
    return f"{seconds:g} s"
