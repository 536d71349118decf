"""Nothing is left behind, whatever ends the worker; about 30 s, most of it for warm processes that have to load."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from autograder.execution import cgroup, warm

STRAYS = (
    "import subprocess\nfor _ in range(3):\n    child = subprocess.Popen(['sleep', '4242'], start_new_session=True)"
)
WORKER = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
import conftest
from autograder.execution import execute
plan = conftest.make_plan({level!r}, {{"first": "1", "a": "import time\\ntime.sleep(100)"}})
print("starts", flush=True)
execute(plan, Path({out!r}), on_cell=lambda *_: print("runs", flush=True))
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


def groups(folder):
    """The control groups of the runs whose private folders lie in a folder; they exist from the kernel's start."""
    return [group for sockets in folder.rglob("sockets") for group in cgroup.folders(sockets.parent.name)]


def test_nothing_is_left_after_a_run(level, run, temporary, monkeypatch):
    made, make = [], cgroup.SandboxGroup.make
    monkeypatch.setattr(cgroup.SandboxGroup, "make", lambda group: (made.append(group), make(group)))
    warm.let_go()
    children = len(descendants())
    run(level, {"strays": STRAYS})
    warm.let_go()
    deadline = time.monotonic() + 8
    while level == "warm" and time.monotonic() < deadline and list(temporary.iterdir()):
        time.sleep(0.1)
    assert bool(made) == (level != "none" and cgroup.available().works)
    assert not [folder for group in made for folder in group.folders if folder.exists()]
    assert list(temporary.iterdir()) == []
    assert sleepers() == []
    assert len(descendants()) == children


@pytest.mark.parametrize("runs", [False, True], ids=["while it starts", "while a cell runs"])
def test_nothing_is_left_when_the_worker_is_killed(level, tmp_path, temporary, runs):
    code = WORKER.format(folder=str(Path(__file__).parent), level=level, out=str(tmp_path))
    worker = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert worker.stdout.readline() == "starts\n"
    if runs:
        assert worker.stdout.readline() == "runs\n"
    else:
        while not list(temporary.glob("ag-*")):
            time.sleep(0.01)
        time.sleep(0.3)
    family = psutil.Process(worker.pid).children(recursive=True)
    made = groups(temporary)
    assert not runs or bool(_existing(made)) == (level != "none" and cgroup.available().works)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    # Without a sandbox IPython makes a temporary folder of its own when the one it was given has gone while it starts.
    ours = "ag-*" if level == "none" else "*"
    deadline = time.monotonic() + 15  # a warm process ends when it has loaded everything and nobody is there
    while time.monotonic() < deadline and (_alive(family) or list(temporary.glob(ours)) or _existing(made)):
        time.sleep(0.1)
    assert _alive(family) == []
    assert list(temporary.glob(ours)) == []
    assert _existing(made) == []


def _existing(groups):
    return [group for group in groups if group.exists()]


def _alive(processes):
    alive = []
    for process in processes:
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.append((process.pid, process.name()))
        except psutil.NoSuchProcess:
            continue
    return alive
