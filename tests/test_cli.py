"""The command line from the outside: what it prints, what it leaves, and how it ends. About 40 s, most of it kernels."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from autograder import marking
from autograder.cli import main
from autograder.errors import GradebookError
from tests import tiny_course
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

HEAVY = ("pydantic", "pandas", "numpy", "nbformat", "matplotlib", "pytest", "nbgrader", "rich.table", "jinja2")


@pytest.fixture
def run(capsys):
    """Run a command in this process; returns exit status, stdout, stderr."""

    def command(*arguments: object):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return command


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class of four, graded once by the real command in a process of its own, without the gradebook."""
    folder = make_course(tmp_path_factory.mktemp("course"))
    hand_in(folder, "student-01", ANSWERS)
    hand_in(folder, "student-02", {**ANSWERS, "triple": "def triple(x):\n    return '[red]\\x1b[31mhostile'"})
    hand_in(folder, "student-03", '{"cells": [')
    hand_in(folder, "student-04", {"double": "import os\nos._exit(1)"})
    (folder / "submitted" / "student-05").mkdir()
    (folder / "submitted" / "student-05" / "homework.ipynb").write_text("{}")
    command = [sys.executable, "-m", "autograder", "grade", NAME, "--course", str(folder), "--no-gradebook"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, encoding="utf-8", check=False)
    return folder, done


def read(folder, student):
    return json.loads((folder / "reports" / NAME / student / "report.json").read_text())


def test_help_answers_without_heavy_imports():
    code = "import sys\nfrom autograder.cli import main\ntry:\n    main(['--help'])\nfinally:\n    print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Exit status" in done.stdout
    loaded = done.stdout.splitlines()[-1]
    assert not [module for module in HEAVY if f"'{module}'" in loaded]


def test_every_command_is_listed_and_documents_its_exit_status(run):
    status, listed, _ = run("--help")
    assert status == 0
    for name in ("grade", "report", "show", "store", "validate", "doctor", "demo", "data"):
        assert f"  {name} " in listed
        assert "130  interrupted" in run(name, "--help")[1]


def test_grade_publishes_reports_and_pages(graded):
    folder, done = graded
    assert read(folder, "student-01")["score"] == 3.0
    assert read(folder, "student-02")["score"] == 1.0
    assert read(folder, "student-04")["score"] == 0.0
    assert "student-03" in (folder / "reports" / NAME / "index.html").read_text()
    assert (folder / "reports" / NAME / "student-02" / "feedback.html").is_file()
    assert "[4/4]" in done.stderr


def test_what_needs_a_person_shows_in_table_and_exit_status(graded):
    folder, done = graded
    assert done.returncode == 1
    assert read(folder, "student-03")["status"] == "needs_attention"
    assert read(folder, "student-03")["score"] is None
    row = next(line for line in done.stdout.splitlines() if "student-03" in line)
    assert "a person" in row
    assert "submitted/student-05 has no folder" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_second_grading_takes_stored_runs(graded, run):
    folder, _ = graded
    runs = sorted(path.name for path in (folder / ".autograder" / "runs").iterdir())
    began = time.monotonic()
    status, printed, _ = run("grade", NAME, "--course", folder, "--no-gradebook", "--student", "student-01")
    assert status == 0
    assert "student-01" in printed
    assert "student-02" not in printed
    assert sorted(path.name for path in (folder / ".autograder" / "runs").iterdir()) == runs
    assert time.monotonic() - began < 30


def test_gradebook_gets_those_who_were_graded(graded, run, monkeypatch):
    folder, _ = graded
    calls = []
    monkeypatch.setattr(
        "autograder.integrations.nbgrader.write_gradebook", lambda *args: calls.append(args) or ["odd!"]
    )
    status, printed, _ = run("grade", NAME, "--course", folder, "--student", "student-01", "--student", "student-03")
    assert [call[2:] for call in calls] == [(NAME, ["student-01", "student-03"])]
    assert "! odd!" in printed
    assert status == 1


def test_gradebook_that_takes_nothing_does_not_hide_the_grades(graded, run, monkeypatch):
    def refuses(*_: object) -> None:
        raise GradebookError("the database is locked")

    monkeypatch.setattr("autograder.integrations.nbgrader.write_gradebook", refuses)
    status, printed, _ = run("grade", NAME, "--course", graded[0], "--student", "student-01")
    assert status == 1
    assert "student-01" in printed
    assert "The gradebook was not written: the database is locked" in printed


