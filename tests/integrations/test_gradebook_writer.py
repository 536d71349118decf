"""The gradebook's writer: nbgrader's own result, whole at any moment, and only where something changed. Two minutes."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from gradebook_state import files_state, give_by_hand, gradebook_state, touched, write_in_a_process
from nbgrader import api
from tiny_course import NAME

from autograder import grading, store
from autograder.config import load_course
from autograder.errors import GradebookError, ReleaseError
from autograder.integrations.nbgrader import database, write_gradebook

pytestmark = [
    # SQLAlchemy on nbgrader's models and nbgrader's use of the clock: nothing that this package could mend.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:nbgrader"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SEEDS = range(10)
LATE = "2026-01-01 10:00:00.000000 UTC"
TABLES = ("submitted_assignment", "grade")
PENALTY = "\nc.AssignLatePenalties.plugin_class = 'fake_grading.TakeHalf'\n"


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    import fake_grading

    monkeypatch.setattr(grading, "grade_submission", fake_grading.grade_submission)
    return fake_grading


@pytest.fixture
def config(course):
    return load_course(course.root)


def settings(course, text):
    with (course.root / "nbgrader_config.py").open("a") as file:
        file.write(text)


def beside(course, student, name, text):
    path = course.root / "submitted" / student / NAME / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def mixed_class(course):
    """One of every kind, on time and late, with files beside the notebook."""
    course.submit("student-01")
    course.submit("student-02", add="def add(a, b):\n    return 7", discussion="YOUR ANSWER HERE")
    course.submit("student-03", mood="half")
    course.submit("student-04", mood="not_assessed")
    course.submit("student-05", mood="error")
    course.submit_bytes("student-06", b'{"cells": [')
    course.submit_bytes("student-07", b"", name="homework (1)")
    course.submit(
        "student-08", double="import sys\ndef double(a):\n    print('p\\n' * 2000, file=sys.stderr)\n    return 2 * a"
    )
    course.submit("Zoë, J[1]", add="raise ValueError('no')")
    course.submit_bytes("student-09", course.release.read_bytes())
    beside(course, "student-01", "timestamp.txt", "2025-12-08 20:00:00.000000 UTC")
    beside(course, "student-01", "submission_secret.txt", "5ecret")
    beside(course, "student-01", "data/numbers.csv", "7,7")
    beside(course, "student-01", "plots/deep/a.csv", "1")
    beside(course, "student-01", "second.ipynb", "{}")
    beside(course, "student-01", "__pycache__/x.pyc", "")
    beside(course, "student-03", "timestamp.txt", LATE)
    beside(course, "student-06", "timestamp.txt", LATE)
    settings(course, PENALTY)
    return course


def change_points(course, student, points):
    """As if a hidden test had been mended and the class judged again."""
    report = store.read_report(course.root, NAME, student)
    first = report.questions[0].model_copy(update={"points": points})
    changed = report.model_copy(update={"questions": (first, *report.questions[1:]), "score": points + 2.5})
    folder = store.report_folder(course.root, NAME, student)
    texts = {name: (folder / name).read_text() for name in ("executed.ipynb", "feedback.html")}
    store.write_report(course.root, changed, notebook=texts["executed.ipynb"], feedback=texts["feedback.html"])


def test_it_writes_what_nbgraders_own_converter_writes(course, tmp_path):
    """All marks, maxima, comments, penalties and times; and every file of autograded/, byte for byte."""
    mixed_class(course)
    other = course.copy(tmp_path / "other")
    result = other.nbgrader("autograde", NAME)
    assert result.returncode == 0, result.stderr
    assert write_gradebook(course.root, load_course(course.root), NAME) == []
    assert gradebook_state(course.root) == gradebook_state(other.root)
    assert files_state(course.root) == files_state(other.root)
    give_by_hand(course.root, {"student-03": 1.5})
    give_by_hand(other.root, {"student-03": 1.5})
    for each in (course, other):
        each.submit("student-03", double="def double(a):\n    return 0")
    result = other.nbgrader("autograde", NAME, "--force", "--student", "student-03")
    assert result.returncode == 0, result.stderr
    assert write_gradebook(course.root, load_course(course.root), NAME) == []
    assert gradebook_state(course.root) == gradebook_state(other.root)
    assert files_state(course.root) == files_state(other.root)


def test_nbgraders_command_finds_nothing_left_to_do_and_the_other_way_round(course, config):
    mixed_class(course)
    write_gradebook(course.root, config, NAME)
    before, graded = gradebook_state(course.root), len(course.graded())
    assert course.nbgrader("autograde", NAME).returncode == 0
    assert course.nbgrader("autograde", NAME, "--force").returncode == 0
    assert gradebook_state(course.root) == before
    assert len(course.graded()) == graded + 10
    marks = touched(course.root)
    assert write_gradebook(course.root, config, NAME) == []
    assert touched(course.root) == marks


def test_what_is_there_and_unchanged_is_not_touched(course, config):
    mixed_class(course)
    write_gradebook(course.root, config, NAME)
    give_by_hand(course.root, {"student-01": 1.5, "student-02": 0.5})
    before = touched(course.root)
    assert write_gradebook(course.root, config, NAME) == []
    assert touched(course.root) == before
    change_points(course, "student-02", 0.5)
    assert write_gradebook(course.root, config, NAME) == []
    after = touched(course.root)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name.split("/")[1] for name in changed if "/" in name} == {"student-02"}
    assert course.grades("student-02")["test_add"] == (0.5, None, False)
    assert course.grades("student-02")["discussion"] == (None, 0.5, True), "to be looked at again"
    assert course.grades("student-01")["discussion"] == (None, 1.5, False), "nothing new to look at"


@pytest.mark.parametrize(
    "damage",
    [
        lambda home: (home / f"{NAME}.ipynb").unlink(),
        shutil.rmtree,
        lambda home: (home / "timestamp.txt").unlink(),
        lambda home: (home / "extra.txt").write_text("not the student's"),
        lambda home: (home / f"{NAME}.ipynb").write_text("{}"),
        lambda home: home.rename(home.with_name(f".{NAME}.old")),
    ],
)
def test_what_was_changed_in_autograded_is_put_right(course, config, damage):
    course.submit("student-01")
    beside(course, "student-01", "timestamp.txt", "2025-12-08 20:00:00.000000 UTC")
    write_gradebook(course.root, config, NAME)
    before = files_state(course.root)
    home = course.root / "autograded" / "student-01" / NAME
    for path in home.iterdir():
        path.chmod(0o644) if path.is_file() else None
    damage(home)
    assert write_gradebook(course.root, config, NAME) == []
    assert files_state(course.root) == before
    assert sorted(path.name for path in home.parent.iterdir()) == [NAME]


@pytest.fixture(scope="module")
def class_of_thirty(released, tmp_path_factory):
    """Thirty graded submissions: a course without a gradebook, one that has to be written anew, and both undisturbed."""
    import fake_grading

    fresh = released.copy(tmp_path_factory.mktemp("thirty") / "fresh")
    (fresh.root / "gradebook.db").unlink()
    settings(fresh, PENALTY)
    config = load_course(fresh.root)
    for number in range(30):
        student = f"student-{number:02d}"
        fresh.submit(student, mood="half" if number % 3 else "")
        beside(fresh, student, "timestamp.txt", LATE if number % 4 else "2025-12-08 20:00:00.000000 UTC")
        (submission,), _ = grading.find_submissions(fresh.root, config, NAME, [student])
        fake_grading.grade_submission(fresh.root, config, submission)
    again = fresh.copy(fresh.root.with_name("again"))
    assert write_gradebook(again.root, config, NAME) == []
    give_by_hand(again.root, {f"student-{number:02d}": number % 5 / 4 for number in range(30)})
    for number in range(30):
        change_points(again, f"student-{number:02d}", 0.25)
    undisturbed = {}
    for course in (fresh, again):
        whole = course.copy(course.root.with_name(f"{course.root.name}-whole"))
        begun = time.perf_counter()
        assert write_gradebook(whole.root, config, NAME) == []
        seconds = time.perf_counter() - begun
        undisturbed[course.root.name] = (gradebook_state(whole.root), files_state(whole.root), seconds)
    return {"fresh": fresh, "again": again}, undisturbed


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_any_moment_the_next_call_finishes_it(class_of_thirty, tmp_path, seed):
    """From the making of the gradebook to the last folder; even seeds write it anew, with marks given by hand in it."""
    courses, undisturbed = class_of_thirty
    name = "fresh" if seed % 2 else "again"
    marks, files, seconds = undisturbed[name]
    course = courses[name].copy(tmp_path / "course")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.integrations.nbgrader.gradebook", "fake_grading"])
    begun = context.Event()
    process = context.Process(target=write_in_a_process, args=(course.root, begun))
    process.start()
    assert begun.wait(60)
    time.sleep(random.Random(seed).uniform(0, seconds))
    process.kill()
    process.join()
    process.close()
    assert write_gradebook(course.root, load_course(course.root), NAME) == []
    assert gradebook_state(course.root) == marks
    assert files_state(course.root) == files


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.3)


def other_process(*lines):
    process = subprocess.Popen([sys.executable, "-c", "\n".join(lines)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_writer_is_told_who_writes(course, config, impatient):
    course.submit("student-01")
    process = other_process(
        "import pathlib, time",
        "from autograder.integrations.nbgrader.database import only_writer",
        f"with only_writer(pathlib.Path({str(course.root)!r})):",
        "    print('held', flush=True)",
        "    time.sleep(60)",
    )
    with pytest.raises(GradebookError, match=rf"written by somebody else.*Received: process {process.pid} \(.*python"):
        write_gradebook(course.root, config, NAME)
    process.kill()
    process.communicate()
    assert write_gradebook(course.root, config, NAME) == []


def test_a_gradebook_that_another_program_locks_is_told_with_its_process(course, config, impatient):
    for student in ("student-01", "student-02"):
        course.submit(student)
    write_gradebook(course.root, config, NAME, ["student-01"])
    process = other_process(
        "import sqlite3, time",
        f"connection = sqlite3.connect({str(course.root / 'gradebook.db')!r})",
        "connection.execute('BEGIN IMMEDIATE')",
        "print('held', flush=True)",
        "time.sleep(60)",
    )
    with pytest.raises(GradebookError, match=rf"locked by another program.*process {process.pid} \("):
        write_gradebook(course.root, config, NAME)
    process.kill()
    process.communicate()
    assert write_gradebook(course.root, config, NAME) == []
    assert course.grades("student-02")["score"] == 3.5


def test_others_read_while_it_writes(course, config, fake, monkeypatch):
    """The formgrader's queries neither wait nor see half a submission."""
    for number in range(4):
        course.submit(f"student-{number}")
    seen = []
    graded = fake.grade_submission

    def looking(*args, **settings):
        reader = sqlite3.connect(course.root / "gradebook.db", timeout=0)
        seen.append([reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES])
        reader.close()
        return graded(*args, **settings)

    monkeypatch.setattr(fake, "grade_submission", looking)  # which the course's nbgrader_config.py installs
    assert write_gradebook(course.root, config, NAME) == []
    assert seen == [[number, 3 * number] for number in range(4)]


