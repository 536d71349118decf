"""Grading before somebody's eyes, through the real command: plans, changes, events, what needs a person, the store.

One class is graded once with real kernels, without TensorFlow; the tests work on copies of it. About 45 s.
"""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from autograder import store
from autograder.batch import Batch
from autograder.cli import main
from autograder.config import load_course
from autograder.marking import LARGE_CLASS, command, print_batch, usual_seconds
from autograder.records import CellError, CellRun, Report, Run, Submission
from autograder.reporting import failed_report
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

STUDENTS = ("student-01", "student-02", "student-03")
HALF = {"double": ANSWERS["double"], "triple": "def triple(x):\n    return 3.0 * x"}
RAISES = {"double": ANSWERS["double"], "triple": "raise ValueError('\\x1b[31m[bold]red')"}


@pytest.fixture
def run(capsys):
    """Run a command in this process; returns exit status, stdout, stderr."""

    def started(*arguments: object):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return started


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of three, graded by `autograder grade --json` in a process of its own, gradebook included."""
    folder = make_course(tmp_path_factory.mktemp("marking") / "course")
    for student, answers in zip(STUDENTS, (ANSWERS, HALF, RAISES), strict=True):
        hand_in(folder, student, answers)
    words = [sys.executable, "-m", "autograder", "grade", NAME, "--course", str(folder), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, encoding="utf-8", check=False)
    return folder, done


@pytest.fixture
def course(graded, tmp_path):
    return shutil.copytree(graded[0], tmp_path / "course")


def accept_floats(folder: Path) -> None:
    """After this, student-02's mark would be higher."""
    path = folder / "solutions" / NAME / "hidden_tests" / "test_triple.py"
    text = path.read_text()
    assert "], int)" in text
    path.write_text(text.replace("], int)", "], (int, float))"))


def score(folder: Path, student: str) -> float | None:
    return store.read_report(folder, NAME, student).score


def files(folder: Path) -> dict[Path, int]:
    found = [*folder.glob("reports/**/*"), *folder.glob(".autograder/runs/**/*")]
    return {path: path.stat().st_mtime_ns for path in found if path.is_file()}


def test_json_tells_the_whole_batch_and_nothing_else(graded):
    folder, done = graded
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert {event["assignment"] for event in events} == {NAME}
    kinds = [event["event"] for event in events]
    assert kinds[0] == "found"
    assert kinds[-1] == "done"
    assert events[0]["submissions"] == 3
    for student in STUDENTS:
        own = [event for event in events if event.get("name") == student]
        assert [own[0]["event"], own[-1]["event"], own[-1]["value"]] == ["started", "ended", "graded"]
        cells = [event for event in own if event["event"] == "cell"]
        assert [cell["done"] for cell in cells] == list(range(1, cells[-1]["total"] + 1))
    assert "your rights" in next(event["text"] for event in events if event["event"] == "note")
    expected = {"graded": 3, "needs_attention": 0, "ungraded": 0, "waiting": 0, "changes": 0, "problems": 0}
    assert {name: events[-1][name] for name in expected} == expected
    assert events[-1]["done"] == {"run": 3}
    assert events[-1]["kinds"] == {"student error": 1}
    assert events[-1]["interrupted"] is False
    assert (folder / "gradebook.db").is_file()


def test_what_is_ordinary_is_counted_with_the_command_to_look_at_it(graded):
    _, done = graded
    told = " ".join(done.stdout.split())
    assert (
        "student error: 1 submission had an exception in the notebook (ValueError in the cell triple, and 1 more)"
        in told
    )
    assert "autograder show STUDENT" in told
    assert "a person:" not in told


def test_plan_tells_what_would_be_done_and_does_nothing(course, run):
    before = files(course)
    status, printed, _ = run("grade", NAME, "--plan", "--course", course)
    assert status == 0
    assert "3 would be unchanged." in printed
    accept_floats(course)
    status, printed, _ = run("grade", NAME, "--plan", "--course", course, "--student", "student-02")
    assert "student-02" in printed
    assert "hidden tests changed: triple" in printed
    assert "1 would be judged again from stored runs." in printed
    assert files(course) == before


def test_changed_marks_wait_for_a_word_and_yes_is_one(course, run):
    accept_floats(course)
    status, printed, told = run("grade", NAME, "--course", course, "--no-gradebook")
    assert status == 1
    assert "2.00 → 3.00" in told
    assert f"autograder grade {NAME} --yes --course {course}" in printed
    assert score(course, "student-02") == 2.0
    status, printed, told = run("grade", NAME, "--yes", "--course", course, "--no-gradebook")
    assert status == 0
    assert "2.00 → 3.00" in told
    assert "would change" not in printed
    assert score(course, "student-02") == 3.0


