"""A course with one tiny assignment, without TensorFlow: two questions, one text, three demo students.

Its assignment has the name of the demo's, so that the demo can be made from it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
NAME = "jena_multistep"
STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
ANSWERS = {"double": "def double(x):\n    return FACTOR * x", "triple": "def triple(x):\n    return double(x) + x"}
CONFIG = """
from autograder.config import Assignment, Course, Limits, Profile, Question

course = Course(
    course_id="tiny", title="Tiny", default_profile="cpu", sandbox="none",
    assignments=(
        Assignment(
            name="jena_multistep", title="Doubling and tripling",
            questions=(
                Question(id="double", points=1, title="Double"), Question(id="triple", points=2, title="Triple"),
                Question(id="discussion", points=1, manual=True),
            ),
            profiles={name: Profile(limits=Limits(cell_seconds=SECONDS, run_seconds=60)) for name in ("cpu", "smoke")},
        ),
    ),
)
"""
HIDDEN_TEST = '''
from autograder.checks import Failure, Given


def given():
    return Given()


def probe(student, given):
    return {{"value": lambda: student.{question}(7)}}


def test_value(evidence):
    """{question}(7) is right."""
    if evidence["value"] != {value}:
        raise Failure("{question}(7) should be {value}. Received: " + repr(evidence["value"]), hint="Use the name FACTOR.")


def test_kind(evidence):
    """{question}(7) is a whole number."""
    if not isinstance(evidence["value"], int):
        raise Failure("expected an int. Received: " + type(evidence["value"]).__name__)
'''
MUTANTS = {
    "right_lambda": (
        '"""This student writes lambdas. Nothing else."""\n\nEXPECTED = {}\nRIGHT = True\n\n# %% [double]\ndouble = lambda x: x + x\n'
    ),
    "wrong_triple": (
        '"""This student triples by adding one."""\n\nEXPECTED = {"triple": "partial"}\nRIGHT = False\n\n'
        "# %% [triple]\ndef triple(x):\n    return x + 1\n"
    ),
}


def notebook(answers: dict[str, str]) -> NotebookNode:
    """The assignment's notebook with these sources in its answer cells."""
    cells = [
        _cell("parameters", "FACTOR = 2", tags=["parameters"]),
        _cell("setup", "import math"),
        _cell("double", answers.get("double", STUB), solution=True),
        _cell("test_double", "assert double(2) == 4, 'double(2) should be 4'", points=1),
        _cell("triple", answers.get("triple", STUB), solution=True),
        _cell("test_triple", "assert callable(triple)", points=2),
        _cell("discussion", "Write here.", solution=True, points=1, kind="markdown"),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def _cell(
    name: str,
    source: str,
    *,
    solution: bool = False,
    points: float | None = None,
    kind: str = "code",
    tags: list[str] | None = None,
) -> NotebookNode:
    marks = {"grade_id": name, "schema_version": 3, "cell_type": kind, "task": False, "solution": solution}
    marks |= {"grade": points is not None, "locked": not solution}
    if points is not None:
        marks["points"] = points
    metadata = {"nbgrader": marks} | ({"tags": tags} if tags else {})
    new = new_code_cell if kind == "code" else new_markdown_cell
    return new(source, id=name.replace("_", "-"), metadata=metadata)


def make_course(folder: Path, *, released: bool = True, cell_seconds: int = 20) -> Path:
    """Write the course; with its release, unless nbgrader is to make that."""
    home = folder / "solutions" / NAME
    (home / "hidden_tests").mkdir(parents=True)
    (home / "mutants").mkdir()
    (folder / "course_config.py").write_text(CONFIG.replace("SECONDS", str(cell_seconds)))
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    nbformat.write(notebook({name: _delimited(answer) for name, answer in ANSWERS.items()}), home / f"{NAME}.ipynb")
    for question, value in (("double", 14), ("triple", 21)):
        text = HIDDEN_TEST.format(question=question, value=value)
        (home / "hidden_tests" / f"test_{question}.py").write_text(text)
    for name, text in MUTANTS.items():
        (home / "mutants" / f"{name}.py").write_text(text)
    if released:
        release = folder / "assignments" / NAME / f"{NAME}.ipynb"
        release.parent.mkdir(parents=True)
        nbformat.write(notebook({}), release)
    return folder


def _delimited(answer: str) -> str:
    first, rest = answer.split("\n", 1)
    return f"{first}\n    ### BEGIN SOLUTION\n{rest}\n    ### END SOLUTION"


def hand_in(folder: Path, student: str, answers: dict[str, str] | str) -> Path:
    """Put a submission where nbgrader collects it; text is written as it is."""
    path = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(answers if isinstance(answers, str) else json.dumps(notebook(answers)))
    return path


def crash(*_: object, **__: object) -> bytes:
    """In place of a worker's work: what a fault in C does to its process."""
    os._exit(3)
