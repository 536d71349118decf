"""The configuration: what it says of the course, and one clear sentence for whatever is wrong in it."""

from datetime import date
from pathlib import Path

import pytest

from autograder.config import load_course
from autograder.errors import ConfigurationError

ROOT = Path(__file__).parents[1]

SMALL = """
from autograder.config import *
course = Course(course_id="c", title="C", default_profile="smoke", assignments=(
    Assignment(name="a", title="A", questions=(Question(id="q", points=1),), profiles={"smoke": Profile()}),))
"""


def write(tmp_path, text):
    (tmp_path / "course_config.py").write_text(text)
    return tmp_path


def test_the_course_is_the_one_that_is_taught():
    assignment = load_course(ROOT).assignment("jena_multistep")
    assert assignment.homework == 7
    assert assignment.due.date() == date(2025, 12, 8)
    assert assignment.consultation_by == date(2025, 12, 12)
    assert assignment.max_score == 2.0
    assert sorted(assignment.profiles) == ["cpu", "gpu", "smoke"]
    first_point = sum(q.points for q in assignment.questions if q.id not in {"variants", "discussion"})
    assert first_point == pytest.approx(1.0)
    assert [q.id for q in assignment.questions if q.manual] == ["discussion"]


def test_a_small_configuration_is_enough(tmp_path):
    course = load_course(write(tmp_path, SMALL))
    assert course.assignment("a").profile("smoke").limits.memory_mb > 0
    assert course.sandbox == "warm"


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        ("points=1", "points=-1", r"Question\.points: .*greater than or equal to 0\. Received: -1"),
        ("points=1", "points='many'", r"Question\.points: .*valid number.*Received: 'many'"),
        ("points=1", "points=0", r"at least one question must have points"),
        ("points=1", "point=1", r"Question\.(points|point): "),
        ('id="q"', 'id="../q"', r"Question\.id: use ASCII letters.*Received: '../q'"),
        ('name="a"', 'name=""', r"Assignment\.name: .*at least 1 character"),
        ('default_profile="smoke"', 'default_profile="cpu"', r"default_profile 'cpu' is not a profile of a"),
        ('title="C"', 'title="C", sandbox="jail"', r"Course\.sandbox: .*'warm', 'cold' or 'none'.*Received: 'jail'"),
        ("Profile()", "Profile(limits=Limits(memory_mb=0))", r"Limits\.memory_mb: .*greater than 0\. Received: 0"),
        ('Question(id="q", points=1),', "Question(id='q', points=1), Question(id='q', points=1)", r"unique, received twice: q"),
        ("course = ", "kurs = ", r"must define `course = Course\(\.\.\.\)`\. Received: NoneType"),
        ("course = Course(", "x = 1 / 0\ncourse = Course(", r"does not run: ZeroDivisionError.*\(line 3\)"),
        ("course = Course(", "course = Course((", r"does not run: SyntaxError"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_the_field(tmp_path, wrong, right, words):
    assert wrong in SMALL
    with pytest.raises(ConfigurationError, match=words) as caught:
        load_course(write(tmp_path, SMALL.replace(wrong, right, 1)))
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigurationError, match="--course DIR"):
        load_course(tmp_path)


def test_unknown_names_are_answered_with_the_known_ones(tmp_path):
    course = load_course(write(tmp_path, SMALL))
    with pytest.raises(ConfigurationError, match="it has: a. Received: 'b'"):
        course.assignment("b")
    with pytest.raises(ConfigurationError, match="it has: smoke. Received: 'gpu'"):
        course.assignment("a").profile("gpu")
    with pytest.raises(ConfigurationError, match="no question 'x'"):
        course.assignment("a").question("x")
