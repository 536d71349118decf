"""The read-only view in which the warm process lives: what lies in its folder, and the command line that starts it.

    <temporary>/ag-warm-<uid>/<environment>/      0700, the grader's; removed when the warm process ends
        door          the unix socket on which the warm process listens
        log           what it said before it was ready
        uid           as whom its kernels run; empty if as the grader's own user
        instance      tells this process from the next one in the same place
        program/      its modules, settings and seccomp filter
        etc/          passwd, group, hosts
        spools/       the private folders of the runs
        data/         public data, linked or copied once, shown to the kernels that ask for them

Started by root it becomes another user, as in `bubblewrap.py`, and needs no user namespace for itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.execution import bubblewrap, gpu, inside, interior, seccomp, unprivileged

PROGRAM, SPOOLS, DATA = "/program", "/spools", "/shared"
# What takes long to import and nearly every notebook does; and the kernel itself. No `matplotlib_inline`: the backend
# for notebooks hooks itself into the running kernel when it is imported.
PRELOAD = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "ipykernel.embed",
    "IPython.core.completerlib",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "matplotlib.pyplot",
    "pandas",
    "tensorflow",
    "keras",
)
_IDLE_SECONDS = 600.0
# Waits for the warm process to end, then removes its folder, unless a new one has been started in its place; and the
# folder above if it was the last.
_SUPERVISE = """
exec 3<&0
{
    trap "" HUP INT TERM
    folder=$0 instance=$1
    shift
    "$@" <&3 3<&-
    flock "${folder%/*}" /bin/sh -c '[ "$(cat "$0/instance")" = "$1" ] && rm -rf -- "$0"' "$folder" "$instance"
    rmdir -- "${folder%/*}"
} </dev/null &
"""


@dataclass(frozen=True)
class Environment:
    """What the warm process has loaded and shows; another environment needs another process.

    Attributes:
        preload: names of modules; those that are not installed are left out.
        gpu: whether kernels may use the accelerators of the machine.
    """

    preload: tuple[str, ...] = PRELOAD
    gpu: bool = False

    def key(self) -> str:
        """A digest of everything that this process's forks inherit: interpreter, packages, modules of ours, devices."""
        parts: list[object] = [
            self.preload,
            sys.executable,
            sys.version,
            sorted(inside.sources().items()),
            sorted(interior.kernel_settings(1).items()),
            [str(node) for node in self._devices()],
        ]
        folders = sorted({path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))})
        parts += [[folder, *_listing(Path(folder))] for folder in folders]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def _devices(self) -> tuple[Path, ...]:
        return gpu.device_nodes() if self.gpu else ()


def _listing(folder: Path) -> list[tuple[str, int]]:
    """What a folder of packages holds, by name and time of the last change."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.name != "__pycache__")
    except OSError:
        return []


def furnish(folder: Path, environment: Environment) -> None:
    """Write everything that the warm process needs into its folder.

    Raises:
        SandboxUnavailableError: there is no libseccomp.
    """
    for name in ("program", "etc", "spools", "data"):
        (folder / name).mkdir()
        (folder / name).chmod(0o755)
    interior.write_readable(folder / "instance", secrets.token_hex(8).encode())
    uid = str(unprivileged.unprivileged_uid()) if unprivileged.started_by_root() else ""
    interior.write_readable(folder / "uid", uid.encode())
    interior.write_accounts(folder / "etc")
    program = folder / "program"
    for name, source in inside.sources().items():
        interior.write_readable(program / f"{name}.py", source.encode())
    interior.write_readable(program / "filter", seccomp.program())
    binds = bubblewrap.system_binds(folder / "etc", gpu=environment.gpu)
    settings = {
        "preload": environment.preload,
        "filter": f"{PROGRAM}/filter",
        "shown": [*bubblewrap.system_names(), *_tops(bind.target for bind in binds if bind.flag == "--ro-bind")],
        "devices": [bind.target for bind in binds if bind.flag == "--dev-bind"],
        "idle_seconds": _IDLE_SECONDS,
    }
    interior.write_readable(program / "settings.json", json.dumps(settings).encode())


def _tops(targets: Iterable[str]) -> list[str]:
    """The paths to show: /etc as a whole, the others as they are; none below another."""
    paths = sorted({"/etc" if path.startswith("/etc/") else path for path in targets})
    return [path for path in paths if not any(path.startswith(f"{other}/") for other in paths)]


def command(folder: Path, environment: Environment) -> list[str]:
    """The whole command line; its standard input must be the listening socket."""
    by_root = unprivileged.started_by_root()
    arguments = [
        unprivileged.program("bwrap"),
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        *(() if by_root else ("--unshare-user", "--uid", "1000", "--gid", "1000")),
        *bubblewrap.as_arguments(interior.environment(1)),
        *bubblewrap.system_folders(),
        "--dev",
        "/dev",
        # A kernel may mount its own /proc only where a whole one is to be seen, and root's bwrap covers parts of its.
        *(("--bind", "/proc", "/proc") if by_root else ("--proc", "/proc")),
        *("--perms", "1777", "--tmpfs", "/tmp"),  # noqa: S108 - where kernels build their roots
        *("--perms", "1777", "--tmpfs", interior.HOME),  # what libraries write while they are imported
    ]
    binds = bubblewrap.system_binds(folder / "etc", gpu=environment.gpu)
    for parent in _parents(bind.target for bind in binds):
        arguments += ["--perms", "0755", "--dir", parent]  # bubblewrap would make it root's alone
    for bind in binds:
        arguments += [bind.flag, bind.source, bind.target]
    for name, target in (("program", PROGRAM), ("data", DATA)):
        arguments += ["--ro-bind", str(folder / name), target]
    arguments += ["--bind", str(folder / "spools"), SPOOLS, "--remount-ro", "/", "--chdir", "/", "--"]
    if by_root:
        arguments += unprivileged.become_unprivileged()
    started = [interior.python(), f"{PROGRAM}/_autograder_warm.py", f"{PROGRAM}/settings.json"]
    instance = (folder / "instance").read_text(encoding="ascii")
    return ["/bin/sh", "-c", _SUPERVISE, str(folder), instance, *arguments, *started]


def _parents(targets: Iterable[str]) -> list[str]:
    """All folders above these paths but the root, parents first."""
    found = {str(parent) for target in targets for parent in Path(target).parents if parent != Path("/")}
    return sorted(path for path in found if not path.startswith("/dev"))


def share(folder: Path, data: Path) -> tuple[str, str]:
    """Bring public data into the view, once: linked where that is possible, else copied.

    Returns:
        The path in the view, and the one that kernels see.
    """
    status = data.stat()
    mark = f"{data} {status.st_dev} {status.st_ino} {status.st_mtime_ns} {status.st_size}"
    shelf = folder / "data" / hashlib.sha256(mark.encode()).hexdigest()[:16]
    if not shelf.is_dir():
        partial = shelf.with_name(f"{shelf.name}.{os.getpid()}")
        partial.mkdir()
        _link_or_copy(data, partial / data.name)
        try:
            partial.rename(shelf)
        except OSError:  # another worker has brought the same data at the same moment
            shutil.rmtree(partial)
    return f"{DATA}/{shelf.name}/{data.name}", f"{interior.DATA}/{data.name}"


def _link_or_copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=lambda one, other: _link_or_copy(Path(one), Path(other)))
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        target.chmod(0o444)
