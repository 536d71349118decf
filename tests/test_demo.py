"""The demo on a tiny course, through nbgrader's real commands; and how mutant files are read. About 30 s."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from autograder import trial_course
from autograder.config import load_course
from autograder.demo import choose_students, demo_students
from autograder.errors import ConfigurationError, MutantError, ReleaseError
from autograder.mutants import Mutant, apply_mutant, read_mutant, read_mutants
from autograder.records import QuestionResult, Report
from autograder.tables import clean
from autograder.trial_course import TrialStudent, build_course, compare
from tests.tiny_course import ANSWERS, NAME, STUB, make_course, notebook

CHOICE = ["right_lambda", "wrong_triple", "unanswered", "truncated"]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return make_course(tmp_path_factory.mktemp("source"), released=False)


@pytest.fixture(scope="module")
def shown(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "demo-course"
    command = [sys.executable, "-m", "autograder", "demo", "--course", str(course), "--folder", str(folder)]
    command += ["--students", ",".join(CHOICE), "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, encoding="utf-8", check=False)
    return folder, done.returncode, done.stdout + done.stderr


def test_demo_gives_every_student_the_known_verdict(shown):
    _, status, printed = shown
    assert status == 0, printed
    assert "Warning:" not in printed.replace("Warning: sandbox level none", "")
    assert "4 of 4 students got the verdict that is known to be right" in printed
    row = next(line for line in printed.splitlines() if line.strip().startswith("student-02  "))
    assert "2.00" in row
    assert "Triples by adding one" in row
    assert "triple 1.00 of 2.00" in printed


def test_demo_leaves_a_whole_course(shown):
    folder, _, printed = shown
    for path in (
        f"assignments/{NAME}/{NAME}.ipynb",
        "gradebook.db",
        f"reports/{NAME}/index.html",
        f"reports/{NAME}/student-02/feedback.html",
        f"feedback/student-02/{NAME}/{NAME}.html",
        f"submitted/student-01/{NAME}/timestamp.txt",
    ):
        assert (folder / path).is_file(), path
    assert str(folder / "reports" / NAME / "index.html") in printed.replace("\n", "")


def test_demo_replaces_its_own_folder_and_no_other(shown, course, tmp_path, monkeypatch):
    folder = tmp_path / "demo-course"
    shutil.copytree(shown[0], folder)
    monkeypatch.setattr(trial_course, "run_nbgrader", lambda *_: None)
    build_course(course, folder, command="demo")
    assert not (folder / "submitted").exists()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years of work")
    with pytest.raises(ConfigurationError, match="leaves it alone"):
        build_course(course, precious, command="demo")
    assert (precious / "thesis.txt").exists()
    with pytest.raises(ConfigurationError, match="folder of its own"):
        build_course(course, course, command="demo")


def test_demo_needs_nbgraders_configuration(tmp_path):
    source = make_course(tmp_path / "source")
    (source / "nbgrader_config.py").unlink()
    with pytest.raises(ConfigurationError, match="nbgrader_config"):
        build_course(source, tmp_path / "demo", command="demo")


def test_failing_nbgrader_command_is_told_with_its_last_words(tmp_path):
    with pytest.raises(ReleaseError, match=r"(?s)nbgrader generate_assignment nothing failed.*Received: .+"):
        trial_course.run_nbgrader(make_course(tmp_path), "generate_assignment", "nothing")


def chosen(folder, names, assignments=None):
    return choose_students(folder, load_course(folder), assignments, names)


def test_students_are_numbered_and_chosen_by_name(tmp_path):
    folder = make_course(tmp_path)
    assignment = load_course(folder).assignment(NAME)
    everyone = demo_students(folder, assignment, chosen(folder, ["all"])[NAME])
    assert [(one.student, one.name) for one in everyone] == [
        ("student-01", "right_lambda"),
        ("student-02", "wrong_triple"),
        ("student-03", "unanswered"),
        ("student-04", "truncated"),
    ]
    mutant = folder / "solutions" / NAME / "mutants" / "wrong_triple.py"
    mutant.write_text(mutant.read_text().replace("RIGHT = False\n", "RIGHT = False\nDEMO = True\n"))
    assert chosen(folder, None) == {NAME: ["wrong_triple", "unanswered", "truncated"]}
    with pytest.raises(ValueError, match="JSON|Expecting|Unterminated|delimiter"):
        json.loads(everyone[3].content)


def test_names_go_to_the_assignments_that_have_them(tmp_path):
    """A name of one assignment is no fault of the other, which is left out when it has none of them."""
    folder = make_course(tmp_path)
    config = folder / "course_config.py"
    config.write_text(
        config.read_text() + "other = course.assignments[0].model_copy(update={'name': 'other'})\n"
        "course = course.model_copy(update={'assignments': (*course.assignments, other)})\n"
    )
    mutants = folder / "solutions" / "other" / "mutants"
    mutants.mkdir(parents=True)
    shutil.copy(folder / "solutions" / NAME / "mutants" / "right_lambda.py", mutants / "right_other.py")
    assert chosen(folder, ["wrong_triple"]) == {NAME: ["wrong_triple"]}
    assert chosen(folder, ["truncated", "right_other"]) == {NAME: ["truncated"], "other": ["right_other", "truncated"]}
    assert set(chosen(folder, ["all"])) == {NAME, "other"}
    with pytest.raises(ConfigurationError, match=r"other: right_other, unanswered, truncated. Received: nobody$"):
        chosen(folder, ["right_lambda", "nobody"])
    with pytest.raises(ConfigurationError, match="Received: wrong_triple$"):
        chosen(folder, ["wrong_triple"], ["other"])


def test_data_of_a_trial_course_lie_where_they_lay(tmp_path, monkeypatch):
    monkeypatch.setattr(trial_course, "run_nbgrader", lambda *_: None)
    source = make_course(tmp_path / "source")
    config = source / "course_config.py"
    config.write_text(
        config.read_text() + "from autograder.config import JenaData\n"
        "given = course.assignments[0].model_copy(update={'data': JenaData(path='data/jena.csv')})\n"
        "course = course.model_copy(update={'assignments': (given,)})\n"
    )
    course = build_course(source, tmp_path / "demo", command="demo")
    assert course.assignment(NAME).data.path == source / "data" / "jena.csv"


def test_surprising_verdicts_are_found(tmp_path):
    assignment = load_course(make_course(tmp_path)).assignment(NAME)
    outcomes = {"double": "passed", "triple": "failed", "discussion": "manual"}
    questions = tuple(
        QuestionResult(id=name, points=None, max_points=1, outcome=told) for name, told in outcomes.items()
    )
    report = Report(assignment=NAME, student="student-01", status="graded", score=1, max_score=4, questions=questions)

    def surprises(expected):
        student = TrialStudent("student-01", "name", "story", expected, "")
        return compare([student], [report], assignment)[0].surprises

    assert surprises({"triple": "failed"}) == ()
    assert surprises({"triple": "partial"}) == ("triple: failed instead of partial",)
    assert surprises({"double": "failed"}) == ("double: passed instead of failed", "triple: failed instead of passed")
    assert surprises(None) == ("should have been refused",)
    missing = compare([TrialStudent("student-09", "name", "story", {}, "")], [report], assignment)[0]
    assert missing.surprises == ("no report",)


def test_mutant_file_is_read_as_text(tmp_path):
    path = tmp_path / "wrong_shell.py"
    path.write_text(
        '"""This student lists files. It helps\nnobody."""\nEXPECTED = {"double": "failed"}\nRIGHT = False\n\n'
        "# %% [double]\n!ls\nraise SystemExit\n\n# %% [triple]\n"
    )
    mutant = read_mutant(path)
    assert (mutant.name, mutant.headline, mutant.right) == ("wrong_shell", "This student lists files", False)
    assert mutant.expected == {"double": "failed"}
    assert mutant.cells == {"double": "!ls\nraise SystemExit", "triple": ""}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("EXPECTED = {}\nRIGHT = True\n", "docstring"),
        ('"""One."""\nRIGHT = True\n', "EXPECTED"),
        ('"""One."""\nEXPECTED = {"double": "bad"}\nRIGHT = True\n', "EXPECTED"),
        ('"""One."""\nEXPECTED = {}\n', "RIGHT"),
        ('"""One."""\nEXPECTED = open("/etc/passwd")\nRIGHT = True\n', "literals"),
        ('"""One.', "literals"),
        ('"""One."""\nEXPECTED = {}\nRIGHT = True\n# %% [a]\n1\n# %% [a]\n2\n', "twice"),
    ],
)
def test_wrong_mutant_file_is_named_with_what_it_lacks(tmp_path, text, told):
    path = tmp_path / "odd.py"
    path.write_text(text)
    with pytest.raises(MutantError, match="odd") as raised:
        read_mutant(path)
    assert told in str(raised.value)


