"""A course with one small assignment in which an audit finds nothing, and the means to plant something."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.audit import Finding, audit_assignment
from autograder.config import load_course

NAME = "films"
CONFIG = """
from autograder.config import Assignment, Course, Profile, Question, ReviewsData

course = Course(
    course_id="small", title="Small", default_profile="cpu", sandbox="none",
    assignments=(
        Assignment(
            name="films", title="Films", data=ReviewsData(),
            questions=(
                Question(id="mean", points=1, defines=("mean_length",)),
                Question(id="longest", points=2, defines=("longest_word",)),
                Question(id="discussion", points=1, manual=True),
            ),
            profiles={name: Profile(parameters={"EPOCHS": 2}) for name in ("cpu", "smoke")},
        ),
    ),
)
"""
MEAN = """def mean_length(texts):
    \"\"\"The mean number of words of some texts, as a float.\"\"\"
    ### BEGIN SOLUTION
    lengths = [len(text.split()) for text in texts]
    if not lengths:
        return 0.0
    return sum(lengths) / len(lengths)
    ### END SOLUTION"""
LONGEST = """def longest_word(texts):
    \"\"\"The longest word of some texts, the first where there are several.\"\"\"
    ### BEGIN SOLUTION
    words = [word for text in texts for word in text.split()]
    return max(words, key=len) if words else ""
    ### END SOLUTION"""
DISCUSSION = "Write here.\n\n### BEGIN SOLUTION\nLong words are rare in short reviews, as Zipf's law would have it.\n### END SOLUTION"
HIDDEN = '''"""{question}: asked with texts that students do not know."""

import pytest

from autograder.checks import Given, as_number, expect
from oracles import oracle_{question}

TEXTS = ["one", "one two", "one two three"]


def given():
    return Given(texts=TEXTS).keep(answer=oracle_{question}(TEXTS))


def probe(student, given):
    return {{"value": lambda: student.{name}(list(given.texts)), "empty": lambda: student.{name}([])}}


@pytest.mark.weight(2)
def test_value(given, evidence):
    """The value is right."""
    received = evidence["value"]
    expect(received == given.answer, "Another value is expected.", received=received, hint="Count words, not letters.")


@pytest.mark.requires("test_value")
def test_empty(evidence):
    """Without texts there is an answer, too."""
    expect(not evidence["empty"], "Nothing is expected.", received=evidence["empty"], hint="Look at an empty list first.")
'''
ORACLES = '''"""What is right."""


def oracle_mean(texts):
    return sum(len(text.split()) for text in texts) / max(len(texts), 1)


def oracle_longest(texts):
    return max((word for text in texts for word in text.split()), key=len, default="")
'''
WRONG = '''"""This student counts letters."""

EXPECTED = {{"{question}": "partial"}}
RIGHT = False

# %% [{question}]
{source}
'''
PUBLIC = "A quiet film about a lighthouse keeper and his three goats, told without a single spoken word for two hours."
SECRET = "The projector broke twice, and still nobody in the whole cinema wanted to leave before the last reel had ended at last."


def cell(
    name: str, source: str, *, kind: str = "code", points: float | None = None, solution: bool = False
) -> NotebookNode:
    """One cell with nbgrader's metadata."""
    marks: dict[str, Any] = {
        "grade_id": name,
        "schema_version": 3,
        "cell_type": kind,
        "task": False,
        "solution": solution,
    }
    marks |= {"grade": points is not None, "locked": not solution}
    if points is not None:
        marks["points"] = points
    new = new_code_cell if kind == "code" else new_markdown_cell
    made = new(source, id=name.replace("_", "-"), metadata={"nbgrader": marks})
    if name == "parameters":
        made.metadata["tags"] = ["parameters"]
    return made


