"""Runs beside each other: they neither see nor disturb one another. Five pairs of kernels, about four seconds each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from autograder import probes
from autograder.evidence import encode
from autograder.execution.conformance.attempts import FORK_BOMB, Result
from autograder.execution.conformance.conftest import Run

_LOOK = """
import glob, os, socket, subprocess, sys, time
from multiprocessing import shared_memory
me, other = NAMES
settings = sys.modules["_autograder_runtime"].settings
for folder in (os.getcwd(), "/tmp", "/dev/shm", settings["outbox"]):
    open(os.path.join(folder, "file-" + me), "w").close()
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0socket-" + me)
listener.listen()
server = socket.create_server(("127.0.0.1", PORTS[0]))
memory = shared_memory.SharedMemory("memory-" + me, create=True, size=64)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)", "process-" + me])
time.sleep(2)
def works(action):
    try:
        action()
    except OSError:
        return False
    return True
found = {
    "overlap": time.time(),
    "files": [name for folder in (os.getcwd(), "/tmp", "/dev/shm", settings["outbox"])
        for name in os.listdir(folder) if name.endswith(other)],
    "own files": len(glob.glob("/tmp/file-*")),
    "processes": [name for name in glob.glob("/proc/[0-9]*/cmdline") if ("process-" + other) in open(name).read()],
    "own processes": sum(("process-" + me) in open(name).read() for name in glob.glob("/proc/[0-9]*/cmdline")),
    "abstract": works(lambda: socket.socket(socket.AF_UNIX).connect("\\0socket-" + other)),
    "port": works(lambda: socket.create_connection(("127.0.0.1", PORTS[1]), 1).close()),
    "memory": works(lambda: shared_memory.SharedMemory("memory-" + other).close()),
    "sockets": [line for line in open("/proc/net/unix") if other in line],
    "root": os.stat("/").st_ino, "namespace": os.readlink("/proc/self/ns/pid"),
}
server.close(), memory.close(), memory.unlink(), child.kill()
"""
_FOUND = "def probe(names, given):\n    return names['found']"
_HONEST = """
import os, time
import numpy as np
begun = time.monotonic()
for step in range(12):
    matrix = np.random.default_rng(step).normal(size=(300, 300))
    values = np.linalg.eigvalsh(matrix @ matrix.T)
    time.sleep(0.15)
os.makedirs("made", exist_ok=True)
open("made/file", "w").write("x" * 10**6)
taken = time.monotonic() - begun
"""
_ANSWERS = """
def probe(student, given):
    return {"values": lambda: student.values, "hash": lambda: hash("conformance"), "n": lambda: len(given.x)}
"""
_HOSTILE = {
    "fork bomb": (FORK_BOMB, {"processes": 60}),
    "memory": ("kept = []\nfor _ in range(100):\n    kept.append(bytearray(b'x' * 10**7))", {"memory_mb": 400}),
    "processor": (
        """
import os, time
for _ in range(4):
    os.fork()
end = time.monotonic() + 6
while time.monotonic() < end:
    pass
""",
        {"cell_seconds": 3},
    ),
    "disk": (
        "import time\nfor n in range(40):\n    open(f'/tmp/{n}', 'wb').write(bytes(5 * 2**20))\ntime.sleep(1)",
        {"disk_mb": 50},
    ),
}


def _at_once(*actions: Callable[[], Result]) -> list[Result]:
    found: list[Result | None] = [None] * len(actions)

    def run(number: int) -> None:
        found[number] = actions[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one is not None for one in found), "a run ended with an exception"
    return [one for one in found if one is not None]


@pytest.fixture(scope="module")
def pair(run: Run) -> list[dict[str, Any]]:
    """What two runs at once have found of each other."""

    def one(me: str, other: str, ports: tuple[int, int]) -> Callable[[], Result]:
        source = f"NAMES, PORTS = {(me, other)!r}, {ports!r}\n{_LOOK}"
        return lambda: run({"look": source}, probes={"look": _FOUND})

    results = _at_once(one("left", "right", (45311, 45312)), one("right", "left", (45312, 45311)))
    return [result.evidence("look") for result in results]


@pytest.fixture(scope="module")
def honest(run: Run) -> Callable[[], Result]:
    """A function that runs an honest notebook with the grader's own probe."""

    def _run() -> Result:
        return run(
            {"q": _HONEST},
            probes={"q": _ANSWERS},
            runtime=probes.sources(),
            inputs=encode({"x": [1.0, 2.0]}),
            memory_mb=600,
        )

    return _run


