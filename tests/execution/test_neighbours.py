"""Whatever one sandbox does, the run beside it ends as it does alone; about 7 s for each attack and level."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = str(Path(__file__).parent)
# By attack: the code, what it may use, and the limit that it ends with.
ATTACKS = {
    "memory": (
        "import time\nx = []\nwhile True:\n    x.append(bytearray(b'x' * 10**7))\n    time.sleep(0.03)",
        {"memory_mb": 900},
        "memory",
    ),
    "processes": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        {"processes": 80},
        "processes",
    ),
    "disk": (
        "n = 0\nwhile True:\n    n += 1\n    try:\n        open(f'{n % 999}', 'wb').write(bytes(10**6))\n"
        "    except OSError:\n        pass",
        {"cell_seconds": 4},
        "cell time",
    ),
    "processor": (
        "import os\nfor _ in range(15):\n    if os.fork() == 0:\n        break\nwhile True:\n    pass",
        {"cpu_seconds": 4},
        "cpu time",
    ),
}
NEIGHBOUR = {
    "work": "import numpy\nx = numpy.random.default_rng(7).normal(size=(200, 200))\n"
    "for _ in range(60):\n    x = numpy.tanh(x @ x.T / 200)",
    "file": "open('kept', 'wb').write(x.tobytes())\nprint(len(open('kept', 'rb').read()))",
}
PROBE = "def probe(names, given):\n    return {'sum': float(names['x'].sum()), 'row': names['x'][0].tolist()}"
ATTACKER = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
import conftest
from autograder.execution import execute
plan = conftest.make_plan({level!r}, {{"first": "1", "attack": {code!r}}}, **{limits!r})
run = execute(plan, Path({out!r}), on_cell=lambda *_: print("runs", flush=True))
print("ended:", *(exceeded.limit for exceeded in run.limits_exceeded), sep=",")
"""


def account(result):
    """What a mark rests on: evidence, outcomes, limits and outputs."""
    evidence = (result.folder / "evidence" / "file.npz").read_bytes()
    outcomes = [(cell.grade_id, cell.outcome) for cell in result.cells]
    return evidence, outcomes, result.limits(), result.text("file"), result.probe("file").outcome


@pytest.fixture(scope="module")
def alone(run):
    """By level: the run without anybody beside it."""
    found = {}

    def _alone(level):
        if level not in found:
            found[level] = account(run(level, NEIGHBOUR, probes={"file": PROBE}))
        return found[level]

    return _alone


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_neighbour_is_not_affected(sandbox, run, alone, tmp_path, attack):
    expected = alone(sandbox)
    assert expected[1:] == ([("work", "ok"), ("file", "ok")], [], "320000\n", "ok")
    code, limits, limit = ATTACKS[attack]
    program = ATTACKER.format(folder=FOLDER, level=sandbox, code=code, limits=limits, out=str(tmp_path))
    attacker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert attacker.stdout.readline() == "runs\n"
        beside = account(run(sandbox, NEIGHBOUR, probes={"file": PROBE}, cell_seconds=10))
        assert beside == expected
        assert limit in attacker.communicate(timeout=60)[0].strip().splitlines()[-1].split(",")
    finally:
        attacker.kill()
        attacker.wait()