def test_an_empty_gradebook_file_is_made_a_whole_one(course, config):
    """nbgrader takes a file with some tables for a gradebook, and never gives it the version that upgrades need."""
    course.submit("student-01")
    (course.root / "gradebook.db").write_bytes(b"")
    assert write_gradebook(course.root, config, NAME) == []
    assert len(gradebook_state(course.root)["version"]) == 1
    assert not list(course.root.glob(".gradebook*"))


def test_a_file_that_is_no_database_is_told(course, config):
    course.submit("student-01")
    (course.root / "gradebook.db").write_bytes(b"x" * 5000)
    with pytest.raises(GradebookError, match="cannot be written.*Received: file is not a database"):
        write_gradebook(course.root, config, NAME)


def test_links_and_pipes_stay_out_of_autograded(course, config):
    """nbgrader follows a link, so that a student could have the gradebook copied into the feedback."""
    course.submit("student-01")
    beside(course, "student-01", "notes.txt", "mine")
    (course.root / "submitted" / "student-01" / NAME / "stolen.txt").symlink_to(course.root / "gradebook.db")
    (problem,) = write_gradebook(course.root, config, NAME)
    assert problem.startswith("student-01: stolen.txt is not a file itself")
    home = course.root / "autograded" / "student-01" / NAME
    assert sorted(path.name for path in home.iterdir()) == ["data", f"{NAME}.ipynb", "notes.txt"]
    assert course.grades("student-01")["score"] == 3.5