@pytest.fixture(scope="module")
def alone(honest: Callable[[], Result]) -> Result:
    """The honest run by itself."""
    return honest()


def _beside(kind: str, run: Run, honest: Callable[[], Result]) -> tuple[Result, Result]:
    source, limits = _HOSTILE[kind]
    hostile, neighbour = _at_once(lambda: run({"hostile": source}, **limits), honest)
    return hostile, neighbour


def _same(neighbour: Result, alone: Result) -> None:
    """The neighbour's evidence is the same, byte for byte, and it was in time."""
    for result in (alone, neighbour):
        assert [cell.outcome for cell in result.run.cells] == ["ok", "ok"], result.run
        assert result.run.limits_exceeded == ()
    assert neighbour.members("q") == alone.members("q")
    assert neighbour.run.cells[-1].seconds < alone.run.cells[-1].seconds * 3 + 5


def test_files_of_neighbours_are_not_seen(pair: list[dict[str, Any]]) -> None:
    """Two runs at once see no file of each other, in any folder that both can write."""
    assert [one["files"] for one in pair] == [[], []]
    assert [one["own files"] for one in pair] == [1, 1]


def test_processes_of_neighbours_are_not_seen(pair: list[dict[str, Any]]) -> None:
    """Two runs at once see no process of each other."""
    assert [one["processes"] for one in pair] == [[], []]
    assert [one["own processes"] for one in pair] == [1, 1]
    assert pair[0]["namespace"] != pair[1]["namespace"]


def test_shared_memory_of_neighbours_is_not_seen(pair: list[dict[str, Any]]) -> None:
    """Shared memory under a known name is not the neighbour's."""
    assert [one["memory"] for one in pair] == [False, False]


def test_sockets_of_neighbours_cannot_be_reached(pair: list[dict[str, Any]]) -> None:
    """Neither unix sockets nor ports of a neighbour can be reached, and ports do not collide."""
    assert [one["abstract"] for one in pair] == [False, False]
    assert [one["port"] for one in pair] == [False, False]
    assert [one["sockets"] for one in pair] == [[], []]


def test_neighbours_really_ran_at_once(pair: list[dict[str, Any]]) -> None:
    """The tests of this file look at runs that overlapped."""
    assert abs(pair[0]["overlap"] - pair[1]["overlap"]) < 2


def test_neighbour_of_a_fork_bomb_is_unharmed(run: Run, honest: Callable[[], Result], alone: Result) -> None:
    """A fork bomb ends as a limit, and the neighbour finishes in time with the same evidence."""
    hostile, neighbour = _beside("fork bomb", run, honest)
    assert set(hostile.limits()) & {"processes", "memory"}
    _same(neighbour, alone)


def test_neighbour_of_a_memory_hog_is_unharmed(run: Run, honest: Callable[[], Result], alone: Result) -> None:
    """A run that takes all memory it can ends as a limit, and the neighbour finishes with the same evidence."""
    hostile, neighbour = _beside("memory", run, honest)
    assert "memory" in hostile.limits()
    _same(neighbour, alone)


def test_neighbour_of_a_processor_thief_is_unharmed(run: Run, honest: Callable[[], Result], alone: Result) -> None:
    """Sixteen processes that compute end as a limit, and the neighbour finishes in time with the same evidence."""
    hostile, neighbour = _beside("processor", run, honest)
    assert hostile.limits()
    _same(neighbour, alone)


def test_neighbour_of_a_disk_filler_is_unharmed(run: Run, honest: Callable[[], Result], alone: Result) -> None:
    """A run that fills its disk ends as a limit, and the neighbour writes as before."""
    hostile, neighbour = _beside("disk", run, honest)
    assert "disk" in hostile.limits()
    _same(neighbour, alone)
