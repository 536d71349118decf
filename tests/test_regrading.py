"""What is still right is not done again, and a published mark changes only when somebody says so.

Real kernels, no TensorFlow: about 40 s.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from autograder import store
from autograder.batch import grade_batch, plan_batch
from autograder.config import load_course
from autograder.store import history, space
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

STUDENTS = ("student-01", "student-02", "student-03")
OTHER = ANSWERS | {"triple": "def triple(x):\n    return x + x + x"}
HALF = {"double": ANSWERS["double"], "triple": "def triple(x):\n    return 3.0 * x"}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A graded class of three; each test works on a copy."""
    folder = make_course(tmp_path_factory.mktemp("regrading") / "course")
    for student, answers in zip(STUDENTS, (ANSWERS, HALF, {"double": "def double(x):\n    return 5"}), strict=True):
        hand_in(folder, student, answers)
    first = grade(folder)
    assert first.done == {"run": 3}
    return folder


@pytest.fixture
def course(graded, tmp_path):
    return shutil.copytree(graded, tmp_path / "course")


def grade(folder, **options):
    events = options.pop("events", [])
    return grade_batch(folder, load_course(folder), NAME, on_event=events.append, **options)


def plan(folder):
    decisions = plan_batch(folder, load_course(folder), NAME)
    return {each.submission.student: (each.action, each.why) for each in decisions}


def scores(folder):
    return {student: store.read_report(folder, NAME, student).score for student in STUDENTS}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def hidden_test(folder, question):
    return folder / "solutions" / NAME / "hidden_tests" / f"test_{question}.py"


def files(folder):
    """Every file of reports and runs, and when it was written."""
    found = [*folder.glob("reports/*/*/*"), *folder.glob(".autograder/runs/*/*.json")]
    return {path: path.stat().st_mtime_ns for path in found}


def test_a_second_grade_writes_and_runs_nothing(course):
    before = files(course)
    assert plan(course) == dict.fromkeys(STUDENTS, ("nothing", "unchanged"))
    again = grade(course)
    assert again.done == {"nothing": 3}
    assert [report.student for report in again.reports] == list(STUDENTS)
    assert files(course) == before


def test_a_changed_message_asks_one_question_and_needs_no_word(course):
    edit(hidden_test(course, "double"), "Use the name FACTOR.", "Look at the name FACTOR.")
    before = {path: path.stat().st_mtime_ns for path in course.glob(".autograder/runs/*/verdicts/triple.json")}
    assert plan(course)["student-01"] == ("judge", "hidden tests changed: double")
    result = grade(course)
    assert result.done == {"judge": 3}
    assert result.changes == ()
    hints = [check.hint for check in store.read_report(course, NAME, "student-03").question("double").checks]
    assert "Look at the name FACTOR." in hints
    assert {path: path.stat().st_mtime_ns for path in course.glob(".autograder/runs/*/verdicts/triple.json")} == before


def test_a_mark_changes_only_with_somebodys_word_and_its_history_is_kept(course):
    before = scores(course)
    edit(hidden_test(course, "triple"), "], int)", "], (int, float))")
    held = grade(course)
    (change,) = held.changes
    assert (change.student, change.before, change.after) == ("student-02", 2.0, 3.0)
    assert [(each.question, each.before, each.after) for each in change.questions] == [("triple", 1.0, 2.0)]
    assert change.questions[0].checks == (("test_kind", "failed", "passed"),)
    assert not held.is_clean
    assert scores(course) == before
    shown = []
    published = grade(course, confirm=lambda changes: shown.append(changes) or True)
    assert shown == [(change,)]
    assert published.changes == ()
    assert scores(course) == {**before, "student-02": 3.0}
    marks = history.read(store.report_folder(course, NAME, "student-02"))
    assert [mark.score for mark in marks] == [2.0, 3.0]
    assert marks[0].basis["hidden_tests_sha256"] != marks[1].basis["hidden_tests_sha256"]
    assert marks[0].basis["run"] == marks[1].basis["run"]
    assert grade(course).done == {"nothing": 3}


def test_a_new_submission_needs_no_word(course):
    hand_in_again(course, "student-02", OTHER)
    assert plan(course)["student-02"] == ("run", "changed: notebook")
    result = grade(course)
    assert result.done == {"nothing": 2, "run": 1}
    assert scores(course)["student-02"] == 3.0