def test_submission_that_kills_its_worker_gets_no_mark_and_is_kept_from_the_gradebook(tmp_path, run, monkeypatch):
    folder = make_course(tmp_path)
    hand_in(folder, "student-01", ANSWERS)
    written = []
    monkeypatch.setattr("autograder.integrations.nbgrader.write_gradebook", lambda *args: written.append(args) or [])
    monkeypatch.setattr("autograder.fleets.carry_out", tiny_course.crash)
    status, printed, _ = run("grade", NAME, "--course", folder)
    assert status == 1
    assert written == []
    report = read(folder, "student-01")
    assert (report["status"], report["score"]) == ("needs_attention", None)
    assert "not because of the student: the worker process died with exit status 3, 3 times" in report["problem"]
    assert "a person" in printed


def test_report_shows_a_class_and_a_student(graded, run):
    folder, _ = graded
    status, printed, _ = run("report", NAME, "--course", folder)
    assert status == 1, "student-03 needs a person"
    assert "student-02" in printed
    status, printed, _ = run("report", NAME, "--course", folder, "--student", "student-02")
    assert status == 0
    assert "triple(7) is right." in printed
    assert "Hint: Use the name FACTOR." in printed


def test_what_students_wrote_is_neither_markup_nor_escape_sequence(graded, run):
    folder, _ = graded
    _, printed, _ = run("report", NAME, "--course", folder, "--student", "student-02")
    assert "[red]" in printed
    assert "\x1b" not in printed


def test_show_of_a_notebook_that_cannot_be_read(graded, run):
    folder, _ = graded
    status, printed, _ = run("show", "student-03", NAME, "--course", folder)
    assert status == 1, "student-03 needs a person"
    flat = " ".join(printed.split())
    assert "no score: a person has to look student error: " in flat
    assert "none is kept" not in flat


def test_summary_names_those_who_need_a_person_and_counts_the_others(graded):
    folder, done = graded
    flat = " ".join(done.stdout.split())
    assert "1 submission needs a person: ! student error (1). The notebook cannot be read" in flat
    assert f"autograder show student-03 {NAME} --course {folder}" in done.stdout
    assert "student error: 1 submission had an exception in the notebook (the kernel died:" in flat


def test_report_as_json(graded, run):
    folder, _ = graded
    _, printed, _ = run("report", NAME, "--course", folder, "--json")
    assert [entry["student"] for entry in json.loads(printed)] == [
        "student-01",
        "student-02",
        "student-03",
        "student-04",
    ]
    _, printed, _ = run("report", NAME, "--course", folder, "--json", "--student", "student-01")
    document = json.loads(printed)
    assert (document["schema"], document["score"]) == (1, 3.0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["grade", NAME], "No course_config.py in this folder"),
        (["grade"], "Missing argument"),
        (["grade", NAME, "--workers", "0"], "--workers"),
        (["grade", NAME, "--sandbox", "bubble"], "'bubble' is not one of"),
        (["grad"], "No such command"),
        (["data", "weather"], "there is only: jena"),
        (["validate", "nothing.ipynb"], "nothing.ipynb is not there"),
    ],
)
def test_what_cannot_start_is_told_in_one_line(tmp_path, monkeypatch, run, arguments, told):
    monkeypatch.chdir(tmp_path)
    status, _, complained = run(*arguments)
    assert status == 2
    assert told in " ".join(complained.split())
    assert "Traceback" not in complained


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["grade", "homework_9"], "no assignment 'homework_9'"),
        (["grade", NAME, "homework_9"], "no assignment 'homework_9'"),
        (["grade", NAME], "There are no submissions"),
        (["report", NAME], "There are no reports yet"),
        (["report", NAME, "--student", "student-77"], "no report of student-77"),
        (["show", "student-77", NAME], "no report of student-77"),
        (["show", "../student-77", NAME], "are names of folders"),
        (["show", "student-77", "homework_9"], "no assignment 'homework_9'"),
    ],
)
def test_what_a_course_lacks_is_told_in_one_line(tmp_path, run, arguments, told):
    status, _, complained = run(*arguments, "--course", make_course(tmp_path))
    assert status == 2
    assert told in complained
    assert complained.count("\n") == 1


def test_unknown_profile_and_student_are_told_before_anything_runs(tmp_path, run):
    folder = make_course(tmp_path)
    hand_in(folder, "student-01", ANSWERS)
    assert "no profile 'tpu'" in run("grade", NAME, "--course", folder, "--profile", "tpu")[2]
    assert "student-99" in run("grade", NAME, "--course", folder, "--student", "student-99")[2]
    assert not (folder / ".autograder" / "runs").exists()


