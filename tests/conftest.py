"""The fixture `grader`: make an assignment from cells, grade notebooks with real kernels, and assert outcomes."""

from __future__ import annotations

import textwrap
from pathlib import Path

import nbformat
import pytest

from autograder.config import Assignment, Course, Limits, Profile, Question
from autograder.grading import grade_submission
from autograder.records import Report, Submission
from autograder.store import run_folder

NAME = "tiny"
LIMITS = Limits(cell_seconds=10, run_seconds=60, probe_seconds=5, memory_mb=1024)


def marks(grade_id, *, points=None, solution=False, kind="code"):
    """nbgrader's metadata of one cell."""
    made = {"grade_id": grade_id, "schema_version": 3, "cell_type": kind, "task": False}
    made |= {"solution": solution, "grade": points is not None, "locked": not solution}
    return made | ({} if points is None else {"points": points})


def cell(grade_id, source, *, tags=(), kind="code", **flags):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    made = make(source, id=grade_id.replace("_", "-"), metadata={"nbgrader": marks(grade_id, kind=kind, **flags)})
    if tags:
        made.metadata["tags"] = list(tags)
    return made


class Grader:
    """A course folder with one assignment, whose questions are given as (points, hidden test)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.questions: dict[str, tuple[float, str]] = {}
        self.sandbox = "none"
        self.limits = LIMITS

    def question(self, name: str, hidden_test: str, points: float = 1.0) -> None:
        """Add a question, or change its hidden test."""
        self.questions[name] = (points, hidden_test)
        tests = self.folder / "solutions" / NAME / "hidden_tests"
        tests.mkdir(parents=True, exist_ok=True)
        header = "import pytest\nfrom autograder.checks import Failure, Given, NotAssessed\n"
        (tests / f"test_{name}.py").write_text(header + textwrap.dedent(hidden_test))
        self._release()

    def _release(self) -> None:
        cells = [cell("parameters", "N = 1", tags=["parameters"]), cell("setup", "import math")]
        for name, (points, _) in self.questions.items():
            cells.append(cell(name, "# YOUR CODE HERE\nraise NotImplementedError()", solution=True))
            cells.append(cell(f"test_{name}", f"print('visible test of {name}')", points=points))
        cells.append(cell("discussion", "YOUR ANSWER HERE", solution=True, points=2.0, kind="markdown"))
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
        path = self.folder / "assignments" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)

    @property
    def course(self) -> Course:
        questions = [Question(id=name, points=points) for name, (points, _) in self.questions.items()]
        questions.append(Question(id="discussion", points=2.0, manual=True))
        profile = Profile(parameters={"N": 5}, limits=self.limits)
        assignment = Assignment(name=NAME, title="Tiny", questions=tuple(questions), profiles={"smoke": profile})
        return Course(
            course_id="c", title="C", assignments=(assignment,), default_profile="smoke", sandbox=self.sandbox
        )

    def notebook(self, **answers: str) -> nbformat.NotebookNode:
        """The released notebook with answers in its solution cells."""
        made = nbformat.read(self.folder / "assignments" / NAME / f"{NAME}.ipynb", as_version=4)
        for each in made.cells:
            name = each.metadata.nbgrader.grade_id
            if name in answers:
                each.source = textwrap.dedent(answers.pop(name))
        assert not answers, f"no such cells: {sorted(answers)}"
        return made

    def submit(self, content: nbformat.NotebookNode | bytes, student: str = "student-01") -> Submission:
        path = self.folder / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else nbformat.writes(content).encode())
        return Submission(student=student, assignment=NAME, path=path)

    def grade(self, content: nbformat.NotebookNode | bytes, student: str = "student-01") -> Report:
        return grade_submission(self.folder, self.course, self.submit(content, student))

    @staticmethod
    def assert_outcomes(report: Report, **expected: str) -> None:
        """Every question has the outcome that is expected; what is not named must have passed, `discussion` apart."""
        found = {question.id: question.outcome for question in report.questions if question.outcome != "manual"}
        messages = [f"{c.name}: {c.message}" for q in report.questions for c in q.checks if c.outcome != "passed"]
        assert found == {name: expected.get(name, "passed") for name in found}, messages

    def run_of(self, report: Report) -> Path:
        """The stored run that a report rests on."""
        return run_folder(self.folder, str(report.provenance["run"]))


@pytest.fixture
def grader(tmp_path):
    """An assignment with two questions, `double` and `total`; more can be added."""
    made = Grader(tmp_path)
    made.question(
        "double",
        '''
        def given(rng):
            x = int(rng.integers(2, 100))
            return Given(x=x).keep(right=2 * x)

        def probe(student, given):
            return {"value": lambda: student.double(given.x), "type": lambda: type(student.double(1)).__name__}

        @pytest.mark.weight(3)
        def test_value(given, evidence):
            """double(x) is twice x."""
            if evidence["value"] != given.right:
                raise Failure(f"Expected twice the number. Received: {evidence['value']!r}", hint="Week 1: doubling")

        def test_type(evidence):
            """double(1) is an int."""
            if evidence["type"] != "int":
                raise Failure(f"Expected an int. Received: {evidence['type']}")
        ''',
        points=1.0,
    )
    made.question(
        "total",
        '''
        def probe(student, given):
            return {"total": lambda: student.total}

        def test_total(evidence):
            """total is 5 times the double of 1."""
            if evidence["total"] != 10:
                raise Failure(f"Expected 10. Received: {evidence['total']!r}")
        ''',
        points=0.5,
    )
    return made
