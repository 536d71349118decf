"""The gradebook's file: made whole, written by one process at a time, one transaction for each submission."""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from nbgrader.api import Gradebook
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from autograder import atomic, store
from autograder.errors import GradebookError

LOCK_FILE = "gradebook.lock"
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.2
COMMAND_LENGTH = 120


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the course's right to write the gradebook; it ends with the process, however that ends.

    Raises:
        GradebookError: another process holds it and has not finished in time; the message says which.
    """
    path = folder / store.STATE_FOLDER / LOCK_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", errors="replace") as file:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(file.fileno()):
            if time.monotonic() >= deadline:
                file.seek(0)
                holder = file.read().strip() or "another process"
                raise GradebookError(
                    f"The gradebook is being written by somebody else. Wait until that has ended, then run the same "
                    f"command again: the grades are kept, only the gradebook is missing them. Received: {holder}"
                )
            time.sleep(LOOK_SECONDS)
        file.truncate(0)
        file.write(f"{_described(os.getpid())} on {socket.gethostname()}\n")
        file.flush()
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def open_gradebook(coursedir: Any) -> Iterator[Any]:
    """nbgrader's gradebook of a course; where there is none it is made first, and appears with all its tables or not.

    nbgrader makes one in several steps, and takes the half of one for a whole one ever after.
    """
    path = database_file(coursedir)
    if path is not None and _size(path) == 0:
        with tempfile.TemporaryDirectory(prefix="autograder-") as elsewhere:
            made = Path(elsewhere) / path.name
            Gradebook(URL.create("sqlite", database=str(made)), coursedir.course_id).close()
            if _size(path) == 0:  # else one of nbgrader's own commands has just made it
                atomic.write(path, made.read_bytes())
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        yield gradebook


def database_file(coursedir: Any) -> Path | None:
    """The gradebook's file; None where it is a server's."""
    url = make_url(coursedir.db_url)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextmanager
def transaction(gradebook: Any) -> Iterator[Any]:
    """A session whose reading and writing are one: the formgrader's own changes come before it or after it.

    All is written when the block ends well, nothing when it does not. Each has a session of its own, so that memory
    does not grow with the class.

    Raises:
        SQLAlchemyError: as `told` explains it.
    """
    with Session(gradebook.engine) as session:
        if gradebook.engine.dialect.name == "sqlite":
            connection = session.connection()
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(PATIENCE_SECONDS * 1000)}")
            # The sqlite3 module begins a transaction only at the first change, when what was read may be old.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield session
        session.commit()


@contextmanager
def told(coursedir: Any) -> Iterator[None]:
    """Whatever goes wrong in the database, as one sentence.

    Raises:
        GradebookError: it did; for a locked file the message says who locks it.
    """
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        if "database is locked" not in cause:
            raise GradebookError(
                f"The gradebook cannot be written. If nbgrader was upgraded, make a copy of it and run `nbgrader db "
                f"upgrade`. Received: {cause}"
            ) from error
        path = database_file(coursedir)
        raise GradebookError(
            f"The gradebook is locked by another program. What was written before is whole; close that program or wait "
            f"for it, then run the same command again. Received: {_holder(path) if path else cause}"
        ) from error


def _holder(path: Path) -> str:
    """Who holds a lock on a file, as far as this system tells (Linux does in /proc/locks)."""
    try:
        inode, lines = str(path.stat().st_ino), Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return f"{path.name} stays locked"
    locks = [line.split() for line in lines if "->" not in line]
    holders = sorted({int(lock[4]) for lock in locks if len(lock) > 5 and lock[5].rpartition(":")[2] == inode})
    return f"{path.name} is held by {' and '.join(map(_described, holders)) or 'a process that has just ended'}"


def _described(process: int) -> str:
    try:
        command = sys.orig_argv if process == os.getpid() else psutil.Process(process).cmdline()
    except psutil.Error:
        command = []
    return f"process {process} ({shlex.join(command)[:COMMAND_LENGTH]})" if command else f"process {process}"
