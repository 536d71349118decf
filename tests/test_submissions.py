"""What was handed in is found, and what lies in a wrong place is told."""

import os
from pathlib import Path

import pytest

from autograder.config import load_course
from autograder.errors import ConfigurationError, SubmissionError
from autograder.submissions import find_submissions

COURSE = load_course(Path(__file__).parents[1])
NAME = "jena_multistep"


def hand_in(root, student, assignment=NAME):
    home = root / "submitted" / student / assignment
    home.mkdir(parents=True)
    (home / f"{assignment}.ipynb").write_text("{}")
    return home


def test_submissions_come_sorted_with_their_time(tmp_path):
    (hand_in(tmp_path, "student-02") / "timestamp.txt").write_text("2025-12-08 21:15:02.000000 UTC\n")
    (hand_in(tmp_path, "student-01") / "timestamp.txt").write_text("yesterday")
    found, problems = find_submissions(tmp_path, COURSE, NAME)
    assert [submission.student for submission in found] == ["student-01", "student-02"]
    assert found[0].submitted_at is None
    assert found[1].submitted_at.isoformat() == "2025-12-08T21:15:02+00:00"
    assert problems == []


def test_a_missing_notebook_is_still_a_submission(tmp_path):
    (hand_in(tmp_path, "student-01") / f"{NAME}.ipynb").unlink()
    found, _ = find_submissions(tmp_path, COURSE, NAME)
    assert [submission.student for submission in found] == ["student-01"]


def test_wrong_folders_are_told_and_do_not_stop_the_others(tmp_path):
    hand_in(tmp_path, "student-01")
    hand_in(tmp_path, "student-02", "jena-multistep")
    (tmp_path / "submitted" / "stray.ipynb").write_text("{}")
    (tmp_path / "submitted" / ".ipynb_checkpoints").mkdir()
    found, problems = find_submissions(tmp_path, COURSE, NAME)
    assert [submission.student for submission in found] == ["student-01"]
    assert len(problems) == 2
    assert "submitted/student-02/jena_multistep/jena_multistep.ipynb. Received: jena-multistep" in problems[1]
    assert "stray.ipynb is not a student's folder" in problems[0] + problems[1]


def test_links_out_of_the_course_are_not_followed(tmp_path):
    hand_in(tmp_path, "student-01")
    (tmp_path / "submitted" / "student-02").symlink_to(tmp_path / "submitted" / "student-01")
    found, problems = find_submissions(tmp_path, COURSE, NAME)
    assert len(found) == len(problems) == 1


def test_who_has_not_submitted_is_named(tmp_path):
    hand_in(tmp_path, "student-01")
    assert len(find_submissions(tmp_path, COURSE, NAME, {"student-01"})[0]) == 1
    with pytest.raises(SubmissionError, match="No submission of student-07"):
        find_submissions(tmp_path, COURSE, NAME, {"student-01", "student-07"})


def test_no_submissions_at_all_and_unknown_assignments_are_told(tmp_path):
    with pytest.raises(SubmissionError, match="collect them with nbgrader"):
        find_submissions(tmp_path, COURSE, NAME)
    with pytest.raises(ConfigurationError, match="no assignment 'homework'"):
        find_submissions(tmp_path, COURSE, "homework")


def test_names_that_cannot_be_shown_are_left_out_and_told_in_one_line(tmp_path):
    """Line breaks, terminal codes, direction marks, and bytes that are no text: reports of them could not be written."""
    hand_in(tmp_path, "student-01")
    for name in ("line\nbreak", "\x1b[2Jcode", "turn\u202e", "bytes\udcff"):
        hand_in(tmp_path, name)
    found, problems = find_submissions(tmp_path, COURSE, NAME)
    assert [submission.student for submission in found] == ["student-01"]
    assert len(problems) == 4
    assert all(problem.isprintable() and "Rename it" in problem for problem in problems)


def test_a_timestamp_is_a_small_regular_file(tmp_path):
    home = hand_in(tmp_path, "student-01")
    other = hand_in(tmp_path, "student-02")
    os.mkfifo(home / "timestamp.txt")
    (tmp_path / "time").write_text("2025-12-08 21:15:02.000000 UTC")
    (other / "timestamp.txt").symlink_to(tmp_path / "time")
    found, _ = find_submissions(tmp_path, COURSE, NAME)
    assert [submission.submitted_at for submission in found] == [None, None]