def test_folder_without_mutants_and_missing_file_are_told(tmp_path):
    with pytest.raises(MutantError, match="no demo students"):
        read_mutants(tmp_path)
    with pytest.raises(MutantError, match="cannot be read"):
        read_mutant(tmp_path / "gone.py")


def test_cells_of_a_mutant_replace_those_of_the_solution(tmp_path):
    folder = make_course(tmp_path)
    (mutant,) = [one for one in read_mutants(folder / "solutions" / NAME / "mutants") if one.name == "wrong_triple"]
    release, source = notebook({}), notebook({"double": f"### BEGIN SOLUTION\n{ANSWERS['double']}\n### END SOLUTION"})
    handed_in = {cell.metadata.nbgrader.grade_id: cell.source for cell in apply_mutant(release, source, mutant).cells}
    assert handed_in["double"] == ANSWERS["double"], "the solution, without its delimiters"
    assert handed_in["triple"] == "def triple(x):\n    return x + 1"
    assert release.cells[2].source == STUB, "the release that was passed stays as it is"


def test_empty_cell_of_a_mutant_is_unanswered():
    mutant = Mutant("wrong", "story", {}, right=False, cells={"double": ""})
    handed_in = apply_mutant(notebook({}), notebook(ANSWERS), mutant)
    assert [cell.source for cell in handed_in.cells if cell.metadata.nbgrader.grade_id == "double"] == [STUB]


def test_mutant_of_an_unknown_question_is_refused():
    mutant = Mutant("wrong", "story", {}, right=False, cells={"quadruple": "1"})
    with pytest.raises(MutantError, match="quadruple"):
        apply_mutant(notebook({}), notebook(ANSWERS), mutant)


def test_clean_takes_control_and_direction_characters_away():
    assert clean("a\x1b[31mb\x07c\u202ed\u200be\x9bf\ng") == "a[31mbcdef\ng"
