"""The levels of confinement: which work here, and what a kernel sees and may use at each of them.

    none    an ordinary process, for a student's own machine; on any system
    cold    an ordinary kernel inside bubblewrap (`bubblewrap.py`); Linux
    warm    a fork of a process that has TensorFlow loaded already, in a sandbox of its own (`warm.py`); Linux

`usable` takes `cold` for `warm` where that does not work, and says why; nothing ever falls back to `none`.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder.config import Limits
from autograder.errors import SandboxError, SandboxUnavailableError
from autograder.execution import bubblewrap, gpu, interior, outer_view, seccomp, unprivileged, warm
from autograder.execution.spool import Spool, private_spool
from autograder.records import SandboxLevel

_TRIAL_SECONDS = 20
_ALLOW_NAMESPACES = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
_MORE_NAMESPACES = "sudo sysctl -w user.max_user_namespaces=10000"
_OPEN_CONTAINER = "start the container with --security-opt systempaths=unconfined --security-opt seccomp=unconfined"
_READ_ON_IMPORT = re.compile(
    r"\b(?:KERAS_BACKEND|KERAS_HOME|TF_USE_LEGACY_KERAS|TF_ENABLE_ONEDNN_OPTS|TF_XLA_FLAGS|XLA_FLAGS|JAX_[A-Z_]+"
    r"|OMP_[A-Z_]+|OPENBLAS_[A-Z_]+|MKL_[A-Z_]+|MPLBACKEND)\b"
)
_PACKAGES = {
    "bwrap": "bubblewrap",
    "prlimit": "util-linux",
    "setpriv": "util-linux",
    "flock": "util-linux",
    seccomp.LIBRARY: "libseccomp2",
}
# By what bubblewrap or the warm process says.
_REMEDIES = {
    "No permissions to creat": f"{_ALLOW_NAMESPACES} kernel.unprivileged_userns_clone=1",
    "setting up uid map": _ALLOW_NAMESPACES,
    "/proc/self/": _ALLOW_NAMESPACES,
    "max_user_namespaces": _MORE_NAMESPACES,
    "_namespaces exceeded": _MORE_NAMESPACES,
    "unshare: No space left": _MORE_NAMESPACES,
    "Can't mount proc": _OPEN_CONTAINER,
    "mount proc": _OPEN_CONTAINER,
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
        level: `none`, `cold` or `warm`.
        limits: memory, disk, processes and open files.
        threads: for OpenMP and TensorFlow.
        data: host path of a file or folder that is shown read-only as `/data/<name>`.
        gpu: whether the accelerators of this machine are shown.
        device: the UUID or index of the only one that is shown; None for all.
        kernels_per_gpu: how many kernels share a device.
    """

    level: SandboxLevel
    limits: Limits
    threads: int = 1
    data: Path | None = None
    gpu: bool = False
    device: str | None = None
    kernels_per_gpu: int = 1

    def accelerator_settings(self) -> dict[str, str]:
        """Environment variables that a kernel needs for its accelerators; none without.

        Raises:
            ExecutionError: the machine has no such device.
        """
        return gpu.settings(self.device, self.kernels_per_gpu) if self.gpu else {}

    def accelerator_nodes(self) -> list[str]:
        """Device files that a kernel needs for its accelerators; none without.

        Raises:
            ExecutionError: the machine has no such device.
        """
        return [str(node) for node in gpu.nodes_for(self.device, gpu.device_nodes())] if self.gpu else []

    def lease(self) -> warm.Lease:
        """This process's hold on the warm process that serves such kernels.

        Raises:
            SandboxUnavailableError: it cannot be started.
        """
        return warm.lease(outer_view.Environment(gpu=self.gpu), self.limits.startup_seconds)


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
        python=interior.python(),
        work=interior.HOME,
        inbox=interior.INBOX,
        evidence=interior.EVIDENCE,
        sockets=interior.SOCKETS,
        connection=f"{interior.ETC}/connection.json",
        data=f"{interior.DATA}/{data.name}" if data else None,
    )


def command(confinement: Confinement, spool: Spool, inner: list[str]) -> list[str]:
    """The command line that runs `inner` (paths as in `view`) under this confinement.

    Raises:
        SandboxError: the data cannot be shown to the sandbox.
        ExecutionError: the machine has no such device.
    """
    if confinement.level == "none":
        return inner
    return bubblewrap.command(
        spool,
        inner,
        limits=confinement.limits,
        variables=interior.environment(confinement.threads) | confinement.accelerator_settings(),
        data=confinement.data,
        gpu=confinement.gpu,
        device=confinement.device,
    )


