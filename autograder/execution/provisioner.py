"""A Jupyter kernel provisioner that starts kernels in a sandbox, registered as `autograder-sandbox`.

Any Jupyter program can use it through a kernel specification:

    "metadata": {"kernel_provisioner": {"provisioner_name": "autograder-sandbox", "config": {"level": "cold"}}}

It differs from jupyter_client's local provisioner in three things: the command line is wrapped, the kernel listens on
unix sockets in a private folder (in a sandbox there is no network), and signals go to the kernel itself through the
process descriptor that was opened when it started, so that they cannot hit another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Enum, Instance

from autograder.config import Limits
from autograder.errors import SandboxError
from autograder.execution import bubblewrap
from autograder.execution.limits import DiskUse
from autograder.execution.sandbox import Confinement, check, command, environment, view
from autograder.execution.spool import Spool, private_spool

_TAIL_BYTES = 4000
_END_SECONDS = 10
_LOOK_SECONDS = 0.02
_MOST_FILES_COUNTED = 250_000
_NO_CAPABILITIES = "0000000000000000"


class SandboxProvisioner(LocalProvisioner):  # type: ignore[misc]
    """One sandboxed kernel.

    Traits:
        level: `cold` or `none`, for use from a kernel specification.
        confinement: the same with limits and data, for use from this package; wins over `level`.
        spool: the private folder, if the caller owns one; otherwise the provisioner makes and removes its own.
    """

    level = Enum(("cold", "none"), default_value="cold")
    confinement = Instance(Confinement, allow_none=True)
    spool = Instance(Spool, allow_none=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._own = contextlib.ExitStack()
        self._tail: deque[bytes] = deque(maxlen=8)
        self._kernel_fd: int | None = None
        self._kernel_pid: int | None = None
        self._init_fd: int | None = None
        if self.confinement is None:
            self.confinement = Confinement(self.level, Limits())

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the transport, write the connection file as the sandbox will see it, and wrap the command line.

        Raises:
            SandboxUnavailableError: the level does not work on this machine.
            SandboxError: the data cannot be shown to the sandbox.
        """
        confinement, spool = self._prepared()
        manager, seen = self.parent, view(confinement, spool)
        manager.connection_file = str(spool.root / "connection.json")
        if os.name == "posix" and sys.platform != "darwin":
            manager.transport, manager.ip = "ipc", str(spool.sockets / "k")
        kwargs = await super().pre_launch(**kwargs)
        self._write_connection(seen.sockets)
        inner = [self._as_seen(argument, seen.python, seen.connection) for argument in kwargs.pop("cmd")]
        settings = environment(confinement, spool)
        return kwargs | {"cmd": command(confinement, spool, inner), "env": settings, "cwd": str(spool.work)}

    def _prepared(self) -> tuple[Confinement, Spool]:
        confinement = self.confinement
        check(confinement.level)
        if self.spool is None:
            self.spool = self._own.enter_context(private_spool())
        if confinement.level != "none":
            bubblewrap.prepare(self.spool)
        return confinement, self.spool

    def _write_connection(self, sockets: str) -> None:
        """The manager's connection file with the path at which the sandbox sees the sockets."""
        assert self.spool is not None
        content = json.loads((self.spool.root / "connection.json").read_text(encoding="utf-8"))
        if content["transport"] == "ipc":
            content["ip"] = f"{sockets}/k"
        path = self.spool.etc / "connection.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        path.chmod(0o444)

    def _as_seen(self, argument: str, python: str, connection: str) -> str:
        if argument == sys.executable:
            return python
        return connection if argument == os.path.realpath(self.parent.connection_file) else argument

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the sandbox. What it says on stderr is drained, and its end kept to explain a failed start."""
        reading, writing = os.pipe()
        threading.Thread(target=self._drain, args=(reading,), daemon=True).start()
        with os.fdopen(writing, "wb") as stderr:
            return await super().launch_kernel(cmd, **kwargs, stdout=stderr, stderr=stderr)

    def _drain(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            while chunk := pipe.read(65536):
                self._tail.append(chunk[-_TAIL_BYTES:])

    def last_words(self) -> str:
        """The end of what bubblewrap or the dying kernel wrote to stderr."""
        return b"".join(self._tail)[-_TAIL_BYTES:].decode("utf-8", "replace").strip()

    def exit_status(self) -> str:
        """How the kernel ended, in words; with bubblewrap, a signal shows as 128 and its number."""
        status = None if self.process is None else self.process.poll()
        if not status:
            return "it ended by itself, as exit() and quit() make it"
        number = -status if status < 0 else status - 128
        try:
            return f"by the signal {signal.Signals(number).name}"
        except ValueError:
            return f"with the exit status {status}"

    def verify(self) -> None:
        """Find the kernel's own process and make sure that it is confined, before it is given any of a student's code.

        Raises:
            SandboxError: the kernel runs as root, has capabilities or may gain some, or is not in its own namespaces.
        """
        if self.confinement.level == "none":
            return
        self._kernel_pid, init_pid = self._find_kernel()
        self._kernel_fd, self._init_fd = os.pidfd_open(self._kernel_pid), os.pidfd_open(init_pid)
        status = _status(self._kernel_pid)
        wrong = [
            f"{field} is {status.get(field)}"
            for field, good in (
                ("CapEff", status.get("CapEff") == _NO_CAPABILITIES),
                ("CapPrm", status.get("CapPrm") == _NO_CAPABILITIES),
                ("CapBnd", status.get("CapBnd") == _NO_CAPABILITIES),
                ("NoNewPrivs", status.get("NoNewPrivs") == "1"),
                ("Uid", "0" not in status.get("Uid", "0").split()),
            )
            if not good
        ]
        wrong += [
            f"it shares this process's {name} namespace"
            for name in ("net", "pid", "mnt", "ipc", "uts", "user")
            if _namespace(self._kernel_pid, name) == _namespace(os.getpid(), name)
        ]
        if wrong:
            raise SandboxError(
                f"the kernel is not confined as it should be; this is a bug. Received: {'; '.join(wrong)}"
            )

    def _find_kernel(self) -> tuple[int, int]:
        """Host pids of the kernel and of the first process of its pid namespace."""
        seen = []
        for process in psutil.Process(self.pid).children(recursive=True):
            with contextlib.suppress(OSError):
                seen.append((process.pid, _status(process.pid)["NSpid"].split()))
        depth = max((len(pids) for _, pids in seen), default=0)
        inside = {pids[-1]: pid for pid, pids in seen if len(pids) == depth}
        try:
            return inside["2"], inside["1"]
        except KeyError:
            raise SandboxError(f"no kernel in the sandbox. Received: {seen} {self.last_words()}") from None

    def root_process(self) -> psutil.Process | None:
        """The process that was started; the sandbox is its descendants."""
        try:
            return psutil.Process(self.pid) if self.process is not None else None
        except psutil.NoSuchProcess:
            return None

    def interrupt_now(self) -> None:
        """Interrupt the kernel; callable from any thread, and harmless when it has ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self._kernel_fd is not None:
                signal.pidfd_send_signal(self._kernel_fd, signal.SIGINT)
            elif sys.platform == "win32":
                from jupyter_client.win_interrupt import send_interrupt

                if self.process is not None:
                    send_interrupt(self.process.win32_interrupt_event)
            elif self.process is not None:
                self.process.send_signal(signal.SIGINT)

    def kill_now(self) -> None:
        """Kill everything in the sandbox, or the kernel and its descendants; callable from any thread.

        A sandbox is killed by its first process: its pid namespace ends with it, and the programs around it end by
        themselves, reaped by each other. Killed too, they would be left to the machine's init, which may be slow.
        """
        if self._init_fd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init_fd, signal.SIGKILL)
        elif self.process is not None and self.process.returncode is None:
            _kill(self._family())

    def _family(self) -> list[psutil.Process]:
        root = self.root_process()
        if root is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return [*root.children(recursive=True), root]
        return []

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel itself, not to the programs that confine it."""
        if signum == signal.SIGINT:
            self.interrupt_now()
        elif self.confinement.level == "none":
            await super().send_signal(signum)
        else:
            self.kill_now()

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - jupyter_client's signature
        """Kill everything, and wait until it has ended.

        Raises:
            SandboxError: something would not die.
        """
        if self.process is None:
            return
        family = self._family()
        self.kill_now()
        try:
            self.process.wait(_END_SECONDS / 2)
        except subprocess.TimeoutExpired:
            _kill(family)
        end = time.monotonic() + _END_SECONDS
        while alive := [process.pid for process in family if _is_alive(process)]:
            if time.monotonic() > end:
                raise SandboxError(f"processes of a sandbox do not end. Received: {alive}")
            self.process.poll()
            await asyncio.sleep(_LOOK_SECONDS)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - jupyter_client's signature
        """Close the process descriptors, and remove the private folder if it is the provisioner's own."""
        for descriptor in (self._kernel_fd, self._init_fd):
            if descriptor is not None:
                os.close(descriptor)
        self._kernel_fd = self._init_fd = None
        await super().cleanup(restart=restart)
        self._own.close()

    def disk_use(self) -> DiskUse | None:
        """What the kernel has written to its folders; None where this cannot be told."""
        assert self.spool is not None
        spooled = _folder_use(self.spool.evidence)
        if self.confinement.level == "none":
            work = _folder_use(self.spool.work)
            return DiskUse(spooled.used + work.used, spooled.files + work.files)
        root = f"/proc/{self._kernel_pid}/root"
        used, files = spooled.used, spooled.files
        with contextlib.suppress(OSError):
            for folder in (bubblewrap.HOME, "/tmp", "/dev/shm"):  # noqa: S108 - the sandbox's
                figures = os.statvfs(root + folder)
                # Bytes are bounded by the size of the tmpfs itself: the student sees "No space left on device".
                files += figures.f_files - figures.f_ffree
        return DiskUse(used, files)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; a zombie has ended, whoever may be slow to reap it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _folder_use(folder: Path) -> DiskUse:
    """Bytes and files below a folder, without following links; gives up counting after a quarter of a million."""
    used = files = 0
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            files += 1
            with contextlib.suppress(OSError):
                used += Path(parent, name).lstat().st_size
            if files >= _MOST_FILES_COUNTED:
                return DiskUse(used, files)
    return DiskUse(used, files)


def _status(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def _namespace(pid: int, name: str) -> str:
    return str(Path(f"/proc/{pid}/ns/{name}").readlink())
