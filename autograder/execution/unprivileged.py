"""Root starts kernels as somebody else: as whom, and how.

The rule has no exception: what a student wrote never runs as root, not even as root of a container.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# systemd's range for users that exist only while a service runs: no account of a distribution lies in it.
_FIRST_UID, _UIDS = 61184, 4096


def started_by_root() -> bool:
    """Whether this process is root, so that the kernel must become another user."""
    return os.geteuid() == 0


def unprivileged_uid() -> int:
    """The user (and group) as whom this process starts kernels when it is root; another for every worker."""
    return _FIRST_UID + os.getpid() % _UIDS


def cannot_change_user() -> bool:
    """Whether this process is root of a user namespace (a container's) in which no unprivileged user exists."""
    lines = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    ranges = [(int(first), int(count)) for first, _, count in (line.split() for line in lines)]
    uid = unprivileged_uid()
    return started_by_root() and not any(first <= uid < first + count for first, count in ranges)


def become_unprivileged() -> list[str]:
    """The part of a command line that turns root into another user for good."""
    uid = unprivileged_uid()
    return [
        program("setpriv"),
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
        "--",
    ]


def program(name: str) -> str:
    """The full path of a program, or its name where it is not installed."""
    return shutil.which(name) or name