def hand_in_again(folder, student, answers):
    shutil.rmtree(folder / "submitted" / student)
    hand_in(folder, student, answers)


def test_changed_points_need_neither_kernel_nor_judge(course):
    edit(course / "course_config.py", 'id="double", points=1', 'id="double", points=0.5')
    release = course / "assignments" / NAME / f"{NAME}.ipynb"
    notebook = json.loads(release.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == "test_double":
            cell["metadata"]["nbgrader"]["points"] = 0.5
    release.write_text(json.dumps(notebook))
    decided = plan(course)
    assert {action for action, _ in decided.values()} <= {"report", "run"}, decided


def test_a_changed_probe_says_which(course):
    edit(hidden_test(course, "double"), "student.double(7)", "student.double(14 / 2)")
    assert plan(course)["student-01"] == ("run", "changed: probe of double")


def test_a_lost_run_is_made_again_and_a_damaged_verdict_is_judged_again(course):
    report = store.read_report(course, NAME, "student-01")
    folder = store.run_folder(course, report.provenance["run"])
    (folder / "verdicts" / "double.json").write_text("{")
    assert plan(course)["student-01"] == ("judge", "hidden tests changed: double")
    shutil.rmtree(folder)
    assert plan(course)["student-01"] == ("run", "its stored run is gone")
    before = scores(course)
    assert grade(course).done == {"nothing": 2, "run": 1}
    assert scores(course) == before


def test_an_error_in_a_hidden_test_takes_no_mark_away(course):
    before = scores(course)
    edit(hidden_test(course, "triple"), "def test_value(evidence):", "def test_value(evidence):\n    1 / 0\n")
    result = grade(course)
    assert [change.after for change in result.changes] == [None] * 3
    assert scores(course) == before
    assert not list(course.glob(".autograder/runs/*/verdicts/triple.json.new"))


def test_what_a_machine_could_not_grade_keeps_the_mark_it_has(course, monkeypatch):
    edit(hidden_test(course, "double"), "student.double(7)", "student.double(8 - 1)")
    monkeypatch.setattr("autograder.fleets.carry_out", broken_machine)
    before = scores(course)
    result = grade(course)
    assert result.ungraded == STUDENTS
    assert scores(course) == before
    assert not result.is_clean


def broken_machine(parcel, data=None, *, on_cell=None):
    from autograder.parcels import _answer

    return _answer(None, {}, "OSError: no space left", again=True)


def test_infrastructure_is_tried_again_as_often_as_the_course_says(course, monkeypatch):
    edit(hidden_test(course, "double"), "student.double(7)", "student.double(8 - 1)")
    edit(course / "course_config.py", 'title="Tiny",', 'title="Tiny", attempts=2,')
    monkeypatch.setattr("autograder.fleets.carry_out", broken_machine)
    events = []
    grade(course, events=events, students=["student-01"])
    assert [event.attempt for event in events if type(event).__name__ == "Started"] == [1, 2]


def test_the_store_is_reclaimed_without_what_reports_rest_on(course):
    needed = {store.read_report(course, NAME, student).provenance["run"] for student in STUDENTS}
    hand_in_again(course, "student-02", OTHER)
    grade(course)
    now_needed = {store.read_report(course, NAME, student).provenance["run"] for student in STUDENTS}
    (old,) = needed - now_needed
    assert [run.key for run in space.stored_runs(course, now_needed)][0] == old
    abandoned = course / ".autograder" / "runs" / ".part-abandoned"
    abandoned.mkdir()
    os.utime(abandoned, (0, 0))
    assert space.reclaim(course, now_needed, max_days=1).removed == 0
    done = space.reclaim(course, now_needed)
    assert (done.removed, done.kept) == (1, 3)
    assert not store.has_run(course, old)
    assert not abandoned.exists()
    assert space.reclaim(course, now_needed, max_bytes=1).over_limit
    assert grade(course).done == {"nothing": 3}


def test_a_history_that_was_cut_off_goes_on(course):
    folder = store.report_folder(course, NAME, "student-02")
    whole = (folder / history.HISTORY_FILE).read_text()
    (folder / history.HISTORY_FILE).write_text(whole + whole[: len(whole) // 2])
    assert [mark.score for mark in history.read(folder)] == [2.0]
    hand_in_again(course, "student-02", ANSWERS)
    grade(course)
    assert [mark.score for mark in history.read(folder)] == [2.0, 3.0]
