"""Attempts: source text that runs inside the sandbox, beside the test that says what must come of it.

    @attempt("open('/etc/shadow').read()")
    def test_password_hashes_cannot_be_read(outcome):
        '''The password hashes of the machine cannot be read.'''
        assert outcome.refused, outcome

All attempts of a file are cells of one notebook, in the order of the file, after the cell `inside.py`.
"""

from __future__ import annotations

import ast
import errno
import inspect
import json
import textwrap
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from autograder.config import Limits
from autograder.execution import ExecutionPlan, Probe
from autograder.execution.conformance.inside import ANSWER
from autograder.execution.conformance.sandboxes import Sandbox
from autograder.records import CellRun, Run

Test = TypeVar("Test", bound=Callable[..., None])

# A sandbox that forbids something says one of these; "no such file" or "bad argument" mean that it was about to do it.
DENIALS = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSYS)
LIMITS: Mapping[str, float] = {"cell_seconds": 20, "run_seconds": 120, "memory_mb": 1500, "disk_mb": 20}

# Stands for the probes' runtime: evidence is JSON here, into which no engine looks. The name under which evidence is
# expected is new for every probe; what is hostile here is told it, as if it had been guessed.
RUNTIME = """
import json, os
settings = {}
def start(**values):
    settings.update(values)
def probe(question, answer):
    settings["answer"] = f"{settings['outbox']}/{answer}.npz"
    names = {}
    with open(f"{settings['inbox']}/{question}.py") as file:
        exec(file.read(), names)
    with open(f"{settings['inbox']}/{question}.npz") as file:
        given = file.read()
    found = names["probe"](get_ipython().user_ns, given)
    if found is not None:
        with open(settings["answer"] + ".partial", "w") as file:
            json.dump(found, file, default=repr)
        os.replace(settings["answer"] + ".partial", settings["answer"])
"""

# Doubles itself nine times, to 512 processes where nothing stops it, and does not give up when it is refused.
FORK_BOMB = """
import os, time
end, doubled = time.monotonic() + 8, 0
while time.monotonic() < end:
    try:
        if doubled < 9:
            os.fork()
            doubled += 1
    except OSError:
        pass
    time.sleep(0.005)
"""


def attempt(source: str) -> Callable[[Test], Test]:
    """Try `source` inside, an expression or the body of a function; its value or its exception is the outcome."""
    body = textwrap.dedent(source).strip()
    if _is_expression(body):
        body = f"return {body}"
    return cell(f"def attempted():\n{textwrap.indent(body, '    ')}\nanswer(attempted)")


def cell(source: str) -> Callable[[Test], Test]:
    """Run `source` inside as it stands, as a cell of a student's; what becomes of the cell is the outcome."""

    def mark(test: Test) -> Test:
        test.__dict__["attempt"] = textwrap.dedent(source).strip()
        return test

    return mark


def attempts_of(module: ModuleType) -> dict[str, str]:
    """The attempts of a test file by test, in the file's order."""
    tests = inspect.getmembers(module, lambda member: hasattr(member, "attempt"))
    return {name: test.attempt for name, test in sorted(tests, key=lambda pair: pair[1].__code__.co_firstlineno)}


@dataclass(frozen=True, repr=False)
class Outcome:
    """What came of one attempt.

    Attributes:
        value: what the attempt returned, as JSON.
        error: the class of the exception that it ended with, if any; `message` and `number` (errno) go with it.
        cell: the cell's own record; None if the notebook has none, for example because it could not be read.
        limits: the limits that this cell ran into.
        text: everything that the cell shows.
    """

    value: Any
    error: str
    message: str
    number: int | None
    cell: CellRun | None
    limits: tuple[str, ...]
    text: str

    @property
    def refused(self) -> bool:
        """Whether the attempt came to nothing, for whatever reason."""
        return bool(self.error)

    @property
    def denied(self) -> bool:
        """Whether the attempt was forbidden, rather than failing in some other way."""
        return self.number in DENIALS

    def __repr__(self) -> str:
        """What a failing test shows."""
        if self.error:
            return f"it raised {self.error}: {self.message}"
        return f"it returned {self.value!r:.500}; cell: {self.cell}"


