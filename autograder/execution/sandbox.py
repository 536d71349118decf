"""The levels of confinement: which work here, and what a kernel sees and may use at each of them.

    none    an ordinary process, for a student's own machine; on any system
    cold    an ordinary kernel inside bubblewrap (`bubblewrap.py`); Linux
    warm    not in this version

`check` refuses a level that does not work here; nothing ever falls back to a weaker level by itself.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder.config import Limits
from autograder.errors import SandboxUnavailableError
from autograder.execution import bubblewrap
from autograder.execution.spool import Spool, private_spool
from autograder.records import SandboxLevel

_TRIAL_SECONDS = 20
_ALLOW_NAMESPACES = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
_OPEN_CONTAINER = "start the container with --security-opt systempaths=unconfined --security-opt seccomp=unconfined"
# By what bubblewrap says.
_REMEDIES = {
    "No permissions to creat": f"{_ALLOW_NAMESPACES} kernel.unprivileged_userns_clone=1",
    "setting up uid map": _ALLOW_NAMESPACES,
    "max_user_namespaces": "sudo sysctl -w user.max_user_namespaces=10000",
    "Can't mount proc": _OPEN_CONTAINER,
    "Operation not permitted": _OPEN_CONTAINER,
}


@dataclass(frozen=True)
class LevelStatus:
    """Whether one level works on this machine; if not, why, and the one thing to do about it."""

    level: SandboxLevel
    works: bool
    why: str
    remedy: str = ""


@dataclass(frozen=True)
class Confinement:
    """What one kernel may see and use.

    Attributes:
        level: `none` or `cold`.
        limits: memory, disk, processes and open files.
        threads: for OpenMP and TensorFlow.
        data: host path of a file or folder that is shown read-only as `/data/<name>`.
    """

    level: SandboxLevel
    limits: Limits
    threads: int = 1
    data: Path | None = None


@dataclass(frozen=True)
class View:
    """Paths as the kernel sees them."""

    python: str
    work: str
    inbox: str
    evidence: str
    sockets: str
    connection: str
    data: str | None


def view(confinement: Confinement, spool: Spool) -> View:
    """Where a kernel under this confinement finds its files."""
    data = confinement.data
    if confinement.level == "none":
        return View(
            python=sys.executable,
            work=str(spool.work),
            inbox=str(spool.inbox),
            evidence=str(spool.evidence),
            sockets=str(spool.sockets),
            connection=str(spool.etc / "connection.json"),
            data=str(data.resolve()) if data else None,
        )
    return View(
        python=bubblewrap.python(),
        work=bubblewrap.HOME,
        inbox=bubblewrap.INBOX,
        evidence=bubblewrap.EVIDENCE,
        sockets=bubblewrap.SOCKETS,
        connection=f"{bubblewrap.ETC}/connection.json",
        data=f"{bubblewrap.DATA}/{data.name}" if data else None,
    )


def command(confinement: Confinement, spool: Spool, inner: list[str]) -> list[str]:
    """The command line that runs `inner` (paths as in `view`) under this confinement.

    Raises:
        SandboxError: the data cannot be shown to the sandbox.
    """
    if confinement.level == "none":
        return inner
    return bubblewrap.command(
        spool, inner, limits=confinement.limits, threads=confinement.threads, data=confinement.data
    )


def environment(confinement: Confinement, spool: Spool) -> dict[str, str]:
    """The environment of the started command. In a sandbox the kernel's own is set by the command line."""
    if confinement.level != "none":
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}
    inherited = {name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTION"}
    return inherited | bubblewrap.kernel_settings(confinement.threads) | {"IPYTHONDIR": str(spool.etc / "ipython")}


def check(level: SandboxLevel) -> None:
    """Make sure that a level works here.

    Raises:
        SandboxUnavailableError: it does not; the message says why and what to do.
    """
    status = _status(level)
    if not status.works:
        raise SandboxUnavailableError(
            f"the sandbox level {level!r} does not work on this machine: {status.why}. To mend it: {status.remedy}. "
            f"Received: level {level!r}"
        )


def levels() -> list[LevelStatus]:
    """All levels, strongest first, each tried out by running a command in it."""
    return [_status("warm"), _status("cold"), _status("none")]


@functools.cache
def _status(level: SandboxLevel) -> LevelStatus:
    if level == "none":
        return LevelStatus(level, works=True, why="an ordinary process, without any protection")
    if level == "warm":
        return LevelStatus(level, works=False, why="this version has no warm kernels", remedy="use the level 'cold'")
    if not sys.platform.startswith("linux"):
        return LevelStatus(
            level,
            works=False,
            why=f"bubblewrap needs Linux, this is {sys.platform}",
            remedy="grade on Linux, or in a Linux container or virtual machine",
        )
    missing = [tool for tool in bubblewrap.tools() if shutil.which(tool) is None]
    if missing:
        packages = "bubblewrap" if missing == ["bwrap"] else "bubblewrap util-linux"
        return LevelStatus(
            level,
            works=False,
            why=f"not installed: {', '.join(missing)}",
            remedy=f"sudo apt-get install {packages} (or the like of your distribution)",
        )
    return _trial()


def _trial() -> LevelStatus:
    """Run `id -u` in the sandbox: it must work, and must not be root."""
    confinement = Confinement("cold", Limits())
    with private_spool() as spool:
        bubblewrap.prepare(spool)
        try:
            done = subprocess.run(
                command(confinement, spool, ["/usr/bin/id", "-u"]),
                env=environment(confinement, spool),
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_TRIAL_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return LevelStatus(
                "cold",
                works=False,
                why=f"a trial took more than {_TRIAL_SECONDS} s",
                remedy="look at the machine's load",
            )
    said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
    if done.returncode:
        remedy = next(
            (remedy for sign, remedy in _REMEDIES.items() if sign in done.stderr),
            "run `bwrap --unshare-all --ro-bind / / true` and follow its message",
        )
        return LevelStatus("cold", works=False, why=f"bubblewrap said: {said[0]}", remedy=remedy)
    if done.stdout.strip() == "0":
        return LevelStatus("cold", works=False, why="the sandboxed process ran as root", remedy="report this as a bug")
    return LevelStatus("cold", works=True, why="bubblewrap around an ordinary kernel, no network, not root")
