"""A process per submission: what one of them does to its process costs nobody else. About 10 s."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from autograder.batch import worker_count
from autograder.config import Profile
from autograder.progress import LiveDisplay, _Clock, display
from autograder.workers import CellDone, Outcome, Started, run_each

WORK = """
import ctypes, os, pathlib, signal, subprocess, sys, time
from autograder.errors import DataError

def work(task, on_cell):
    kind, _, rest = task.partition(":")
    on_cell(1, 2, "windows")
    if kind == "exit":
        os._exit(7)
    if kind == "segfault":
        ctypes.string_at(0)
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "killed once":
        marker = pathlib.Path(rest)
        if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
    if kind == "raises":
        raise ValueError("[red]boo[/red]")
    if kind == "refuses":
        raise DataError("the data are gone")
    if kind == "prints":
        print("a library says hello")
    if kind == "slow":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            pathlib.Path(rest).write_text(f"{os.getpid()} {child.pid}")
            time.sleep(600)
        finally:
            child.kill()
    return f"did {kind}"
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


def run(tasks, work, folder, workers=2):
    events = []
    outcomes = {o.name: o for o in run_each(tasks, work, workers=workers, logs=folder / "logs", on_event=events.append)}
    return outcomes, events


def test_every_task_ends_once_and_progress_is_told(work, tmp_path):
    outcomes, events = run({f"student-{n:02d}": "fine" for n in range(5)}, work, tmp_path)
    assert {name: o.value for name, o in outcomes.items()} == {f"student-{n:02d}": "did fine" for n in range(5)}
    for name in outcomes:
        told = [event for event in events if event.name == name]
        assert [type(event) for event in told] == [Started, CellDone, Outcome]
        assert told[1] == CellDone(name, 1, 2, "windows")


@pytest.mark.parametrize(
    ("task", "reason"), [("exit", "exit status 7"), ("segfault", "SIGSEGV"), ("killed", "too little memory")]
)
def test_worker_that_dies_is_tried_again_alone_and_costs_nobody_else(work, tmp_path, task, reason):
    outcomes, events = run({"a": "fine", "b": task, "c": "fine", "d": "fine"}, work, tmp_path)
    assert {name for name, o in outcomes.items() if o.value} == {"a", "c", "d"}
    assert outcomes["b"].value is None
    assert reason in outcomes["b"].problem
    assert "2 times" in outcomes["b"].problem
    again = events.index(Started("b", 2))
    ended = [event.name for event in events[:again] if isinstance(event, Outcome)]
    assert sorted(ended) == ["a", "c", "d"], "the second attempt waits until it has the machine for itself"


def test_victim_of_the_neighbours_memory_gets_its_grade_at_the_second_attempt(work, tmp_path):
    outcomes, _ = run({"a": f"killed once:{tmp_path / 'marker'}"}, work, tmp_path)
    assert outcomes["a"].value == "did killed once"
    assert not outcomes["a"].problem


def test_exception_is_told_and_its_traceback_kept(work, tmp_path):
    outcomes, events = run({"a": "raises", "b": "refuses"}, work, tmp_path)
    assert outcomes["a"].problem.startswith("ValueError: [red]boo[/red] (see ")
    assert 'raise ValueError("[red]boo' in (tmp_path / "logs" / "a.log").read_text()
    assert outcomes["b"].problem == "the data are gone"
    assert Started("a", 2) not in events, "an exception would come again; only a dead process is tried again"


def test_what_libraries_print_goes_to_a_log_and_silence_leaves_none(work, tmp_path, capfd):
    run({"a": "prints", "b": "fine"}, work, tmp_path)
    assert (tmp_path / "logs" / "a.log").read_text() == "a library says hello\n"
    assert not (tmp_path / "logs" / "b.log").exists()
    assert "hello" not in "".join(capfd.readouterr())


def test_leaving_early_stops_what_runs(work, tmp_path):
    pids = tmp_path / "pids"
    outcomes = run_each(
        {"slow": f"slow:{pids}", "fine": "fine"}, work, workers=2, logs=tmp_path / "logs", on_event=lambda _: None
    )
    assert next(outcomes).name == "fine"
    alive = _wait_for_pids(pids)
    outcomes.close()
    assert _all_gone(alive)


INTERRUPTED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import batch_work
from autograder.progress import LiveDisplay, _Clock, display
from autograder.workers import run_each

if __name__ == "__main__":
    try:
        tasks = {"fine": "fine", "slow": "slow:" + sys.argv[2], "never": "fine"}
        for outcome in run_each(tasks, batch_work.work, workers=1, logs=Path(sys.argv[3]), on_event=lambda _: None):
            print(outcome.value, flush=True)
    except KeyboardInterrupt:
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


EVENTS = [
    Started("student-01", 1),
    CellDone("student-01", 1, 2, "windows\x1b[31m"),
    Started("student-02", 1),
    Started("student-02", 2),
    Outcome("student-01", "graded", seconds=3),
    CellDone("student-02", 1, 2, None),
    Outcome("student-02", None, "the worker process died [bold]twice"),
]


@pytest.mark.parametrize("terminal", [True, False])
def test_display_tells_who_runs_how_far_and_how_many_are_left(terminal):
    printed = io.StringIO()
    console = Console(file=printed, force_terminal=terminal, width=100, markup=False, color_system=None)
    with display(console, "jena") as shown:
        assert isinstance(shown, LiveDisplay) == terminal
        shown.on_found(2, 1)
        for event in EVENTS:
            shown.on_event(event)
            if isinstance(shown, LiveDisplay):
                shown.refresh()
    told = printed.getvalue()
    assert "windows\x1b[31m" not in told
    for expected in (
        "student-01",
        "again, alone",
        "1 left",
        "about ",
        *(["after windows"] if terminal else ["[bold]twice"]),
    ):
        assert expected in told


def test_time_left_counts_cells_of_what_runs(monkeypatch):
    clock = _Clock()
    clock.start(4)
    monkeypatch.setattr("time.monotonic", lambda: clock.began + 30)
    clock.hear(Started("a", 1))
    assert clock.left() == "4 left"
    clock.hear(CellDone("a", 1, 2, None))
    assert clock.left() == "4 left, about 3 min 30 s"
    clock.hear(Outcome("a", "graded"))
    assert clock.left() == "3 left, about 1 min 30 s"


def test_number_of_workers_follows_the_cores_and_the_work(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert worker_count(None, Profile(threads=2), 100) == 4
    assert worker_count(None, Profile(threads=16), 100) == 1
    assert worker_count(None, Profile(), 3) == 3
    assert worker_count(5, Profile(threads=2), 100) == 5
    assert worker_count(None, Profile(), 0) == 1


def test_links_of_the_class_page_lead_to_the_pages_whatever_a_student_is_called(tmp_path):
    """A student's id may hold any character that a folder's name can."""
    from urllib.parse import unquote

    from autograder.batch import publish_class_page
    from autograder.config import load_course
    from autograder.records import Report
    from autograder.store import write_report

    assignment = load_course(Path(__file__).parents[1]).assignments[0]
    student = "Zoë #1, 100% <b>"
    report = Report(assignment=assignment.name, student=student, status="graded", score=1.0, max_score=2.0)
    write_report(tmp_path, report, notebook=None, feedback="<html>")
    page = publish_class_page(tmp_path, assignment)
    (link,) = re.findall(r'href="([^"]+feedback\.html)"', page.read_text())
    assert "#" not in link
    assert (page.parent / unquote(link)).is_file()
