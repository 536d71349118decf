"""Edits of hidden tests and the courses of both graders; nothing is graded here. Takes about five seconds."""

import io
import shutil
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from autograder.config import load_course
from benchmarks import class_size, rejudging, tiny_lstm

ROOT = Path(__file__).parents[2]


@pytest.fixture
def courses(tmp_path):
    """Folders with the hidden tests of both assignments, by assignment."""
    own, _ = tiny_lstm.write_courses(tmp_path / "tiny")
    name = rejudging.JENA
    shutil.copytree(ROOT / "solutions" / name / "hidden_tests", tmp_path / "jena" / "solutions" / name / "hidden_tests")
    return {tiny_lstm.NAME: own, name: tmp_path / "jena"}


@pytest.mark.parametrize("name", rejudging.EDITED)
def test_every_turn_edits_one_number_of_one_hidden_test(courses, name):
    """The edited file still compiles, and no two turns leave the same."""
    both = rejudging.Both(name, "cpu", courses[name], courses[name], 1)
    path = courses[name] / "solutions" / name / "hidden_tests" / rejudging.EDITED[name][0]
    seen = {path.read_text()}
    for number in (1, 2, 3):
        rejudging.edit(both, number)
        compile(path.read_text(), path.name, "exec")
        seen.add(path.read_text())
    assert len(seen) == 4


def test_stock_nbgrader_gets_the_same_parameters_and_nothing_of_ours(tmp_path):
    own = tmp_path / "own"
    solution = own / "solutions" / rejudging.JENA
    solution.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / rejudging.JENA / f"{rejudging.JENA}.ipynb", solution)
    shutil.copy(ROOT / "course_config.py", own)
    rejudging._release_plainly(own, load_course(own), "smoke", tmp_path / "plain")
    source = tmp_path / "plain" / "source" / rejudging.JENA
    notebook = nbformat.read(source / f"{rejudging.JENA}.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    values = {}
    exec(cell.source, values)
    assert (values["EPOCHS"], values["STRIDE"]) == (6, 12)
    assert (source / values["DATA_PATH"]).is_file()
    assert "autograder" not in (tmp_path / "plain" / "nbgrader_config.py").read_text()


def test_table_and_plot_come_of_what_was_measured(tmp_path):
    row = {"assignment": "tiny_lstm", "submissions": 24, "ours_seconds": [2.0, 3.0, 4.0], "nbgrader_seconds": 180.0}
    rows = [row | {"times_faster": 60.0, "notebooks_started": 0}]
    printed = io.StringIO()
    rejudging.show(rows, Console(file=printed, width=120))
    assert "3.0 (2.0 to 4.0)" in printed.getvalue()
    rejudging.plot(rows, tmp_path / "a.svg")
    rejudging.plot(rows, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_signed_answer_differs_and_nothing_else_does(tmp_path):
    nbformat.write(tiny_lstm.notebook(), tmp_path / "a.ipynb")
    class_size.sign_answers(tmp_path / "a.ipynb", tmp_path / "b.ipynb", "student-0001")
    before, after = (nbformat.read(tmp_path / name, as_version=4).cells for name in ("a.ipynb", "b.ipynb"))
    changed = [old.metadata.nbgrader.grade_id for old, new in zip(before, after, strict=True) if old != new]
    assert changed == ["windows", "model"]
