"""The warm process, seen from outside: find or start it, hold a lease, ask for kernels.

One warm process serves all graders of one user on a machine that need the same environment. It is found by its folder
(`outer_view.py`), started by whoever needs it first, and ends with the last lease, however the holders end: a lease is
a connection, which the system closes. Nothing of it is left then.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from autograder.errors import SandboxError, SandboxUnavailableError
from autograder.execution import outer_view
from autograder.execution.outer_view import Environment
from autograder.execution.spool import short_temporary_folder

_MOST_BYTES = 65536
_ATTEMPTS = 3
_LOOK_SECONDS = 0.01
_LOG_BYTES, _LOG_CHARACTERS = 1 << 20, 600


class WarmKernel:
    """One kernel and its sandbox, with the part of `subprocess.Popen` that jupyter_client uses.

    Attributes:
        pid: host pid of the sandbox's first process; the kernel and all that it starts are its descendants.
        first: process descriptor of that process, with which the sandbox ends.
        kernel: process descriptor of the kernel itself.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, first: int, kernel: int) -> None:
        self.first = first
        self.kernel = kernel
        self.pid = host_pid(first)
        self.returncode: int | None = None
        self._connection = connection
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """How the sandbox has ended (128 and the number for a signal), or None while it runs."""
        with self._lock:
            if self.returncode is None and _readable(self._connection, 0):
                self.returncode = 128 + signal.SIGKILL
                with contextlib.suppress(OSError):
                    self.returncode = int(_answer(self._connection.recv(_MOST_BYTES)).get("ended", self.returncode))
            return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the sandbox.

        Raises:
            subprocess.TimeoutExpired: it has not ended in time.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("warm kernel", timeout or 0)
            _readable(self._connection, _LOOK_SECONDS * 10)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.kernel, number)

    def kill(self) -> None:
        """End the sandbox and everything in it."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)

    terminate = kill

    def close(self) -> None:
        """Let go of it: a sandbox that still runs is killed by its keeper. A second time nothing is left to do."""
        if self._connection.fileno() >= 0:
            self._connection.close()
            for descriptor in (self.first, self.kernel):
                os.close(descriptor)


@dataclass(frozen=True)
class Lease:
    """The right to ask one warm process for kernels, for as long as this object's connection is open.

    Attributes:
        folder: of the warm process.
        uid: as whom its kernels run; None if as this process's user.
    """

    folder: Path
    uid: int | None
    holder: int
    connection: socket.socket

    @property
    def spools(self) -> Path:
        """Where a run's private folder must lie to be seen by the warm process."""
        return self.folder / "spools"

    @property
    def holds(self) -> bool:
        """Whether the warm process still runs with its folder, and this process is the one that took the lease."""
        return self.holder == os.getpid() and not _readable(self.connection, 0) and self.spools.is_dir()

    def start(
        self,
        spool: Path,
        arguments: Sequence[str],
        *,
        limits: Mapping[str, int],
        environment: Mapping[str, str],
        threads: int,
        data: Path | None,
        devices: Sequence[str] = (),
        seconds: float,
    ) -> WarmKernel:
        """Start a kernel.

        Args:
            spool: the run's private folder, in `spools`.
            arguments: of `python -m ipykernel_launcher`, with paths as the kernel sees them.
            limits: as `interior.system_limits` gives them.
            environment: what differs from the warm process's own.
            threads: for libraries that were loaded before the fork.
            data: shown read-only as `/data/<name>`.
            devices: device files to show, of those that the warm process sees.
            seconds: how long to wait.

        Raises:
            SandboxError: the kernel did not start; the message says why.
        """
        request = {
            "ask": "kernel",
            "spool": spool.name,
            "arguments": list(arguments),
            "limits": dict(limits),
            "environment": dict(environment),
            "threads": threads,
            "devices": list(devices),
            "data": None if data is None else outer_view.share(self.folder, data),
        }
        return WarmKernel(*self._ask(request, seconds))

    def try_out(self, spool: Path, limits: Mapping[str, int], seconds: float) -> None:
        """Enter a sandbox, lock down, verify, and end.

        Raises:
            SandboxError: that failed; the message says why.
        """
        asked = {"ask": "trial", "spool": spool.name, "limits": dict(limits), "environment": {}, "data": None}
        connection, *descriptors = self._ask(asked, seconds)
        with connection:
            for descriptor in descriptors:
                os.close(descriptor)
            connection.settimeout(seconds)
            if (ended := _answer(connection.recv(_MOST_BYTES)).get("ended")) != 0:
                raise SandboxError(f"a sandbox did not end as it should. Received: status {ended}")

    def _ask(self, request: Mapping[str, object], seconds: float) -> tuple[socket.socket, int, int]:
        """The life line of a new sandbox, and the descriptors of its first process and of its kernel."""
        connection = _connect(self.folder)
        try:
            connection.settimeout(seconds)
            connection.send(json.dumps(request).encode())
            content, descriptors, _, _ = socket.recv_fds(connection, _MOST_BYTES, 2)
        except OSError as error:
            connection.close()
            raise SandboxError(f"the warm process gave no kernel. Received: {error.strerror or error}") from error
        if len(descriptors) != 2:
            connection.close()
            for descriptor in descriptors:
                os.close(descriptor)
            told = _answer(content).get("failed", "no answer")
            raise SandboxError(f"no warm kernel could be started. Received: {told}")
        connection.settimeout(None)
        return connection, descriptors[0], descriptors[1]


