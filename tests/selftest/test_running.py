"""Self-tests of the tiny course from end to end, and what is computed from their outcomes. About 30 s."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from autograder.config import load_course
from autograder.errors import ConfigurationError, MutantError
from autograder.records import CheckResult, QuestionResult, Report
from autograder.selftest import mark_equivalent, print_selftest, run_selftest, selftest_folder
from autograder.selftest.outcomes import SelfTest, idle_checks, row_of, wilson
from tests.tiny_course import NAME, make_course

ALL = 100
WEAK = "if False and "


@pytest.fixture(scope="module")
def course_folder(tmp_path_factory):
    """A course whose hidden test of `triple` has lost its main check: whatever comes is right."""
    folder = make_course(tmp_path_factory.mktemp("course"), released=False)
    tests = folder / "solutions" / NAME / "hidden_tests" / "test_triple.py"
    tests.write_text(tests.read_text().replace('if evidence["value"] != 21', f'{WEAK}evidence["value"] != 21'))
    return folder


def selftest(course_folder, generated=ALL, **options):
    console = Console(file=io.StringIO(), width=120)
    course = load_course(course_folder)
    result = run_selftest(course_folder, course, NAME, console=console, generated=generated, workers=2, **options)
    return result, console.file.getvalue()


@pytest.fixture(scope="module")
def found(course_folder):
    return selftest(course_folder)


def test_mistakes_that_a_weak_test_lets_through_survive(found):
    result, _ = found
    assert [row.name for row in result.rows if row.kind != "generated"] == ["solution", "right_lambda", "wrong_triple"]
    assert {survivor.question for survivor in result.survivors} == {"triple"}
    killed = {row.name: row.lost for row in result.rows if row.kind == "generated" and row.lost}
    assert killed["term_dropped@double:3"] == ("double",)
    assert result.measured == len(result.rows) - 3 == result.possible
    assert result.share == result.killed / result.measured < 1
    assert result.interval[0] < result.share < result.interval[1]
    assert not result.is_fine


def test_hand_written_mistake_that_passes_is_a_false_pass(found):
    result, _ = found
    assert [(each.name, each.question, each.expected, each.got) for each in result.false_passes] == [
        ("wrong_triple", "triple", "partial", "passed")
    ]
    assert result.false_fails == ()
    assert result.without_mutant == ("double",)


def test_checks_that_never_fail_are_listed(found):
    result, _ = found
    assert "triple: test_value" in result.never_fail
    assert "double: test_value" not in result.never_fail


def test_what_was_found_is_printed_and_written(found, course_folder):
    result, _ = found
    console = Console(file=io.StringIO(), width=120)
    print_selftest(result, console=console)
    printed = console.file.getvalue()
    survivor = result.survivors[0]
    for told in (
        "wrong_triple: triple is passed, not partial",
        "triple: test_value",
        f"{survivor.name} survives:",
        survivor.diff.splitlines()[-1],
        "2 of 3 hand-written answers got the outcomes that are known to be right",
        "--equivalent NAME --because REASON",
    ):
        assert told in printed, printed
    document = json.loads((selftest_folder(course_folder, NAME) / "selftest.json").read_text())
    assert document["share"] == result.share
    assert document["false_passes"][0]["name"] == "wrong_triple"
    assert [each["name"] for each in document["survivors"]] == [each.name for each in result.survivors]


def test_equivalent_mutants_are_left_out_and_nothing_is_run_again(found, course_folder):
    before, _ = found
    survivor = before.survivors[0]
    with pytest.raises(MutantError, match=r"of triple there are: .*Received: nothing@triple:1"):
        mark_equivalent(course_folder, load_course(course_folder), NAME, "nothing@triple:1", "Because.")
    marked = mark_equivalent(course_folder, load_course(course_folder), NAME, survivor.name, "It is all the same.")
    assert marked == survivor
    runs = selftest_folder(course_folder, NAME) / ".autograder" / "runs"
    stored = sorted(path.name for path in runs.iterdir())
    after, told = selftest(course_folder)
    assert survivor not in after.survivors
    assert (after.equivalent, after.measured) == (1, before.measured - 1)
    assert sorted(path.name for path in runs.iterdir()) == stored
    assert "starts" not in told
    assert "unchanged" in told
    path = course_folder / "solutions" / NAME / "equivalent_mutants.json"
    path.write_text(path.read_text().replace('"because"', '"because"', 1).replace(marked.digest, "0" * 16))
    lapsed, _ = selftest(course_folder, generated=0)
    assert lapsed.lapsed == (f"{survivor.name} (It is all the same.)",)
    path.unlink()


def test_mended_test_is_judged_from_stored_runs_and_kills(found, course_folder):
    tests = course_folder / "solutions" / NAME / "hidden_tests" / "test_triple.py"
    weak = tests.read_text()
    tests.write_text(weak.replace(WEAK, "if "))
    try:
        result, told = selftest(course_folder)
    finally:
        tests.write_text(weak)
    assert "starts" not in told
    assert result.survivors == ()
    assert result.is_fine
    assert result.share == 1


def test_folder_of_something_else_is_left_alone(course_folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match="leaves it alone"):
        selftest(course_folder, generated=0, folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def report(student="someone", **outcomes):
    """A report with one question, points by outcome."""
    points = {"passed": 1.0, "partial": 0.5, "failed": 0.0}
    questions = tuple(
        QuestionResult(id=name, points=points.get(outcome), max_points=1, outcome=outcome)
        for name, outcome in outcomes.items()
    )
    from autograder.records import Run

    run = Run(assignment=NAME, profile="cpu", seed=1, sandbox="none")
    return Report(assignment=NAME, student=student, status="graded", score=1, max_score=2, questions=questions, run=run)


def rows(*each):
    solution = report(a="passed", b="passed")
    return tuple(
        row_of(name, kind, "", expected, told, solution=solution, questions=["a", "b"])
        for name, kind, expected, told in each
    )


def selftest_of(*each):
    return SelfTest(NAME, "cpu", 1, ("a", "b"), rows(*each), (), (), (), (), 0, (), 1, (0.0, 1.0))


def test_surprises_are_told_apart():
    result = selftest_of(
        ("right", "right", {}, report(a="passed", b="partial")),
        ("wrong", "wrong", {"a": "failed", "b": "partial"}, report(a="partial", b="failed")),
        ("broken", "wrong", {"a": "failed"}, report(a="error", b="passed")),
    )
    assert [(each.name, each.question) for each in result.false_passes] == [("wrong", "a")]
    assert [(each.name, each.question) for each in result.false_fails] == [("right", "b"), ("wrong", "b")]
    assert [(each.name, each.question) for each in result.undecided] == [("broken", "a")]
    assert not result.is_fine


def test_generated_mutant_survives_only_when_all_was_judged():
    killed, survivor, undecided, missing = rows(
        ("killed", "generated", {}, report(a="partial", b="error")),
        ("survivor", "generated", {}, report(a="passed", b="passed")),
        ("undecided", "generated", {}, report(a="error", b="passed")),
        ("missing", "generated", {}, None),
    )
    assert (killed.lost, killed.survives) == (("a",), False)
    assert survivor.survives
    assert (undecided.survives, undecided.undecided) == (False, ("a",))
    assert (missing.survives, missing.problem) == (False, "It has no report")


def checked(**checks):
    results = tuple(CheckResult(name=name, title=name, outcome=outcome) for name, outcome in checks.items())
    question = QuestionResult(id="q", points=1, max_points=1, outcome="partial", checks=results)
    return Report(assignment=NAME, student="s", status="graded", score=1, max_score=1, questions=(question,))


def test_idle_checks_are_those_that_tell_nothing_apart():
    solution = checked(value="passed", kind="passed", shape="passed")
    mutants = [checked(value="failed", kind="passed", shape="passed")]
    assert idle_checks(solution, mutants, ["q"]) == (["q: kind", "q: shape"], [])
    mutants.append(checked(value="failed", kind="limit_exceeded", shape="failed"))
    assert idle_checks(solution, mutants, ["q"]) == ([], ["q: kind", "q: shape"])
    assert idle_checks(solution, [], ["other"]) == ([], [])


def test_interval_is_wilsons():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(19, 20) == pytest.approx((0.7639, 0.9911), abs=1e-4)
    assert wilson(20, 20) == pytest.approx((0.8389, 1.0), abs=1e-4)
