"""Stored reports, runs and executed notebooks as bytes that anyone may have damaged: records, or errors of ours.

Takes about fifteen seconds of one core.
"""

from __future__ import annotations

import copy
import io
import json
import math
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbgrader.utils import determine_grade
from rich.console import Console

from autograder import store, tables
from autograder.checks.given import Materials
from autograder.checks.judging import judge, open_run, write_run
from autograder.config import Question
from autograder.errors import AutograderError, GradebookError, ReportError
from autograder.feedback import render_feedback
from autograder.integrations.nbgrader.reports import automatic_points, executed_notebook, show_outputs
from autograder.records import (
    CellError,
    CellRun,
    CheckResult,
    LimitExceeded,
    Picture,
    ProbeRun,
    QuestionResult,
    Report,
    Run,
)
from tests.fuzzing.mutations import JSON_WORDS, Reach, altered, as_json, bounded, edited
from tests.fuzzing.test_evidence_bytes import MEMBERS, NPY_WORDS, VALID, packed
from tests.notebooks.homework import released_notebook

RUN = Run(
    assignment="hw",
    profile="smoke",
    seed=7,
    sandbox="cold",
    cells=(
        CellRun(index=1, grade_id="add", outcome="ok", seconds=0.5),
        CellRun(
            index=2, grade_id="double", outcome="error", error=CellError(name="E", message="m", line=1, source="x")
        ),
    ),
    probes=(ProbeRun(question="add", outcome="ok"),),
    limits_exceeded=(LimitExceeded(limit="memory", allowed="1 GB", grade_id="add"),),
    seconds=1.5,
)
REPORT = Report(
    assignment="hw",
    student="student-01",
    status="graded",
    score=1.0,
    max_score=2.0,
    assessed_max_score=2.0,
    questions=(
        QuestionResult(
            id="add",
            points=1.0,
            max_points=2.0,
            outcome="partial",
            checks=(CheckResult(name="a", title="A.", outcome="failed", message="Received: 3", hint="Week 1"),),
            pictures=(Picture(kind="bars", data={"rows": [{"label": "a", "value": 1.0}]}),),
        ),
    ),
    run=RUN,
    repairs=("put back",),
    provenance={"seed": 7, "parameters": {"N": 1}},
)
WORDS = (*JSON_WORDS, b'"points"', b'"outcome"', b'"passed"', b'"schema"', b'"run"', b"1e400")
MATERIALS = Materials(profile="smoke", parameters={"N": 1, "PATH": "x", "RATE": 0.5, "ON": True}, origin="generated")
QUESTION = Question(id="add", points=2.0)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    store.write_report(folder, REPORT, notebook="{}", feedback="")
    return folder


def examine_report(course: Path, data: bytes, reach: Reach) -> None:
    """Read it back, and do with it all that is done with reports: tables, page, gradebook."""
    (store.report_folder(course, "hw", "student-01") / store.REPORT_FILE).write_bytes(data)
    try:
        report = store.read_report(course, "hw", "student-01")
    except ReportError as error:
        assert "grade again" in str(error)
        reach("refused")
        return
    report.model_dump_json().encode()
    for table in (tables.class_table([report], "hw"), tables.student_table(report), tables.question_legend(report)):
        Console(file=io.StringIO(), width=80).print(table)
    render_feedback(report).encode()
    try:
        points = automatic_points(report, QUESTION)
        assert points is None or 0 <= points <= 2.0
    except GradebookError:
        reach("no points")
        return
    reach("read")


def test_damaged_reports(course: Path) -> None:
    reach = Reach()

    @bounded(120)
    @given(data=edited(REPORT.model_dump_json().encode(), WORDS, most=2))
    def attempt(data: bytes) -> None:
        examine_report(course, data, reach)

    attempt()
    reach.expect(refused=0.2, read=0.02)


def test_altered_reports(course: Path) -> None:
    """Any part of another type, of another size, missing or doubled; half characters and terminal codes in any text."""
    reach = Reach()

    @bounded(120)
    @given(document=altered(json.loads(REPORT.model_dump_json()), most=3))
    def attempt(document: Any) -> None:
        examine_report(course, as_json(document), reach)

    attempt()
    reach.expect(refused=0.2, read=0.1)


