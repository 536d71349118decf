"""Time, memory, processes, disk; about 35 s in all, because waiting is what is tested."""

import pytest

from autograder.errors import ExecutionError, SandboxError
from autograder.execution import execute


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


def test_memory_is_limited(level, run):
    result = run(level, {"greedy": "x = []\nwhile True:\n    x.append(bytearray(10**7))", "rest": "1"}, memory_mb=400)
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["memory"]
    assert "400 MB" in result.cause_of_death
    assert result.cell("greedy").peak_memory_mb > 400


def test_memory_of_children_counts(run):
    child = (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = []\\nwhile 1: x.append(bytearray(10**7))'])"
    )
    result = run("none", {"greedy": child}, memory_mb=400)
    assert result.limits() == ["memory"]


def test_a_fork_bomb_is_stopped(cold, run):
    result = run(cold, {"bomb": "import os\nwhile True:\n    os.fork()", "rest": "1"}, processes=60, cell_seconds=15)
    assert "processes" in result.limits()
    assert result.cell("rest").outcome == "not_run"


def test_disk_is_limited_by_the_file_system(cold, run):
    write = "open('{}', 'wb').write(bytes(3 * 10**7))"
    result = run(cold, {"home": write.format("big"), "tmp": write.format("/tmp/big"), "rest": "print(1)"})
    assert [cell.outcome for cell in result.cells] == ["error", "error", "ok"]
    assert result.limits() == ["disk", "disk"]


def test_disk_is_watched_without_a_sandbox(run):
    fill = "import time\nfor n in range(5):\n    open(f'big{n}', 'wb').write(bytes(10**7))\ntime.sleep(5)"
    result = run("none", {"fill": fill})
    assert result.limits() == ["disk"]
    assert result.cell("fill").outcome == "killed"


def test_a_runtime_that_does_not_load_is_our_error(plan, tmp_path):
    broken = plan("none", {"a": "1"}, runtime={"_autograder_runtime": "def start(**settings): raise OSError('no')"})
    with pytest.raises(ExecutionError, match="runtime could not be loaded.*OSError: no"):
        execute(broken, tmp_path)


def test_missing_data_are_our_error(cold, plan, tmp_path):
    with pytest.raises(SandboxError, match="data cannot be shown"):
        execute(plan(cold, {"a": "1"}, data=tmp_path / "absent.csv"), tmp_path)