def _answer(content: bytes) -> dict[str, Any]:
    """A packet of the warm process; empty where it ended without a word."""
    return dict(json.loads(content)) if content else {}


_held: dict[Environment, Lease] = {}
_failed: dict[Environment, str] = {}
_lock = threading.Lock()


def lease(environment: Environment, seconds: float) -> Lease:
    """A lease that this process holds until it ends; the warm process is started if there is none.

    Raises:
        SandboxUnavailableError: it cannot be started; the message says why. It is not tried twice.
    """
    with _lock:
        held = _held.get(environment)
        if held is not None and held.holds:
            return held
        if held is not None:
            held.connection.close()
        if environment in _failed:
            raise SandboxUnavailableError(_failed[environment])
        try:
            _held[environment] = take_lease(environment, seconds)
        except SandboxUnavailableError as error:
            _failed[environment] = str(error)
            raise
        return _held[environment]


def let_go() -> None:
    """End all leases of this process."""
    while _held:
        _held.popitem()[1].connection.close()


atexit.register(let_go)


def take_lease(environment: Environment, seconds: float) -> Lease:
    """A new lease, whose connection is the caller's to close.

    Raises:
        SandboxUnavailableError: the warm process cannot be started; the message says why.
    """
    said = ""
    for _ in range(_ATTEMPTS):
        with contextlib.ExitStack() as stack:
            try:
                with _base() as base:
                    folder = base / environment.key()
                    read_log = _start_if_needed(folder, environment, stack)
                if (connection := _leased(folder, seconds)) is not None:
                    uid = (folder / "uid").read_text(encoding="ascii")
                    return Lease(folder, int(uid) if uid else None, os.getpid(), connection)
                if said := read_log():
                    break
            except OSError as error:  # the last holder of its lease had gone while we asked: once more
                said = str(error.strerror or error)
    raise SandboxUnavailableError(f"the warm process does not start. Received: {said or 'it ended at once'}")


def _leased(folder: Path, seconds: float) -> socket.socket | None:
    """A connection that is a lease; None if the warm process ended instead of answering."""
    connection = _connect(folder)
    try:
        connection.settimeout(seconds)
        connection.send(b'{"ask": "lease"}')
        if connection.recv(_MOST_BYTES):
            connection.settimeout(None)
            return connection
    except ConnectionError:
        pass
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


@contextlib.contextmanager
def _base() -> Iterator[Path]:
    """This user's folder for warm processes, locked.

    Raises:
        SandboxUnavailableError: it belongs to somebody else.
    """
    base = short_temporary_folder() / f"ag-warm-{os.geteuid()}"
    while True:
        base.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
                raise SandboxUnavailableError(f"a folder of that name is not this user's own. Received: {base}")
            if status.st_nlink:  # else the last warm process has removed it meanwhile
                yield base
                return
        finally:
            os.close(descriptor)


def _start_if_needed(folder: Path, environment: Environment, stack: contextlib.ExitStack) -> Callable[[], str]:
    """Make sure that something listens at the door; returns what tells why it has ended, in its own words."""
    with contextlib.suppress(OSError):
        _connect(folder).close()
        return lambda: ""
    _remove_abandoned(folder.parent)
    folder.mkdir(mode=0o700)
    outer_view.furnish(folder, environment)
    log = stack.enter_context((folder / "log").open("w+b"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(str(folder / "door"))
        door.listen(128)
        subprocess.run(
            outer_view.command(folder, environment),
            stdin=door.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            env={"PATH": "/usr/bin:/bin"},
            start_new_session=True,
            check=True,
        )
    return lambda: _last_line(log)


def _remove_abandoned(base: Path) -> None:
    """Remove what a grader left that was killed between making a folder and starting its warm process."""
    for folder in sorted(base.iterdir()):
        try:
            _connect(folder).close()
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read(_LOG_BYTES).decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:_LOG_CHARACTERS] if lines else ""


def _connect(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(str(folder / "door"))
    except OSError:
        connection.close()
        raise
    return connection


def _readable(connection: socket.socket, seconds: float) -> bool:
    """Whether something can be read, the end of the connection included."""
    poller = select.poll()
    try:
        poller.register(connection, select.POLLIN)
    except ValueError:  # it has been closed
        return True
    return bool(poller.poll(seconds * 1000))


def host_pid(descriptor: int) -> int:
    """The process number behind a process descriptor, as this process's pid namespace counts.

    Raises:
        SandboxError: the process has ended already.
    """
    for line in Path(f"/proc/self/fdinfo/{descriptor}").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise SandboxError(f"the sandbox ended at once. Received: {os.strerror(errno.ESRCH)}")