class Result:
    """A finished run: its record, the executed notebook and the evidence."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.folder = folder
        self.notebook = nbformat.reads((folder / "executed.ipynb").read_text(encoding="utf-8"), as_version=4)

    def outcome(self, name: str) -> Outcome:
        """What came of the cell `name`."""
        text = self.text(name)
        answers = [line.removeprefix(ANSWER) for line in text.splitlines() if line.startswith(ANSWER)]
        answer: dict[str, Any] = json.loads(answers[-1]) if answers else {"error": "NoAnswer", "message": text[-500:]}
        return Outcome(
            value=answer.get("value"),
            error=answer.get("error", ""),
            message=answer.get("message", ""),
            number=answer.get("errno"),
            cell=self.run.cell(name),
            limits=self.limits(name),
            text=text,
        )

    def limits(self, name: str | None = None) -> tuple[str, ...]:
        """The limits that one cell, or any, ran into."""
        return tuple(one.limit for one in self.run.limits_exceeded if name in (None, one.grade_id))

    def text(self, name: str) -> str:
        """Everything that a cell shows, as text."""
        cells = [one for one in self.notebook.cells if one.metadata.get("nbgrader", {}).get("grade_id") == name]
        outputs = [output for one in cells for output in one.get("outputs", [])]
        return "".join(str(output.get("text") or output.get("data") or output.get("evalue")) for output in outputs)

    def evidence(self, question: str) -> Any:
        """What a probe wrote through this file's own runtime."""
        return json.loads((self.folder / "evidence" / f"{question}.npz").read_text(encoding="utf-8"))

    def members(self, question: str) -> dict[str, bytes]:
        """What a probe wrote through the grader's runtime: the parts of the file; its own dates are left out."""
        with zipfile.ZipFile(self.folder / "evidence" / f"{question}.npz") as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def make_plan(
    cells: Mapping[str, str],
    *,
    probes: Mapping[str, str] | None = None,
    runtime: Mapping[str, str] | None = None,
    inputs: bytes = b"given",
    data: Path | None = None,
    **limits: float,
) -> ExecutionPlan:
    """A plan from sources of cells and of probe functions, both by grade_id; the sandbox chooses the level."""
    notebook = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}})
    for name, source in {"parameters": "DATA_PATH = ''", **cells}.items():
        notebook.cells.append(new_code_cell(source, metadata={"nbgrader": {"grade_id": name}}))
    notebook.cells[0].metadata["tags"] = ["parameters"]
    return ExecutionPlan(
        assignment="conformance",
        profile="smoke",
        notebook=notebook,
        parameters={} if data is None else {"DATA_PATH": ""},
        probes={name: Probe(name, source, inputs, 10) for name, source in (probes or {}).items()},
        runtime={"_autograder_runtime": RUNTIME} if runtime is None else runtime,
        limits=Limits.model_validate({**LIMITS, **limits}),
        level="cold",
        seed=7,
        data=data,
    )


def prelude(told: Mapping[str, object]) -> str:
    """The first cell: helpers of the attempts, and what they are told of the bait."""
    source = (resources.files(__package__) / "inside.py").read_text(encoding="utf-8")
    return f"{source}\nBAIT = {dict(told)!r}\n"


def run_cells(sandbox: Sandbox, folder: Path, cells: Mapping[str, str], **options: Any) -> Result:
    """Run cells in the sandbox; `options` are `make_plan`'s."""
    return Result(sandbox.execute(make_plan(cells, **options), folder), folder)


def _is_expression(source: str) -> bool:
    try:
        ast.parse(source, mode="eval")
    except SyntaxError:
        return False
    return True
