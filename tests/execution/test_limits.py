"""Every limit ends as itself, in the report and in words; about 60 s in all, because waiting is what is tested."""

from typing import get_args

import pytest

from autograder.config import Limits
from autograder.errors import ExecutionError, SandboxError
from autograder.execution import cgroup, execute
from autograder.execution.limits import allowances
from autograder.records import LIMIT_ADVICE, LimitExceeded, LimitName, limit_behind

HOG = "x = []\nwhile True:\n    x.append(bytearray(10**7))"
BUSY = "while True:\n    pass"
# By the limit that each meets: code that the system refuses something, and what it may use.
REFUSED = {
    "open files": (
        "import os\nfiles = []\ntry:\n    while True:\n        files.append(os.open('/dev/null', 0))\n"
        "finally:\n    for one in files:\n        os.close(one)",
        {"open_files": 100},
    ),
    "file size": ("open('big', 'wb').write(bytes(3 * 10**6))", {"file_mb": 2}),
    "disk": ("for n in range(9):\n    open(f'f{n}', 'wb').write(bytes(5 * 10**6))", {"file_mb": 50}),
    "processes": (
        "import threading, time\nthreads = [threading.Thread(target=time.sleep, args=(0.5,)) for _ in range(200)]\n"
        "for one in threads:\n    one.start()",
        {"processes": 60},
    ),
    "memory": ("import numpy\nnumpy.ones((10**7, 10**7))", {}),
}


@pytest.fixture
def no_group(monkeypatch):
    """A machine without control groups."""
    monkeypatch.setattr(cgroup, "find_site", lambda: (None, "there are none here"))


# ---------------------------------------------------------------------- time


def test_a_slow_cell_is_interrupted_and_the_rest_runs(level, run):
    result = run(level, {"slow": "import time\ntime.sleep(60)", "rest": "print('on')"}, cell_seconds=1)
    assert [cell.outcome for cell in result.cells] == ["timeout", "ok"]
    assert result.cell("slow").seconds < 4
    assert result.cell("slow").error.line == 2
    assert result.limits() == ["cell time"]
    assert str(result.limits_exceeded[0]) == "cell time limit exceeded in the cell `slow`: 1 s allowed"
    assert result.text("rest") == "on\n"


def test_what_does_not_stop_is_killed(level, run):
    stubborn = "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass"
    result = run(level, {"stubborn": stubborn, "rest": "1"}, cell_seconds=1)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["cell time"]
    assert "did not stop" in result.cause_of_death
    assert result.seconds < 20


def test_the_time_of_the_whole_run_is_limited(run):
    cells = {f"c{number}": "import time\ntime.sleep(0.8)" for number in range(5)}
    probe = "def probe(names, given):\n    return {}"
    result = run("none", cells, run_seconds=2, probes={"c4": probe})
    assert [cell.outcome for cell in result.cells] == ["ok", "ok", "timeout", "not_run", "not_run"]
    assert result.limits() == ["run time"]
    assert not result.kernel_died
    assert result.probe("c4").outcome == "not_run"
    assert "time for the whole notebook" in result.probe("c4").message


@pytest.mark.parametrize("grouped", [True, False], ids=["with a control group", "without"])
def test_processor_time_is_limited(level, run, request, grouped):
    if not grouped:
        request.getfixturevalue("no_group")
    result = run(level, {"busy": BUSY, "rest": "1"}, cpu_seconds=1, cell_seconds=15)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["cpu time"]
    assert "1 s of processor time allowed" in result.cause_of_death


CHILDREN = (
    "import os, signal, time\n{before}\nfor _ in range(20):\n    if os.fork() == 0:\n        end = time.process_time() + 0.6\n"
    "        while time.process_time() < end: pass\n        os._exit(0)\n    time.sleep(0.7)\n    {after}"
)


@pytest.mark.parametrize("reaped", [True, False], ids=["waited for", "ended unnoticed"])
@pytest.mark.parametrize("grouped", [True, False], ids=["with a control group", "without"])
def test_processor_time_of_processes_that_have_ended_counts(cold, run, request, grouped, reaped):
    if not grouped:
        request.getfixturevalue("no_group")
    ignore = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    code = CHILDREN.format(before="" if reaped else ignore, after="os.wait()" if reaped else "")
    result = run(cold, {"busy": code}, cpu_seconds=2, cell_seconds=18)
    assert result.limits() == ["cpu time"]
    assert result.cell("busy").seconds < 12


