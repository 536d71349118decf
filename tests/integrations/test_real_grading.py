"""The whole way, nothing replaced: nbgrader's command, a kernel, hidden tests, the gradebook. About 20 s."""

from __future__ import annotations

import pytest
from tiny_course import NAME

from autograder import store
from autograder.config import load_course
from autograder.grading import find_submissions, grade_submission
from autograder.integrations.nbgrader import write_gradebook

pytestmark = [
    # SQLAlchemy on nbgrader's models, nbgrader's use of the clock, and sockets of the kernel's client.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    course = released.copy(tmp_path_factory.mktemp("real") / "course")
    course.use_the_real_grader()
    course.submit("student-01")
    course.submit(
        "student-02", add="import sys\n\ndef add(a, b):\n    print('noise', file=sys.stderr)\n    return a - b"
    )
    return course


def test_the_command_and_the_functions_give_the_same_marks(course):
    """Also with another profile than the course's: the command grades as the report was graded."""
    config = load_course(course.root)
    (submission,), _ = find_submissions(course.root, config, NAME, ["student-01"])
    report = grade_submission(course.root, config, submission, profile="smoke")
    result = course.nbgrader("autograde", NAME)
    assert result.returncode == 0, result.stderr
    assert store.read_report(course.root, NAME, "student-01") == report
    assert store.read_report(course.root, NAME, "student-02").run.profile == "cpu"
    by_command = {student: course.grades(student) for student in ("student-01", "student-02")}
    assert by_command["student-01"]["score"] == report.score == 3.5
    assert by_command["student-02"]["test_add"] == (0.0, None, False)
    assert by_command["student-02"]["test_double"] == (2.5, None, False)
    assert write_gradebook(course.root, config, NAME) == []
    assert {student: course.grades(student) for student in by_command} == by_command


def test_outputs_of_the_run_are_in_nbgraders_notebook(course):
    cells = {cell.id: cell for cell in course.autograded("student-02").cells}
    assert cells["test_double"].outputs[-1].data["text/plain"] == "2.5"
    assert "def add" in cells["add"].source
