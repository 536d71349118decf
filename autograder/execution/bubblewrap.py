"""The bubblewrap command line around one kernel: what is visible, what is writable, as whom it runs.

Started by an ordinary user there is one layer: `bwrap --unshare-user` with the allow-list below.

Started by root there are two, because the kernel must not be root even outside its user namespace, and because an
unprivileged user may not be able to reach the Python installation (it may lie in root's home):

    bwrap (root)      a read-only outer view: /usr, and each allowed path bound to /view/<number>
    setpriv           becomes an unprivileged user: no capabilities, no new privileges
    bwrap (that user) the same command line as an ordinary user's, its sources being /view/<number>

The second layer is a user namespace of its own, so that RLIMIT_NPROC counts only this sandbox's processes, and
`--disable-userns` keeps student code from making further ones. One `bwrap` and `setpriv` without it would leave
user namespaces, the largest part of the kernel's attack surface, to students. It costs 20 ms.
"""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.config import Limits
from autograder.errors import SandboxError
from autograder.execution import inside, seccomp
from autograder.execution.gpu import device_nodes, nodes_for
from autograder.execution.interior import (
    ACCOUNTS,
    DATA,
    ETC,
    EVIDENCE,
    HOME,
    INBOX,
    SOCKETS,
    UID,
    VENV,
    in_venv,
    system_limits,
    write_accounts,
    write_readable,
)
from autograder.execution.spool import Spool
from autograder.execution.unprivileged import become_unprivileged, program, started_by_root, unprivileged_uid
from autograder.records import SandboxLevel

# What runs in place of `-m ipykernel_launcher`.
COLD_PROGRAM = (f"{ETC}/_autograder_cold.py", f"{ETC}/settings.json")

_MEGABYTE = 2**20
_SHARED_MEMORY_MB = 256
_SYSTEM = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
    "/etc/fonts",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/sys/devices/system/cpu",
)
_WITH_GPU = ("/sys/bus", "/sys/class", "/sys/devices", "/etc/vulkan", "/etc/OpenCL")


@dataclass(frozen=True)
class Bind:
    """A host path shown inside: `flag` is --ro-bind, --bind or --dev-bind."""

    flag: str
    source: str
    target: str


def tools(level: SandboxLevel) -> tuple[str, ...]:
    """The programs that a level's command line needs."""
    return ("bwrap", "flock" if level == "warm" else "prlimit", *(("setpriv",) if started_by_root() else ()))


def prepare(spool: Spool, limits: Limits) -> None:
    """Write what an ordinary kernel needs to confine itself, and hand the writable folders to the sandbox's user.

    Raises:
        SandboxUnavailableError: there is no libseccomp.
    """
    write_accounts(spool.etc)
    for name, source in inside.sources().items():
        write_readable(spool.etc / f"{name}.py", source.encode())
    write_readable(spool.etc / "filter", seccomp.program())
    settings = {"filter": f"{ETC}/filter", "limits": system_limits(limits)}
    write_readable(spool.etc / "settings.json", json.dumps(settings).encode())
    spool.prepare_for(unprivileged_uid() if started_by_root() else None)


def command(
    spool: Spool,
    inner: list[str],
    *,
    limits: Limits,
    variables: Mapping[str, str],
    data: Path | None,
    gpu: bool,
    device: str | None,
) -> list[str]:
    """The whole command line; `spool` must have been through `prepare`.

    Raises:
        SandboxError: the data are missing, or the unprivileged user may not read them.
        ExecutionError: the machine has no such device.
    """
    binds = _binds(spool, data, gpu=gpu, device=device)
    if not started_by_root():
        return [*_sandbox(binds, limits, variables), "--", *_limited(limits), *inner]
    outer = [Bind(bind.flag, bind.source, f"/view/{number}") for number, bind in enumerate(binds)]
    seen = [Bind(bind.flag, f"/view/{number}", bind.target) for number, bind in enumerate(binds)]
    return [
        *_outer_view(outer),
        "--",
        *become_unprivileged(),
        *_sandbox(seen, limits, variables),
        "--",
        *_limited(limits),
        *inner,
    ]


def _outer_view(binds: list[Bind]) -> list[str]:
    """The first layer of two.

    Its /proc is the host's: the second layer may mount its own only where one is whole. It has a pid namespace because
    that ends with its first process; a parent-death signal from root's bwrap, which has dropped its capabilities, does
    not reach the processes of another user.
    """
    arguments = [
        program("bwrap"),
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--clearenv",
        *system_folders(),
        "--dev",
        "/dev",
        "--bind",
        "/proc",
        "/proc",
        "--perms",
        "0755",
        "--dir",
        "/view",
        "--dir",
        "/tmp",  # noqa: S108 - where the second bwrap builds its root
    ]
    for bind in binds:
        arguments += [bind.flag, bind.source, bind.target]
    return [*arguments, "--remount-ro", "/", "--chdir", "/"]


