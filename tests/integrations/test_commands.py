"""nbgrader's own commands on a course of this package, with a class that does what classes do. About a minute."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest
from nbgrader.api import Gradebook
from tiny_course import NAME

from autograder.notebooks import grade_id, load_release

pytestmark = [
    # SQLAlchemy on nbgrader's models, and nbgrader's use of the clock; in this process only for looking at results.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:nbgrader"),
]
HONEST = ["student-01", "student-05", "student-06", "student-07", "student-10", "student-11"]
UNREADABLE = ["student-03", "student-08", "student-09", "student-12"]
FULL = {"test_add": (1.0, None, False), "test_double": (2.5, None, False), "discussion": (None, None, True)}
NOTHING = {"test_add": (None, None, True), "test_double": (None, None, True), "discussion": (None, None, True)}


def released_cells(course):
    return nbformat.read(course.release, as_version=4)


def answered(course):
    return nbformat.read(course.submit("template"), as_version=4)


def split(course):
    """Jupyter's "split cell" copies the metadata: one grade_id twice, which stops nbgrader's whole batch."""
    notebook = answered(course)
    place = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == "add")
    second = copy.deepcopy(notebook.cells[place])
    second.source, second.id = "also = add", "second-half"
    notebook.cells.insert(place + 1, second)
    return notebook


def stripped(course):
    notebook = answered(course)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"nbgrader": {}})
    return notebook


def unlocked(course):
    """Points raised, tests rewritten, and a result that nbgrader would take for a mark."""
    notebook = answered(course)
    for cell in notebook.cells:
        if grade_id(cell) == "add":
            cell.source = "def add(a, b):\n    return 0"
        if grade_id(cell) == "test_add":
            cell.source = "100"
            cell.metadata["nbgrader"].update(points=100, locked=False)
            cell.outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "1.0"})]
    return notebook


def noisy(course):
    """TensorFlow and tqdm write to stderr: nbgrader gives a test cell that does no points."""
    notebook = answered(course)
    for cell in notebook.cells:
        if grade_id(cell) == "double":
            cell.source = "import sys\ndef double(a):\n    print('progress', file=sys.stderr)\n    return 2 * a"
    return notebook


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """A class after `nbgrader autograde`, which was killed in the middle of student-07 and started again."""
    course = released.copy(tmp_path_factory.mktemp("commands") / "course")
    notebooks = {"student-05": split, "student-06": stripped, "student-10": noisy, "student-13": unlocked}
    for student, make in notebooks.items():
        course.submit_bytes(student, nbformat.writes(make(course)).encode())
    old = nbformat.convert(answered(course), 3)
    course.submit_bytes("student-11", json.dumps(old).encode())
    course.submit("student-01", discussion="It doubles.")
    home = course.root / "submitted" / "student-01" / NAME
    (home / "timestamp.txt").write_text("2025-12-08 20:00:00.000000 UTC")
    (home / "submission_secret.txt").write_text("5ecret")
    course.submit("student-02", mood="no sandbox here")
    course.submit_bytes("student-03", b'{"cells": [')
    course.submit("student-04", add="def add(a, b):\n    return 7", discussion="YOUR ANSWER HERE")
    course.submit("student-07", mood="killed")
    course.submit_bytes("student-08", b"", name="homework (1)")
    (course.root / "submitted" / "student-09" / NAME).mkdir(parents=True)
    (course.root / "submitted" / "student-12" / NAME).mkdir(parents=True)
    (course.root / "submitted" / "student-12" / NAME / f"{NAME}.ipynb").symlink_to(course.root / "gradebook.db")
    course.submit("student-14", mood="not_assessed")
    course.submit("student-15", mood="error")
    course.submit("student-16", mood="half")
    for path in (course.root / "submitted" / "template" / NAME).iterdir():
        path.unlink()
    (course.root / "submitted" / "template" / NAME).rmdir()
    killed = course.nbgrader("autograde", NAME)
    assert killed.returncode < 0, "the first command is killed by the fake grader"
    course.before_second_run = course.graded()
    course.second_run = course.nbgrader("autograde", NAME)
    return course


def test_the_release_holds_the_notebook_and_its_data_and_nothing_secret(released):
    files = sorted(path.relative_to(released.release.parent).as_posix() for path in released.release.parent.rglob("*"))
    assert files == ["data", "data/numbers.csv", "homework.ipynb"]
    text = released.release.read_text()
    assert "BEGIN SOLUTION" not in text
    assert "return a + b" not in text


def test_the_due_date_is_in_the_gradebook_in_utc(released):
    with Gradebook(f"sqlite:///{released.root / 'gradebook.db'}", "sums") as gradebook:
        assert str(gradebook.find_assignment(NAME).duedate) == "2025-12-08 22:59:00"


@pytest.mark.parametrize("student", HONEST)
def test_honest_work_has_full_marks_however_the_notebook_was_mangled(graded, student):
    assert {cell: grade for cell, grade in graded.grades(student).items() if cell in FULL} == FULL


def test_wrong_answers_and_parts_have_the_reports_points(graded):
    assert graded.grades("student-04")["test_add"] == (0.0, None, False)
    assert graded.grades("student-16")["test_double"] == (1.25, None, False)


def test_raised_points_and_rewritten_tests_win_nothing(graded):
    grades = graded.grades("student-13")
    assert grades["test_add"] == (0.0, None, False)
    assert (grades["score"], grades["max"]) == (2.5, 5.5)


@pytest.mark.parametrize("student", UNREADABLE)
def test_what_cannot_be_read_gets_no_marks_and_waits_for_a_person(graded, student):
    """Damaged, wrongly named, missing, a link to the gradebook: neither zero nor full marks, and nobody else is lost."""
    assert {cell: grade for cell, grade in graded.grades(student).items() if cell in NOTHING} == NOTHING
    assert "could not be read" in graded.autograded(student).cells[0].source


@pytest.mark.parametrize("student", ["student-14", "student-15"])
def test_not_assessed_and_the_graders_errors_wait_for_a_person(graded, student):
    assert graded.grades(student)["test_double"] == (None, None, True)
    assert graded.grades(student)["test_add"] == (1.0, None, False)


def test_an_unanswered_text_waits_for_a_person_too(graded):
    """nbgrader gives an unchanged hand-graded cell zero by itself."""
    assert graded.grades("student-04")["discussion"] == (None, None, True)


def test_a_grader_that_fails_for_one_student_says_so_and_grades_the_others(graded):
    assert graded.second_run.returncode == 1
    assert "The sandbox could not be started." in graded.second_run.stderr
    assert "processing assignment 'homework' for student 'student-02'" in graded.second_run.stderr
    assert not (graded.root / "autograded" / "student-02" / NAME).exists()


def test_a_killed_command_goes_on_where_it_was_killed(graded):
    """nbgrader alone passes over the student in whose notebook it was killed, with a score of zero."""
    before = [line.split()[0] for line in graded.before_second_run]
    after = [line.split()[0] for line in graded.graded()[len(before) :]]
    assert before[-1] == "student-07"
    assert after[:2] == ["student-02", "student-07"], "what was finished before is not graded again"


@pytest.mark.parametrize("student", ["student-01", "student-04", "student-10", "student-16"])
def test_a_test_cell_ends_with_one_plain_number_and_nothing_that_nbgrader_misreads(graded, student):
    from nbgrader.utils import determine_grade

    for cell in graded.autograded(student).cells:
        if (grade_id(cell) or "").startswith("test_"):
            results = [output for output in cell.outputs if output.output_type == "execute_result"]
            assert cell.outputs[-1] is results[0]
            assert len(results) == 1
            assert not any(output.output_type == "error" or output.get("name") == "stderr" for output in cell.outputs)
            assert determine_grade(cell)[0] == graded.grades(student)[grade_id(cell)][0]


def test_the_autograded_notebook_shows_how_it_ran(graded):
    cells = {grade_id(cell): cell for cell in graded.autograded("student-10").cells}
    assert cells["add"].execution_count
    assert cells["test_double"].outputs[-1].data["text/plain"] == "2.5"


def test_hidden_tests_are_nowhere_in_the_gradebook_or_in_what_students_get(graded):
    secret = b"expect_equal"
    assert secret not in (graded.root / "gradebook.db").read_bytes()
    for folder in ("assignments", "autograded"):
        assert not any(secret in path.read_bytes() for path in (graded.root / folder).rglob("*") if path.is_file())


def test_the_mended_notebook_is_the_release_for_nbgrader(graded, monkeypatch):
    """Checksums of locked cells are those that nbgrader computed at release."""
    from nbgrader.utils import compute_checksum, is_locked

    for cell in graded.autograded("student-13").cells:
        if is_locked(cell):
            assert compute_checksum(cell) == cell.metadata.nbgrader.checksum


def test_feedback_is_this_packages_page_with_marks_and_comments_given_by_hand(graded):
    with Gradebook(f"sqlite:///{graded.root / 'gradebook.db'}", "sums") as gradebook:
        gradebook.find_grade("discussion", NAME, NAME, "student-01").manual_score = 1.75
        gradebook.find_comment("discussion", NAME, NAME, "student-01").manual_comment = "Well argued."
        gradebook.db.commit()
    result = graded.nbgrader("generate_feedback", NAME)
    assert result.returncode == 0, result.stderr
    page = (graded.root / "feedback" / "student-01" / NAME / f"{NAME}.html").read_text()
    assert "Well argued." in page
    assert "5.25" in page
    assert "Content-Security-Policy" in page
    assert (
        "waits for hand grading"
        in (graded.root / "feedback" / "student-16" / NAME / f"{NAME}.html").read_text().lower()
    )
    assert "not valid JSON" in (graded.root / "feedback" / "student-03" / NAME / f"{NAME}.html").read_text()


def test_feedback_can_be_released_under_nbgraders_names(graded, tmp_path):
    """The timestamp and the secret of a submission have travelled along; the page's name is made of them."""
    for path in sorted((graded.root / "feedback").iterdir()):
        secret = path / NAME / "submission_secret.txt"
        assert secret.exists() is (path.name == "student-01")
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    result = graded.nbgrader("release_feedback", NAME, "--student", "student-01", f"--Exchange.root={exchange}")
    assert result.returncode == 0, result.stderr
    (page,) = (exchange / "sums" / "feedback").glob("*.html")
    assert "Well argued." in page.read_text()


