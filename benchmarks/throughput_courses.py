"""The same class for every tool: a notebook that is mostly import, and one that is mostly training.

Both continue a sine with an LSTM, as in `tiny_lstm`, have two questions with a visible test each, and a hidden test for
each question that every tool with hidden tests has in its own form and with the same meaning. Submissions differ in
their learning rate, so that nobody can take one for another that is done.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks import tiny_lstm

NAME = tiny_lstm.NAME
POINTS = 2.0
MODEL = """
model = keras.Sequential([keras.layers.Input((20, 1)), keras.layers.LSTM({units}), keras.layers.Dense(1)])
model.compile(loss="mae", optimizer=keras.optimizers.Adam({rate}))
history = model.fit(x[:480], y[:480], epochs={epochs}, batch_size=32, verbose=0)
"""
# The hidden tests of `tiny_lstm` once more, as functions of what the student defined.
HIDDEN_WINDOWS = '''
def follow_each_other(make_windows):
    """Each window holds the values that follow each other."""
    import numpy as np

    series = np.random.default_rng(11).normal(size=40)
    expected = np.lib.stride_tricks.sliding_window_view(series, 7)[:-1]
    assert np.allclose(make_windows(series, 7)[0][..., 0], expected)
'''
HIDDEN_MODEL = '''
def better_than_the_mean(make_windows, model):
    """The model continues a sine that it has never seen better than its mean does."""
    import numpy as np

    series = np.sin(1.3 + np.arange(120) / 10).astype("float32")
    predicted = np.asarray(model(make_windows(series, 20)[0]))[:, 0]
    assert np.mean(np.abs(predicted - series[20:])) < np.mean(np.abs(series[20:] - series.mean()))
'''
HIDDEN = {
    "test_windows": f"{HIDDEN_WINDOWS}\nfollow_each_other(make_windows)\n",
    "test_model": f"{HIDDEN_MODEL}\nbetter_than_the_mean(make_windows, model)\n",
}
OTTER = """from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = 1

@test_case(hidden=True)"""
OTTER_TESTS = {"windows": HIDDEN_WINDOWS, "model": HIDDEN_MODEL}
OWN_CONFIG = """
from autograder.integrations.nbgrader import configure

c = get_config()
configure(c)
"""
NBGRADER_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "benchmark"
c.Execute.timeout = 600  # of 30 s, which a busy machine can make a training need
"""


@dataclass(frozen=True)
class Homework:
    """A notebook to be graded; `units` and `epochs` are what makes training long."""

    name: str
    what: str
    units: int
    epochs: int

    def cells(self, number: int) -> dict[str, str]:
        """The sources of submission `number`, by grade_id, with visible tests only."""
        model = MODEL.format(units=self.units, epochs=self.epochs, rate=round(0.01 + number / 100_000, 5))
        return {name: source.strip() for name, source in (tiny_lstm.CELLS | {"model": model}).items()}


HOMEWORKS = {
    "short": Homework("short", "imports, a few cells, two epochs of a tiny LSTM", units=8, epochs=2),
    "training": Homework("training", "about ten seconds of training on one core", units=32, epochs=180),
}


def students(count: int) -> list[str]:
    """Whose submissions there are."""
    return [f"student-{number:02d}" for number in range(1, count + 1)]


def notebook(cells: Mapping[str, str]) -> NotebookNode:
    """A notebook with nbgrader's metadata."""
    made = []
    for name, source in cells.items():
        tests = name.startswith("test_")
        marks = {"grade_id": name, "schema_version": 3, "cell_type": "code", "task": False}
        marks |= {"grade": tests, "locked": tests or name == "setup", "solution": name in {"windows", "model"}}
        marks |= {"points": 1} if tests else {}
        made.append(new_code_cell(source, id=name.replace("_", "-"), metadata={"nbgrader": marks}))
    return new_notebook(cells=made, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def write_own(folder: Path, homework: Homework, count: int) -> None:
    """A course of this project: hidden tests are files beside the solution, of which nbgrader makes the release."""
    tests = folder / "solutions" / NAME / "hidden_tests"
    tests.mkdir(parents=True)
    (folder / "course_config.py").write_text(tiny_lstm.CONFIG)
    (tests / "test_windows.py").write_text(tiny_lstm.HIDDEN_WINDOWS)
    (tests / "test_model.py").write_text(tiny_lstm.HIDDEN_MODEL)
    _write(notebook(homework.cells(0)), folder / "solutions" / NAME / f"{NAME}.ipynb")
    (folder / "nbgrader_config.py").write_text(OWN_CONFIG)
    _hand_in(folder, homework, count)


def write_nbgrader(folder: Path, homework: Homework, count: int) -> None:
    """A course of nbgrader: hidden tests are regions of the source notebook's test cells."""
    cells = homework.cells(0)
    for name, hidden in HIDDEN.items():
        cells[name] += f"\n### BEGIN HIDDEN TESTS{hidden}### END HIDDEN TESTS"
    _write(notebook(cells), folder / "source" / NAME / f"{NAME}.ipynb")
    (folder / "nbgrader_config.py").write_text(NBGRADER_CONFIG)
    _hand_in(folder, homework, count)


def write_otter(folder: Path, homework: Homework, count: int) -> None:
    """Notebooks for otter, and its test files, of which `otter generate` makes the zip file."""
    (folder / "tests").mkdir(parents=True)
    for name, source in OTTER_TESTS.items():
        (folder / "tests" / f"{name}.py").write_text(OTTER.format(name=name) + source)
    write_notebooks(folder, homework, count)


def write_notebooks(folder: Path, homework: Homework, count: int) -> None:
    """The notebooks side by side."""
    for number, student in enumerate(students(count), start=1):
        _write(notebook(homework.cells(number)), folder / f"{student}.ipynb")


def write_scripts(folder: Path, homework: Homework, count: int) -> None:
    """The code of all cells as plain Python, visible tests included."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, student in enumerate(students(count), start=1):
        (folder / f"{student}.py").write_text("\n\n".join(homework.cells(number).values()) + "\n")


def own_scores(folder: Path) -> dict[str, float | None]:
    """What this project's reports say."""
    reports = sorted(folder.glob(f"reports/{NAME}/*/report.json"))
    return {path.parent.name: json.loads(path.read_text())["score"] for path in reports}


def nbgrader_scores(folder: Path) -> dict[str, float | None]:
    """What nbgrader's gradebook says, ours or stock."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        found = gradebook.assignment_submissions(NAME)
        return {submission.student.id: submission.score for submission in found}


def otter_scores(folder: Path) -> dict[str, float | None]:
    """What otter's result files say."""
    found: dict[str, float | None] = {}
    for path in sorted(folder.glob("results/*/results.json")):
        tests = json.loads(path.read_text())["tests"]
        found[path.parent.name] = sum(test.get("score", 0.0) for test in tests)
    return found


def copy_fresh(template: Path, folder: Path) -> Path:
    """A copy in which nothing has been graded."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    return folder


def _hand_in(folder: Path, homework: Homework, count: int) -> None:
    for number, student in enumerate(students(count), start=1):
        _write(notebook(homework.cells(number)), folder / "submitted" / student / NAME / f"{NAME}.ipynb")


def _write(made: NotebookNode, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(made, path)
