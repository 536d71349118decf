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

import os
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from autograder.config import Limits
from autograder.errors import SandboxError
from autograder.execution import gpu
from autograder.execution.spool import Spool

HOME = "/home/student"
INBOX = "/grading/inbox"
EVIDENCE = "/grading/evidence"
SOCKETS = "/grading/sockets"
ETC = "/grading/etc"
DATA = "/data"

_MEGABYTE = 2**20
_INSIDE_UID = "1000"
# systemd's range for users that exist only while a service runs: no account of a distribution lies in it.
_FIRST_UID, _UIDS = 61184, 4096
_VENV = "/opt/venv"
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
_PASSWD = f"student:x:{_INSIDE_UID}:{_INSIDE_UID}::{HOME}:/bin/sh\n"
_GROUP = f"student:x:{_INSIDE_UID}:\n"
_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


@dataclass(frozen=True)
class _Bind:
    """A host path shown inside: `flag` is --ro-bind, --bind or --dev-bind."""

    flag: str
    source: str
    target: str


def started_by_root() -> bool:
    """Whether this process is root, so that the kernel must become another user."""
    return os.geteuid() == 0


def unprivileged_uid() -> int:
    """The user (and group) as whom this process starts kernels when it is root; another for every worker."""
    return _FIRST_UID + os.getpid() % _UIDS


def tools() -> tuple[str, ...]:
    """The programs that the command line needs."""
    return ("bwrap", "prlimit", "setpriv") if started_by_root() else ("bwrap", "prlimit")


def prepare(spool: Spool) -> None:
    """Write the small /etc files, and hand the writable folders to the sandbox's user."""
    for name, content in (("passwd", _PASSWD), ("group", _GROUP), ("hosts", _HOSTS)):
        path = spool.etc / name
        path.write_text(content, encoding="ascii")
        path.chmod(0o444)
    if started_by_root():
        spool.give_to(unprivileged_uid())


def python() -> str:
    """The interpreter's path inside: a virtual environment is shown at a path that tells nothing of this machine."""
    if _in_venv():
        return f"{_VENV}/{Path(sys.executable).relative_to(sys.prefix)}"
    return sys.executable


def kernel_settings(threads: int) -> dict[str, str]:
    """Environment variables of the kernel that are the same at every level."""
    return {
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or else ipykernel's debugger warns on stderr at every start
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
    }


def command(spool: Spool, inner: list[str], *, limits: Limits, threads: int, data: Path | None) -> list[str]:
    """The whole command line; `spool` must have been through `prepare`.

    Raises:
        SandboxError: the data are missing, or the unprivileged user may not read them.
    """
    binds = _binds(spool, data)
    if not started_by_root():
        return [*_sandbox(binds, limits, threads), "--", *_limited(limits), *inner]
    outside = [_Bind(bind.flag, bind.source, f"/view/{number}") for number, bind in enumerate(binds)]
    inside = [_Bind(bind.flag, f"/view/{number}", bind.target) for number, bind in enumerate(binds)]
    return [
        *_outer_view(outside),
        "--",
        *_become_unprivileged(),
        *_sandbox(inside, limits, threads),
        "--",
        *_limited(limits),
        *inner,
    ]


def _outer_view(binds: list[_Bind]) -> list[str]:
    """The first layer of two.

    Its /proc is the host's: the second layer may mount its own only where one is whole. It has a pid namespace because
    that ends with its first process; a parent-death signal from root's bwrap, which has dropped its capabilities, does
    not reach the processes of another user.
    """
    arguments = [
        _program("bwrap"),
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--clearenv",
        *_system_folders(),
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


def _become_unprivileged() -> list[str]:
    uid = unprivileged_uid()
    return [
        _program("setpriv"),
        f"--reuid={uid}",
        f"--regid={uid}",
        "--clear-groups",
        "--inh-caps=-all",
        "--bounding-set=-all",
        "--no-new-privs",
        "--",
    ]


def _sandbox(binds: list[_Bind], limits: Limits, threads: int) -> list[str]:
    disk = str(limits.disk_mb * _MEGABYTE)
    arguments = [
        _program("bwrap"),
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
        _INSIDE_UID,
        "--gid",
        _INSIDE_UID,
        "--hostname",
        "sandbox",
        *_environment(threads),
        *_system_folders(),
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
        _program("prlimit"),
        f"--nproc={limits.processes}",
        f"--nofile={limits.open_files}",
        "--core=0",
        f"--fsize={limits.disk_mb * _MEGABYTE}",
        "--msgqueue=0",
        "--",
    ]


def _environment(threads: int) -> list[str]:
    variables = kernel_settings(threads) | {
        "PATH": f"{Path(python()).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "SHELL": "/bin/sh",
        "PYTHONNOUSERSITE": "1",
        "MPLCONFIGDIR": f"{HOME}/.config/matplotlib",
        "KERAS_HOME": f"{HOME}/.keras",
        "IPYTHONDIR": f"{HOME}/.ipython",
        "JUPYTER_CONFIG_DIR": f"{HOME}/.jupyter",
        "JUPYTER_DATA_DIR": f"{HOME}/.jupyter",
        "JUPYTER_RUNTIME_DIR": f"{HOME}/.jupyter",
    }
    return ["--clearenv", *(part for name in sorted(variables) for part in ("--setenv", name, variables[name]))]


def _system_folders() -> list[str]:
    """/usr, and the folders of the root that are links into it on most distributions and folders on others."""
    arguments = ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    return arguments


def _binds(spool: Spool, data: Path | None) -> list[_Bind]:
    """Everything besides /usr that the sandbox sees, parents before children."""
    nodes = gpu.device_nodes()
    system = _SYSTEM + (_WITH_GPU if nodes else ())
    binds = [_Bind("--ro-bind", path, path) for path in system if Path(path).exists()]
    binds += [_Bind("--ro-bind", str(spool.etc / name), f"/etc/{name}") for name in ("passwd", "group", "hosts")]
    binds += [_Bind("--dev-bind", str(node), str(node)) for node in nodes]
    binds += [_Bind("--ro-bind", prefix, prefix) for prefix in _python_prefixes()]
    if _in_venv():
        binds.append(_Bind("--ro-bind", sys.prefix, _VENV))
    if data is not None:
        binds.append(_Bind("--ro-bind", str(_readable(data)), f"{DATA}/{data.name}"))
    binds += [
        _Bind("--ro-bind", str(spool.inbox), INBOX),
        _Bind("--ro-bind", str(spool.etc), ETC),
        _Bind("--bind", str(spool.evidence), EVIDENCE),
        _Bind("--bind", str(spool.sockets), SOCKETS),
    ]
    return binds


def _in_venv() -> bool:
    return sys.prefix != sys.base_prefix


def _python_prefixes() -> list[str]:
    """The Python installation, where /usr does not hold it already."""
    prefixes = {sys.base_prefix, sys.base_exec_prefix}
    return sorted(prefix for prefix in prefixes if not Path(prefix).is_relative_to("/usr"))


def _readable(data: Path) -> Path:
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


def _program(name: str) -> str:
    return shutil.which(name) or name
