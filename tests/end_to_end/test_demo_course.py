"""A whole course with the real commands: release, sandboxed runs, hidden tests, gradebook, feedback.

One demo course is graded for all tests here, while other tests run beside it:
about five minutes. Needs bubblewrap.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.execution import levels
from autograder.mutants import read_mutants
from autograder.store import read_report

ROOT = Path(__file__).parents[2]
NAME = "jena_multistep"
COLD = next(status for status in levels() if status.level == "cold")
pytestmark = pytest.mark.skipif(not COLD.works, reason=f"no sandbox on this machine: {COLD.why}")


def command(*arguments, cwd, check=True):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    return done


class Demo:
    """The graded course, and what the command printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done = command(
            *("autograder", "demo", "--assignment", NAME, "--folder", str(folder), "--workers", "2"),
            cwd=ROOT,
            check=False,
        )

    @property
    def students(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "submitted").iterdir())

    def report(self, student: str):
        return read_report(self.folder, NAME, student)

    def runs(self) -> dict[str, int]:
        """Every stored run and when it was stored."""
        return {path.parent.name: path.stat().st_mtime_ns for path in self.folder.glob(".autograder/runs/*/run.json")}

    def marks(self) -> dict[tuple[str, str], tuple[float | None, bool]]:
        """The gradebook: (automatic score, needs manual grade) by student and cell."""
        code = (
            "import json\nfrom nbgrader.api import Gradebook\n"
            f"with Gradebook('sqlite:///{self.folder}/gradebook.db', 'deep-learning') as g:\n"
            f"    found = [[s.student.id, x.name, x.auto_score, x.needs_manual_grade] for s in g.assignment_submissions('{NAME}')"
            " for n in s.notebooks for x in n.grades]\nprint(json.dumps(found))"
        )
        done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
        return {(student, cell): (score, manual) for student, cell, score, manual in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return Demo(tmp_path_factory.mktemp("demo") / "course")


def test_every_student_gets_the_verdict_that_is_known_to_be_right(demo):
    assert demo.done.returncode == 0, demo.done.stdout[-6000:] + demo.done.stderr[-3000:]
    assert f"{len(demo.students)} of {len(demo.students)} students got the verdict" in demo.done.stdout
    assert len(demo.students) >= 10


def test_the_gradebook_holds_the_points_of_the_reports(demo):
    marks = demo.marks()
    for student in demo.students:
        for question in demo.report(student).questions:
            cell = question.id if question.outcome == "manual" else f"test_{question.id}"
            score, waits = marks[student, cell]
            assert waits == (question.points is None), (student, question.id)
            assert score == (None if question.points is None else pytest.approx(question.points)), (
                student,
                question.id,
            )


def test_nbgrader_autograde_gives_the_same_marks_and_runs_nothing(demo):
    marks, runs = demo.marks(), demo.runs()
    command("nbgrader", "autograde", NAME, "--force", cwd=demo.folder)
    assert demo.marks() == marks
    assert demo.runs() == runs


def test_grading_again_runs_nothing_and_gives_the_same_reports(demo):
    reports = {student: demo.report(student) for student in demo.students}
    runs = demo.runs()
    done = command("autograder", "grade", NAME, "--profile", "smoke", "--workers", "1", cwd=demo.folder, check=False)
    assert done.returncode == 1, done.stderr  # the truncated file still needs a person
    assert demo.runs() == runs
    assert {student: demo.report(student) for student in demo.students} == reports


def test_a_question_can_be_judged_by_hand(demo):
    student = next(name for name in demo.students if demo.report(name).question("windows").outcome == "partial")
    run = demo.folder / ".autograder" / "runs" / demo.report(student).provenance["run"]
    test = demo.folder / "solutions" / NAME / "hidden_tests" / "test_windows.py"
    done = command("pytest", str(test), "--evidence", str(run), "-p", "no:cacheprovider", cwd=demo.folder, check=False)
    failed = [check.message for check in demo.report(student).question("windows").checks if check.outcome == "failed"]
    assert f"{len(failed)} failed" in done.stdout, done.stdout
    assert failed[0] in done.stdout.replace("\n", " ")


def test_feedback_of_nbgrader_is_the_same_page(demo):
    for student in demo.students:
        ours = (demo.folder / "reports" / NAME / student / "feedback.html").read_text()
        theirs = (demo.folder / "feedback" / student / NAME / f"{NAME}.html").read_text()
        assert theirs == ours, student


def secrets() -> list[str]:
    """Lines of code that only hidden tests or the reference solution hold. Messages to students are no secret."""
    notebook = nbformat.read(ROOT / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    blocks = [
        re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", cell.source, re.DOTALL) for cell in notebook.cells
    ]
    hidden = [path.read_text() for path in sorted((ROOT / "solutions" / NAME / "hidden_tests").glob("*.py"))]
    lines = {line.strip() for source in [*sum(blocks, []), *hidden] for line in source.splitlines()}
    # Short lines may stand anywhere by chance, and two do in visible tests.
    return sorted(line for line in lines if len(line) > 45 and not re.match("[rf]?[\"']", line))


def test_the_release_holds_no_secret_and_is_the_one_checked_in(demo):
    made = sorted(path.relative_to(demo.folder) for path in (demo.folder / "assignments").rglob("*") if path.is_file())
    assert [str(path) for path in made] == [f"assignments/{NAME}/{NAME}.ipynb"]
    new = nbformat.read(demo.folder / made[0], as_version=4)
    checked_in = nbformat.read(ROOT / "assignments" / NAME / f"{NAME}.ipynb", as_version=4)
    sources = [(cell.cell_type, cell.source, cell.metadata.get("nbgrader")) for cell in new.cells]
    assert sources == [(cell.cell_type, cell.source, cell.metadata.get("nbgrader")) for cell in checked_in.cells]
    text = "\n".join(cell.source for cell in new.cells)
    assert "BEGIN SOLUTION" not in text
    assert [line for line in secrets() if line in text] == []


def test_pages_and_reports_of_students_hold_no_secret(demo):
    student = demo.students[-2]  # handed in the notebook as it was released: nothing of the solution is theirs
    folder = demo.folder / "reports" / NAME / student
    for name in ("report.json", "feedback.html", "executed.ipynb"):
        text = (folder / name).read_text()
        assert [line for line in secrets() if line in text] == [], name
        assert str(demo.folder) not in text, name
        assert str(ROOT) not in text, name


def test_pages_stand_alone(demo):
    pages = [*demo.folder.glob("reports/*/*.html"), *demo.folder.glob("reports/*/*/feedback.html")]
    assert len(pages) == len(demo.students) + 1
    for page in pages:
        text = page.read_text()
        assert "Content-Security-Policy" in text
        assert "<script" not in text
        assert not re.search(r'(?:src|href)="https?://', re.sub(r"<a [^>]*>", "", text)), page


def test_what_students_did_is_in_the_table(demo):
    folder = ROOT / "solutions" / NAME / "mutants"
    assert {mutant.right for mutant in read_mutants(folder)} == {True, False}
    for words in ("limit exceeded", "reports/jena_multistep/index.html", "needs a person"):
        assert words in demo.done.stdout


def test_a_foreign_folder_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = command("autograder", "demo", "--folder", str(tmp_path), cwd=ROOT, check=False)
    assert done.returncode == 2
    assert "leaves it alone" in done.stderr
    assert (tmp_path / "thesis.txt").exists()
