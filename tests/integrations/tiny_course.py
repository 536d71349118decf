"""A course of one tiny assignment (two questions, one text), with and without the real grader behind it, and its class."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

HERE = Path(__file__).parent
NAME = "homework"
ANSWERS = {"add": "def add(a, b):\n    return a + b", "double": "def double(a):\n    return 2 * a"}
COURSE_CONFIG = """
from datetime import datetime, timezone
from autograder.config import Assignment, Course, Limits, Profile, Question

homework = Assignment(
    name="homework", title="Sums", due=datetime(2025, 12, 8, 22, 59, tzinfo=timezone.utc),
    questions=(
        Question(id="add", points=1), Question(id="double", points=2.5), Question(id="discussion", points=2, manual=True),
    ),
    profiles={"cpu": Profile(), "smoke": Profile(parameters={"N": 2})},
)
course = Course(course_id="sums", title="Sums", assignments=(homework,), sandbox="none", timezone="Europe/Berlin")
"""
NBGRADER_CONFIG = """
import sys
sys.path.insert(0, {here!r})
import fake_grading
fake_grading.install()
from autograder.integrations.nbgrader import configure
c = get_config()
configure(c)
"""
HIDDEN_TEST = """
from autograder.checks import Given, as_number, expect


def given(rng):
    return Given(a=2, b=3)


def probe(student, given):
    return {{"value": lambda: {call}}}


def test_value(given, evidence):
    \"\"\"The value is right.\"\"\"
    value = as_number(evidence["value"], "the value")
    expect(value == {value}, f"Expected {value}. Received: {{value}}", hint="Try it by hand.")
"""


def marks(name: str, *, answer: bool = False, points: float | None = None, kind: str = "code") -> dict:
    result = {"grade_id": name, "schema_version": 3, "cell_type": kind, "task": False}
    result |= {"solution": answer, "grade": points is not None, "locked": not answer}
    return {"nbgrader": result if points is None else result | {"points": points}}


def solution(question: str) -> str:
    first, rest = ANSWERS[question].split("\n")
    return f"{first}\n    ### BEGIN SOLUTION\n{rest}\n    ### END SOLUTION"


def source_notebook() -> nbformat.NotebookNode:
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = [
        text("# Sums", id="title"),
        code("N = 1", id="parameters", metadata=marks("parameters") | {"tags": ["parameters"]}),
        code("import math", id="setup", metadata=marks("setup")),
        text("## Add", id="intro-add"),
        code(solution("add"), id="add", metadata=marks("add", answer=True)),
        code("assert callable(add)", id="test_add", metadata=marks("test_add", points=1.0)),
        text("## Double", id="intro-double"),
        code(solution("double"), id="double", metadata=marks("double", answer=True)),
        code("assert double(1) == 2", id="test_double", metadata=marks("test_double", points=2.5)),
        text("## Discuss", id="intro-discussion"),
        text(
            "### BEGIN SOLUTION\nTwice.\n### END SOLUTION",
            id="discussion",
            metadata=marks("discussion", answer=True, points=2.0, kind="markdown"),
        ),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


class CourseFolder:
    """A course on disk, and what a person does with it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def release(self) -> Path:
        return self.root / "assignments" / NAME / f"{NAME}.ipynb"

    def use_the_real_grader(self) -> None:
        text = "from autograder.integrations.nbgrader import configure\n\nc = get_config()\nconfigure(c)\n"
        (self.root / "nbgrader_config.py").write_text(text)

    def build(self) -> CourseFolder:
        home = self.root / "solutions" / NAME
        (home / "hidden_tests").mkdir(parents=True)
        (home / "data").mkdir()
        (home / "data" / "numbers.csv").write_text("1,2\n")
        (home / "hidden_tests" / "test_add.py").write_text(
            HIDDEN_TEST.format(call="student.add(given.a, given.b)", value=5)
        )
        (home / "hidden_tests" / "test_double.py").write_text(
            HIDDEN_TEST.format(call="student.double(given.a)", value=4)
        )
        (home / "notes_for_graders.txt").write_text("secret")
        nbformat.write(source_notebook(), home / f"{NAME}.ipynb")
        (self.root / "course_config.py").write_text(COURSE_CONFIG)
        (self.root / "nbgrader_config.py").write_text(NBGRADER_CONFIG.format(here=str(HERE)))
        return self

    def copy(self, to: Path) -> CourseFolder:
        shutil.copytree(self.root, to, dirs_exist_ok=True)
        return CourseFolder(to)

    def submit(self, student: str, *, mood: str = "", discussion: str = "It doubles.", **answers: str) -> Path:
        """Hand in the release with honest answers, or with those that are given."""
        notebook = nbformat.read(self.release, as_version=4)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = {**ANSWERS, "discussion": discussion, **answers}.get(name, cell.source)
        if mood:
            notebook.cells.insert(3, nbformat.v4.new_code_cell(f"MOOD = {mood!r}"))
        return self.submit_bytes(student, nbformat.writes(notebook).encode())

    def submit_bytes(self, student: str, data: bytes, name: str = NAME) -> Path:
        path = self.root / "submitted" / student / NAME / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def nbgrader(self, *arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
        """Run the real command in the course folder."""
        return subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments], cwd=cwd or self.root, env=os.environ | environment,
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip

    def graded(self) -> list[str]:
        """Every call of the grader, in order: student and profile."""
        log = self.root / "graded.log"
        return log.read_text().splitlines() if log.is_file() else []

    def grades(self, student: str) -> dict:
        """The gradebook's view: (auto, manual, needs manual grade) by cell, and the score."""
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}", "sums") as gradebook:
            notebook = gradebook.find_submission_notebook(NAME, NAME, student)
            found = {
                grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                for grade in notebook.grades
            }
            return found | {"score": notebook.score, "max": notebook.max_score}

    def autograded(self, student: str) -> nbformat.NotebookNode:
        return nbformat.read(self.root / "autograded" / student / NAME / f"{NAME}.ipynb", as_version=4)
