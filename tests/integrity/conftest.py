"""An exam with secrets planted in it, graded with real kernels, and the attacks on it.

Every snippet of `attacks/` is put before or after an answer in the cell of the question `double`. Those of `accidents.py` stand beside right answers
and must cost nothing; those of the other files come without any answer and must win nothing.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder import store
from autograder.execution import levels
from autograder.records import Report

ATTACKS = Path(__file__).parent / "attacks"
LEVELS = ("cold", "warm")
ABLE = "def double(x):\n    return 2 * x\n"
UNABLE = "def double(x):\n    return None\n"
TOTAL = "total = 10\n"

# What is planted, and where: none of these may be seen by a student. What the kernel is given may.
SECRETS = {
    "an answer": 987_654_321_123,
    "a hidden test": "PLANTED-IN-A-HIDDEN-TEST",
    "a hint not given": "PLANTED-IN-A-HINT",
}
GIVEN = "PLANTED-IN-AN-INPUT"
PROBE = "PLANTED-IN-A-PROBE"

DOUBLE = f'''
SECRET = "{SECRETS["a hidden test"]}"

def given(rng):
    x = int(rng.integers(10**6, 10**9))
    return Given(x=x, note="{GIVEN}").keep(right=2 * x, answer={SECRETS["an answer"]})

def probe(student, given):
    # {PROBE}
    return {{"value": lambda: student.double(given.x), "type": lambda: type(student.double(1)).__name__}}

@pytest.mark.weight(3)
def test_value(given, evidence):
    """double(x) is twice x."""
    if given.answer == 1:
        raise Failure("never", hint="{SECRETS["a hint not given"]}")
    if evidence["value"] != given.right:
        raise Failure(f"Expected twice the number. Received: {{evidence['value']!r}}"[:300])

def test_type(evidence):
    """double(1) is an int."""
    if evidence["type"] != "int":
        raise Failure(f"Expected an int. Received: {{evidence['type']!r}}"[:300])
'''


class Snippet(NamedTuple):
    """One attack: the file that it stands in, its name, and its source."""

    group: str
    name: str
    source: str


def snippets(*groups: str) -> list[Snippet]:
    """The snippets of these files, each begun by a line `# %% name`."""
    found = []
    for group in groups:
        parts = re.split(r"^# %% (\w+)\n", (ATTACKS / f"{group}.py").read_text(), flags=re.MULTILINE)
        found += [Snippet(group, name, source) for name, source in zip(parts[1::2], parts[2::2], strict=True)]
    return found


def parameters(*groups: str) -> list[pytest.param]:
    return [pytest.param(each, id=f"{each.group}-{each.name}") for each in snippets(*groups)]


@pytest.fixture(params=LEVELS)
def exam(grader, request):
    """The fixture `grader` at a sandbox level, with secrets in its questions."""
    status = next(status for status in levels() if status.level == request.param)
    if not status.works:
        pytest.skip(f"no sandbox at level {request.param} here: {status.why}")
    grader.sandbox = request.param
    grader.limits = grader.limits.model_copy(update={"cell_seconds": 6, "probe_seconds": 3, "run_seconds": 40})
    grader.question("double", DOUBLE, points=1.0)
    return grader


def pages(grader, report: Report) -> dict[str, str]:
    """What a student may come to see: the report, the feedback page and the executed notebook, as text."""
    folder = store.report_folder(grader.folder, report.assignment, report.student)
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


def assert_no_secret(grader, report: Report) -> None:
    """Nothing planted outside of the kernel and no path of the grader's is in what a student may see."""
    for name, text in pages(grader, report).items():
        for place, secret in SECRETS.items():
            assert str(secret) not in text, f"{place} is in {name}"
        assert str(grader.folder) not in text, f"a path of the grader is in {name}"


def dedent(source: str) -> str:
    return textwrap.dedent(source)