def test_an_extension_granted_later_takes_the_penalty_back(course, config):
    settings(course, PENALTY)
    course.submit("student-01")
    beside(course, "student-01", "timestamp.txt", LATE)
    write_gradebook(course.root, config, NAME)
    give_by_hand(course.root, {"student-01": 1.0})
    with api.Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        assert gradebook.find_submission(NAME, "student-01").late_submission_penalty == 1.75
        gradebook.grant_extension(NAME, "student-01", days=60)
    notebook = touched(course.root)[f"autograded/student-01/{NAME}/{NAME}.ipynb"]
    assert write_gradebook(course.root, config, NAME) == []
    with api.Gradebook(f"sqlite:///{course.root / 'gradebook.db'}", "sums") as gradebook:
        assert gradebook.find_submission(NAME, "student-01").late_submission_penalty == 0
    assert course.grades("student-01")["discussion"] == (None, 1.0, False)
    assert touched(course.root)[f"autograded/student-01/{NAME}/{NAME}.ipynb"] == notebook


@pytest.mark.parametrize(("text", "told"), [("yesterday", True), ("", False), ("2025-12-08 20:00:00 UTC", False)])
def test_a_timestamp_that_cannot_be_read_is_told_and_the_marks_stand(course, config, text, told):
    course.submit("student-01")
    beside(course, "student-01", "timestamp.txt", text)
    problems = write_gradebook(course.root, config, NAME)
    assert bool(problems) is told
    assert all("student-01: when it was handed in is not known" in problem for problem in problems)
    assert course.grades("student-01")["score"] == 3.5


