"""A release that disagrees with the configuration is named, all at once."""

from __future__ import annotations

import nbformat
import pytest

from autograder.config import Assignment, Profile, Question
from autograder.errors import ReleaseError
from autograder.notebooks import digest, load_release, release_path


@pytest.fixture
def assignment():
    return Assignment(
        name="homework",
        title="Homework",
        profiles={"cpu": Profile()},
        questions=(
            Question(id="add", points=1),
            Question(id="double", points=1),
            Question(id="both", points=0.5),
            Question(id="discussion", points=2, manual=True),
        ),
    )


@pytest.fixture
def course(tmp_path, release):
    save(release.notebook, tmp_path)
    return tmp_path


def save(notebook, folder):
    path = release_path(folder, "homework")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def test_a_release_that_agrees_is_loaded(course, assignment, release):
    loaded = load_release(course, assignment)
    assert loaded.digest == release.digest == digest(loaded.notebook)
    assert loaded.path == course / "assignments" / "homework" / "homework.ipynb"


def test_a_missing_release_says_how_to_make_it(tmp_path, assignment):
    with pytest.raises(ReleaseError, match="nbgrader generate_assignment homework.*Received: no file"):
        load_release(tmp_path, assignment)


def test_a_damaged_release_is_named(course, assignment):
    release_path(course, "homework").write_text("{")
    with pytest.raises(ReleaseError, match="released notebook of homework cannot be read.*not valid JSON"):
        load_release(course, assignment)


def test_everything_that_disagrees_is_named_at_once(course, assignment, release):
    notebook = release.notebook
    marks = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader for cell in notebook.cells if cell.metadata}
    marks["test_add"]["points"] = 3.0
    marks["test_double"]["grade_id"] = "test_triple"
    marks["test_both"]["grade"] = False
    marks["setup"]["grade_id"] = "parameters"
    save(notebook, course)
    with pytest.raises(ReleaseError) as caught:
        load_release(course, assignment)
    for part in (
        "2 cells `parameters`",
        "`test_add` has 3.0 points, the configuration 1.0",
        "no cell `test_double`",
        "`test_triple` carries points",
        "`test_both` is not a graded test cell",
    ):
        assert part in str(caught.value)


def test_a_manual_question_must_be_a_graded_answer(course, assignment):
    questions = (*assignment.questions[:3], Question(id="discussion", points=2))
    with pytest.raises(ReleaseError, match="no cell `test_discussion`.*`discussion` carries points"):
        load_release(course, assignment.model_copy(update={"questions": questions}))
