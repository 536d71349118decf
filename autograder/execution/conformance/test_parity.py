"""What an honest notebook finds: the same at every level, and the tools that it expects. Three kernels, one of which
imports TensorFlow; about ten seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder import probes
from autograder.evidence import encode
from autograder.execution.conformance.attempts import Outcome, Result, attempt, cell, run_cells
from autograder.execution.conformance.bait import Bait
from autograder.execution.conformance.conftest import Run
from autograder.execution.conformance.sandboxes import Level

_HOMEWORK = """
import random, sys, time
import numpy as np
import pandas as pd
numbers = np.random.default_rng(7).normal(size=(50, 4))
table = pd.DataFrame(numbers, columns=list("abcd"), index=pd.date_range("2024-01-01", periods=50, freq="10min"))
names = sorted({"alpha", "beta", "gamma"}, key=hash)
def double(x):
    return 2 * np.asarray(x)
def broken(x):
    raise ValueError("not yet")
"""
_PROBE = """
def probe(student, given):
    return {
        "hash order": lambda: student.names,
        "double": lambda: student.double(given.x),
        "table": lambda: student.table,
        "mean": lambda: float(student.numbers.mean()),
        "broken": lambda: student.broken(1),
        "random": lambda: __import__("random").random(),
        "numpy random": lambda: __import__("numpy").random.random(3),
        "missing": lambda: student.nowhere,
    }
"""
_GIVEN: dict[str, Any] = {
    "probes": {"q": _PROBE},
    "runtime": probes.sources(),
    "inputs": encode({"x": [1.5, 2.5]}),
}


@pytest.fixture(scope="module")
def homework(run: Run) -> Result:
    """A small homework, examined by the grader's own probes."""
    return run({"q": _HOMEWORK}, **_GIVEN)


def test_evidence_is_the_same_at_every_level(homework: Result, tmp_path: Path) -> None:
    """The same notebook gives, byte for byte, the evidence that it gives without any sandbox."""
    reference = run_cells(Level("none"), tmp_path / "reference", {"q": _HOMEWORK}, **_GIVEN)
    assert homework.members("q") == reference.members("q")


def test_evidence_is_the_same_every_time(homework: Result, run: Run) -> None:
    """The same notebook gives, byte for byte, the same evidence when it is run again."""
    assert run({"q": _HOMEWORK}, **_GIVEN).members("q") == homework.members("q")


@attempt("[os.environ.get('PYTHONHASHSEED'), __import__('sys').flags.hash_randomization, hash('conformance')]")
def test_order_of_sets_is_fixed(outcome: Outcome) -> None:
    """Hashes, and so the order of sets, are the same in every run."""
    assert outcome.value, outcome
    assert outcome.value[:2] == ["0", 0], outcome


@attempt("[os.listdir('.'), os.getcwd() == os.environ['HOME'], os.access('.', os.W_OK)]")
def test_working_folder_is_empty_home(outcome: Outcome) -> None:
    """A notebook starts in an empty folder of its own, which is its home."""
    assert outcome.value, outcome
    assert [name for name in outcome.value[0] if not name.startswith(".")] == [], outcome
    assert outcome.value[1:] == [True, True], outcome


@attempt("""
    import sys
    own = (sys.prefix, sys.base_prefix, "/usr/lib", "/usr/local", os.getcwd(), "/home/student")
    return [path for path in sys.path if path and not path.startswith(own)]
""")
def test_modules_come_from_the_installation(outcome: Outcome) -> None:
    """Modules are looked for in the Python installation and in the working folder, nowhere else."""
    assert outcome.value == [], outcome


@attempt("__import__('sys').orig_argv + __import__('sys').argv")
def test_command_line_tells_no_secret(bait: Bait, outcome: Outcome) -> None:
    """The kernel's own command line names neither the course nor the key of its connection."""
    assert outcome.value is not None, outcome
    assert str(bait.folder) not in str(outcome.value)
    assert bait.secret not in str(outcome.value)


@attempt("""
    import locale, sys
    return [locale.getpreferredencoding(), sys.getfilesystemencoding(), sys.stdout.encoding]
""")
def test_text_is_utf_8(outcome: Outcome) -> None:
    """Files, names and output are UTF-8."""
    assert {str(name).upper().replace("-", "") for name in outcome.value or "?"} == {"UTF8"}, outcome


@cell("!echo $((6 * 7)); ls / | wc -l")
def test_shell_commands_work(outcome: Outcome) -> None:
    """`!command` in a cell works."""
    assert outcome.text.split()[:1] == ["42"], outcome


@attempt("""
    import subprocess, sys
    code = "import math; print(math.factorial(5))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
""")
def test_subprocesses_work(outcome: Outcome) -> None:
    """Another Python can be started."""
    assert outcome.value == "120\n", outcome


@attempt("""
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, [-1, -2, -3])
""")
def test_process_pools_work(outcome: Outcome) -> None:
    """A pool of processes works, with the semaphores and shared memory that it needs."""
    assert outcome.value == [1, 2, 3], outcome


@attempt("""
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(abs, range(-100, 0)))
""")
def test_threads_work(outcome: Outcome) -> None:
    """A pool of threads works."""
    assert outcome.value == 5050, outcome


@attempt("""
    import tempfile
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("kept")
        file.flush()
        return open(file.name).read()
""")
def test_temporary_files_work(outcome: Outcome) -> None:
    """Temporary files can be made."""
    assert outcome.value == "kept", outcome


@attempt("[__import__('getpass').getuser(), os.path.expanduser('~') == os.environ['HOME'], os.cpu_count() > 0]")
def test_user_has_a_name_and_a_home(outcome: Outcome) -> None:
    """Libraries that ask for the user's name and home get an answer."""
    assert outcome.value, outcome
    assert outcome.value[1:] == [True, True], outcome


@cell("import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('a figure')\nplt.show()")
def test_figures_are_shown(tried: Result, outcome: Outcome) -> None:
    """A figure of matplotlib appears in the notebook as a picture."""
    assert outcome.cell is not None
    assert outcome.cell.outcome == "ok", outcome
    cells = [one for one in tried.notebook.cells if "a figure" in one.source]
    assert [output for output in cells[0].outputs if "image/png" in output.get("data", {})], outcome


@attempt("__import__('time').tzname and __import__('datetime').datetime.now().year >= 2024")
def test_clock_is_right(outcome: Outcome) -> None:
    """Date and time can be asked for."""
    assert outcome.value is True, outcome


@attempt("""
    import tensorflow as tf
    import keras
    keras.utils.set_random_seed(7)
    model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(tf.ones((8, 3)), tf.ones((8, 1)), epochs=1, verbose=0)
    return float(model.evaluate(tf.ones((8, 3)), tf.ones((8, 1)), verbose=0))
""")
def test_tensorflow_trains(outcome: Outcome) -> None:
    """TensorFlow can be imported and trains a model."""
    assert isinstance(outcome.value, float), outcome


OPTIONS = {"cell_seconds": 60, "memory_mb": 3000}