def test_grading_again_keeps_what_was_given_by_hand_and_uses_the_profile_of_the_report(course):
    """And it works from another folder with --course-dir, without the gradebook that a fresh clone does not have."""
    course.submit("student-01")
    (course.root / "gradebook.db").unlink()
    elsewhere = course.root.parent
    options = ("--course-dir", str(course.root))
    first = course.nbgrader("autograde", NAME, *options, cwd=elsewhere, AUTOGRADER_PROFILE="smoke")
    assert first.returncode == 0, first.stderr
    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        gradebook.find_grade("test_add", NAME, NAME, "student-01").manual_score = 0.75
        gradebook.find_grade("discussion", NAME, NAME, "student-01").manual_score = 2.0
        gradebook.find_comment("discussion", NAME, NAME, "student-01").manual_comment = "Good."
        gradebook.db.commit()
    course.submit("student-01", double="def double(a):\n    return 0")
    second = course.nbgrader("autograde", NAME, "--force", *options, cwd=elsewhere)
    assert second.returncode == 0, second.stderr
    grades = course.grades("student-01")
    assert grades["test_add"] == (1.0, 0.75, True), "kept, and to be looked at again"
    assert grades["test_double"] == (0.0, None, False)
    assert grades["score"] == 2.75
    assert course.graded() == ["student-01 smoke", "student-01 smoke"]
    assert not list(elsewhere.glob("gradebook.db"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("course = Course(", "kurs = Course(", "must define `course = Course"),
        ('Question(id="double", points=2.5), ', "", "`test_double` carries points"),
    ],
)
def test_a_wrong_configuration_is_one_message(course, old, new, message):
    config = course.root / "course_config.py"
    config.write_text(config.read_text().replace(old, new))
    course.submit("student-01")
    result = course.nbgrader("autograde", NAME)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (course.root / "autograded").exists()


def test_the_release_agrees_with_the_configuration(released):
    from autograder.config import load_course

    assert load_release(released.root, load_course(released.root).assignment(NAME)).digest
