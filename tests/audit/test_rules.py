"""Every rule of the audit, quiet on a course in order and heard on a planted violation. Takes about 20 s."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.audit import RULES, is_green
from tests.audit.planted import PLANTED, SOLUTION, released_source
from tests.audit.small_course import NAME, PUBLIC, SECRET, SmallCourse, make_small_course, named, write_data

CASES = [(rule, plant, found) for rule, cases in PLANTED.items() for _, plant, found in cases]


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    return make_small_course(tmp_path / "course")


def test_a_course_in_order_has_no_findings(course):
    """No rule finds anything, not even a warning, so that what is found below was planted."""
    assert course.audit() == []


@pytest.mark.parametrize(("rule", "plant", "found"), CASES, ids=[plant.__name__ for _, plant, _ in CASES])
def test_planted_violation_is_found(course, rule, plant, found):
    """The rule says so, at a place that exists, with something to do; the audit is green only for guesses."""
    plant(course)
    findings = course.found_by(rule)
    told = [finding for finding in findings if found in f"{finding.place} {finding.found}"]
    assert told, [(finding.place, finding.found) for finding in findings]
    assert all(finding.remedy for finding in findings)
    assert is_green(findings) == all(finding.severity == "warning" for finding in findings)


def test_every_rule_was_seen_failing():
    """A rule that was never seen to find something proves nothing; waivers have tests of their own."""
    assert set(PLANTED) == set(RULES)


def test_the_words_of_the_author_may_be_published(course):
    """Docstrings, messages and hints of hidden tests stand on feedback pages, however long they are."""
    words = "Count the words of each text, add them up, and divide by how many texts there are: " * 3
    course.change(course.hidden(), "Count words, not letters.", words)
    course.write(course.report() / "feedback.html", f"<p>The value is right.</p><p>Hint: {words}</p>")
    assert course.found_by("test-in-feedback") == []


def test_a_student_may_have_written_what_the_reference_has(course):
    """The graded student of this course handed in the reference solution: their own notebook is no leak."""
    executed = nbformat.read(course.report() / "executed.ipynb", as_version=4)
    assert SOLUTION in named(executed, "mean").source
    assert course.found_by("solution-in-feedback") == []


def test_without_the_submission_a_copy_is_a_guess(course):
    """Nobody can say whose code it is, so a person looks, and the audit stays green."""
    (course.folder / "submitted" / "student-01" / NAME / f"{NAME}.ipynb").unlink()
    findings = course.found_by("solution-in-feedback")
    assert findings
    assert {finding.severity for finding in findings} == {"warning"}


def test_before_a_release_the_old_one_does_not_count(course):
    """What a release will be made of is looked at; the release that it replaces is not."""
    released_source(course, "test_mean", "### BEGIN HIDDEN TESTS")
    assert not is_green(course.audit())
    assert course.audit(before_release=True) == []
    course.change(course.hidden(), '    """The value is right."""\n', "")
    assert [finding.rule for finding in course.audit(before_release=True)] == ["missing-docstring"]


def test_what_another_profile_withholds_may_be_seen(course):
    """A record that is public in the data that a report rests on is no leak there; in the release it would be one."""
    other = write_data(course.folder, "fedcba9876", public=SECRET, withheld=PUBLIC)
    assert other.is_dir()
    page = course.write(course.report() / "feedback.html", f"<p>{PUBLIC}</p>")
    assert course.found_by("withheld-in-feedback") == []
    course.write(page, f"<p>{SECRET}</p>")
    assert [finding.severity for finding in course.found_by("withheld-in-feedback")] == ["error"]
    (course.report() / "report.json").unlink()
    assert [finding.severity for finding in course.found_by("withheld-in-feedback")] == ["warning"]


def test_data_that_are_not_prepared_are_generated_for_the_audit(course):
    """Without a cache the smallest profile's data are made elsewhere; the course folder stays as it was."""
    for path in sorted((course.folder / ".autograder").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    course.change(course.config, 'parameters={"EPOCHS": 2}', 'parameters={"EPOCHS": 2}, data_rows=400')
    assert course.found_by("withheld-in-release") == []
    assert not list((course.folder / ".autograder").iterdir())


def test_data_that_cannot_be_had_are_told(course):
    """A note says what could not be looked at; it does not fail the audit."""
    for path in course.folder.glob(".autograder/data/reviews/*/dataset.json"):
        path.unlink()
    course.change(course.config, "ReviewsData()", "ReviewsData(download=True)")
    (note,) = course.found_by("withheld-in-release")
    assert (note.severity, "not been downloaded" in note.found) == ("note", True)
