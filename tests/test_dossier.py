"""A submission looked into: evidence by names and shapes, what is missing, what a mark's history says. No kernels."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from autograder import store
from autograder.dossier import look_into, print_dossier
from autograder.dossier.gathering import MANY_NAMES, describe
from autograder.evidence import Other, Raised, encode
from autograder.records import CellRun, DeviceInfo, LimitExceeded, ProbeRun, QuestionResult, Report, Run
from autograder.store import history

KEY = "a" * 40
LIMIT = LimitExceeded(limit="memory", allowed="400 MB", grade_id="windows", cell_index=1)
DEVICE = DeviceInfo(
    name="H100", peak_memory_mb=1200.0, memory_of="run", mean_utilization=0.5, shared=True, problem="lost"
)
RUN = Run(
    assignment="jena",
    profile="cpu",
    seed=7,
    sandbox="cold",
    sandbox_note="no warm process here",
    cells=(
        CellRun(index=0, grade_id="setup", outcome="ok", seconds=0.25, peak_memory_mb=15.0),
        CellRun(index=1, grade_id="windows", outcome="killed", seconds=3.0),
        CellRun(index=4, outcome="not_run", output_truncated=True, output_bytes=70_000),
    ),
    probes=(ProbeRun(question="windows", outcome="ok", seconds=1.5),),
    limits_exceeded=(LIMIT,),
    peak_memory_mb=401.0,
    kernel_died=True,
    cause_of_death="memory",
    devices=(DEVICE,),
)


@pytest.fixture
def course(tmp_path):
    """A published report with a stored run."""
    provenance = {
        "run": KEY,
        "submitted_at": "2025-12-01T10:00:00+00:00",
        "data": "weather",
        "data_origin": "generated",
    }
    question = QuestionResult(id="windows", points=0.0, max_points=1.0, outcome="failed")
    report = Report(
        assignment="jena", student="student-01", status="graded", score=0.0, max_score=1.0, assessed_max_score=1.0,
        questions=(question,), repairs=("an older format",), run=RUN, provenance=provenance,
    )  # fmt: skip
    store.write_report(tmp_path, report, notebook=None, feedback="<html>")
    folder = store.run_folder(tmp_path, KEY)
    (folder / "evidence").mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    values = {
        "x": np.zeros((32, 432, 14), np.float32),
        "frame": pd.DataFrame({"T (degC)": [1.0]}),
        "secret": "the answer",
    }
    (folder / "evidence" / "windows.npz").write_bytes(encode(values))
    (folder / "evidence" / "windows.1.npz").write_bytes(encode({f"name {number:03d}": 1 for number in range(250)}))
    (folder / "evidence" / "broken.npz").write_bytes(b"PK nothing of the kind")
    tests = tmp_path / "solutions" / "jena" / "hidden_tests"
    tests.mkdir(parents=True)
    (tests / "test_windows.py").write_text("")
    return tmp_path


def shown(dossier) -> str:
    console = Console(file=io.StringIO(), width=120, markup=False, emoji=False)
    print_dossier(dossier, "Weather", console=console)
    return " ".join(console.file.getvalue().split())


def test_evidence_is_told_by_names_kinds_and_shapes_alone(course):
    dossier = look_into(course, "jena", "student-01")
    files = {file.file: file for file in dossier.runs[0].evidence}
    assert {value.name: value.what for value in files["windows.npz"].found} == {
        "frame": "table of 1 rows: T (degC)",
        "secret": "text of 10",
        "x": "float32 (32, 432, 14)",
    }
    assert (files["windows.1.npz"].question, len(files["windows.1.npz"].found)) == ("windows", MANY_NAMES)
    assert files["windows.1.npz"].more == 50
    assert "must be a zip file" in files["broken.npz"].problem
    assert "the answer" not in dossier.to_json() + shown(dossier)


def test_everything_that_a_run_knows_is_shown(course):
    told = shown(look_into(course, "jena", "student-01"))
    for expected in (
        "limit: memory limit exceeded in the cell `windows`: 400 MB allowed",
        "2025-12-01T10:00:00+00:00",
        "cold (no warm process here)",
        "401 MB",
        "H100, peak memory 1,200 MB (of the run), busy 50% on average (the device), shared with other kernels, lost",
        "kernel died memory",
        "weather (generated)",
        "repair an older format",
        "⧖ windows 3.0 killed",
        "number 5 0.0 not run; output cut after 70,000 bytes",
        "and 220 more",
        "windows ok, 1.5 s",
        f"pytest solutions/jena/hidden_tests/test_windows.py --evidence .autograder/runs/{KEY}",
    ):
        assert expected in told


def test_a_run_that_is_gone_is_told_and_nothing_is_to_be_judged(course):
    (store.run_folder(course, KEY) / "run.json").unlink()
    dossier = look_into(course, "jena", "student-01")
    assert dossier.runs[0].folder is None
    assert dossier.judge_again == {}
    assert "is no longer stored; grading again runs it again" in shown(dossier)


def test_a_submission_that_the_machine_failed_shows_the_workers_log(course):
    report = Report(
        assignment="jena", student="student-02", status="needs_attention", score=None, max_score=1.0,
        questions=(QuestionResult(id="windows", points=None, max_points=1.0, outcome="error"),), problem="no disk",
    )  # fmt: skip
    store.write_report(course, report, notebook=None, feedback="<html>")
    log = course / ".autograder" / "logs" / "jena" / "student-02.log"
    log.parent.mkdir(parents=True)
    log.write_text("Killed")
    dossier = look_into(course, "jena", "student-02")
    assert (dossier.kind, dossier.log) == ("infrastructure", log)
    told = shown(dossier)
    assert "no score: a person has to look infrastructure: no disk" in told
    assert str(log) in told.replace(" ", "")


def test_history_says_what_had_changed_each_time(course):
    basis = {"seed": 7, "hidden_tests_sha256": "a", "environment": {"keras": "3.5", "numpy": "2.0"}, "run": KEY}
    later = {**basis, "seed": 8, "hidden_tests_sha256": "b", "environment": {"keras": "3.6", "numpy": "2.0"}}
    when = datetime(2025, 12, 1, tzinfo=UTC)
    marks = [
        history.Mark(at=when, status="graded", score=1.0, points={"windows": 1.0}, basis=basis),
        history.Mark(at=when, status="graded", score=0.5, points={"windows": 0.5}, devices=("H100",), basis=later),
    ]
    path = store.report_folder(course, "jena", "student-01") / history.HISTORY_FILE
    path.write_text("".join(f"{mark.model_dump_json()}\n" for mark in marks))
    first, second = look_into(course, "jena", "student-01").history
    assert first.changed == ("first published",)
    assert second.changed == ("hidden tests", "seed 7 → 8", "keras 3.5 → 3.6", "devices: H100", "points of windows")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (Raised("ValueError", "the answer"), "raised ValueError"),
        (Other("Model", "<the answer>"), "a Model"),
        (pd.Series([1, 2]), "series of 2, int64"),
        ({"b": 1, "a": 2}, "2 by name: a, b"),
        ({}, "0 by name"),
        ([np.zeros(3), np.zeros(4), np.zeros(5)], "list of 3: float64 (3,) or float64 (4,)"),
        ([[1], {"a": 1}], "list of 2: 1 by name or list of 1"),
        ([], "list of 0"),
        (b"abc", "bytes of 3"),
        (None, "NoneType"),
        (0.5, "float"),
    ],
)
def test_kinds_of_evidence_in_words(value, what):
    assert describe(value) == what
