"""Kernels that end before the notebook does; about 2 s each."""

import pytest

KEEPS = "def probe(names, given):\n    return {'x': names['x']}"
CRASHES = {
    "import os\nos._exit(1)": "exit status 1",
    "import os\nos.kill(os.getpid(), 9)": "SIGKILL",
    "import ctypes\nctypes.string_at(0)": "SIGSEGV",
}


@pytest.mark.parametrize("crash", CRASHES)
def test_a_crash_keeps_the_evidence_so_far(level, run, crash):
    result = run(level, {"good": "x = 3", "bad": crash, "rest": "print(x)"}, probes={"good": KEEPS, "rest": KEEPS})
    assert [cell.outcome for cell in result.cells] == ["ok", "killed", "not_run"]
    assert result.kernel_died
    assert CRASHES[crash] in result.cause_of_death
    assert result.evidence("good") == {"x": 3}
    assert result.probe("rest").outcome == "not_run"
    assert result.limits_exceeded == ()


def test_the_systems_own_end_to_processor_time_is_named(level, run):
    result = run(level, {"bad": "import os, signal\nos.kill(os.getpid(), signal.SIGXCPU)", "rest": "1"})
    assert [cell.outcome for cell in result.cells] == ["killed", "not_run"]
    assert result.limits() == ["cpu time"]


def test_a_child_that_dies_alone_is_no_death_of_the_notebook(level, run):
    code = "import subprocess\nprint(subprocess.run(['/bin/sh', '-c', 'kill -9 $$']).returncode)"
    result = run(level, {"good": code, "rest": "print('on')"})
    assert [cell.outcome for cell in result.cells] == ["ok", "ok"]
    assert result.text("good") == "-9\n"
    assert result.limits_exceeded == ()


@pytest.mark.parametrize("call", ["exit()", "quit()"])
def test_exit_ends_the_run_the_same_way_every_time(level, run, call):
    result = run(level, {"good": "x = 3", "bad": call, "rest": "print(x)"}, probes={"good": KEEPS, "bad": KEEPS})
    assert [cell.outcome for cell in result.cells] == ["ok", "ok", "not_run"]
    assert "exit() or quit()" in result.cause_of_death
    assert result.evidence("good") == {"x": 3}
    assert result.probe("bad").outcome == "not_run"


def test_a_probe_that_kills_the_kernel_is_told(run):
    probe = "def probe(names, given):\n    import os\n    os._exit(1)"
    result = run("none", {"good": "x = 3", "rest": "1"}, probes={"good": probe})
    assert result.probe("good").outcome == "failed"
    assert "while `good` was examined" in result.cause_of_death
    assert result.cell("rest").outcome == "not_run"