def test_a_courses_own_preprocessors_and_hooks_run(course, config):
    settings(
        course,
        "\nc.LimitOutput.max_lines = 3"
        "\nfrom nbgrader.preprocessors import NbGraderPreprocessor"
        "\nclass Sign(NbGraderPreprocessor):"
        "\n    def preprocess(self, nb, resources):"
        "\n        if resources['nbgrader']['student'] == 'student-02':"
        "\n            raise ValueError('not him')"
        "\n        nb.metadata['signed'] = resources['nbgrader']['student']"
        "\n        return nb, resources"
        "\nc.Autograde.autograde_preprocessors.append(Sign)"
        f"\nimport pathlib; hook = lambda **_: pathlib.Path({str(course.root / 'hooked')!r}).touch()"
        "\nc.Autograde.post_convert_hook = hook\n",
    )
    course.submit("student-01", add="print('x\\n' * 9)\ndef add(a, b):\n    return a + b")
    course.submit("student-02")
    problems = write_gradebook(course.root, config, NAME)
    assert problems == ["student-02: GradebookError: The preprocessor Sign failed. Received: ValueError: not him"]
    notebook = course.autograded("student-01")
    assert notebook.metadata["signed"] == "student-01"
    assert any("... Output truncated ..." in str(cell.get("outputs")) for cell in notebook.cells)
    assert (course.root / "hooked").exists()
    assert not (course.root / "autograded" / "student-02").exists()