# ---------------------------------------------------------------------- memory


@pytest.mark.parametrize("grouped", [True, False], ids=["with a control group", "without"])
def test_memory_is_limited(level, run, request, grouped):
    if not grouped:
        request.getfixturevalue("no_group")
    result = run(level, {"greedy": HOG, "rest": "1"}, memory_mb=400)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["memory"]
    assert "400 MB" in result.cause_of_death
    assert result.cell("greedy").peak_memory_mb >= 400
    assert result.peak_memory_mb >= 399


@pytest.mark.parametrize("waits", [True, False], ids=["waits for it", "goes on"])
def test_memory_of_children_counts(level, run, waits):
    """The system may kill the child alone; all that there is ends nevertheless, in the cell that started it."""
    code = f"import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', {HOG!r}])\n"
    code += "child.wait()" if waits else "time.sleep(9)"
    result = run(level, {"greedy": code, "rest": "1"}, memory_mb=400)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["memory"]


def test_files_in_memory_count_as_memory(sandbox, run):
    if not cgroup.available().works:
        pytest.skip(cgroup.available().why)
    fill = "for n in range(60):\n    open(f'/tmp/f{n}', 'wb').write(bytes(10**7))"
    result = run(sandbox, {"fill": fill, "rest": "1"}, memory_mb=200, disk_mb=600)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["memory"]
    assert "Files" in result.limits_exceeded[0].advice


def test_memory_that_a_probe_uses_up_is_named(sandbox, run):
    probe = "def probe(names, given):\n    return {'x': names['greedy']()}"
    result = run(
        sandbox,
        {"define": f"def greedy():\n    {HOG.replace(chr(10), chr(10) + '    ')}"},
        probes={"define": probe},
        memory_mb=300,
    )
    assert result.probe("define").outcome == "failed"
    assert result.limits() == ["memory"]
    assert "while `define` was examined: memory, 300 MB allowed" in result.cause_of_death


# ---------------------------------------------------------------------- processes, files, outputs


def test_a_fork_bomb_is_stopped(sandbox, run):
    code = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    result = run(sandbox, {"bomb": code, "rest": "1"}, processes=60, cell_seconds=15)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["processes"]


def test_a_fork_bomb_that_fails_is_named(sandbox, run):
    """Sixty tracebacks at a time may use up the memory before the processes are counted."""
    result = run(sandbox, {"bomb": "import os\nwhile True:\n    os.fork()"}, processes=60, cell_seconds=15)
    assert set(result.limits()) & {"processes", "memory"}


def test_a_fork_bomb_is_stopped_where_the_system_refuses_nothing(run):
    code = "import os, time\nfor _ in range(100):\n    if os.fork() == 0:\n        time.sleep(30)\ntime.sleep(30)"
    result = run("none", {"bomb": code, "rest": "1"}, processes=60, cell_seconds=15)
    assert result.limits() == ["processes"]
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]


@pytest.mark.parametrize("limit", REFUSED)
def test_a_refusal_that_is_let_through_is_named(sandbox, run, limit):
    code, limits = REFUSED[limit]
    result = run(sandbox, {"meets": code, "rest": "print('on')"}, **limits)
    assert result.cell("meets").outcome == "error"
    assert result.limits()[0] == limit
    assert result.limits_exceeded[0].allowed == allowances(Limits(**{"memory_mb": 1500, "disk_mb": 20} | limits))[limit]
    assert result.cell("rest").outcome == "ok"


@pytest.mark.parametrize("limit", REFUSED)
def test_a_refusal_that_is_caught_costs_nothing(sandbox, run, limit):
    code, limits = REFUSED[limit]
    body = code.replace("\n", "\n    ")
    caught = f"try:\n    {body}\nexcept (OSError, RuntimeError, MemoryError):\n    print('caught')"
    result = run(sandbox, {"meets": caught, "rest": "print('on')"}, **limits)
    assert result.text("meets") == "caught\n"
    assert result.limits_exceeded == ()
    assert result.text("rest") == "on\n"


def test_the_number_of_files_is_limited(sandbox, run):
    code = "import time\nfor n in range(3000):\n    open(f'{n}', 'w').close()\ntime.sleep(5)"
    result = run(sandbox, {"many": code}, files=1000)
    assert result.limits() == ["files"]
    assert result.limits_exceeded[0].allowed == "1000 files and folders"


