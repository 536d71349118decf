"""Looks at a kernel from outside, before it is given any of a student's code: is it where it should be?

The kernel has looked at itself already (`inside/_autograder_lockdown.py`); this is the second opinion, from the side
that nobody in the sandbox can influence.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

_NO_CAPABILITIES = "0000000000000000"
_FILTERED = "2"


def faults(pid: int) -> list[str]:
    """What is wrong with the confinement of a process, in words; empty if nothing is.

    Args:
        pid: of the kernel, as this process counts.
    """
    status = status_of(pid)
    wrong = [
        f"{field} is {status.get(field)}"
        for field, good in (
            *((name, status.get(name) == _NO_CAPABILITIES) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd")),
            ("NoNewPrivs", status.get("NoNewPrivs") == "1"),
            ("Seccomp", status.get("Seccomp") == _FILTERED),
            ("Uid", "0" not in status.get("Uid", "0").split()),
        )
        if not good
    ]
    return wrong + [
        f"it shares this process's {name} namespace"
        for name in ("net", "pid", "mnt", "ipc", "uts", "user")
        if _namespace(pid, name) == _namespace(os.getpid(), name)
    ]


def find_kernel(root: int) -> tuple[int, int] | None:
    """Host pids of the kernel and of the first process of its pid namespace, among the descendants of a process.

    bubblewrap's own processes lie between: the kernel is number 2 in the innermost namespace.
    """
    seen = []
    for process in psutil.Process(root).children(recursive=True):
        with contextlib.suppress(OSError):
            seen.append((process.pid, status_of(process.pid)["NSpid"].split()))
    depth = max((len(pids) for _, pids in seen), default=0)
    inside = {pids[-1]: pid for pid, pids in seen if len(pids) == depth}
    return (inside["2"], inside["1"]) if {"1", "2"} <= set(inside) else None


def status_of(pid: int) -> dict[str, str]:
    """The fields of /proc/PID/status."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def _namespace(pid: int, name: str) -> str:
    return str(Path(f"/proc/{pid}/ns/{name}").readlink())