def environment(confinement: Confinement, spool: Spool) -> dict[str, str]:
    """The environment of the started command. In a sandbox the kernel's own is set by the command line."""
    if confinement.level == "cold":
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"}
    inherited = {name: value for name, value in os.environ.items() if name != "NBGRADER_EXECUTION"}
    ours = interior.kernel_settings(confinement.threads) | confinement.accelerator_settings()
    return inherited | ours | {"IPYTHONDIR": str(spool.etc / "ipython")}


def needs_fresh_interpreter(notebook: NotebookNode) -> bool:
    """Whether a notebook's code names an environment variable that has no effect once its library is loaded."""
    return any(cell.cell_type == "code" and _READ_ON_IMPORT.search(cell.source) for cell in notebook.cells)


@dataclass(frozen=True)
class Settled:
    """The level that a run gets, and why it is not the one that was asked for; empty if it is."""

    level: SandboxLevel
    note: str = ""


def settle(confinement: Confinement, *, fresh: bool = False) -> Settled:
    """The level at which to run: the one that is asked for, or `cold` where warm kernels cannot be had.

    The warm process is started here if it does not run, so that what is returned is known to work.

    Args:
        confinement: what is asked for.
        fresh: whether the notebook sets what libraries read while they are imported.

    Raises:
        SandboxUnavailableError: the level does not work on this machine, or neither `warm` nor `cold` does.
    """
    if confinement.level != "warm":
        check(confinement.level)
        return Settled(confinement.level)
    if fresh:
        check("cold")
        return Settled("cold", "kernels start cold: the notebook sets variables that are read while TensorFlow loads")
    try:
        check("warm")
        confinement.lease()
    except SandboxUnavailableError as error:
        check("cold")
        return Settled("cold", f"kernels start cold: {error}")
    return Settled("warm")


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
    if not sys.platform.startswith("linux"):
        return LevelStatus(
            level,
            works=False,
            why=f"it needs Linux, this is {sys.platform}",
            remedy="grade on Linux, or in a Linux container or virtual machine",
        )
    missing = [tool for tool in bubblewrap.tools(level) if shutil.which(tool) is None]
    missing += [] if seccomp.available() else [seccomp.LIBRARY]
    if missing:
        packages = sorted({_PACKAGES[name] for name in missing})
        return LevelStatus(
            level,
            works=False,
            why=f"not installed: {', '.join(missing)}",
            remedy=f"sudo apt-get install {' '.join(packages)} (or the like of your distribution)",
        )
    if unprivileged.cannot_change_user():
        return LevelStatus(
            level,
            works=False,
            why="kernels must not run as root, and root of this container can become nobody else",
            remedy="start it as an ordinary user, or map the user ids 61184 to 65279 into the container",
        )
    return _try_warm() if level == "warm" else _try_cold()


def _try_warm() -> LevelStatus:
    """Start a warm process without any libraries, let a fork of it enter a sandbox, lock down and verify."""
    limits = Limits()
    try:
        lease = warm.take_lease(outer_view.Environment(preload=()), _TRIAL_SECONDS)
        with lease.connection, private_spool(lease.spools) as spool:
            spool.prepare_for(lease.uid)
            lease.try_out(spool.root, interior.system_limits(limits), _TRIAL_SECONDS)
    except SandboxError as error:
        said = str(error).partition("Received: ")[2] or str(error)
        return LevelStatus("warm", works=False, why=f"a trial ended with: {said}", remedy=_remedy(said))
    return LevelStatus("warm", works=True, why="forks of a process that has TensorFlow loaded, no network, not root")


def _try_cold() -> LevelStatus:
    """Run `id -u` in the sandbox: it must work, and must not be root."""
    confinement = Confinement("cold", Limits())
    with private_spool() as spool:
        bubblewrap.prepare(spool, confinement.limits)
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
        return LevelStatus("cold", works=False, why=f"bubblewrap said: {said[0]}", remedy=_remedy(done.stderr))
    if done.stdout.strip() == "0":
        return LevelStatus("cold", works=False, why="the sandboxed process ran as root", remedy="report this as a bug")
    return LevelStatus("cold", works=True, why="bubblewrap around an ordinary kernel, no network, not root")


def _remedy(said: str) -> str:
    """The one thing to do about what bubblewrap or the system said."""
    return next(
        (remedy for sign, remedy in _REMEDIES.items() if sign in said),
        "run `bwrap --unshare-all --ro-bind / / true` and follow its message",
    )
