"""A process per task: what one of them does to its process costs nobody else. About 10 s."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest

from autograder.errors import ExecutionError, WorkerDiedError
from autograder.workers import ProcessPerTask

WORK = """
import ctypes, os, pathlib, signal, subprocess, sys, time
from autograder.errors import DataError

def work(task, *, on_cell):
    kind, _, rest = task.decode().partition(":")
    on_cell(1, 2, "windows")
    if kind == "exit":
        os._exit(7)
    if kind == "segfault":
        ctypes.string_at(0)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "raises":
        raise ValueError("[red]boo[/red]")
    if kind == "prints":
        print("a library says hello")
    if kind == "slow":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            pathlib.Path(rest).write_text(f"{os.getpid()} {child.pid}")
            time.sleep(600)
        finally:
            child.kill()
    return b"did " + task * (20_000_000 if kind == "large" else 1)
"""


@pytest.fixture(scope="module")
def work_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    (folder / "batch_work.py").write_text(WORK)
    return folder


@pytest.fixture
def work(work_folder, monkeypatch):
    monkeypatch.syspath_prepend(str(work_folder))
    import batch_work

    return batch_work.work


@pytest.fixture
def executor(tmp_path):
    cells = []
    made = ProcessPerTask(2, logs=tmp_path / "logs", on_cell=lambda *told: cells.append(told))
    made.cells = cells
    yield made
    made.shutdown(cancel_futures=True)


def test_every_task_ends_and_progress_is_told(work, executor):
    futures = {f"student-{n:02d}": executor.submit(work, b"fine", name=f"student-{n:02d}") for n in range(5)}
    assert {name: future.result(30) for name, future in futures.items()} == dict.fromkeys(futures, b"did fine")
    assert sorted(executor.cells) == [(name, 1, 2, "windows") for name in sorted(futures)]


def test_large_results_come_whole(work, executor):
    assert len(executor.submit(work, b"large", name="a").result(60)) == 4 + 5 * 20_000_000


@pytest.mark.parametrize(
    ("task", "reason"), [("exit", "exit status 7"), ("segfault", "SIGSEGV"), ("killed", "too little memory")]
)
def test_worker_that_dies_is_told_and_costs_nobody_else(work, executor, task, reason):
    others = [executor.submit(work, b"fine", name=f"other-{n}") for n in range(3)]
    with pytest.raises(WorkerDiedError, match=reason):
        executor.submit(work, task.encode(), name="b").result(30)
    assert [other.result(30) for other in others] == [b"did fine"] * 3


def test_exception_is_told_and_its_traceback_kept(work, executor, tmp_path):
    with pytest.raises(ExecutionError, match=r"ValueError: \[red\]boo\[/red\] \(see "):
        executor.submit(work, b"raises", name="a").result(30)
    assert 'raise ValueError("[red]boo' in (tmp_path / "logs" / "a.log").read_text()


def test_what_libraries_print_goes_to_a_log_and_silence_leaves_none(work, executor, tmp_path, capfd):
    for name, task in {"a": b"prints", "b": b"fine"}.items():
        executor.submit(work, task, name=name).result(30)
    executor.shutdown()
    assert (tmp_path / "logs" / "a.log").read_text() == "a library says hello\n"
    assert not (tmp_path / "logs" / "b.log").exists()
    assert "hello" not in "".join(capfd.readouterr())


def test_stopping_ends_what_runs_and_begins_nothing_more(work, executor, tmp_path):
    pids = tmp_path / "pids"
    slow = executor.submit(work, f"slow:{pids}".encode(), name="slow")
    alive = _wait_for_pids(pids)
    executor.submit(work, f"slow:{tmp_path / 'others'}".encode(), name="second")
    waiting = [executor.submit(work, b"fine", name=f"waits-{n}") for n in range(3)]
    executor.shutdown(cancel_futures=True)
    assert _all_gone(alive)
    assert isinstance(slow.exception(10), WorkerDiedError)
    assert all(future.cancelled() or future.exception(10) for future in waiting)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


INTERRUPTED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import batch_work
from autograder.workers import ProcessPerTask

if __name__ == "__main__":
    executor = ProcessPerTask(1, logs=Path(sys.argv[3]))
    try:
        for name, task in {"fine": "fine", "slow": "slow:" + sys.argv[2], "never": "fine"}.items():
            print(executor.submit(batch_work.work, task.encode(), name=name).result().decode(), flush=True)
    except KeyboardInterrupt:
        executor.shutdown(cancel_futures=True)
        print("interrupted", flush=True)
        sys.exit(130)
"""


def _interrupted(work_folder, tmp_path, send):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(INTERRUPTED))
    pids = tmp_path / "pids"
    command = [sys.executable, str(script), str(work_folder), str(pids), str(tmp_path / "logs")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    alive = _wait_for_pids(pids)
    send(process.pid)
    printed, _ = process.communicate(timeout=30)
    return process.returncode, printed.split("\n"), alive


def test_ctrl_c_keeps_what_is_done_and_leaves_no_process(work_folder, tmp_path):
    # As a terminal does it: the signal goes to every process of the foreground group, the workers included.
    status, printed, alive = _interrupted(work_folder, tmp_path, lambda pid: os.killpg(pid, signal.SIGINT))
    assert (status, printed[:2]) == (130, ["did fine", "interrupted"])
    assert _all_gone(alive)


def test_killed_parent_leaves_no_process(work_folder, tmp_path):
    status, _, alive = _interrupted(work_folder, tmp_path, lambda pid: os.kill(pid, signal.SIGKILL))
    assert status == -signal.SIGKILL
    assert _all_gone(alive)


def _wait_for_pids(path: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if path.exists() and len(path.read_text().split()) == 2:
            return [int(pid) for pid in path.read_text().split()]
        time.sleep(0.05)
    raise AssertionError("the slow task did not start")


def _all_gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
            return True
        time.sleep(0.1)
    return False
