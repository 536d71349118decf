"""A control group for each sandbox: the system itself counts and bounds what its processes use together.

Where a group can be had, memory is bounded exactly (files on the sandbox's own file systems in memory included), the
time of processes that have ended is counted, and a sandbox with many threads gets no more of the processor than one
with few. Where none can be had the watchdog adds up the processes instead (`metering.py`).

Both versions of the interface are served, after the kernel's documentation (admin-guide/cgroup-v1/memory.rst and
admin-guide/cgroup-v2.rst). A group has the name of its run's private folder, by which the sweeper finds it when the
worker was killed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.config import Limits
from autograder.execution.cgroup_sites import Site, find_site
from autograder.execution.metering import Use

log = logging.getLogger(__name__)
_MEGABYTE = 2**20
_REMOVAL_SECONDS = 1.0
# The programs around a kernel (two bubblewraps and their first processes) are no student's.
OWN_PROCESSES = 8
_OTHERS = 4
# How far below its limit a group's peak may lie when the limit has refused memory: pages are charged in batches.
_BATCH_BYTES = 4 * _MEGABYTE
_TRIAL = "ag-trial"
_KILL = "cgroup.kill"  # version 2 alone has it


@dataclass(frozen=True)
class CgroupStatus:
    """Whether sandboxes get a group here; `why` is a sentence for `autograder doctor`."""

    works: bool
    why: str


@dataclass(frozen=True)
class _Figure:
    """A number to read: the controller whose folder has the file, and the keys to add up (none: the whole file)."""

    controller: str
    file: str
    keys: tuple[str, ...] = ()
    unit: float = 1


@dataclass(frozen=True)
class _Setting:
    """A number to write. Whether an optional file is there depends on how the kernel was built and started."""

    controller: str
    file: str
    value: Callable[[Limits], int]
    optional: bool = False


@dataclass(frozen=True)
class _Files:
    """The files of one version of the interface."""

    memory: _Figure
    peak: _Figure
    cpu: _Figure
    tasks: _Figure
    refused_tasks: _Figure
    killed: _Figure
    refused: _Figure
    settings: tuple[_Setting, ...]


def _memory(limits: Limits) -> int:
    return limits.memory_mb * _MEGABYTE


def _tasks(limits: Limits) -> int:
    """A few less than RLIMIT_NPROC, which counts others too: so it is the group that refuses, and tells how often."""
    return max(limits.processes - _OTHERS, _OTHERS)


_FILES_1 = _Files(
    memory=_Figure("memory", "memory.stat", ("rss", "shmem")),
    peak=_Figure("memory", "memory.max_usage_in_bytes"),
    cpu=_Figure("cpuacct", "cpuacct.usage", unit=1e-9),
    tasks=_Figure("pids", "pids.current"),
    refused_tasks=_Figure("pids", "pids.events", ("max",)),
    killed=_Figure("memory", "memory.oom_control", ("oom_kill",)),
    refused=_Figure("memory", "memory.failcnt"),
    settings=(
        _Setting("memory", "memory.limit_in_bytes", _memory),
        _Setting("memory", "memory.memsw.limit_in_bytes", _memory, optional=True),  # memory and swap together
        _Setting("pids", "pids.max", _tasks),
    ),
)
_FILES_2 = _Files(
    memory=_Figure("memory", "memory.stat", ("anon", "shmem")),
    peak=_Figure("memory", "memory.peak"),
    cpu=_Figure("memory", "cpu.stat", ("usage_usec",), 1e-6),
    tasks=_Figure("pids", "pids.current"),
    refused_tasks=_Figure("pids", "pids.events", ("max",)),
    killed=_Figure("memory", "memory.events", ("oom_kill",)),
    refused=_Figure("memory", "memory.events", ("oom",)),
    settings=(
        _Setting("memory", "memory.max", _memory),
        _Setting("memory", "memory.swap.max", lambda _: 0, optional=True),
        _Setting("memory", "memory.oom.group", lambda _: 1, optional=True),
        _Setting("pids", "pids.max", _tasks),
    ),
)


class SandboxGroup:
    """The group of one sandbox, from `enclose` until `remove`.

    Attributes:
        limits: what its processes may use together.
        folders: where it shows while it exists; version 1 has one for each controller.
    """

    def __init__(self, site: Site, name: str, limits: Limits) -> None:
        self.limits = limits
        self._files = _FILES_1 if site.version == 1 else _FILES_2
        self._folders = {controller: parent / name for controller, parent in site.parents.items()}
        self.folders = site.folders(name)

    def make(self) -> None:
        """Make the group and set its limits.

        Raises:
            OSError: the system refuses it.
        """
        for folder in self.folders:
            folder.mkdir()
        for setting in self._files.settings:
            path = self._folders.get(setting.controller, Path()) / setting.file
            if setting.controller in self._folders and (path.exists() or not setting.optional):
                path.write_text(str(setting.value(self.limits)), encoding="ascii")

    def add(self, processes: Iterable[int]) -> None:
        """Put processes into the group; what they start from now on is in it too.

        Raises:
            OSError: the system refuses it, or a process has ended.
        """
        for pid in processes:
            for folder in self.folders:
                (folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def use(self) -> Use | None:
        """What the group's processes use now, all together; None where a controller is missing.

        Memory that only caches files does not count; files that lie in memory alone do.
        """
        files = self._files
        tasks, memory, cpu = self._read(files.tasks), self._read(files.memory), self._read(files.cpu)
        if tasks is None or memory is None or cpu is None:
            return None
        refused = int(self._read(files.refused_tasks) or 0)
        return Use(tasks=int(tasks), memory_bytes=int(memory), cpu_seconds=cpu, refused_tasks=refused)

    def peak_bytes(self) -> int | None:
        """The most memory that was ever charged to the group, cached files included; None where it is not kept."""
        peak = self._read(self._files.peak)
        return None if peak is None else int(peak)

    def lost_to_memory(self) -> bool:
        """Whether the system has killed a process of the group because there was no memory left for it."""
        return bool(self._read(self._files.killed))

    def met_memory_limit(self) -> bool:
        """Whether it was the group's own limit that left none, rather than the machine's memory."""
        refused = bool(self._read(self._files.refused))
        return refused or (self.peak_bytes() or 0) >= _memory(self.limits) - _BATCH_BYTES

    def remove(self) -> None:
        """Remove the group, whose processes have ended; those of them that are still ending are waited for."""
        for folder in self.folders:
            _remove(folder)

    def _read(self, figure: _Figure) -> float | None:
        folder = self._folders.get(figure.controller)
        if folder is None:
            return None
        try:
            text = (folder / figure.file).read_text(encoding="ascii")
        except OSError:
            return None  # the kernel is too old for this file, or the group has been removed
        if not figure.keys:
            return int(text) * figure.unit
        values = dict(line.split(maxsplit=1) for line in text.splitlines())
        return sum(int(values.get(key, 0)) for key in figure.keys) * figure.unit


def available() -> CgroupStatus:
    """Whether a group can be made here, tried out by making one."""
    site, why = find_site()
    if site is None:
        return CgroupStatus(works=False, why=why)
    group = SandboxGroup(site, f"{_TRIAL}-{os.getpid()}", Limits())
    try:
        group.make()
    except OSError as error:
        return CgroupStatus(works=False, why=f"a trial was refused: {error.strerror} ({error.filename})")
    finally:
        group.remove()
    return CgroupStatus(works=True, why=why)


def folders(name: str) -> tuple[Path, ...]:
    """The folders that a group of this name has while it exists; empty where there are no groups."""
    site, _ = find_site()
    return () if site is None else site.folders(name)


def enclose(root: psutil.Process | None, name: str, limits: Limits) -> SandboxGroup | None:
    """Put a process and its descendants into a new group; None where no group can be had, or the process has ended.

    To be called before any code of a student runs: nothing may fork meanwhile.
    """
    site, _ = find_site()
    if site is None or root is None:
        return None
    group = SandboxGroup(site, name, limits)
    try:
        group.make()
        group.add([root.pid, *(child.pid for child in root.children(recursive=True))])
    except (OSError, psutil.Error) as error:
        log.warning("A sandbox runs without a control group; the watchdog watches its memory instead: %s", error)
        group.remove()
        return None
    return group


def _remove(folder: Path) -> None:
    """Remove one folder of a group. One that stays busy is left to the sweeper, which tries again for a while."""
    end = time.monotonic() + _REMOVAL_SECONDS
    with contextlib.suppress(OSError):
        (folder / _KILL).write_text("1", encoding="ascii")
    while folder.is_dir():
        try:
            folder.rmdir()
        except OSError as error:
            if time.monotonic() > end:
                log.warning("A control group could not be removed yet: %s", error)
                return
            time.sleep(0.01)