def test_missing_release_is_made_from_the_source(tmp_path, run):
    folder = make_course(tmp_path, released=False)
    hand_in(folder, "student-01", ANSWERS)
    status, printed, complained = run("grade", NAME, "--course", folder)
    assert status == 0, complained
    assert "student-01" in printed
    assert "BEGIN SOLUTION" not in (folder / "assignments" / NAME / f"{NAME}.ipynb").read_text()


def test_missing_release_and_source_are_told_before_anything_runs(tmp_path, run):
    folder = make_course(tmp_path, released=False)
    (folder / "solutions" / NAME / f"{NAME}.ipynb").unlink()
    hand_in(folder, "student-01", ANSWERS)
    status, _, complained = run("grade", NAME, "--course", folder)
    assert status == 2
    assert "cannot be released without its source notebook" in complained
    assert not (folder / ".autograder" / "runs").exists()


def test_terminal_escapes_in_an_error_are_stripped(tmp_path, run):
    status, _, complained = run("grade", "\x1b[31mred\x07", "--course", make_course(tmp_path))
    assert status == 2
    assert "\x1b" not in complained
    assert "\x07" not in complained


def test_traceback_only_for_those_who_ask(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_DEBUG", "1")
    with pytest.raises(Exception, match="No course_config"):
        main(["grade", NAME, "--course", str(tmp_path)])


def test_fault_of_ours_is_one_line_too(tmp_path, run, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("this is a bug")

    monkeypatch.setattr(marking, "grade_batch", broken)
    status, _, complained = run("grade", NAME, "--course", make_course(tmp_path))
    assert status == 2
    assert "this is a bug" in complained
    assert "AUTOGRADER_DEBUG=1" in complained


def test_data_writes_generated_weather(tmp_path, run):
    target = tmp_path / "weather.csv"
    assert run("data", "--output", target, "--rows", "1000", "--seed", "3")[0] == 0
    assert target.read_text().count("\n") == 1001


def test_data_of_a_course_without_data_shows_nothing(tmp_path, run):
    assert run("data", "--course", make_course(tmp_path))[:2] == (0, "")


def test_doctor_of_a_course_in_order(tmp_path, run):
    status, printed, _ = run("doctor", "--course", make_course(tmp_path))
    flat = " ".join(printed.split())
    assert "matches the configuration: 3 questions" in flat
    assert "for all 2 questions" in flat
    assert status == 1, "the course's sandbox level is none"
    assert "Set sandbox='warm'" in flat


def test_doctor_names_each_fault_with_its_remedy(tmp_path, run):
    folder = make_course(tmp_path, released=False)
    (folder / "solutions" / NAME / "hidden_tests" / "test_triple.py").rename(
        folder / "solutions" / NAME / "hidden_tests" / "test_quadruple.py"
    )
    (folder / "nbgrader_config.py").unlink()
    status, printed, _ = run("doctor", "--course", folder)
    flat = " ".join(printed.split())
    assert status == 1
    assert "no tests for triple" in flat
    assert "tests for quadruple, which is no question" in flat
    assert f"nbgrader generate_assignment {NAME}" in flat
    assert "Copy nbgrader_config.py" in flat


def test_doctor_survives_a_broken_configuration(tmp_path, run):
    folder = make_course(tmp_path)
    (folder / "course_config.py").write_text("course = 1/0")
    status, printed, _ = run("doctor", "--course", folder)
    assert status == 1
    assert "ZeroDivisionError" in printed
    assert "sandbox" in printed


def test_ctrl_c_keeps_what_is_done_and_ends_with_130(tmp_path):
    folder = make_course(tmp_path)
    hand_in(folder, "student-01", ANSWERS)
    hand_in(folder, "student-02", {"double": "import time\ntime.sleep(15)"})
    command = [sys.executable, "-m", "autograder", "grade", NAME, "--course", str(folder), "--workers", "1"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "student-02: starts" in line:
            break
    kernel = _wait_for_kernel(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 are graded and kept, 1 wait" in " ".join(printed.split())
    assert read(folder, "student-01")["score"] == 3.0
    assert not (folder / "reports" / NAME / "student-02").exists()
    assert not (folder / "gradebook.db").exists()
    assert _is_gone(kernel)


def _wait_for_kernel(pid: int) -> psutil.Process:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(pid).children(recursive=True):
            if "ipykernel_launcher" in " ".join(child.cmdline()):
                return child
        time.sleep(0.1)
    raise AssertionError("no kernel was started")


def _is_gone(process: psutil.Process) -> bool:
    deadline = time.monotonic() + 15
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
