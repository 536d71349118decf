"""The commands about the grading itself, from the outside. About 10 s; `calibrate` has tests in tests/calibration."""

from __future__ import annotations

import pytest

from autograder.cli import main
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

OWN = {
    "triple": "def triple(x):\n    total = 0\n    for part in (x, x, x):\n        total = total + part\n    return total"
}


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path / "course")


def test_similarity_lists_pairs_and_names_the_page(course, capsys):
    for student in ("student-01", "student-02"):
        hand_in(course, student, ANSWERS | OWN)
    assert run("similarity", NAME, "--course", course) == 0
    told = capsys.readouterr().out
    assert "This list accuses nobody." in told
    page = course / "reports" / NAME / "similarity.html"
    assert str(page) in told.replace("\n", "")
    assert "2 submissions" in page.read_text()


def test_similarity_tells_what_it_could_not_read(course, capsys):
    hand_in(course, "student-01", "{")
    assert run("similarity", NAME, "--course", course) == 1
    assert "student-01 is not compared" in capsys.readouterr().out


def test_audit_ends_with_what_has_to_be_mended(course, capsys):
    secret = (course / "solutions" / NAME / "hidden_tests" / "test_triple.py").read_text()
    (course / "assignments" / NAME / "notes.py").write_text(secret)
    assert run("audit", NAME, "--course", course) == 1
    assert "secret" in capsys.readouterr().out


def test_a_misspelt_assignment_is_told_before_anything_is_audited(course, capsys):
    assert run("audit", NAME, "jena_multistp", "--course", course) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "the course has no assignment 'jena_multistp'" in captured.err


def test_selftest_without_generated_mistakes_grades_the_demo_students(course, tmp_path, capsys):
    assert run("selftest", NAME, "--course", course, "--generated", 0, "--folder", tmp_path / "trial") == 0
    told = capsys.readouterr().out
    assert "wrong_triple" in told
    assert (tmp_path / "trial" / "selftest.json").is_file()


def test_equivalent_needs_a_reason(course, capsys):
    assert run("selftest", NAME, "--course", course, "--equivalent", "no_such@triple:1", "--because", "it is") == 2
    assert "Received: " in capsys.readouterr().err
