"""Nothing is left behind, whatever ends the worker; about 8 s."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

STRAYS = (
    "import subprocess\nfor _ in range(3):\n    child = subprocess.Popen(['sleep', '4242'], start_new_session=True)"
)
WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
import conftest
from autograder.execution import execute
plan = conftest.make_plan({level!r}, {{"a": "import time\\ntime.sleep(100)"}})
print("starts", flush=True)
execute(plan, Path({out!r}))
"""


@pytest.fixture
def temporary(monkeypatch, tmp_path_factory):
    """A temporary folder that no other test uses; its path is short, as unix sockets need."""
    tmp_path_factory.getbasetemp()  # made before the temporary folder is another one
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def sleepers():
    return [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "4242"]]


def descendants():
    """Processes below this one; sh is the helper of somebody else's fixture at most."""
    return [one for one in psutil.Process().children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


def test_nothing_is_left_after_a_run(level, run, temporary):
    children = len(descendants())
    run(level, {"strays": STRAYS})
    assert list(temporary.iterdir()) == []
    assert sleepers() == []
    assert len(descendants()) == children


@pytest.mark.parametrize("seconds", [0.3, 3], ids=["while it starts", "while a cell runs"])
def test_nothing_is_left_when_the_worker_is_killed(level, tmp_path, temporary, seconds):
    code = WORKER.format(folder=str(Path(__file__).parent), level=level, out=str(tmp_path))
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline() == "starts\n"
    time.sleep(seconds)
    family = psutil.Process(worker.pid).children(recursive=True)
    assert list(temporary.glob("ag-*"))
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline and (_alive(family) or list(temporary.iterdir())):
        time.sleep(0.1)
    assert _alive(family) == []
    assert list(temporary.iterdir()) == []


def _alive(processes):
    alive = []
    for process in processes:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.append((process.pid, process.name()))
        except psutil.NoSuchProcess:
            continue
    return alive
