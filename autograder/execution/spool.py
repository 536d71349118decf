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
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder import atomic, untrusted
from autograder.errors import EvidenceError, UntrustedError
from autograder.execution import cgroup

# A unix socket's path has at most 107 bytes; "/ag-warm-65534/<16>/spools/ag-xxxxxxxx/sockets/k-5" needs 62 of them.
_LONGEST_TEMPORARY_FOLDER = 40
# Removal is tried again for a while: the sandbox, killed at the same moment, may still be writing. The arguments after
# the spool's folder are those of its control group, which can only be removed when all processes in it have ended.
_SWEEP = """
trap "" HUP INT TERM
read -r _
for _ in 1 2 3 4 5 6 7 8; do
    left=
    rm -rf -- "$0" || left=yes
    for group; do
        [ ! -d "$group" ] && continue
        [ -w "$group/cgroup.kill" ] && echo 1 >"$group/cgroup.kill"
        rmdir -- "$group" || left=yes
    done
    [ -z "$left" ] && exit
    sleep 0.3
done
"""


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

    def prepare_for(self, uid: int | None) -> None:
        """Make the writable folders the property of the user as whom the sandbox runs, if that is another one."""
        if uid is not None:
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
    try:
        content = untrusted.read_bytes(source, max_bytes, sole_name=True)
    except UntrustedError as error:
        if error.reason == "missing":
            raise EvidenceError(f"the probe left no evidence. Received: no file {source.name}") from None
        raise EvidenceError(f"the evidence cannot be taken: {error}") from error
    atomic.write(destination, content)


def short_temporary_folder() -> Path:
    """The folder for temporary files, or /tmp where its path would be too long for a unix socket in it."""
    folder = tempfile.gettempdir()
    too_long = os.name == "posix" and len(folder) > _LONGEST_TEMPORARY_FOLDER
    return Path("/tmp" if too_long else folder)  # noqa: S108 - what is made in it is private


@contextmanager
def private_spool(parent: Path | None = None) -> Iterator[Spool]:
    """A fresh spool, removed when the block ends and also when this process is killed within it.

    Args:
        parent: a folder that is private already, for a spool that others below it may pass through by its name.
    """
    root = Path(tempfile.mkdtemp(prefix="ag-", dir=parent or short_temporary_folder()))
    if parent is not None:
        root.chmod(0o711)
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
        ["/bin/sh", "-c", _SWEEP, str(root), *(str(folder) for folder in cgroup.folders(root.name))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        start_new_session=True,
    )
