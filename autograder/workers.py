"""Runs one function over many tasks, each in a process of its own, at most so many at a time.

A process per task rather than a pool of them: when one is killed for its memory or crashes in C, it is known whose it
was, and nobody else is touched; nothing that a task leaves in memory meets the next one; and all that runs can be
stopped at once. What a fresh process would cost, a fork server that has the imports already saves.

Messages between the processes are JSON.
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
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from autograder.errors import AutograderError

Task = TypeVar("Task")
OnCell = Callable[[int, int, str | None], None]
Work = Callable[[Task, OnCell], str]
ATTEMPTS = 2  # a worker that died may have been the victim of its neighbours' memory: once more, alone
GRACE_SECONDS = 8.0  # to end a kernel and remove a work folder; then the worker is killed


@dataclass(frozen=True)
class Started:
    """A worker has taken up this task; `attempt` counts from 1."""

    name: str
    attempt: int


@dataclass(frozen=True)
class CellDone:
    """`done` of `total` code cells have run; `cell` is the grade_id of the last one, if it has one."""

    name: str
    done: int
    total: int
    cell: str | None


@dataclass(frozen=True)
class Outcome:
    """How a task ended: the text that the work returned, or None and why not."""

    name: str
    value: str | None
    problem: str = ""
    seconds: float = 0.0


Event = Started | CellDone | Outcome


def run_each(
    tasks: Mapping[str, Task],
    work: Work[Task],
    *,
    workers: int,
    logs: Path,
    on_event: Callable[[Event], None],
    preload: Iterable[str] = (),
) -> Iterator[Outcome]:
    """Do the work for every task and yield outcomes as they come.

    Leaving the iteration early, by an exception or Ctrl-C, stops what still runs; no process outlives it.

    Args:
        tasks: by name; a name becomes a file name.
        work: a function of a module (it is imported by the workers) that takes a task and a progress callback. An
            exception that it raises is that task's problem alone.
        workers: how many run at a time, at least 1.
        logs: folder for what workers print, one file per task; a task that prints nothing leaves none.
        on_event: hears of everything that happens, outcomes included.
        preload: modules that the fork server imports once for all.
    """
    context = _context(preload)
    waiting = deque(tasks)
    alone: deque[str] = deque()
    running: dict[Connection, _Worker[Task]] = {}
    try:
        while waiting or alone or running:
            while waiting and len(running) < workers:
                _start(context, running, on_event, _Worker(waiting.popleft(), 1, logs), tasks, work)
            if alone and not running:
                _start(context, running, on_event, _Worker(alone.popleft(), ATTEMPTS, logs), tasks, work)
            for connection in wait(list(running)):
                worker = running[connection]  # type: ignore[index]
                heard = worker.hear()
                if isinstance(heard, Outcome):
                    del running[worker.connection]
                    if worker.died and worker.attempt < ATTEMPTS:
                        alone.append(worker.name)
                        continue
                    on_event(heard)
                    yield heard
                else:
                    on_event(heard)
    finally:
        _stop(running.values())


class _Worker(Generic[Task]):
    """One process that does one task, seen from the parent."""

    connection: Connection
    process: Any

    def __init__(self, name: str, attempt: int, logs: Path) -> None:
        self.name = name
        self.attempt = attempt
        self.log = logs / f"{name}.log"
        self.died = False
        self.began = time.monotonic()

    def start(self, context: Any, work: Work[Task], task: Task) -> None:
        """Begin the work."""
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work, task, self.log), name=f"grade {self.name}")
        self.process.start()
        theirs.close()

    def hear(self) -> CellDone | Outcome:
        """The next message; the end of the line before a result means that the process died."""
        try:
            kind, *rest = json.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            self.died = True
            return self._end(None, "")
        if kind == "cell":
            return CellDone(self.name, *rest)
        return self._end(*rest)

    def _end(self, value: str | None, problem: str) -> Outcome:
        self.process.join(GRACE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.connection.close()
        if self.died:
            problem = f"the worker process died {_how(self.process.exitcode)}, {self.attempt} times"
        if self.log.is_file() and not self.log.stat().st_size:
            self.log.unlink()
        return Outcome(self.name, value, problem, time.monotonic() - self.began)


def _start(
    context: Any,
    running: dict[Connection, _Worker[Task]],
    on_event: Callable[[Event], None],
    worker: _Worker[Task],
    tasks: Mapping[str, Task],
    work: Work[Task],
) -> None:
    worker.start(context, work, tasks[worker.name])
    running[worker.connection] = worker
    on_event(Started(worker.name, worker.attempt))


def _stop(workers: Iterable[_Worker[Any]]) -> None:
    """Ask all to end, which takes their kernels along, and kill those that do not."""
    remaining = [worker.process for worker in workers]
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


def _context(preload: Iterable[str]) -> Any:
    """Fork server where there is one (a fork of this process would copy its threads), else new interpreters."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name if -exitcode in set(signal.Signals) else f"signal {-exitcode}"
        return f"of {name} (the system's answer to too little memory)" if name == "SIGKILL" else f"of {name}"
    return f"with exit status {exitcode}"


def _serve(connection: Connection, work: Work[Any], task: Any, log: Path) -> None:
    """The worker's main function."""
    _print_to(log)
    faulthandler.enable()
    # Ctrl-C reaches the whole terminal: the parent decides. A function, not SIG_IGN, which kernels would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        value = work(task, lambda done, total, cell: _send(connection, "cell", done, total, cell))
    except AutograderError as error:
        _send(connection, "end", None, str(error))
    except Exception as error:  # whatever it is, it is told to a person and costs nobody else
        traceback.print_exc()
        _send(connection, "end", None, f"{type(error).__name__}: {error} (see {log})")
    else:
        _send(connection, "end", value, "")
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