def test_damaged_runs(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("run")
    write_run(folder, RUN, MATERIALS)
    found = open_run(folder)
    assert (found.run, found.materials) == (RUN, MATERIALS)
    files = {name: (folder / name).read_bytes() for name in ("run.json", "materials.json")}
    reach = Reach()

    @bounded(200)
    @given(data=st.data())
    def attempt(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(files)))
        document = altered(json.loads(files[name]), most=2).map(as_json)
        (folder / name).write_bytes(data.draw(document | edited(files[name], WORDS, most=2)))
        try:
            run = open_run(folder).run
            run.model_dump_json().encode()
            assert all(math.isfinite(cell.seconds) for cell in run.cells)
        except ReportError as error:
            assert len(str(error)) < 1000
            reach("refused")
        else:
            reach("read")
        finally:
            (folder / name).write_bytes(files[name])

    attempt()
    reach.expect(refused=0.2, read=0.1)


HIDDEN_TEST = '''
from autograder.checks import expect_close, expect_same_frame, expect_shape
import pandas as pd

def probe(student, given):
    return {}

def test_x(evidence):
    """x is right."""
    expect_close(evidence["x"], [[0, 1, 2], [3, 4, 5]], what="x")

def test_empty(evidence):
    """empty is empty."""
    expect_shape(evidence["empty"], (0, 432, 14), "empty")
'''


def test_verdicts_over_damaged_evidence(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A verdict for every check, whatever the evidence; damaged evidence is looked at by a person and gives no points."""
    folder = tmp_path_factory.mktemp("judged")
    tests, run = folder / "hidden_tests", folder / "run"
    tests.mkdir()
    (tests / "test_add.py").write_text(HIDDEN_TEST)
    (run / "evidence").mkdir(parents=True)
    write_run(run, RUN, MATERIALS)
    (run / "evidence" / "add.npz").write_bytes(VALID)
    assert {check.outcome for check in judge(run, tests)["add"].checks} == {"passed"}
    reach = Reach()

    @bounded(5)
    @given(data=st.data())
    def attempt(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(["a0.npy", "a1.npy", "tree.json"]))
        words = JSON_WORDS if name == "tree.json" else NPY_WORDS
        members = MEMBERS | {name: data.draw(edited(MEMBERS[name], words, most=1))}
        evidence = data.draw(st.sampled_from([packed(list(members.items())), packed(list(members.items()))[:-1]]))
        (run / "evidence" / "add.npz").write_bytes(evidence)
        checks = judge(run, tests)["add"].checks
        assert [check.name for check in checks] == ["test_x", "test_empty"]
        for check in checks:
            check.model_dump_json().encode()
            reach(check.outcome)

    attempt()
    reach.expect(error=0.2)


# --- nbgrader ------------------------------------------------------------------------------------------------------

OUTPUTS = [
    nbformat.v4.new_output("stream", name="stdout", text="1\n"),
    nbformat.v4.new_output("stream", name="stderr", text="warning"),
    nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["line"]),
    nbformat.v4.new_output("execute_result", data={"text/plain": "100"}, execution_count=3),
    nbformat.v4.new_output("display_data", data={"text/html": "<b>", "application/json": {"a": [1]}}),
]


def executed() -> nbformat.NotebookNode:
    notebook = released_notebook()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = copy.deepcopy(OUTPUTS), 3
    return notebook


def examine_executed(course: Path, data: bytes, reach: Reach, points: float | None) -> None:
    """However the executed notebook looks, nbgrader finds the report's points in the test cell, and can write the file."""
    (store.report_folder(course, "hw", "student-01") / store.NOTEBOOK_FILE).write_bytes(data)
    ran = executed_notebook(course, REPORT)
    notebook = released_notebook()
    show_outputs(notebook, ran, {"test_add": points})
    nbformat.validate(notebook)
    nbformat.writes(notebook).encode()
    test = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "test_add")
    if points is not None:
        assert determine_grade(test)[0] == points
    reach("not shown" if ran is None else "shown" if any(cell.get("outputs") for cell in notebook.cells) else "empty")


def test_damaged_executed_notebooks(course: Path) -> None:
    reach = Reach()
    document = json.loads(nbformat.writes(executed()))
    content = json.dumps(document).encode()

    @bounded(150)
    @given(
        data=altered(document, most=8).map(as_json) | edited(content, WORDS, most=2),
        points=st.sampled_from([0.0, 0.5, None]),
    )
    def attempt(data: bytes, points: float | None) -> None:
        examine_executed(course, data, reach, points)

    attempt()
    reach.expect(**{"shown": 0.2, "not shown": 0.1})


def test_errors_are_ours_alone() -> None:
    """What the readers here raise has one base, by which command lines and nbgrader tell faults from mistakes."""
    assert issubclass(ReportError, AutograderError)
    assert issubclass(GradebookError, AutograderError)