def _sandbox(binds: list[Bind], limits: Limits, variables: Mapping[str, str]) -> list[str]:
    disk = str(limits.disk_mb * _MEGABYTE)
    arguments = [
        program("bwrap"),
        "--die-with-parent",
        "--new-session",
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--disable-userns",
        "--cap-drop",
        "ALL",
        "--uid",
        UID,
        "--gid",
        UID,
        "--hostname",
        "sandbox",
        *as_arguments(variables),
        *system_folders(),
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--perms",
        "1777",
        "--size",
        disk,
        "--tmpfs",
        "/tmp",  # noqa: S108 - the sandbox's own
        "--perms",
        "1777",
        "--size",
        str(_SHARED_MEMORY_MB * _MEGABYTE),
        "--tmpfs",
        "/dev/shm",  # noqa: S108
        "--perms",
        "0700",
        "--size",
        disk,
        "--tmpfs",
        HOME,
    ]
    for bind in binds:
        arguments += [bind.flag, bind.source, bind.target]
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]


def _limited(limits: Limits) -> list[str]:
    """Set inside the user namespace, where processes of the same user elsewhere do not count."""
    return [
        program("prlimit"),
        f"--nproc={limits.processes}",
        f"--nofile={limits.open_files}",
        "--core=0",
        f"--fsize={limits.file_mb * _MEGABYTE}",
        "--msgqueue=0",
        "--",
    ]


def as_arguments(variables: Mapping[str, str]) -> list[str]:
    """An environment as bubblewrap is told it."""
    return ["--clearenv", *(part for name in sorted(variables) for part in ("--setenv", name, variables[name]))]


def system_names() -> list[str]:
    """/usr, and the folders of the root that are links into it on most distributions and folders on others."""
    others = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
    return ["/usr", *(name for name in others if Path(name).is_symlink() or Path(name).is_dir())]


def system_folders() -> list[str]:
    """The same as bubblewrap's arguments."""
    arguments: list[str] = []
    for name in system_names():
        path = Path(name)
        link = path.is_symlink()
        arguments += ["--symlink", str(path.readlink()), name] if link else ["--ro-bind", name, name]
    return arguments


def system_binds(etc: Path, *, gpu: bool, device: str | None = None) -> list[Bind]:
    """What every sandbox sees besides /usr: files of /etc, the Python installation, accelerators where asked for.

    Args:
        etc: a folder with passwd, group and hosts, as `write_accounts` leaves them.
        gpu: whether to show device files.
        device: of which accelerator alone; None for all.
    """
    nodes = nodes_for(device, device_nodes()) if gpu else ()
    system = _SYSTEM + (_WITH_GPU if nodes else ())
    binds = [Bind("--ro-bind", path, path) for path in system if Path(path).exists()]
    binds += [Bind("--ro-bind", str(etc / name), f"/etc/{name}") for name in ACCOUNTS]
    binds += [Bind("--dev-bind", str(node), str(node)) for node in nodes]
    binds += [Bind("--ro-bind", prefix, prefix) for prefix in _python_prefixes()]
    if in_venv():
        binds.append(Bind("--ro-bind", sys.prefix, VENV))
    return binds


def _binds(spool: Spool, data: Path | None, *, gpu: bool, device: str | None) -> list[Bind]:
    """Everything besides /usr that the sandbox sees, parents before children."""
    binds = system_binds(spool.etc, gpu=gpu, device=device)
    if data is not None:
        binds.append(Bind("--ro-bind", str(readable(data)), f"{DATA}/{data.name}"))
    binds += [
        Bind("--ro-bind", str(spool.inbox), INBOX),
        Bind("--ro-bind", str(spool.etc), ETC),
        Bind("--bind", str(spool.evidence), EVIDENCE),
        Bind("--bind", str(spool.sockets), SOCKETS),
    ]
    return binds


def _python_prefixes() -> list[str]:
    """The Python installation, where /usr does not hold it already."""
    prefixes = {sys.base_prefix, sys.base_exec_prefix}
    return sorted(prefix for prefix in prefixes if not Path(prefix).is_relative_to("/usr"))


def readable(data: Path) -> Path:
    """Public data, resolved.

    Raises:
        SandboxError: they are missing, or the user as whom kernels run may not read them.
    """
    try:
        mode = data.stat().st_mode
    except OSError as error:
        raise SandboxError(f"the data cannot be shown to the sandbox: {error.strerror}. Received: {data}") from error
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    if started_by_root() and mode & wanted != wanted:
        raise SandboxError(
            "the data must be readable by everybody, because kernels do not run as root: use `chmod -R o+rX`. "
            f"Received: {data} with mode {stat.filemode(mode)}"
        )
    return data.resolve()
