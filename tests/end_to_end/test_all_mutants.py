"""Every mutant of every assignment through the whole chain: sandboxed kernels, hidden tests, gradebook. About 40 minutes.

Run by `make test-slow`. For one assignment: `autograder demo --assignment NAME --students all`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.config import load_course
from autograder.execution import levels
from autograder.mutants import read_mutants

ROOT = Path(__file__).parents[2]
NAMES = [assignment.name for assignment in load_course(ROOT).assignments]
COLD = next(status for status in levels() if status.level == "cold")
pytestmark = pytest.mark.skipif(not COLD.works, reason=f"no sandbox on this machine: {COLD.why}")


@pytest.mark.parametrize("name", NAMES)
def test_there_are_enough_of_them(name):
    mutants = read_mutants(ROOT / "solutions" / name / "mutants")
    assert sum(mutant.right for mutant in mutants) >= 4
    assert sum(not mutant.right for mutant in mutants) >= 15
    assert all(mutant.expected for mutant in mutants if not mutant.right), "a wrong one that loses nothing"
    assert not any(mutant.expected for mutant in mutants if mutant.right)
    assert sum(mutant.shown for mutant in mutants) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_mutant_gets_the_verdict_that_is_known_to_be_right(name, tmp_path):
    command = [sys.executable, "-m", "autograder", "demo", "--assignment", name, "--students", "all"]
    command += ["--folder", str(tmp_path / "course"), "--workers", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
