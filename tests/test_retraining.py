"""Unlucky training: a result too close to its bar is run again with other seeds before there is a mark.

Real kernels, no TensorFlow: about 25 s.
"""

from __future__ import annotations

import json

import pytest

from autograder import store
from autograder.batch import grade_batch, plan_batch
from autograder.config import load_course
from autograder.grading import grade_submission
from autograder.submissions import find_submissions
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

BAR, SPREAD, SEED = 21.0, 1.0, 7  # the course's seed; later runs have 8 and 9
MEASURED = f'''

def test_skill(evidence, measured):
    """triple(7) is at least {BAR:g}."""
    if not measured(evidence["value"], {BAR}):
        raise Failure(f"triple(7) should be at least {BAR:g}. Received: {{evidence['value']}}", hint="Train longer.")


@pytest.mark.requires("test_skill")
def test_after_skill(evidence):
    """Whatever rests on it."""
'''
STUDENTS = {  # results by seed, and how many runs they need
    "clear": ((30.0, 0.0, 0.0), 1),
    "unlucky": ((20.5, 24.0, 24.0), 3),
    "lucky": ((21.5, 17.0, 18.0), 2),
    "untrained": ((20.9, 20.9, 0.0), 2),
    "undecided": ((20.8, 21.1, 20.9), 3),
}
PASSED = {"clear", "unlucky"}


def answers(values: tuple[float, ...]) -> dict[str, str]:
    """A notebook whose result depends on its seed, as training does."""
    table = {SEED + number: value for number, value in enumerate(values)}
    return ANSWERS | {"triple": f"def triple(x):\n    return {table}[SEED]"}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in which `triple` is measured, with a student for each case."""
    folder = make_course(tmp_path_factory.mktemp("retraining") / "course")
    home = folder / "solutions" / NAME
    test = home / "hidden_tests" / "test_triple.py"
    test.write_text("import pytest\n" + test.read_text().partition("def test_value")[0].rstrip() + "\n" + MEASURED)
    calibration = {"cpu": {"generated": {"triple": {"spread": {"test_skill": SPREAD}}}}}
    (home / "calibration.json").write_text(json.dumps(calibration))
    release = folder / "assignments" / NAME / f"{NAME}.ipynb"
    release.write_text(release.read_text().replace("FACTOR = 2", "FACTOR = 2\\nSEED = 0"))
    for student, (values, _) in STUDENTS.items():
        hand_in(folder, student, answers(values))
    return folder


@pytest.fixture(scope="module")
def events():
    return []


@pytest.fixture(scope="module")
def batch(course, events):
    return grade_batch(course, load_course(course), NAME, on_event=events.append)


def result(course, student):
    report = store.read_report(course, NAME, student)
    checks = {check.name: check for check in report.question("triple").checks}
    return report, checks


@pytest.mark.parametrize("student", STUDENTS)
def test_runs_until_luck_cannot_have_decided(batch, course, student):
    values, runs = STUDENTS[student]
    report, checks = result(course, student)
    assert len(report.runs) == runs
    assert all(store.has_run(course, run) for run in report.runs)
    assert checks["test_skill"].measure.values == values[:runs]
    assert checks["test_skill"].outcome == ("passed" if student in PASSED else "failed")
    assert checks["test_after_skill"].outcome == checks["test_skill"].outcome
    assert report.score == (3.0 if student in PASSED else 1.0)


def test_the_student_reads_that_it_was_repeated_and_why(batch, course):
    _, checks = result(course, "unlucky")
    assert "run with 3 seeds. The results: 20.5, 24, 24. Their mean counts: 22.83." in checks["test_skill"].message
    page = (course / "reports" / NAME / "lucky" / "feedback.html").read_text()
    assert "too close to the bar of 21 to tell skill from luck" in page
    _, clear = result(course, "clear")
    assert clear["test_skill"].message == ""


def test_each_further_run_says_why_it_starts(batch, events):
    told = [event.why for event in events if getattr(event, "name", "") == "lucky" and hasattr(event, "why")]
    assert told == ["never run", "too close to tell skill from luck: triple; seed 8"]


def test_a_person_hears_of_what_stayed_open(batch):
    (told,) = batch.close_calls
    assert batch.problems == ()
    assert not batch.is_clean
    assert told.startswith("undecided: ")
    assert "triple" in told


def test_a_second_grade_runs_nothing(batch, course):
    again = grade_batch(course, load_course(course), NAME, on_event=lambda _: None)
    assert again.done == {"nothing": len(STUDENTS)}


def test_a_smaller_spread_needs_no_further_run_and_the_mark_waits_for_a_word(batch, course):
    path = course / "solutions" / NAME / "calibration.json"
    before = path.read_text()
    path.write_text(before.replace("1.0", "0.01"))
    try:
        decisions = plan_batch(course, load_course(course), NAME)
        assert {decision.action for decision in decisions} == {"judge"}
        held = grade_batch(course, load_course(course), NAME, on_event=lambda _: None)
        assert {change.student: (change.before, change.after) for change in held.changes} == {
            "unlucky": (3.0, 1.0),
            "lucky": (1.0, 3.0),
        }
    finally:
        path.write_text(before)


def test_alone_a_submission_gets_the_same_mark_as_in_the_batch(batch, course):
    submission = next(
        each for each in find_submissions(course, load_course(course), NAME)[0] if each.student == "lucky"
    )
    before = store.read_report(course, NAME, "lucky")
    report = grade_submission(course, load_course(course), submission)
    assert (report.score, report.runs) == (before.score, before.runs)


def test_a_course_without_retrainings_takes_the_first_result(batch, course):
    path = course / "course_config.py"
    before = path.read_text()
    path.write_text(before.replace('sandbox="none"', 'sandbox="none", retrainings=0'))
    try:
        held = grade_batch(course, load_course(course), NAME, on_event=lambda _: None)
    finally:
        path.write_text(before)
    assert {change.student for change in held.changes} == {"unlucky", "lucky"}
    assert "run" not in held.done
