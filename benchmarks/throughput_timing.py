"""How long a list of commands takes, and what processor time all their processes need, whoever has started them."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from autograder.execution.cgroup_sites import find_site

PR_SET_CHILD_SUBREAPER = 36
SECONDS_TO_END = 60.0
TOLD = 3000
JOIN = 'echo $$ >"$0/cgroup.procs" && exec "$@"'


@dataclass(frozen=True)
class Timed:
    """What a list of commands took.

    Attributes:
        began: seconds since the epoch.
        wall: seconds until the last command had ended.
        cpu: seconds of user and system time of all processes, also of those that outlived their parents.
        lines: what was printed on stderr, and when (seconds since the epoch).
    """

    began: float
    wall: float
    cpu: float
    lines: tuple[tuple[float, str], ...]


class Processor:
    """The processor time of commands.

    What the system tells a parent of its children is not enough: the time of a process that is killed with its pid
    namespace is told to nobody, and so end the kernels of a sandbox.

    Attributes:
        of: whose time is told: that of a control group (version 1) that the commands are put into, or, where none can
            be made, that of the whole machine, which has to be quiet then.
    """

    def __init__(self) -> None:
        site, _ = find_site()
        parent = site.parents.get("cpuacct") if site is not None and site.version == 1 else None
        self._group = Path(tempfile.mkdtemp(prefix="throughput-", dir=parent)) if parent is not None else None
        self.of = "the whole machine" if self._group is None else "the commands and their descendants"

    def joined(self, command: list[str]) -> list[str]:
        """The command as one whose time is counted."""
        return command if self._group is None else ["/bin/sh", "-c", JOIN, str(self._group), *command]

    def seconds(self) -> float:
        """User and system time so far."""
        if self._group is not None:
            return int((self._group / "cpuacct.usage").read_text()) / 1e9
        used = psutil.cpu_times()
        return float(used.user + used.nice + used.system + used.irq + used.softirq)

    def close(self) -> None:
        """Remove the group; all of its processes must have ended."""
        if self._group is not None:
            self._group.rmdir()


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own, so that its end can be waited for (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def timed(commands: Iterable[list[str]], processor: Processor, *, cwd: Path, env: dict[str, str]) -> Timed:
    """Run commands one after another; `adopt_orphans` must have been called, and nothing else may run below.

    Raises:
        SystemExit: a command failed, or left processes that do not end.
    """
    lines: list[tuple[float, str]] = []
    before, began, clock, wall = processor.seconds(), time.time(), time.perf_counter(), 0.0
    for command in commands:
        with (cwd / "stdout.log").open("ab") as log:
            joined = processor.joined(command)
            process = subprocess.Popen(joined, cwd=cwd, env=env, stdout=log, stderr=subprocess.PIPE, text=True)
        reader = threading.Thread(target=_stamp, args=(process, lines))
        reader.start()
        status = process.wait()
        wall = time.perf_counter() - clock
        reader.join()
        if status:
            _reap()
            printed = (cwd / "stdout.log").read_text(errors="replace")
            said = "\n".join([*(line for _, line in lines), "stdout:", printed])[-TOLD:]
            raise SystemExit(f"a command failed: {' '.join(command)}\n{said}")
    _reap()
    return Timed(began, wall, processor.seconds() - before, tuple(lines))


def _stamp(process: subprocess.Popen[str], lines: list[tuple[float, str]]) -> None:
    assert process.stderr is not None
    lines.extend((time.time(), line.rstrip("\n")) for line in process.stderr)


def _reap() -> None:
    """Wait for what a command has left: a warm process looks once a second whether it is still needed."""
    deadline = time.monotonic() + SECONDS_TO_END
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.05)
        except ChildProcessError:
            return
    raise SystemExit(f"a command left processes that have not ended after {SECONDS_TO_END:.0f} s")