def test_json_tells_changes_and_asks_nobody(course, run):
    accept_floats(course)
    status, _, told = run("grade", NAME, "--json", "--course", course, "--no-gradebook")
    events = [json.loads(line) for line in told.splitlines()]
    (change,) = [event for event in events if event["event"] == "change"]
    assert (change["student"], change["before"], change["after"]) == ("student-02", 2.0, 3.0)
    assert (status, events[-1]["event"], events[-1]["changes"]) == (1, "done", 1)
    assert score(course, "student-02") == 2.0


@pytest.mark.parametrize(("answer", "after"), [("y", 3.0), ("n", 2.0)])
def test_somebody_at_a_terminal_sees_the_table_and_is_asked(course, answer, after):
    """A pseudo-terminal: the live table is drawn and taken away, the change is shown, and the answer counts."""
    accept_floats(course)
    words = [sys.executable, "-m", "autograder", "grade", NAME, "--course", str(course), "--no-gradebook"]
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True)
    os.close(theirs)
    told = _read_until(ours, "[y/n]")
    os.write(ours, f"{answer}\n".encode())
    told += _read_until(ours, None)
    assert process.wait(30) == (0 if answer == "y" else 1)
    os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", told)
    assert "running · " in plain
    assert "2.00 → 3.00" in plain
    assert score(course, "student-02") == after


def _read_until(terminal: int, words: str | None) -> str:
    """What comes from a terminal until these words; None: until its end."""
    told = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if words is not None and words.encode() in told:
            break
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not piece:
            break
        told += piece
    return told.decode(errors="replace")


def test_store_tells_what_runs_take_and_reclaims_those_that_no_report_rests_on(course, run):
    status, printed, _ = run("store", "--course", course)
    assert status == 0
    assert "3 stored runs take " in printed
    assert "published reports rest on 3 of them" in printed
    shutil.rmtree(course / "reports" / NAME / "student-03")
    assert "rest on 2 of them" in run("store", "--course", course)[1]
    status, printed, _ = run("store", "--gc", "--max-gb", "1", "--course", course)
    assert "Removed 0 runs" in printed
    status, printed, _ = run("store", "--gc", "--course", course)
    assert status == 0
    assert "Removed 1 runs" in printed
    assert "2 stored runs take " in printed
    assert len(list((course / ".autograder" / "runs").iterdir())) == 2


def test_show_tells_everything_of_one_submission(graded, run):
    folder, _ = graded
    status, printed, _ = run("show", "student-03", NAME, "--course", folder)
    assert status == 0
    flat = " ".join(printed.split())
    key = store.read_report(folder, NAME, "student-03").runs[0]
    for told in (
        "1.00 of 3.00 assessed points",
        "student error: ValueError in the cell triple, and 1 more",
        "sandbox none",
        f"run {folder}/.autograder/runs/{key}",
        "double(7) is right.",
        "triple Triple 0.00 of 2.00",
        "The cell `triple` stopped with an exception.",
        r"ValueError: [bold]red (line 1: `raise ValueError('\x1b[31m[bold]red')`)",
        "value: raised NotDefined",
        "value: int",
        "first published",
        f"pytest solutions/{NAME}/hidden_tests/test_triple.py --evidence .autograder/runs/{key}",
    ):
        assert told in flat
    assert "\x1b" not in printed


def test_the_command_that_show_tells_judges_the_question(graded, run):
    folder, _ = graded
    shown = json.loads(run("show", "student-02", NAME, "--course", folder, "--json")[1])
    words = shown["judge_again"]["triple"].split()
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert "1 failed, 1 passed" in done.stdout
    assert "expected an int. Received: float" in done.stdout


def test_show_as_json_is_complete(graded, run):
    folder, _ = graded
    status, printed, _ = run("show", "student-02", NAME, "--course", folder, "--json")
    shown = json.loads(printed)
    assert (status, shown["kind"], shown["report"]["score"]) == (0, None, 2.0)
    (stored,) = shown["runs"]
    evidence = {each["question"]: [value["what"] for value in each["found"]] for each in stored["evidence"]}
    assert evidence == {"double": ["int"], "triple": ["float"]}
    assert [line["score"] for line in shown["history"]] == [2.0]
    assert len(shown["report"]["run"]["cells"]) == 7  # with the injected parameters
    assert "pictures" not in shown["report"]["questions"][0]


def test_show_of_nobody_is_one_line(graded, run):
    status, _, told = run("show", "student-99", NAME, "--course", graded[0])
    assert (status, told.count("\n")) == (2, 1)
    assert "There is no report of student-99" in told


