"""`write_gradebook` and `generate_release`: nbgrader's converters in this process."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from tiny_course import NAME

from autograder import grading, store
from autograder.config import load_course
from autograder.errors import ConfigurationError, GradebookError, ReleaseError, SubmissionError
from autograder.integrations.nbgrader import configure, generate_release, write_gradebook

pytestmark = [
    # SQLAlchemy on nbgrader's models and nbgrader's use of the clock: nothing that this package could mend.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:nbgrader"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    import fake_grading

    monkeypatch.setattr(grading, "grade_submission", fake_grading.grade_submission)
    return fake_grading


@pytest.fixture
def config(course):
    return load_course(course.root)


def grade(course, config, fake, *students):
    for student in students:
        (submission,), _ = grading.find_submissions(course.root, config, NAME, [student])
        fake.grade_submission(course.root, config, submission)


def test_a_graded_class_is_written_without_grading_again(course, config, fake, capfd, caplog):
    students = ["student-01", "student-02", "Zoë, J[1]"]
    for student in students:
        course.submit(student)
    grade(course, config, fake, *students)
    before = (Path.cwd(), dict(os.environ))
    assert write_gradebook(course.root, config, NAME, students) == []
    assert [course.grades(student)["score"] for student in students] == [3.5, 3.5, 3.5]
    assert len(course.graded()) == 3
    assert (Path.cwd(), dict(os.environ)) == before
    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []


def test_what_was_handed_in_since_its_report_is_graded_anew(course, config, fake):
    course.submit("student-01", add="def add(a, b):\n    return 0")
    course.submit("student-02")
    grade(course, config, fake, "student-01", "student-02")
    course.submit("student-01")
    assert write_gradebook(course.root, config, NAME) == []
    assert course.grades("student-01")["score"] == 3.5
    assert [line.split()[0] for line in course.graded()] == ["student-01", "student-02", "student-01"]


def test_a_fresh_clone_without_gradebook_and_solutions_is_enough(course, config, tmp_path):
    import shutil

    (course.root / "gradebook.db").unlink()
    (course.root / "nbgrader_config.py").unlink()
    shutil.rmtree(course.root / "solutions")
    release = course.release.read_bytes()
    course.submit("student-01")
    assert write_gradebook(course.root, config, NAME) == []
    assert course.grades("student-01")["score"] == 3.5
    assert course.release.read_bytes() == release
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        assert str(gradebook.find_assignment(NAME).duedate) == "2025-12-08 22:59:00"


def test_a_missing_release_is_made(course, config):
    course.submit("student-01")
    course.release.unlink()
    assert write_gradebook(course.root, config, NAME) == []
    assert course.release.is_file()


def test_neither_release_nor_source(course, config):
    course.submit("student-01")
    course.release.unlink()
    (course.root / "solutions" / NAME / f"{NAME}.ipynb").unlink()
    with pytest.raises(ReleaseError, match="cannot be released without its source.*Received: no file"):
        write_gradebook(course.root, config, NAME)


def test_only_the_students_asked_for_are_written(course, config):
    for student in ("student-01", "student-02"):
        course.submit(student)
    assert write_gradebook(course.root, config, NAME, ["student-02"]) == []
    assert not (course.root / "autograded" / "student-01").exists()
    with pytest.raises(SubmissionError, match="student-09"):
        write_gradebook(course.root, config, NAME, ["student-09"])


def test_what_an_instructor_gave_stays(course, config):
    course.submit("student-01")
    write_gradebook(course.root, config, NAME)
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        gradebook.find_grade("discussion", NAME, NAME, "student-01").manual_score = 1.5
        gradebook.find_comment("discussion", NAME, NAME, "student-01").manual_comment = "Good."
        gradebook.db.commit()
    assert write_gradebook(course.root, config, NAME) == []
    assert course.grades("student-01")["discussion"] == (None, 1.5, True)
    assert course.grades("student-01")["score"] == 5.0
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        assert gradebook.find_comment("discussion", NAME, NAME, "student-01").comment == "Good."


def test_one_that_fails_is_told_and_the_others_are_written(course, config):
    course.submit("student-01", mood="no sandbox here")
    course.submit("student-02")
    problems = write_gradebook(course.root, config, NAME)
    assert "student-01: SandboxError: The sandbox could not be started." in problems
    assert course.grades("student-02")["score"] == 3.5


def test_a_pipe_among_a_students_files_does_not_stop_the_others(course, config):
    course.submit("student-01")
    os.mkfifo(course.root / "submitted" / "student-01" / NAME / "pipe")
    course.submit("student-02")
    problems = write_gradebook(course.root, config, NAME)
    assert any("student-01" in problem for problem in problems)
    assert course.grades("student-02")["score"] == 3.5


def test_a_gradebook_that_does_not_hold_the_reports_points_is_told(course, config, fake, monkeypatch):
    course.submit("student-01")
    grade(course, config, fake, "student-01")
    read = store.read_report
    calls = []

    def other_points(*arguments):
        report = read(*arguments)
        calls.append(report)
        if len(calls) == 1:
            return report
        first = report.questions[0].model_copy(update={"points": 0.25})
        return report.model_copy(update={"questions": (first, *report.questions[1:])})

    monkeypatch.setattr(store, "read_report", other_points)
    assert write_gradebook(course.root, config, NAME) == [
        "The gradebook and the report of student-01 for homework differ in add."
    ]


@pytest.mark.parametrize("points", [float("nan"), -0.5, 1.5])
def test_points_that_are_none_never_reach_the_gradebook(course, config, fake, monkeypatch, points):
    """nbgrader would give full marks for NaN and drop the student for more than the maximum."""
    course.submit("student-01", mood="not_assessed")
    assert write_gradebook(course.root, config, NAME) == []
    before = course.grades("student-01")
    report = store.read_report(course.root, NAME, "student-01")
    first = report.questions[0].model_copy(update={"points": points})
    forged = report.model_copy(update={"questions": (first, *report.questions[1:])})
    monkeypatch.setattr(store, "read_report", lambda *_: forged)
    problems = write_gradebook(course.root, config, NAME)
    assert any("outside of 0 to 1" in problem for problem in problems)
    assert course.grades("student-01") == before


def test_cells_of_a_graded_assignment_cannot_change(course, config):
    course.submit("student-01")
    write_gradebook(course.root, config, NAME)
    notebook = nbformat.read(course.release, as_version=4)
    extra = {
        "grade_id": "more",
        "schema_version": 3,
        "cell_type": "code",
        "solution": True,
        "grade": False,
        "locked": False,
    }
    notebook.cells.append(nbformat.v4.new_code_cell("", metadata={"nbgrader": extra}))
    nbformat.write(notebook, course.release)
    with pytest.raises(GradebookError, match="does not take the release.*Cannot add or remove cells"):
        write_gradebook(course.root, config, NAME)


def test_a_release_that_disagrees_with_the_configuration_is_not_made(course, config):
    config_file = course.root / "course_config.py"
    config_file.write_text(config_file.read_text().replace("points=2.5", "points=3"))
    before = course.release.read_bytes()
    with pytest.raises(ReleaseError, match="`test_double` has 2.5 points, the configuration 3.0"):
        generate_release(course.root, load_course(course.root), NAME, force=True)
    assert course.release.read_bytes() == before


def test_a_release_is_made_anew_only_when_forced(course, config):
    course.release.write_text(course.release.read_text().replace("# Sums", "# Older"))
    generate_release(course.root, config, NAME)
    assert "# Older" in course.release.read_text()
    assert generate_release(course.root, config, NAME, force=True) == course.release
    assert "# Older" not in course.release.read_text()


def test_the_configuration_of_nbgrader(course):
    from traitlets.config import Config

    c = Config()
    configure(c, course.root)
    assert c.CourseDirectory.course_id == "sums"
    assert c.CourseDirectory.source_directory == "solutions"
    assert {"hidden_tests", "mutants", "calibration.json", "notes_for_graders.txt"} <= set(c.CourseDirectory.ignore)
    assert not {"data", f"{NAME}.ipynb"} & set(c.CourseDirectory.ignore)
    assert c.Exchange.timezone == "Europe/Berlin"


def test_a_wrong_course_is_an_error_of_this_package_where_the_folder_is_given(tmp_path):
    from traitlets.config import Config

    with pytest.raises(ConfigurationError, match="No course_config.py"):
        configure(Config(), tmp_path)


def test_a_wrong_course_ends_nbgraders_command_with_one_message(course, config):
    """Any other exception in its configuration file is logged by nbgrader, which goes on with other folders."""
    from traitlets.config import PyFileConfigLoader

    config_file = course.root / "course_config.py"
    config_file.write_text(config_file.read_text().replace("points=2.5", "points=-1"))
    with pytest.raises(SystemExit, match="autograder: course_config.py: .*points.*Received: -1"):
        PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    with pytest.raises(ConfigurationError, match="^course_config.py: .*Received: -1"):
        generate_release(course.root, config, NAME, force=True)


def test_an_nbgrader_config_that_does_not_run_is_told(course, config):
    (course.root / "nbgrader_config.py").write_text("1 / 0")
    course.submit("student-01")
    with pytest.raises(ConfigurationError, match="nbgrader_config.py does not run.*ZeroDivisionError"):
        write_gradebook(course.root, config, NAME)


def test_an_instructors_own_settings_hold_here_too(course, config):
    """A late penalty is nbgrader's business: its plugin is asked with the score that the report gave."""
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write("\nc.AssignLatePenalties.plugin_class = 'fake_grading.TakeHalf'\n")
    course.submit("student-01")
    (course.root / "submitted" / "student-01" / NAME / "timestamp.txt").write_text("2026-01-01 10:00:00.000000 UTC")
    assert write_gradebook(course.root, config, NAME) == []
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        assert gradebook.find_submission_notebook(NAME, NAME, "student-01").late_submission_penalty == 1.75


def test_the_logger_is_left_as_it_was(course, config):
    course.submit("student-01")
    write_gradebook(course.root, config, NAME)
    handlers = logging.getLogger("autograder.integrations.nbgrader.converting.converter").handlers
    assert not [handler for handler in handlers if type(handler).__module__.startswith("autograder")]