def source_notebook() -> NotebookNode:
    """The instructor's notebook."""
    text = "# Films\n\nWrite `mean_length(texts)` and `longest_word(texts)`."
    return new_notebook(
        cells=[
            new_markdown_cell(text, id="intro"),
            cell("parameters", 'SEED = 7\nEPOCHS = 2\nDATA_PATH = "reviews.jsonl"'),
            cell("mean", MEAN, solution=True),
            cell("test_mean", 'assert mean_length(["a b"]) == 2', points=1),
            cell("longest", LONGEST, solution=True),
            cell("test_longest", 'assert longest_word(["a bb"]) == "bb"', points=2),
            cell("discussion", DISCUSSION, kind="markdown", points=1, solution=True),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


def released_notebook() -> NotebookNode:
    """What nbgrader makes of it."""
    notebook = source_notebook()
    for each in notebook.cells:
        before, found, rest = each.source.partition("    ### BEGIN SOLUTION\n")
        if found:
            after = rest.partition("    ### END SOLUTION")[2]
            each.source = f"{before}    # YOUR CODE HERE\n    raise NotImplementedError(){after}"
        elif each.cell_type == "markdown" and "BEGIN SOLUTION" in each.source:
            each.source = "Write here.\n\nYOUR ANSWER HERE"
    return notebook


class SmallCourse:
    """The course's folder, with short ways to its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "solutions" / NAME
        self.source = self.home / f"{NAME}.ipynb"
        self.release = folder / "assignments" / NAME / f"{NAME}.ipynb"
        self.config = folder / "course_config.py"

    def hidden(self, question: str = "mean") -> Path:
        """One question's hidden tests."""
        return self.home / "hidden_tests" / f"test_{question}.py"

    def report(self, student: str = "student-01") -> Path:
        """Where a student's report, page and executed notebook lie."""
        return self.folder / "reports" / NAME / student

    def write(self, path: Path, text: str) -> Path:
        """Write a file anywhere."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def change(self, path: Path, old: str, new: str) -> None:
        """Replace text that is there."""
        text = path.read_text(encoding="utf-8")
        assert old in text, (old, path)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def edit(self, path: Path, change: Callable[[NotebookNode], object]) -> None:
        """Change a notebook, the cells of which are found by `named`."""
        notebook = nbformat.read(path, as_version=4)
        change(notebook)
        nbformat.write(notebook, path)

    def audit(self, *, before_release: bool = False) -> list[Finding]:
        """What an audit finds."""
        return audit_assignment(self.folder, load_course(self.folder), NAME, before_release=before_release)

    def found_by(self, rule: str) -> list[Finding]:
        """What one rule finds."""
        return [finding for finding in self.audit() if finding.rule == rule]


def named(notebook: NotebookNode, name: str) -> NotebookNode:
    """A cell by its grade_id."""
    return next(each for each in notebook.cells if each.metadata.get("nbgrader", {}).get("grade_id") == name)


def make_small_course(folder: Path) -> SmallCourse:
    """Write the course: solutions, release, data that were cut for grading, and one graded student."""
    course = SmallCourse(folder)
    course.write(course.config, CONFIG)
    course.write(folder / "oracles.py", ORACLES)
    for question, name, answer in (("mean", "mean_length", MEAN), ("longest", "longest_word", LONGEST)):
        course.write(course.hidden(question), HIDDEN.format(question=question, name=name))
        head = "\n".join(answer.splitlines()[:2])
        wrong = WRONG.format(question=question, source=f"{head}\n    return len(texts)")
        course.write(course.home / "mutants" / f"wrong_{question}.py", wrong)
    for path, notebook in ((course.source, source_notebook()), (course.release, released_notebook())):
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
    write_data(folder)
    graded(course, "student-01")
    return course


def write_data(folder: Path, key: str = "0123456789", *, public: str = PUBLIC, withheld: str = SECRET) -> Path:
    """A data set as grading prepares it; returns its folder."""
    home = folder / ".autograder" / "data" / "reviews" / key
    noted = {"description": "two reviews"}
    for part, text in (("public", public), ("withheld", withheld)):
        (home / part).mkdir(parents=True)
        data = (json.dumps({"text": text, "label": 1}) + "\n").encode()
        (home / part / "reviews.jsonl").write_bytes(data)
        noted[f"{part}_sha256"] = hashlib.sha256(data).hexdigest()
    (home / "dataset.json").write_text(json.dumps(noted), encoding="utf-8")
    return home


def graded(course: SmallCourse, student: str) -> None:
    """A submission that is the reference solution, and what was published of grading it."""
    notebook = source_notebook()
    for each in notebook.cells:
        each.source = "\n".join(line for line in each.source.splitlines() if "### " not in line)
    submission = course.folder / "submitted" / student / NAME / f"{NAME}.ipynb"
    submission.parent.mkdir(parents=True)
    nbformat.write(notebook, submission)
    course.report(student).mkdir(parents=True)
    nbformat.write(notebook, course.report(student) / "executed.ipynb")
    page = "<style>p{}</style><p>Another value is expected. Received: 3</p><p>Hint: Count words, not letters.</p>"
    course.write(course.report(student) / "feedback.html", page)
    digest = hashlib.sha256((json.dumps({"text": PUBLIC, "label": 1}) + "\n").encode()).hexdigest()
    report = {"student": student, "provenance": {"data_sha256": digest}, "checks": [{"title": "The value is right."}]}
    course.write(course.report(student) / "report.json", json.dumps(report))
