"""An executor that gives every task a process of its own, at most so many at a time.

A process per task rather than a pool of them: when one is killed for its memory or crashes in C, it is known whose it
was, and nobody else is touched; nothing that a task leaves in memory meets the next one; and all that runs can be
stopped at once. What a fresh process would cost, a fork server that has the imports already saves.

Tasks and results are bytes; progress between the processes is JSON.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from autograder.errors import ExecutionError, WorkerDiedError

OnCell = Callable[[int, int, str | None], None]
GRACE_SECONDS = 8.0  # to end a kernel and remove a work folder; then the worker is killed


class Work(Protocol):
    """A function of a module, which workers import: bytes to bytes, telling of every cell."""

    def __call__(self, task: bytes, /, *, on_cell: OnCell) -> bytes:
        """Do the task."""
        ...


class ProcessPerTask(Executor):
    """Runs `work(task, on_cell=...)` in a new process for every task.

    A future ends with the bytes that the work returned, with `WorkerDiedError` when the process died, or with
    `ExecutionError` and the exception's text when the work raised.

    Args:
        workers: how many run at a time.
        logs: folder for what workers print, one file per task; a task that prints nothing leaves none.
        preload: modules that the fork server imports once for all.
        on_cell: is told the task's name and of its cells, from threads of the executor.
    """

    def __init__(
        self,
        workers: int,
        *,
        logs: Path,
        preload: Iterable[str] = (),
        on_cell: Callable[[str, int, int, str | None], None] = lambda *_: None,
    ) -> None:
        self._context = fork_server(preload)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._logs = logs
        self._on_cell = on_cell
        self._lock = threading.Lock()
        self._running: dict[str, Any] = {}
        self._stopped = False

    def submit(self, fn: Work, /, task: bytes, *, name: str) -> Future[bytes]:  # type: ignore[override]
        """Do the task in a process of its own; the name becomes that of its log."""
        return self._threads.submit(self._drive, fn, task, name)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's
        """End; with `cancel_futures` what runs is stopped as well, and no process is left."""
        if cancel_futures:
            with self._lock:
                self._stopped = True
                running = list(self._running.values())
            _stop(running)
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _drive(self, work: Work, task: bytes, name: str) -> bytes:
        """One task from start to end, seen from the parent."""
        ours, theirs = self._context.Pipe()
        log = self._logs / f"{name}.log"
        process = self._context.Process(target=_serve, args=(theirs, work, log), name=f"grade {name}")
        with self._lock:
            if self._stopped:
                raise WorkerDiedError("the batch was stopped")
            process.start()
            self._running[name] = process
        theirs.close()
        try:
            return self._listen(ours, task, name)
        except (EOFError, OSError):
            process.join(GRACE_SECONDS)
            raise WorkerDiedError(f"the worker process died {_how(process.exitcode)}") from None
        finally:
            ours.close()
            process.join(GRACE_SECONDS)
            _stop([process])
            with self._lock:
                self._running.pop(name, None)
            if log.is_file() and not log.stat().st_size:
                log.unlink()

    def _listen(self, connection: Connection, task: bytes, name: str) -> bytes:
        connection.send_bytes(task)
        while True:
            kind, *rest = json.loads(connection.recv_bytes())
            if kind == "cell":
                self._on_cell(name, *rest)
            elif kind == "raised":
                raise ExecutionError(*rest)
            else:
                return connection.recv_bytes()


def _stop(processes: Iterable[Any]) -> None:
    """Ask all to end, which takes their kernels along, and kill those that do not."""
    remaining = [process for process in processes if process.is_alive()]
    for process in remaining:
        process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    try:
        for process in remaining:
            process.join(max(0.0, deadline - time.monotonic()))
    finally:  # a second Ctrl-C while waiting comes here at once
        for process in remaining:
            if process.is_alive():
                process.kill()
            process.join()


def fork_server(preload: Iterable[str]) -> Any:
    """Fork server where there is one (a fork of this process would copy its threads), else new interpreters."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def start_fork_server(preload: Iterable[str]) -> None:
    """Begin to load what workers need, in a process beside this one, before there is work for them."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        fork_server(preload)
        forkserver.ensure_running()


def begin_worker(log: Path) -> None:
    """What every worker process does first: print to its log, leave Ctrl-C to its parent, and end when that dies."""
    _print_to(log)
    faulthandler.enable()
    # Ctrl-C reaches the whole terminal: the parent decides. A function, not SIG_IGN, which kernels would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name if -exitcode in set(signal.Signals) else f"signal {-exitcode}"
        return f"of {name} (the system's answer to too little memory)" if name == "SIGKILL" else f"of {name}"
    return f"with exit status {exitcode}"


def _serve(connection: Connection, work: Work, log: Path) -> None:
    """The worker's main function."""
    begin_worker(log)
    try:
        task = connection.recv_bytes()
        result = work(task, on_cell=lambda done, total, cell: _send(connection, "cell", done, total, cell))
    except Exception as error:  # whatever it is, it is told to a person and costs nobody else
        traceback.print_exc()
        _send(connection, "raised", f"{type(error).__name__}: {error} (see {log})")
    else:
        _send(connection, "result")
        connection.send_bytes(result)
    finally:
        connection.close()


def _send(connection: Connection, *message: object) -> None:
    connection.send_bytes(json.dumps(message).encode())


def _print_to(log: Path) -> None:
    """What libraries print would tear the progress display apart; it is kept for whoever looks for a cause."""
    log.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", force=True)


def _end_with_parent() -> None:
    """A worker whose parent was killed has nobody to report to: it ends, and its kernel with it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    with contextlib.suppress(ProcessLookupError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