def test_a_failing_penalty_plugin_is_told_and_nothing_of_that_student_is_written(course, config):
    settings(
        course,
        "\nfrom nbgrader.plugins import BasePlugin"
        "\nclass Odd(BasePlugin):"
        "\n    def late_submission_penalty(self, student_id, score, total_seconds_late):"
        "\n        return {}['no rule']"
        "\nc.AssignLatePenalties.plugin_class = Odd\n",
    )
    for student in ("student-01", "student-02"):
        course.submit(student)
    beside(course, "student-01", "timestamp.txt", LATE)
    (problem,) = write_gradebook(course.root, config, NAME)
    assert "student-01: GradebookError: The late penalty cannot be told. Received: KeyError: 'no rule'" in problem
    assert list(gradebook_state(course.root)["submissions"]) == ["student-02"]
    assert not list((course.root / "autograded" / "student-01").iterdir())


def test_a_shared_course_stays_writable_for_its_group(course, config):
    settings(course, "\nc.CourseDirectory.groupshared = True\n")
    course.submit("student-01")
    beside(course, "student-01", "plots/a.csv", "1")
    assert write_gradebook(course.root, config, NAME) == []
    home = course.root / "autograded" / "student-01" / NAME
    folders = [course.root / "autograded", home.parent, home, home / "plots"]
    assert all(stat.S_IMODE(folder.stat().st_mode) & 0o2770 == 0o2770 for folder in folders)
    assert {mode for _, mode in files_state(course.root).values()} == {0o664}


def test_a_new_due_date_reaches_the_gradebook(course):
    course.submit("student-01")
    write_gradebook(course.root, load_course(course.root), NAME)
    text = (course.root / "course_config.py").read_text()
    (course.root / "course_config.py").write_text(text.replace("2025, 12, 8", "2025, 12, 9"))
    shutil.rmtree(course.root / "solutions")
    assert write_gradebook(course.root, load_course(course.root), NAME) == []
    assert str(gradebook_state(course.root)["assignments"][0][1]) == "2025-12-09 22:59:00"


def test_a_release_of_another_nbgrader_is_told_once(course, config):
    """nbgrader's own converter says so for every submission."""
    course.release.write_text(course.release.read_text().replace('"schema_version": 3', '"schema_version": 2'))
    course.submit("student-01")
    with pytest.raises(ReleaseError, match="does not read the released notebook.*Outdated schema version: 2"):
        write_gradebook(course.root, config, NAME)


@pytest.mark.slow
def test_a_thousand_submissions(course, config, fake):
    """All marks right, nothing written twice, and memory as for a hundred. About a minute and a half."""
    data = course.submit("student-0000").read_bytes()
    (submission,), _ = grading.find_submissions(course.root, config, NAME, ["student-0000"])
    report = fake.grade_submission(course.root, config, submission)
    text = nbformat.writes(
        fake.prepare(nbformat.reads(data.decode(), 4), fake.load_release(course.root, config.assignment(NAME))).notebook
    )
    students = [f"student-{number:04d}" for number in range(1000)]
    for number, student in enumerate(students):
        course.submit_bytes(student, data)
        first = report.questions[0].model_copy(update={"points": number % 5 / 4})
        own = report.model_copy(update={"student": student, "questions": (first, *report.questions[1:])})
        store.write_report(course.root, own, notebook=text, feedback="")
    assert write_gradebook(course.root, config, NAME, students[:100]) == []
    before = psutil.Process().memory_info().rss
    assert write_gradebook(course.root, config, NAME) == []
    assert psutil.Process().memory_info().rss - before < 30 * 2**20
    state = gradebook_state(course.root)["submissions"]
    points = [[grade[2] for grade in state[student][NAME]["grades"] if grade[0] == "test_add"] for student in students]
    assert points == [[number % 5 / 4] for number in range(1000)]
    marks = touched(course.root)
    assert write_gradebook(course.root, config, NAME) == []
    assert touched(course.root) == marks
