"""The self-test's own course folder follows the course, and keeps what was graded. A second."""

import pytest

from autograder import trial_course
from autograder.config import load_course
from autograder.errors import ConfigurationError
from autograder.notebooks import release_path
from autograder.trial_course import TrialStudent, hand_in, refresh_course, withdraw_others
from tests.tiny_course import NAME, make_course


@pytest.fixture
def made(monkeypatch):
    """Releases that were asked for; in place of nbgrader's, which takes seconds."""
    asked = []

    def make_release(folder, course, name):
        path = release_path(folder, name)
        if not path.is_file():
            asked.append(name)
            path.parent.mkdir(parents=True)
            path.write_text("{}")

    monkeypatch.setattr(trial_course, "make_release", make_release)
    return asked


def refresh(source, folder):
    return refresh_course(source, load_course(source), NAME, folder, command="selftest")


def test_release_is_made_anew_when_what_it_is_made_from_has_changed(tmp_path, made):
    source, folder = make_course(tmp_path / "source"), tmp_path / "trial"
    refresh(source, folder)
    refresh(source, folder)
    assert len(made) == 1
    hidden = source / "solutions" / NAME / "hidden_tests" / "test_double.py"
    hidden.write_text(hidden.read_text() + "\n# Changed.\n")
    refresh(source, folder)
    assert len(made) == 1, "hidden tests are no part of a release"
    assert (folder / hidden.relative_to(source)).read_text().endswith("# Changed.\n")
    notebook = source / "solutions" / NAME / f"{NAME}.ipynb"
    notebook.write_text(notebook.read_text().replace("import math", "import json"))
    refresh(source, folder)
    config = source / "course_config.py"
    config.write_text(config.read_text().replace('title="Double"', 'title="Twice"'))
    refresh(source, folder)
    assert len(made) == 3


def test_file_that_is_gone_from_the_course_goes_and_runs_stay(tmp_path, made):
    source, folder = make_course(tmp_path / "source"), tmp_path / "trial"
    refresh(source, folder)
    (source / "solutions" / NAME / "mutants" / "wrong_triple.py").unlink()
    run = folder / ".autograder" / "runs" / "0123" / "run.json"
    run.parent.mkdir(parents=True)
    run.write_text("{}")
    course = refresh(source, folder)
    assert [path.name for path in (folder / "solutions" / NAME / "mutants").iterdir()] == ["right_lambda.py"]
    assert run.is_file()
    assert [assignment.name for assignment in course.assignments] == [NAME]


def test_folder_of_another_command_is_left_alone(tmp_path, made):
    source, folder = make_course(tmp_path / "source"), tmp_path / "trial"
    refresh(source, folder)
    with pytest.raises(ConfigurationError, match="`autograder demo`, which therefore leaves it alone"):
        refresh_course(source, load_course(source), NAME, folder, command="demo")


def test_students_of_before_are_withdrawn(tmp_path):
    assignment = load_course(make_course(tmp_path)).assignment(NAME)
    one, two = (TrialStudent(name, name, "story", {}, "{}") for name in ("one", "two"))
    hand_in(tmp_path, assignment, [one, two])
    for name in ("one", "two"):
        (tmp_path / "reports" / NAME / name).mkdir(parents=True)
        (tmp_path / "reports" / NAME / name / "report.json").write_text("{}")
    (tmp_path / "reports" / NAME / "index.html").write_text("<html>")
    withdraw_others(tmp_path, NAME, [two])
    assert [path.name for path in (tmp_path / "submitted").iterdir()] == ["two"]
    assert sorted(path.name for path in (tmp_path / "reports" / NAME).iterdir()) == ["index.html", "two"]
