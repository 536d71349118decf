"""Where control groups can be made on this machine, read from /proc/self/mountinfo and /proc/self/cgroup.

version 1   a hierarchy for each controller; groups are made in this process's own group of each
version 2   one hierarchy; groups with processes have no children with controllers, so groups are made in the
            nearest group above this process's own that hands the memory controller on and may be written
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

_PROC = Path("/proc/self")
_CONTROLLERS_1 = ("memory", "pids", "cpuacct", "cpu")
_CONTROLLERS_2 = ("memory", "pids")
_NOWHERE = "/.."


@dataclass(frozen=True)
class Site:
    """Where groups can be made.

    Attributes:
        version: of the interface.
        parents: the parent folder for each controller, the memory controller's always among them.
    """

    version: Literal[1, 2]
    parents: Mapping[str, Path]

    def folders(self, name: str) -> tuple[Path, ...]:
        """The folders of a group of this name; controllers may share one."""
        return tuple(sorted({parent / name for parent in self.parents.values()}))


def find_site(proc: Path = _PROC) -> tuple[Site | None, str]:
    """The site for groups of the process that `proc` describes, if there is one, and a sentence about it."""
    try:
        mounts = _mounts((proc / "mountinfo").read_text(encoding="utf-8"))
        own = _own_groups((proc / "cgroup").read_text(encoding="utf-8"))
    except OSError:
        return None, "this system has no control groups"
    if not mounts:
        return None, "no control groups are mounted"
    if any("memory" in mount.options for mount in mounts):
        return _find_version_1(mounts, own)
    return _find_version_2(mounts, own)


def _find_version_1(mounts: list[_Mount], own: Mapping[str, str]) -> tuple[Site | None, str]:
    parents = {}
    for controller in _CONTROLLERS_1:
        mount = next((mount for mount in mounts if mount.kind == "cgroup" and controller in mount.options), None)
        folder = mount.folder(own.get(controller, _NOWHERE)) if mount is not None else None
        if folder is not None and os.access(folder, os.W_OK):
            parents[controller] = folder
    if "memory" not in parents:
        return None, "only root may make control groups of the memory controller here (version 1)"
    return Site(1, parents), f"version 1: {', '.join(parents)}"


def _find_version_2(mounts: list[_Mount], own: Mapping[str, str]) -> tuple[Site | None, str]:
    mount = next((mount for mount in mounts if mount.kind == "cgroup2"), None)
    folder = mount.folder(own.get("", _NOWHERE)) if mount is not None else None
    if mount is None or folder is None:
        return None, "this process's own control group is not among those that are mounted"
    above = [parent for parent in (folder, *folder.parents) if parent.is_relative_to(mount.point)]
    handing_on = [parent for parent in above if "memory" in _words(parent / "cgroup.subtree_control")]
    if not handing_on:
        return None, f"no control group from {folder} upwards hands the memory controller on (cgroup.subtree_control)"
    for parent in handing_on:
        if os.access(parent, os.W_OK) and os.access(parent / "cgroup.procs", os.W_OK):
            controllers = [name for name in _CONTROLLERS_2 if name in _words(parent / "cgroup.subtree_control")]
            return Site(2, dict.fromkeys(controllers, parent)), f"version 2: {', '.join(controllers)}"
    start = "start with `systemd-run --user --scope`, or as root"
    return None, f"this user may not make control groups in {handing_on[0]}; {start}"


@dataclass(frozen=True)
class _Mount:
    """A mounted hierarchy: `root` is the group that shows at `point`, `options` have version 1's controllers."""

    kind: str
    root: str
    point: str
    options: frozenset[str]

    def folder(self, group: str) -> Path | None:
        """Where a group shows; None if it lies outside of what is mounted."""
        path = PurePosixPath(group)
        if ".." in path.parts or not path.is_relative_to(self.root):
            return None
        return Path(self.point) / path.relative_to(self.root)


def _mounts(mountinfo: str) -> list[_Mount]:
    found = []
    for line in mountinfo.splitlines():
        place, _, rest = line.partition(" - ")
        kind, _, options = rest.partition(" ")
        if kind in {"cgroup", "cgroup2"}:
            root, point = (_unescape(field) for field in place.split()[3:5])
            found.append(_Mount(kind, root, point, frozenset(options.split()[-1].split(","))))
    return found


def _own_groups(cgroup: str) -> dict[str, str]:
    """This process's group by controller; version 2's by the empty name."""
    groups: dict[str, str] = {}
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path)
    return groups


def _words(path: Path) -> set[str]:
    with contextlib.suppress(OSError):
        return set(path.read_text(encoding="ascii").split())
    return set()


def _unescape(text: str) -> str:
    """The kernel writes blanks and the like in paths as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
