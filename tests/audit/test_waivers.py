"""Findings that an instructor allows, with a reason: they stay in the list and no longer count."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.audit import is_green
from autograder.audit.findings import read_waivers
from tests.audit.small_course import SmallCourse, make_small_course

WITHOUT_HINT = 'expect(received == given.answer, "Another value is expected.", received=received)'
WITH_HINT = WITHOUT_HINT.replace("received=received)", 'received=received, hint="Count words, not letters.")')


@pytest.fixture
def course(tmp_path: Path) -> SmallCourse:
    made = make_small_course(tmp_path / "course")
    made.change(made.hidden(), WITH_HINT, WITHOUT_HINT)
    return made


def allow(course: SmallCourse, comment: str, *, above: str = "def test_value(") -> None:
    """Write a comment above a line."""
    course.change(course.hidden(), above, f"{comment}\n{above}")


def test_a_waived_finding_stays_and_does_not_count(course):
    """The reason is told beside it."""
    assert not is_green(course.audit())
    allow(course, "# audit: allow missing-hint because the message says it all")
    (finding,) = course.audit()
    assert (finding.rule, finding.waived) == ("missing-hint", "the message says it all")
    assert is_green([finding])


def test_a_waiver_on_the_line_itself(course):
    """Behind the code, as people write it."""
    line = "def test_value(given, evidence):"
    course.change(course.hidden(), line, f"{line}  # audit: allow missing-hint because of a reason")
    assert is_green(course.audit())


def test_a_waiver_without_a_reason_allows_nothing(course):
    """And is an error itself."""
    allow(course, "# audit: allow missing-hint")
    assert {finding.rule for finding in course.audit() if finding.counts} == {"missing-hint", "waiver"}


def test_a_waiver_of_an_unknown_rule_is_an_error(course):
    """A misspelt name must not go unnoticed."""
    allow(course, "# audit: allow missing-hints because of a reason")
    assert any("names no rule: missing-hints" in finding.found for finding in course.audit())


def test_a_waiver_of_another_place_allows_nothing_here(course):
    """It is told, as a warning, that it allows nothing any more."""
    allow(course, "# audit: allow missing-hint because of a reason", above="def test_empty(")
    findings = {finding.rule: finding for finding in course.audit()}
    assert findings["missing-hint"].counts
    assert (findings["waiver"].severity, "allows nothing" in findings["waiver"].found) == ("warning", True)


def test_a_finding_about_a_whole_file_is_waived_anywhere_in_it(course):
    """It has no line of its own."""
    (course.home / "mutants" / "wrong_mean.py").unlink()
    course.change(course.hidden(), WITHOUT_HINT, WITH_HINT)
    allow(course, "# audit: allow no-mutant because the question is new", above="TEXTS =")
    (finding,) = course.audit()
    assert (finding.rule, finding.waived) == ("no-mutant", "the question is new")


def test_text_in_a_string_is_no_waiver(tmp_path):
    """Only comments are read, and a file that cannot be read has none."""
    path = tmp_path / "test_x.py"
    path.write_text('TEXT = """\n# audit: allow missing-hint because of a string\n"""\n')
    assert list(read_waivers(path, "x")) == []
    path.write_text("def broken(:\n  '''")
    assert list(read_waivers(path, "x")) == []
    assert list(read_waivers(tmp_path / "none.py", "x")) == []
