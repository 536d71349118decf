"""Bait: secrets, listeners and processes on the host that nothing in a sandbox may find, and never real ones.

Everything is readable by everybody on the host, so that only the sandbox can be what keeps it away.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "AUTOGRADER_CONFORMANCE_BAIT"
FILES = {
    "hidden test": "course/solutions/bait/hidden_tests/test_bait.py",
    "solution": "course/solutions/bait/bait.ipynb",
    "submission": "course/submitted/student-02/bait/bait.ipynb",
    "gradebook": "course/gradebook.db",
    "withheld data": "course/.autograder/data/withheld-bait.csv",
    "key": "home/.ssh/id_bait",
}


@dataclass(frozen=True)
class Bait:
    """What was laid out; `secret` is the text in every file, and attempts are never told it."""

    folder: Path
    secret: str
    shared_memory: Path
    public_data: Path
    tcp: socket.socket
    udp: socket.socket
    abstract: socket.socket
    unix: socket.socket
    process: subprocess.Popen[bytes]

    def told(self) -> dict[str, object]:
        """What attempts are told: where everything is."""
        return {
            "files": {name: str(self.folder / path) for name, path in FILES.items()},
            "folder": str(self.folder),
            "home": str(Path.home()),
            "shared_memory": str(self.shared_memory),
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "abstract": self.abstract.getsockname().decode().lstrip("\0"),
            "unix": self.unix.getsockname(),
            "pid": self.process.pid,
            "hostname": socket.gethostname(),
            "pid namespace": str(Path("/proc/self/ns/pid").readlink()),
            "namespaces": {name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in NAMESPACES},
        }

    def was_reached(self) -> bool:
        """Whether anybody has come to one of the listeners since this was asked last."""
        reached = False
        for listener in (self.tcp, self.abstract, self.unix):
            with contextlib.suppress(BlockingIOError):
                listener.accept()[0].close()
                reached = True
        with contextlib.suppress(BlockingIOError):
            self.udp.recv(100)
            reached = True
        return reached


NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


@contextmanager
def laid_out() -> Iterator[Bait]:
    """Lay everything out, and take it away again."""
    secret = f"bait-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bait-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        for path in (*FILES.values(), "public/weather.csv"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(secret if path in FILES.values() else "sunny\n", encoding="ascii")
        memory = Path("/dev/shm", secret.replace("bait", "shared"))  # noqa: S108 - a place that is shared is meant
        memory.write_text(secret, encoding="ascii")
        stack.callback(memory.unlink, missing_ok=True)
        process = subprocess.Popen(["sleep", "86399"], env={VARIABLE: secret, "PATH": os.environ["PATH"]})
        stack.callback(process.wait)
        stack.callback(process.kill)
        os.environ[VARIABLE] = secret
        stack.callback(os.environ.pop, VARIABLE, None)
        yield Bait(
            folder=folder,
            secret=secret,
            shared_memory=memory,
            public_data=folder / "public" / "weather.csv",
            tcp=stack.enter_context(_listener(socket.AF_INET, ("127.0.0.1", 0))),
            udp=stack.enter_context(_listener(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM)),
            abstract=stack.enter_context(_listener(socket.AF_UNIX, f"\0{secret.replace('bait', 'listener')}")),
            unix=stack.enter_context(_listener(socket.AF_UNIX, str(folder / "listener"))),
            process=process,
        )


def _listener(family: int, address: object, kind: int = socket.SOCK_STREAM) -> socket.socket:
    listener = socket.socket(family, kind)
    listener.bind(address)  # type: ignore[arg-type]  # an address of the family
    if isinstance(address, str) and not address.startswith("\0"):
        Path(address).chmod(0o777)
    if kind == socket.SOCK_STREAM:
        listener.listen()
    listener.setblocking(False)
    return listener
