"""The sentences about points."""

import pytest

from autograder.feedback.totals import points_text, totals
from autograder.records import QuestionResult, Report


def report(*questions, score, status="graded"):
    maximum = round(sum(question.max_points for question in questions), 4)
    return Report(
        assignment="a", student="student-01", status=status, score=score, max_score=maximum, questions=questions
    )


def question(name, points, maximum, outcome):
    return QuestionResult(id=name, points=points, max_points=maximum, outcome=outcome)


def test_the_issues_own_example():
    """1.25 of 1.35 assessed; 0.60 waits; 0.05 not assessed here."""
    result = totals(
        report(
            question("a", 1.25, 1.35, "partial"),
            question("b", None, 0.6, "manual"),
            question("c", None, 0.05, "not_assessed"),
            score=1.25,
        ),
        {},
    )
    assert result.headline == "1.25 of 1.35 assessed points"
    assert result.notes == ("0.60 waits for hand grading.", "0.05 not assessed here: neither given nor lost.")


def test_hand_given_points_count_and_no_longer_wait():
    given = report(question("a", 1.0, 1.4, "partial"), question("b", None, 0.6, "manual"), score=1.0)
    result = totals(given, {"b": 0.5})
    assert result.headline == "1.50 of 2.00 possible points"
    assert result.notes == ()


def test_hand_given_points_replace_those_of_the_checks():
    result = totals(report(question("a", 0.2, 1.0, "partial"), score=0.2), {"a": 0.9})
    assert result.score == 0.9


def test_an_error_of_the_grader_gives_no_score_until_a_person_decides():
    broken = report(
        question("a", 1.0, 1.0, "passed"), question("b", None, 0.5, "error"), score=None, status="needs_attention"
    )
    waiting = totals(broken, {})
    assert waiting.headline == "No score yet"
    assert waiting.notes[0] == "1.00 of 1.00 assessed points so far."
    assert "0.50 needs a person" in waiting.notes[1]
    assert totals(broken, {"b": 0.25}).headline == "1.25 of 1.50 possible points"


def test_a_submission_that_could_not_be_read_has_no_score():
    assert totals(report(score=None, status="needs_attention"), {}).headline == "No score yet"


def test_an_honest_zero_is_a_score():
    assert totals(report(question("a", 0.0, 1.0, "failed"), score=0.0), {}).headline == "0.00 of 1.00 possible points"


def test_points_by_hand_that_are_no_number_are_not_points():
    assert totals(report(question("a", None, 1.0, "manual"), score=0.0), {"a": float("nan")}).waiting == 1.0


@pytest.mark.parametrize(
    ("points", "text"), [(1.25, "1.25"), (0.6, "0.60"), (0, "0.00"), (0.0333, "0.0333"), (2, "2.00"), (0.125, "0.125")]
)
def test_points_have_two_decimals_or_more_where_needed(points, text):
    assert points_text(points) == text
