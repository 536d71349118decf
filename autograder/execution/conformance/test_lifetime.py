"""How a sandbox ends: whatever ends it, nothing of it goes on. Five workers and a neighbour, four seconds each."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from autograder.execution.conformance.worker import PAUSE, Worker

_START_SECONDS = 60
_END_SECONDS = 20
_STRAY_PROCESSES = 4
# A program that ignores every signal that can be ignored, and which nobody's wait reaches.
_DAEMON = (
    "import os, signal, time\n"
    "for number in (1, 2, 13, 15, 18):\n    signal.signal(number, signal.SIG_IGN)\n"
    "if os.fork():\n    os._exit(0)\n"
    "os.setsid()\n"
    "if os.fork():\n    os._exit(0)\n"
    "time.sleep(600)"
)
_STRAYS = f"""
import os, signal, socket, subprocess, sys
MARK = {{mark!r}}
subprocess.run([sys.executable, "-c", {_DAEMON!r}, MARK + "-daemon"])
holder = subprocess.Popen([sys.executable, "-c", {_DAEMON!r}, MARK + "-holder"], stdin=subprocess.PIPE,
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
stopped = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", MARK + "-stopped"])
os.kill(stopped.pid, signal.SIGSTOP)
burner = subprocess.Popen([sys.executable, "-c", "import time\\nwhile True: time.sleep(0.0001)", MARK + "-busy"])
own = socket.socket(socket.AF_UNIX)
own.bind("/tmp/" + MARK[-8:])
own.listen()
"""
_WAIT = "import time\ntime.sleep(300)"
_CRASH = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


@dataclass
class Remains:
    """What was there while a run went on, and what of it was left after its end."""

    seen: dict[str, str] = field(default_factory=dict)
    users: set[int] = field(default_factory=set)
    capabilities: set[str] = field(default_factory=set)
    processes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    mounts: list[str] = field(default_factory=list)
    neighbour_lives: bool = False

    def __str__(self) -> str:
        """What a failing test shows."""
        return f"{self.processes} {self.files} {self.groups} {self.sockets} {self.mounts}"


class Place:
    """A temporary folder of its own, in which a neighbour runs all the time."""

    def __init__(self, spec: str, temporary: Path, results: Path) -> None:
        self.spec = spec
        self.temporary = temporary
        self.results = results
        self._names: set[str] = set()
        self.neighbour = Worker(spec, results / "neighbour", {PAUSE: "1"}, temporary)
        _wait_for(lambda: self.neighbour.has_paused)

    def remains(self, name: str, cells: dict[str, str], number: signal.Signals | None = None) -> Remains:
        """Run a worker, end it by a signal or let it end by itself, and look what is left.

        Args:
            name: of the worker.
            cells: sources by name. Without a cell `pause` the worker is ended as soon as it has made a file.
            number: the signal; it comes in the middle of the cell after `pause`.
        """
        mark = f"conformance-{secrets.token_hex(6)}"
        before = self._traces(mark)
        cells = {grade_id: source.replace("{mark!r}", repr(mark)) for grade_id, source in cells.items()}
        worker = Worker(self.spec, self.results / name, cells, self.temporary)
        found = Remains()
        try:
            if PAUSE in cells:
                _wait_for(lambda: worker.has_paused and len(_marked(mark)) >= _STRAY_PROCESSES)
            else:
                _wait_for(lambda: self._traces(mark)["files"] != before["files"])
            _note_processes(mark, found)
            during = self._traces(mark)
            assert during["files"] - before["files"], "a run without a trace: the test would see nothing"
            worker.go_on()
            if number is not None:
                time.sleep(0.5 if PAUSE in cells else 0)
                worker.process.send_signal(number)
            worker.process.wait(_START_SECONDS)
            self._wait_until_gone(mark, before, during, found)
            found.neighbour_lives = self.neighbour.process.poll() is None
        finally:
            worker.kill()
            for process, _ in _marked(mark):
                process.kill()
        return found

    def _wait_until_gone(
        self, mark: str, before: dict[str, set[str]], during: dict[str, set[str]], found: Remains
    ) -> None:
        limit = time.monotonic() + _END_SECONDS
        while True:
            now = self._traces(mark)
            left = {kind: sorted(now[kind] & during[kind] - before[kind]) for kind in now}
            if not any(left.values()) or time.monotonic() > limit:
                break
            time.sleep(0.1)
        found.processes, found.files, found.groups = left["processes"], left["files"], left["groups"]
        found.sockets, found.mounts = left["sockets"], left["mounts"]

    def _traces(self, mark: str) -> dict[str, set[str]]:
        """Everything by which a run can be noticed on the host."""
        files = _below(self.temporary)
        names = {path.name for path in files}  # a control group bears the name of its run's folder
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        groups = {folder for folder, _, _ in os.walk("/sys/fs/cgroup") if Path(folder).name in self._names | names}
        self._names |= names
        return {
            "processes": {f"{process.pid} {name}" for process, name in _marked(mark)},
            "files": {str(path) for path in files},
            "groups": groups,
            "sockets": {str(path) for path in files if path.is_socket()},
            "mounts": {line for line in mounts if str(self.temporary) in line},
        }

    def close(self) -> None:
        """End the neighbour too."""
        self.neighbour.kill()


def _below(folder: Path) -> list[Path]:
    """Everything in a folder, from which others may remove things meanwhile."""
    return [Path(parent, name) for parent, folders, files in os.walk(folder) for name in (*folders, *files)]


def _wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + _START_SECONDS
    while not condition():
        assert time.monotonic() < limit, "the worker did not come so far"
        time.sleep(0.05)


def _marked(mark: str) -> list[tuple[psutil.Process, str]]:
    """Processes whose command line bears the mark, wherever they have gone, each with the name that follows it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            last = process.cmdline()[-1:]
            if last and last[0].startswith(f"{mark}-") and process.status() != psutil.STATUS_ZOMBIE:
                found.append((process, last[0].rpartition("-")[2]))
    return found


def _note_processes(mark: str, found: Remains) -> None:
    for process, name in _marked(mark):
        with contextlib.suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
            fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
            found.seen[name] = fields["State"]
            found.users |= {int(number) for number in fields["Uid"].split()}
            found.capabilities |= {fields[kind] for kind in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")}


@pytest.fixture(scope="module")
def place(spec: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where the workers of this file put their temporary files; its path is short, as unix sockets need."""
    with tempfile.TemporaryDirectory(prefix="c", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made = Place(spec, Path(folder), tmp_path_factory.mktemp("lifetime"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def finished(place: Place) -> Remains:
    """After a run that came to its end."""
    return place.remains("finished", {"strays": _STRAYS, PAUSE: "1"})


@pytest.fixture(scope="module")
def crashed(place: Place) -> Remains:
    """After a run whose kernel was killed."""
    return place.remains("crashed", {"strays": _STRAYS, PAUSE: "1", "crash": _CRASH, "wait": _WAIT})


@pytest.fixture(scope="module")
def killed(place: Place) -> Remains:
    """After SIGKILL to the worker in the middle of a cell."""
    return place.remains("killed", {"strays": _STRAYS, PAUSE: "1", "wait": _WAIT}, signal.SIGKILL)


@pytest.fixture(scope="module")
def terminated(place: Place) -> Remains:
    """After SIGTERM to the worker in the middle of a cell."""
    return place.remains("terminated", {"strays": _STRAYS, PAUSE: "1", "wait": _WAIT}, signal.SIGTERM)


@pytest.fixture(scope="module")
def killed_early(place: Place) -> Remains:
    """After SIGKILL to the worker while the sandbox starts."""
    return place.remains("early", {"wait": _WAIT}, signal.SIGKILL)


def test_it_runs_as_nobody_of_importance(killed: Remains) -> None:
    """The machine sees the sandbox's processes as those of an ordinary user other than root."""
    assert killed.users
    assert 0 not in killed.users


def test_it_has_no_capabilities_outside(killed: Remains) -> None:
    """The machine sees the sandbox's processes without any capability."""
    assert {int(bits, 16) for bits in killed.capabilities} == {0}


def test_strays_are_really_there(killed: Remains) -> None:
    """The tests of this file look for processes that were seen while the run went on."""
    assert set(killed.seen) >= {"daemon", "stopped", "holder", "busy"}
    assert killed.seen["stopped"].startswith("T")


def test_daemons_end_with_the_run(finished: Remains) -> None:
    """A process that has forked twice and ignores every signal ends with the run."""
    assert not [one for one in finished.processes if one.endswith(" daemon")]


def test_stopped_processes_end_with_the_run(finished: Remains) -> None:
    """A process that was stopped by SIGSTOP ends with the run."""
    assert not [one for one in finished.processes if one.endswith(" stopped")]


def test_processes_that_hold_pipes_end_with_the_run(finished: Remains) -> None:
    """A grandchild that holds pipes of the kernel neither delays the end nor outlives it."""
    assert not [one for one in finished.processes if one.endswith((" holder", " busy"))]


def test_no_file_is_left_after_a_run(finished: Remains) -> None:
    """After a run nothing of it is left in the temporary folder."""
    assert finished.files == []


def test_nothing_is_left_when_the_kernel_dies(crashed: Remains) -> None:
    """When the kernel is killed from inside, its processes, files, sockets and mounts go."""
    assert not any((crashed.processes, crashed.files, crashed.sockets, crashed.mounts, crashed.groups)), crashed


def test_processes_end_with_a_killed_worker(killed: Remains) -> None:
    """When the worker is killed by SIGKILL, every process of the sandbox ends."""
    assert killed.processes == []


def test_files_go_with_a_killed_worker(killed: Remains) -> None:
    """When the worker is killed by SIGKILL, the run's files are removed."""
    assert killed.files == []


def test_sockets_go_with_a_killed_worker(killed: Remains) -> None:
    """When the worker is killed by SIGKILL, nothing listens on the kernel's sockets any more."""
    assert killed.sockets == []


def test_mounts_go_with_a_killed_worker(killed: Remains) -> None:
    """When the worker is killed by SIGKILL, no mount of the sandbox is left."""
    assert killed.mounts == []


def test_control_groups_go_with_a_killed_worker(killed: Remains) -> None:
    """When the worker is killed by SIGKILL, no control group is left, where the sandbox makes any."""
    assert killed.groups == []


def test_neighbour_of_a_killed_worker_lives_on(killed: Remains) -> None:
    """The end of one worker ends nobody else's run."""
    assert killed.neighbour_lives


def test_nothing_is_left_of_a_terminated_worker(terminated: Remains) -> None:
    """When the worker is ended by SIGTERM, as by a batch system, nothing is left."""
    left = (terminated.processes, terminated.files, terminated.sockets, terminated.mounts, terminated.groups)
    assert not any(left), terminated


def test_nothing_is_left_of_a_start_that_was_killed(killed_early: Remains) -> None:
    """When the worker is killed while the sandbox starts, nothing is left."""
    left = (killed_early.processes, killed_early.files, killed_early.sockets, killed_early.mounts, killed_early.groups)
    assert not any(left), killed_early


def test_nothing_is_left_in_the_end(place: Place, killed: Remains) -> None:
    """When the last run has ended, by SIGKILL to its worker, the temporary folder is empty."""
    assert killed.seen
    place.close()
    limit = time.monotonic() + _END_SECONDS
    while (left := _below(place.temporary)) and time.monotonic() < limit:
        time.sleep(0.1)
    assert left == []