def test_disk_is_limited_in_every_folder(sandbox, run):
    write = "open('{}', 'wb').write(bytes(3 * 10**7))"
    cells = {"home": write.format("big"), "tmp": write.format("/tmp/big"), "rest": "print(1)"}
    result = run(sandbox, cells, file_mb=100)
    assert [cell.outcome for cell in result.cells] == ["error", "error", "ok"]
    assert result.limits() == ["disk", "disk"]


def test_disk_is_watched_without_a_sandbox(run):
    fill = "import time\nfor n in range(5):\n    open(f'big{n}', 'wb').write(bytes(10**7))\ntime.sleep(5)"
    result = run("none", {"fill": fill})
    assert result.limits() == ["disk"]
    assert result.cell("fill").outcome == "killed"


def test_bytes_and_number_of_outputs_are_limited_each_by_itself(level, run):
    cells = {
        "bytes": "print('x' * 20_000)",
        "number": "for n in range(20):\n    display(n)",
        "pictures": "for n in range(5):\n    display({'image/png': 'AAAA'}, raw=True)",
        "neither": "print('x' * 1000)",
    }
    result = run(level, cells, cell_output_kb=8, cell_output_messages=10, cell_images=3)
    assert result.limits() == ["output", "output count", "output count"]
    assert [cell.output_truncated for cell in result.cells] == [True, True, True, False]
    assert {cell.outcome for cell in result.cells} == {"ok"}


# ---------------------------------------------------------------------- words


def test_every_limit_has_words_for_what_is_allowed_and_what_to_do():
    names = set(get_args(LimitName))
    allowed = allowances(Limits())
    assert set(allowed) == set(LIMIT_ADVICE) == names
    assert all(any(character.isdigit() for character in words) for words in allowed.values())
    assert all(advice.endswith(".") for advice in LIMIT_ADVICE.values())
    assert str(LimitExceeded(limit="files", allowed=allowed["files"])) == (
        "files limit exceeded: 50000 files and folders allowed"
    )


def test_a_run_tells_what_was_allowed(run):
    result = run("none", {"a": "1"}, memory_mb=1234)
    assert result.allowed["memory"] == "1234 MB"
    assert set(result.allowed) == set(get_args(LimitName))


@pytest.mark.parametrize(
    ("name", "message", "limit"),
    [
        ("OSError", "[Errno 28] No space left on device", "disk"),
        ("OSError", "[Errno 27] File too large", "file size"),
        ("OSError", "[Errno 24] Too many open files: 'x'", "open files"),
        ("OSError", "[Errno 12] Cannot allocate memory", "memory"),
        ("BlockingIOError", "[Errno 11] Resource temporarily unavailable", "processes"),
        ("RuntimeError", "can't start new thread", "processes"),
        ("_ArrayMemoryError", "Unable to allocate 7 TiB", "memory"),
        ("ResourceExhaustedError", "OOM when allocating tensor on /device:CPU:0 by allocator cpu", "memory"),
        ("ResourceExhaustedError", "OOM when allocating tensor on /device:GPU:0 by allocator GPU_0_bfc", None),
        ("ValueError", "28", None),
        ("KeyError", "'memory'", None),
    ],
)
def test_limits_behind_errors_are_recognised(name, message, limit):
    assert limit_behind(name, message) == limit


# ---------------------------------------------------------------------- what is not the student's


def test_a_runtime_that_does_not_load_is_our_error(plan, tmp_path):
    broken = plan("none", {"a": "1"}, runtime={"_autograder_runtime": "def start(**settings): raise OSError('no')"})
    with pytest.raises(ExecutionError, match="runtime could not be loaded.*OSError: no"):
        execute(broken, tmp_path)


def test_missing_data_are_our_error(cold, plan, tmp_path):
    with pytest.raises(SandboxError, match="data cannot be shown"):
        execute(plan(cold, {"a": "1"}, data=tmp_path / "absent.csv"), tmp_path)


def test_a_machine_without_memory_is_not_the_students_fault(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup.SandboxGroup, "lost_to_memory", lambda _: True)
    monkeypatch.setattr(cgroup.SandboxGroup, "met_memory_limit", lambda _: False)
    if not cgroup.available().works:
        pytest.skip(cgroup.available().why)
    with pytest.raises(ExecutionError, match="machine ran out of memory.*memory_mb 1500"):
        execute(plan("cold", {"a": "1"}), tmp_path)
