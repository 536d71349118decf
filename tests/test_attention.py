"""Whatever is not plainly graded is of one kind, told with a reason. No kernels: less than a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.attention import KINDS, count_kinds, find_case, find_cases
from autograder.config import load_course
from autograder.events import Outcome
from autograder.records import (
    CellError,
    CellRun,
    CheckResult,
    LimitExceeded,
    QuestionResult,
    Report,
    Run,
    Submission,
)
from autograder.reporting import failed_report, refused_report
from tests.tiny_course import NAME, make_course

CELLS = (CellRun(index=0, grade_id="double", outcome="ok"), CellRun(index=1, grade_id="triple", outcome="ok"))
RAISED = CellRun(index=1, grade_id="triple", outcome="error", error=CellError(name="NameError", message="x"))
SLOW = LimitExceeded(limit="cell time", allowed="20 s", grade_id="triple", cell_index=1)


def run_of(**parts: object) -> Run:
    return Run.model_validate(
        {"assignment": NAME, "profile": "cpu", "seed": 7, "sandbox": "none", "cells": CELLS} | parts
    )


def report_of(run: Run | None = None, outcome: str = "passed", check: str = "", **parts: object) -> Report:
    checks = (CheckResult(name="test_value", title="It is right.", outcome=check or outcome, message="why"),)
    questions = (QuestionResult(id="triple", points=1.0, max_points=1.0, outcome=outcome, checks=checks),)
    told = {"assignment": NAME, "student": "student-01", "status": "graded", "score": 1.0, "max_score": 1.0}
    return Report.model_validate({**told, "questions": questions, "run": run or run_of(), **parts})


@pytest.mark.parametrize(
    ("report", "kind", "reason"),
    [
        (report_of(), None, ""),
        (report_of(outcome="failed"), None, ""),
        (report_of(run_of(cells=(CELLS[0], RAISED))), "student error", "NameError in the cell triple"),
        (report_of(run_of(cells=(RAISED, RAISED, RAISED))), "student error", "and 2 more"),
        (report_of(run_of(kernel_died=True, cause_of_death="SIGSEGV")), "student error", "the kernel died: SIGSEGV"),
        (report_of(run_of(cells=(RAISED,), limits_exceeded=(SLOW,))), "limit", "20 s allowed"),
        (report_of(outcome="failed", check="limit_exceeded"), "limit", "triple: why"),
        (report_of(outcome="not_assessed"), "not assessed", "triple"),
        (report_of(outcome="passed", check="not_assessed"), "not assessed", "triple"),
    ],
)
def test_ordinary_cases_have_marks_and_need_nobody(report, kind, reason):
    case = find_case(report)
    assert (case.kind if case else None) == kind
    assert case is None or (reason in case.reason and not case.needs_person)


def test_a_hidden_test_that_went_wrong_is_the_graders_whatever_else_happened():
    report = report_of(run_of(limits_exceeded=(SLOW,)), outcome="error", status="needs_attention", score=None)
    case = find_case(report)
    assert (case.kind, case.needs_person) == ("grader bug", True)
    assert "triple: test_value: why" in case.reason


@pytest.fixture
def assignment(tmp_path):
    return load_course(make_course(tmp_path)).assignment(NAME)


SUBMISSION = Submission(student="student-01", assignment=NAME, path=Path("homework.ipynb"))


def test_what_the_machine_could_not_finish_is_infrastructure(assignment):
    case = find_case(failed_report(assignment, SUBMISSION, "the disk is full"))
    assert (case.kind, case.needs_person) == ("infrastructure", True)
    assert "the disk is full" in case.reason


def test_an_exception_of_ours_is_a_bug_of_the_grader(assignment):
    report = failed_report(assignment, SUBMISSION, "KeyError: 'x'").model_copy(
        update={"provenance": {"fault": "grader"}}
    )
    assert find_case(report).kind == "grader bug"


def test_a_notebook_that_cannot_be_read_is_the_students_and_needs_a_person(assignment):
    case = find_case(refused_report(assignment, SUBMISSION, "It is not JSON.", {}))
    assert (case.kind, case.needs_person, case.reason) == ("student error", True, "It is not JSON.")


@pytest.mark.parametrize(("fault", "kind"), [("machine", "infrastructure"), ("grader", "grader bug")])
def test_an_earlier_mark_that_stays_does_not_hide_that_the_grading_failed(fault, kind):
    failure = Outcome("student-01", None, "no disk", fault=fault)
    (case,) = find_cases([report_of()], {"student-01": failure})
    assert (case.kind, case.needs_person) == (kind, True)
    assert case.reason == "The mark that was there stays, because this went wrong: no disk"


def test_a_class_is_sorted_by_urgency_and_counted(assignment):
    reports = [
        report_of(outcome="not_assessed", student="student-05"),
        report_of(run_of(cells=(RAISED,)), student="student-04"),
        report_of(run_of(limits_exceeded=(SLOW,)), student="student-03"),
        failed_report(assignment, SUBMISSION, "the disk is full"),
        report_of(outcome="error", status="needs_attention", score=None, student="student-02"),
        report_of(student="student-06"),
    ]
    cases = find_cases(reports)
    assert [case.kind for case in cases] == list(KINDS)
    assert count_kinds(cases) == dict.fromkeys(KINDS, 1)
