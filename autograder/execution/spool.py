"""The private folder of one run on the host: sockets, the probe inbox and the evidence that comes back.

    <spool>/                 0700, the worker's
        sockets/             where the kernel listens (unix sockets); writable in the sandbox
        inbox/               one probe at a time; read-only in the sandbox
        evidence/            what the probe wrote; writable in the sandbox, emptied by the worker after every probe
        etc/                 passwd, group, hosts and the connection file; read-only in the sandbox
        work/                the student's working folder at level `none` (in a sandbox it is a tmpfs)

The folder goes away however the worker ends: a shell of one line waits for the worker's end of a pipe to close.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import EvidenceError

# A unix socket's path has at most 107 bytes; "/ag-xxxxxxxx/sockets/k-5" needs 24 of them.
_LONGEST_TEMPORARY_FOLDER = 80
# Removal is tried again for a while: the sandbox, killed at the same moment, may still be writing.
_SWEEP = 'trap "" HUP INT TERM; read -r _; for _ in 1 2 3 4 5 6 7 8; do rm -rf -- "$0" && exit; sleep 0.3; done'


@dataclass(frozen=True)
class Spool:
    """Host paths of one run's private folder."""

    root: Path

    @property
    def sockets(self) -> Path:
        """Folder of the kernel's unix sockets."""
        return self.root / "sockets"

    @property
    def inbox(self) -> Path:
        """Folder from which the kernel reads the probe that runs next."""
        return self.root / "inbox"

    @property
    def evidence(self) -> Path:
        """Folder to which the probe writes."""
        return self.root / "evidence"

    @property
    def etc(self) -> Path:
        """Folder of small configuration files that the sandbox sees read-only."""
        return self.root / "etc"

    @property
    def work(self) -> Path:
        """The student's working folder at level `none`."""
        return self.root / "work"

    def give_to(self, uid: int) -> None:
        """Make the writable folders the property of the unprivileged user as whom the sandbox runs."""
        for folder in (self.sockets, self.evidence):
            os.chown(folder, uid, uid)

    def put_probe(self, question: str, source: str, inputs: bytes) -> None:
        """Write one probe and its inputs into the inbox, and make sure that its evidence is not there yet."""
        self.clear_evidence()
        for name, content in ((f"{question}.npz", inputs), (f"{question}.py", source.encode())):
            path = self.inbox / name
            path.write_bytes(content)
            path.chmod(0o444)

    def clear_inbox(self) -> None:
        """Remove what `put_probe` wrote."""
        for path in sorted(self.inbox.iterdir()):
            path.unlink()

    def clear_evidence(self) -> None:
        """Remove whatever lies in the evidence folder; links are removed, never followed."""
        with os.scandir(self.evidence) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)

    def collect(self, question: str, destination: Path, max_bytes: int) -> None:
        """Copy one question's evidence out of the spool and empty the spool's evidence folder.

        The name belongs to whoever runs in the sandbox: it is opened without following links and without waiting for
        a writer, and copied only if it is a regular file of at most `max_bytes`.

        Raises:
            EvidenceError: there is no such file, or it is not a regular file, or it is too large.
        """
        try:
            _copy_regular_file(self.evidence / f"{question}.npz", destination, max_bytes)
        finally:
            self.clear_evidence()


def _copy_regular_file(source: Path, destination: Path, max_bytes: int) -> None:
    # Windows has neither flag; there the level is `none` and the file is the student's own machine's.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(source, flags)
    except FileNotFoundError:
        raise EvidenceError(f"the probe left no evidence. Received: no file {source.name}") from None
    except OSError as error:
        raise EvidenceError(f"the evidence cannot be opened as a file. Received: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise EvidenceError(f"the evidence is not a regular file. Received: mode {stat.filemode(status.st_mode)}")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise EvidenceError(f"the evidence has more than {max_bytes} bytes. Received: {status.st_size} bytes")
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(destination)


@contextmanager
def private_spool() -> Iterator[Spool]:
    """A fresh spool, removed when the block ends and also when this process is killed within it."""
    parent = tempfile.gettempdir()
    if os.name == "posix" and len(parent) > _LONGEST_TEMPORARY_FOLDER:
        parent = "/tmp"  # noqa: S108 - mkdtemp makes a private folder in it
    root = Path(tempfile.mkdtemp(prefix="ag-", dir=parent))
    for name, mode in (("sockets", 0o700), ("inbox", 0o755), ("evidence", 0o700), ("etc", 0o755), ("work", 0o700)):
        (root / name).mkdir()
        (root / name).chmod(mode)
    sweeper = _start_sweeper(root)
    try:
        yield Spool(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
        if sweeper is not None and sweeper.stdin is not None:
            sweeper.stdin.close()
            sweeper.wait()


def _start_sweeper(root: Path) -> subprocess.Popen[bytes] | None:
    if sys.platform == "win32":
        return None  # no level but `none` there, whose kernel ends itself when its parent has gone
    return subprocess.Popen(
        ["/bin/sh", "-c", _SWEEP, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )
