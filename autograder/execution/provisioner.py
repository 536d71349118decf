"""A Jupyter kernel provisioner that starts kernels in a sandbox, registered as `autograder-sandbox`.

Any Jupyter program can use it through a kernel specification:

    "metadata": {"kernel_provisioner": {"provisioner_name": "autograder-sandbox", "config": {"level": "warm"}}}

It differs from jupyter_client's local provisioner in three things: the command line is wrapped, or (at the level
`warm`) answered by a fork of a process that has everything loaded; the kernel listens on unix sockets in a private
folder (in a sandbox there is no network); and signals go to the kernel itself through the process descriptor that was
opened when it started, so that they cannot hit another process.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Enum, Instance

from autograder.config import Limits
from autograder.errors import SandboxError
from autograder.execution import bubblewrap, interior
from autograder.execution.limits import DiskUse
from autograder.execution.sandbox import Confinement, View, command, environment, settle, view
from autograder.execution.spool import Spool, private_spool
from autograder.execution.verification import faults, find_kernel
from autograder.execution.warm import WarmKernel, host_pid

_TAIL_BYTES = 4000
_END_SECONDS = 10
_LOOK_SECONDS = 0.02
_MOST_FILES_COUNTED = 250_000
_LAUNCHER = ["-m", "ipykernel_launcher"]
_log = logging.getLogger(__name__)


class SandboxProvisioner(LocalProvisioner):  # type: ignore[misc]
    """One sandboxed kernel.

    Traits:
        level: `warm`, `cold` or `none`, for use from a kernel specification. Where warm kernels cannot be had, kernels
            start cold, and the reason is logged.
        confinement: the same with limits and data, for use from this package; wins over `level`.
        spool: the private folder, if the caller owns one; otherwise the provisioner makes and removes its own.
    """

    level = Enum(("warm", "cold", "none"), default_value="warm")
    confinement = Instance(Confinement, allow_none=True)
    spool = Instance(Spool, allow_none=True)
    process: Any = None  # a Popen, or a WarmKernel

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._own = contextlib.ExitStack()
        self._tail: deque[bytes] = deque(maxlen=8)
        self._kernel_fd: int | None = None
        self._kernel_pid: int | None = None
        self._init_fd: int | None = None
        self._warm: WarmKernel | None = None
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
        cmd = kwargs.pop("cmd")
        if confinement.level != "none":
            cmd = self._kernel_arguments(cmd, seen)
        if confinement.level == "cold":
            cmd = command(confinement, spool, [seen.python, *bubblewrap.COLD_PROGRAM, *cmd])
        return kwargs | {"cmd": cmd, "env": environment(confinement, spool), "cwd": str(spool.work)}

    def _prepared(self) -> tuple[Confinement, Spool]:
        settled = settle(self.confinement)
        if settled.note:
            _log.warning("%s", settled.note)
            self.confinement = replace(self.confinement, level=settled.level)
        confinement = self.confinement
        lease = confinement.lease() if confinement.level == "warm" else None
        if self.spool is None:
            self.spool = self._own.enter_context(private_spool(lease.spools if lease else None))
        if lease is not None:
            self.spool.prepare_for(lease.uid)
        elif confinement.level == "cold":
            bubblewrap.prepare(self.spool, confinement.limits)
        return confinement, self.spool

    def _kernel_arguments(self, cmd: list[str], seen: View) -> list[str]:
        """What the kernel specification gives to Python's own kernel, which alone knows how to confine itself.

        Raises:
            SandboxError: the kernel specification starts something else.
        """
        if cmd[1:3] != _LAUNCHER:
            raise SandboxError(
                f"only kernels that start as `python {' '.join(_LAUNCHER)}` can be sandboxed. "
                f"Received: {' '.join(cmd[:3])}"
            )
        real = os.path.realpath(self.parent.connection_file)
        return [seen.connection if argument == real else argument for argument in cmd[3:]]

    def _write_connection(self, sockets: str) -> None:
        """The manager's connection file with the path at which the sandbox sees the sockets."""
        assert self.spool is not None
        content = json.loads((self.spool.root / "connection.json").read_text(encoding="utf-8"))
        if content["transport"] == "ipc":
            content["ip"] = f"{sockets}/k"
        path = self.spool.etc / "connection.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        path.chmod(0o444)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the sandbox. What it says on stderr is drained, and its end kept to explain a failed start."""
        if self.confinement.level == "warm":
            self.process = self._warm = self._fork(cmd)
            self.pid, self.pgid, self.cwd = self._warm.pid, None, kwargs["cwd"]
            self._kernel_fd, self._init_fd = self._warm.kernel, self._warm.first
            return self.connection_info
        reading, writing = os.pipe()
        threading.Thread(target=self._drain, args=(reading,), daemon=True).start()
        with os.fdopen(writing, "wb") as stderr:
            return await super().launch_kernel(cmd, **kwargs, stdout=stderr, stderr=stderr)

    def _fork(self, arguments: list[str]) -> WarmKernel:
        assert self.spool is not None
        confinement = self.confinement
        kernel: WarmKernel = confinement.lease().start(
            self.spool.root,
            arguments,
            limits=interior.system_limits(confinement.limits),
            environment=interior.environment(confinement.threads) | confinement.accelerator_settings(),
            threads=confinement.threads,
            data=confinement.data,
            devices=confinement.accelerator_nodes(),
            seconds=confinement.limits.startup_seconds,
        )
        return kernel

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
        if self._warm is not None:
            self._kernel_pid = host_pid(self._warm.kernel)
        else:
            found = find_kernel(self.pid)
            if found is None:
                raise SandboxError(f"no kernel in the sandbox. Received: {self.last_words()}")
            self._kernel_pid, init_pid = found
            self._kernel_fd, self._init_fd = os.pidfd_open(self._kernel_pid), os.pidfd_open(init_pid)
        if wrong := faults(self._kernel_pid):
            raise SandboxError(
                f"the kernel is not confined as it should be; this is a bug. Received: {'; '.join(wrong)}"
            )

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
        if self._warm is not None:
            self._warm.close()
        else:
            for descriptor in (self._kernel_fd, self._init_fd):
                if descriptor is not None:
                    os.close(descriptor)
        self._kernel_fd = self._init_fd = self._warm = None
        await super().cleanup(restart=restart)
        if not restart:  # else the connection file is used again, and the folder with it
            self._own.close()

    def disk_use(self) -> DiskUse | None:
        """What the kernel has written to its folders; None where this cannot be told."""
        assert self.spool is not None
        on_disk = [self.spool.evidence, self.spool.sockets]
        on_disk += [self.spool.work] if self.confinement.level == "none" else []
        uses = [_folder_use(folder) for folder in on_disk]
        used, files = sum(use.used for use in uses), sum(use.files for use in uses)
        if self.confinement.level == "none":
            return DiskUse(used, files)
        root = f"/proc/{self._kernel_pid}/root"
        # A warm kernel's home and /tmp are one file system.
        in_memory = [interior.HOME, *([] if self._warm else ["/tmp"]), "/dev/shm"]  # noqa: S108 - the sandbox's
        with contextlib.suppress(OSError):
            for folder in in_memory:
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
