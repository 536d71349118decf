"""What a run may use: every limit has a name, and ends one run alone. A kernel for each, about three seconds.

Whatever is used up here is bounded by the test itself: where the sandbox fails, the machine does not.
"""

from __future__ import annotations

from autograder.execution.conformance.attempts import FORK_BOMB
from autograder.execution.conformance.conftest import Run

_REST = {"rest": "print('on')"}
_HOG = "import time\nkept = []\nfor _ in range(90):\n    kept.append(bytearray(10**7))\n    time.sleep(0.01)"


def test_slow_cell_is_interrupted(run: Run) -> None:
    """A cell that sleeps is interrupted at its time, and the rest of the notebook runs."""
    result = run({"slow": "import time\ntime.sleep(30)", **_REST}, cell_seconds=1)
    assert [cell.outcome for cell in result.run.cells[1:]] == ["timeout", "ok"]
    assert result.limits("slow") == ("cell time",)
    assert result.text("rest") == "on\n"


def test_cell_that_ignores_interrupts_is_killed(run: Run) -> None:
    """A cell that ignores SIGINT is ended all the same, and the limit is named."""
    stubborn = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "end = time.monotonic() + 60\nwhile time.monotonic() < end:\n    pass"
    )
    result = run({"stubborn": stubborn, **_REST}, cell_seconds=1)
    assert [cell.outcome for cell in result.run.cells[1:]] == ["killed", "not_run"]
    assert result.limits() == ("cell time",)
    assert result.run.seconds < 20


def test_time_of_the_whole_run_is_limited(run: Run) -> None:
    """Many cells, each within its own time, share the time of the run."""
    cells = {f"c{number}": "import time\ntime.sleep(0.8)" for number in range(4)}
    result = run(cells, run_seconds=2)
    assert "run time" in result.limits()
    assert result.run.cells[-1].outcome == "not_run"


def test_processor_time_is_limited(run: Run) -> None:
    """Processes that compute in the background end as a limit on the processor's time, though the cell only waits."""
    burn = "import time; end = time.monotonic() + 20\\nwhile time.monotonic() < end: pass"
    code = (
        "import subprocess, sys, time\n"
        f"burners = [subprocess.Popen([sys.executable, '-c', '{burn}']) for _ in range(2)]\ntime.sleep(19)"
    )
    result = run({"burn": code, **_REST}, cpu_seconds=4)
    assert result.limits() == ("cpu time",)
    assert result.run.cells[-1].outcome == "not_run"


def test_memory_is_limited(run: Run) -> None:
    """A kernel that takes more memory than allowed ends as a limit on memory."""
    result = run({"hog": _HOG, **_REST}, memory_mb=400)
    assert result.limits() == ("memory",)
    assert "memory" in result.run.cause_of_death


def test_memory_of_children_counts(run: Run) -> None:
    """Memory that is taken by a child process ends as a limit on memory."""
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_HOG!r}], check=True)"
    result = run({"hog": code, **_REST}, memory_mb=400)
    assert "memory" in result.limits()


def test_memory_of_many_children_is_summed(run: Run) -> None:
    """Many small children, each within the limit, together end as a limit on memory."""
    small = "import time; kept = bytearray(b'x' * 10**8); time.sleep(8)"
    code = (
        "import subprocess, sys, time\n"
        f"kept = [subprocess.Popen([sys.executable, '-c', {small!r}]) for _ in range(7)]\n"
        "sys.exit(max(one.wait() for one in kept))"
    )
    result = run({"hogs": code, **_REST}, memory_mb=450)
    assert "memory" in result.limits()


def test_fork_bomb_ends_as_a_limit(run: Run) -> None:
    """A fork bomb ends as a limit: on processes, or on the memory that they take together."""
    result = run({"bomb": FORK_BOMB, **_REST}, processes=60, cell_seconds=15)
    assert set(result.limits()) & {"processes", "memory"}
    assert result.run.seconds < 30


def test_threads_count_as_processes(run: Run) -> None:
    """Threads beyond the number that is allowed end as a limit on processes."""
    code = "import threading, time\nfor _ in range(300):\n    threading.Thread(target=time.sleep, args=(3,)).start()"
    result = run({"threads": code}, processes=80)
    assert "processes" in result.limits()


def test_disk_is_limited(run: Run) -> None:
    """A notebook that fills its working folder ends as a limit on disk."""
    fill = "import time\nfor n in range(12):\n    open(f'big{n}', 'wb').write(bytes(5 * 2**20))\ntime.sleep(2)"
    result = run({"fill": fill}, disk_mb=20)
    assert result.limits() == ("disk",)


def test_temporary_files_are_limited(run: Run) -> None:
    """A notebook that fills the temporary folder ends as a limit on disk."""
    fill = "import time\nfor n in range(12):\n    open(f'/tmp/b{n}', 'wb').write(bytes(5 * 2**20))\ntime.sleep(2)"
    result = run({"fill": fill}, disk_mb=20)
    assert result.limits() == ("disk",)


def test_evidence_cannot_fill_the_disk(run: Run) -> None:
    """Neither can the folder of evidence be used to fill the machine's disk."""
    fill = (
        "import sys, time\nfolder = sys.modules['_autograder_runtime'].settings['outbox']\n"
        "for n in range(24):\n    open(f'{folder}/b{n}', 'wb').write(bytes(5 * 2**20))\ntime.sleep(2)"
    )
    result = run({"fill": fill, **_REST}, disk_mb=20, evidence_mb=4)
    assert "disk" in result.limits()


def test_shared_memory_is_limited(run: Run) -> None:
    """Shared memory is bounded, by a limit on disk or on memory."""
    fill = "for n in range(120):\n    open(f'/dev/shm/b{n}', 'wb').write(bytes(5 * 2**20))"
    result = run({"fill": fill}, memory_mb=500, disk_mb=20)
    assert set(result.limits()) & {"disk", "memory"}


def test_number_of_files_is_limited(run: Run) -> None:
    """A notebook that makes more files than allowed ends as a limit on files."""
    many = "import time\nfor n in range(3000):\n    open(f'f{n}', 'w').close()\ntime.sleep(3)"
    result = run({"many": many}, files=2000)
    assert result.limits() == ("files",)


def test_size_of_one_file_is_limited(run: Run) -> None:
    """A file that grows too large ends as a limit on the size of files."""
    result = run({"large": "open('large', 'wb').write(bytes(9 * 2**20))", **_REST}, disk_mb=20, file_mb=5)
    assert result.limits() == ("file size",)
    assert result.text("rest") == "on\n"


def test_open_files_are_limited(run: Run) -> None:
    """Too many open files end as a limit on open files, and the notebook goes on."""
    opened = "    for n in range(400):\n        kept.append(open('/dev/null'))\n"
    code = f"kept = []\ntry:\n{opened}finally:\n    kept.clear()"
    result = run({"open": code, **_REST}, open_files=200)
    assert result.limits() == ("open files",)
    assert result.text("rest") == "on\n"


def test_limit_that_was_caught_is_not_held_against_anybody(run: Run) -> None:
    """Code that meets a limit of the system and deals with it loses nothing."""
    code = "try:\n    open('large', 'wb').write(bytes(9 * 2**20))\nexcept OSError as error:\n    print(error.errno)"
    result = run({"large": code}, disk_mb=20, file_mb=5)
    assert result.limits() == ()
    assert result.run.cells[-1].outcome == "ok"