def test_usual_seconds_are_those_of_stored_runs_of_the_same_profile(graded):
    folder, _ = graded
    assert 0 < usual_seconds(folder, NAME, "cpu", STUDENTS) < 60
    assert usual_seconds(folder, NAME, "smoke", STUDENTS) is None
    assert usual_seconds(folder, NAME, "cpu", ["student-99"]) is None


def test_commands_name_the_course_where_it_is_not_here(tmp_path, monkeypatch):
    assert (
        command("show", "Zoë #1", NAME, course_folder=tmp_path)
        == f"autograder show 'Zoë #1' {NAME} --course {tmp_path}"
    )
    monkeypatch.chdir(tmp_path)
    assert command("show", "a", NAME, course_folder=tmp_path) == f"autograder show a {NAME}"


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    return load_course(make_course(tmp_path_factory.mktemp("large")))


def large_class(configuration, number: int) -> Batch:
    """Some failed by the machine, some by one hidden test, most in the ordinary way."""
    assignment = configuration.assignment(NAME)
    raised = CellRun(index=0, outcome="error", error=CellError(name="NameError", message="x"))
    run = Run(assignment=NAME, profile="cpu", seed=7, sandbox="none", cells=(raised,))
    reports = [
        Report(
            assignment=NAME, student=f"student-{each:03d}", status="graded", score=each / 100, max_score=3.0, run=run
        )
        for each in range(number)
    ]
    for each, reason in ((3, "the disk is full"), (4, "the disk is full"), (9, "the node is gone")):
        submission = Submission(student=f"student-{each:03d}", assignment=NAME, path=Path("x"))
        reports[each] = failed_report(assignment, submission, reason)
    return Batch(NAME, tuple(reports), ("submitted/x is not a student's folder; it is left out.",))


def printed_batch(batch: Batch, configuration, folder: Path) -> str:
    console = Console(file=io.StringIO(), width=100, markup=False, emoji=False)
    print_batch(batch, configuration, course_folder=folder, console=console)
    return console.file.getvalue()


def test_a_class_of_300_prints_what_needs_a_person_and_counts_the_rest(configuration, tmp_path):
    told = printed_batch(large_class(configuration, 300), configuration, tmp_path)
    flat = " ".join(told.split())
    assert len(told.splitlines()) < 30
    assert "3 submissions need a person:" in flat
    assert "infrastructure (3)" in flat
    assert "Not graded, and not because of the student: the disk is full autograder show student-003" in flat
    for student in ("student-003", "student-004", "student-009"):
        assert f"autograder show {student} {NAME} --course {tmp_path}\n" in told
    assert "297 submissions had an exception in the notebook" in flat
    assert "student-000, student-001, student-002 and 294 more." in flat
    assert "300 reports, scores 0.00 to 2.99, median 1.51, 3 without a score." in flat
    assert f"autograder report {NAME}" in flat
    assert "! submitted/x is not a student's folder" in flat


def test_a_small_class_is_a_table(configuration, tmp_path):
    told = printed_batch(large_class(configuration, LARGE_CLASS), configuration, tmp_path)
    assert "student-059" in told
    assert "Questions, from the left" in told


def test_a_cause_that_many_share_is_told_once(configuration, tmp_path):
    assignment = configuration.assignment(NAME)
    reports = tuple(
        failed_report(assignment, Submission(student=f"student-{each:03d}", assignment=NAME, path=Path("x")), "no disk")
        for each in range(200)
    )
    told = printed_batch(Batch(NAME, reports, ()), configuration, tmp_path)
    assert told.count("no disk") == 1
    assert told.count("autograder show") == 1
    assert "200 alike: student-000, student-001" in " ".join(told.split())
    assert all(f"{each:03d}" in told for each in range(200))


def test_an_exception_while_judging_is_the_graders_and_takes_no_mark_away(course, run, monkeypatch):
    monkeypatch.setattr("autograder.conductor.give_verdict", len)  # which raises a TypeError
    accept_floats(course)
    shutil.rmtree(course / "reports" / NAME / "student-03")
    status, printed, _ = run("grade", NAME, "--course", course, "--no-gradebook")
    assert status == 1
    flat = " ".join(printed.split())
    assert "3 submissions need a person: ! grader bug (3)." in flat
    assert "The mark that was there stays, because this went wrong: TypeError" in flat
    assert "Not graded, and not because of the student: TypeError" in flat
    assert score(course, "student-02") == 2.0
    status, printed, _ = run("show", "student-03", NAME, "--course", course)
    assert (status, "grader bug: " in printed) == (1, True)
