"""The notebook that the start of kernels is measured with: a tiny LSTM learns to continue a sine.

It comes as a course for this project and as one for plain nbgrader, with the same three submissions.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

NAME = "tiny_lstm"
STUDENTS = ("student-01", "student-02", "student-03")
SETUP = """
import numpy as np
import keras
keras.utils.set_random_seed(7)
series = np.sin(np.arange(600) / 10).astype("float32")
"""
WINDOWS = """
def make_windows(series, length):
    x = np.stack([series[i : i + length] for i in range(len(series) - length)])
    return x[..., None], series[length:]
"""
TEST_WINDOWS = """
x, y = make_windows(series, 20)
assert x.shape == (580, 20, 1) and y.shape == (580,)
"""
MODEL = """
model = keras.Sequential([keras.layers.Input((20, 1)), keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile(loss="mae", optimizer=keras.optimizers.Adam(0.01))
history = model.fit(x[:480], y[:480], epochs=2, batch_size=32, verbose=0)
"""
TEST_MODEL = """
predictions = model.predict(x[480:], verbose=0)[:, 0]
assert np.mean(np.abs(predictions - y[480:])) < 0.6
"""
CELLS = {"setup": SETUP, "windows": WINDOWS, "test_windows": TEST_WINDOWS, "model": MODEL, "test_model": TEST_MODEL}
CONFIG = f"""
from autograder.config import Assignment, Course, Profile, Question

course = Course(
    course_id="benchmark", title="Benchmark",
    assignments=(
        Assignment(
            name="{NAME}", title="A tiny LSTM", profiles={{"cpu": Profile()}},
            questions=(Question(id="windows", points=1), Question(id="model", points=1)),
        ),
    ),
)
"""
HIDDEN_WINDOWS = '''
import numpy as np

from autograder.checks import Given, expect_close


def given(rng):
    series = rng.normal(size=40)
    return Given(series=series).keep(x=np.lib.stride_tricks.sliding_window_view(series, 7)[:-1])


def probe(student, given):
    return {"x": lambda: student.make_windows(given.series, 7)[0][..., 0]}


def test_windows(given, evidence):
    """Each window holds the values that follow each other."""
    expect_close(evidence["x"], given.x, what="the windows")
'''
HIDDEN_MODEL = '''
import numpy as np

from autograder.checks import Failure, Given


def given(rng):
    start = float(rng.uniform(0, 6))
    return Given(series=np.sin(start + np.arange(120) / 10).astype("float32"))


def probe(student, given):
    windows = student.make_windows(given.series, 20)[0]
    return {"predicted": lambda: student.model(windows)[:, 0]}


def test_better_than_the_mean(given, evidence):
    """The model continues a sine that it has never seen better than its mean does."""
    series = given.series
    error = np.mean(np.abs(evidence["predicted"] - series[20:]))
    baseline = np.mean(np.abs(series[20:] - series.mean()))
    if not error < baseline:
        raise Failure(f"the error should be below {baseline:.3f}. Received: {error:.3f}", hint="Train the model.")
'''


def write_courses(folder: Path) -> tuple[Path, Path]:
    """This project's course and plain nbgrader's, each with the same three submissions."""
    return _write_own(folder / "own"), _write_plain(folder / "plain")


def notebook() -> NotebookNode:
    """The finished homework with nbgrader's metadata."""
    cells = []
    for name, source in CELLS.items():
        tests = name.startswith("test_")
        marks = {"grade_id": name, "schema_version": 3, "cell_type": "code", "task": False}
        marks |= {"grade": tests, "locked": tests or name == "setup", "solution": name in {"windows", "model"}}
        marks |= {"points": 1} if tests else {}
        cells.append(new_code_cell(source.strip(), id=name.replace("_", "-"), metadata={"nbgrader": marks}))
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def _write_own(course: Path) -> Path:
    tests = course / "solutions" / NAME / "hidden_tests"
    tests.mkdir(parents=True)
    (course / "course_config.py").write_text(CONFIG)
    (tests / "test_windows.py").write_text(HIDDEN_WINDOWS)
    (tests / "test_model.py").write_text(HIDDEN_MODEL)
    _put(course / "assignments" / NAME)
    for student in STUDENTS:
        _put(course / "submitted" / student / NAME)
    return course


def _write_plain(course: Path) -> Path:
    _put(course / "source" / NAME)
    (course / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "benchmark"\n')
    for student in STUDENTS:
        _put(course / "submitted" / student / NAME)
    return course


def _put(folder: Path) -> None:
    folder.mkdir(parents=True)
    nbformat.write(notebook(), folder / f"{NAME}.ipynb")


def forget_runs(course: Path) -> None:
    """Make the next grading of this project's course execute everything again."""
    shutil.rmtree(course / ".autograder", ignore_errors=True)
