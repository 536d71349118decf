"""What a student sees before handing in. Each case runs a small notebook without a sandbox; about 20 s."""

from __future__ import annotations

import json

import nbformat
import pytest

from autograder.cli import main
from autograder.errors import ConfigurationError, NotebookError
from autograder.validate import validate
from tests.tiny_course import ANSWERS, NAME, make_course, notebook

CONTRACT = {
    "names": {"double": ["double"], "triple": ["triple", "TRIPLES"]},
    "profiles": {"smoke": {"FACTOR": 2, "UNKNOWN": 5}},
}


def write(folder, answers, *, contract=None, edit=None):
    book = notebook(answers)
    if contract is not None:
        book.metadata["autograder"] = contract
    if edit is not None:
        edit(book)
    path = folder / f"{NAME}.ipynb"
    nbformat.write(book, path)
    return path


def checks(result):
    return {check.id: check for check in result.questions}


def test_right_notebook_alone_needs_no_course_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = validate(write(tmp_path, ANSWERS))
    assert result.is_clean
    assert [check.id for check in result.questions] == ["double", "triple"]
    assert result.manual == ("discussion",)
    assert result.compared_with is None
    told = " ".join(finding.found for finding in result.findings())
    assert "no released notebook was found" in told
    assert "grading runs more tests" in told


def test_each_question_says_what_is_wrong_and_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = validate(write(tmp_path, {"double": "def double(x):\n    return 5"}, contract=CONTRACT))
    found = checks(result)
    assert not result.is_clean
    assert "double(2) should be 4" in found["double"].why
    assert "AssertionError" in found["double"].why
    assert found["double"].missing == ()
    assert found["triple"].why == "not answered yet: `raise NotImplementedError()` is still there"
    assert found["triple"].missing == ("triple", "TRIPLES")


def test_name_of_the_contract_that_is_missing_is_told_even_when_tests_pass(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = validate(write(tmp_path, ANSWERS, contract=CONTRACT))
    triple = checks(result)["triple"]
    assert triple.passed
    assert triple.missing == ("TRIPLES",)
    assert not result.is_clean
    line = next(finding for finding in result.findings() if finding.name == "triple")
    assert (line.well, line.remedy) == (False, "Define TRIPLES.")


@pytest.mark.parametrize(
    "contract",
    [5, [], {"names": 3}, {"names": {"double": 1}, "profiles": [2]}, {"profiles": {"smoke": {"FACTOR": []}}}],
)
def test_damaged_contract_is_no_contract(tmp_path, monkeypatch, contract):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autograder.validate.execute", _not_reached)
    with pytest.raises(Reached) as reached:
        validate(write(tmp_path, ANSWERS, contract=contract))
    assert not reached.value.args[0].probes


class Reached(Exception):
    pass


def _not_reached(plan, *_, **__):
    raise Reached(plan)


def test_only_parameters_of_the_notebook_are_injected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("autograder.validate.execute", _not_reached)
    with pytest.raises(Reached) as reached:
        validate(write(tmp_path, ANSWERS, contract=CONTRACT))
    plan = reached.value.args[0]
    assert plan.parameters == {"FACTOR": 2}
    assert (plan.level, plan.data) == ("none", None)


def test_notebook_that_reads_weather_gets_generated_weather(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def wants_data(book):
        book.cells[0].source = "FACTOR = 2\nDATA_PATH = 'jena.csv'\nSEED = 1"
        book.cells[3].source = "lines = open(DATA_PATH).read().splitlines()\nassert len(lines) == 10_201, len(lines)"

    result = validate(write(tmp_path, ANSWERS, edit=wants_data))
    assert checks(result)["double"].passed, checks(result)["double"].why


def test_edited_and_deleted_cells_are_found_against_the_release(tmp_path):
    course = make_course(tmp_path / "course")
    home = tmp_path / "home"
    home.mkdir()

    def tamper(book):
        book.cells[3].source = "pass"
        del book.cells[5]

    result = validate(write(home, {"double": "double = 3"}, edit=tamper), course_folder=course)
    assert result.compared_with == course / "assignments" / NAME / f"{NAME}.ipynb"
    assert len(result.repairs) >= 2
    assert not checks(result)["double"].passed, "the released test runs, not the edited one"
    assert result.allowed_seconds == 60


def test_release_without_configuration_is_compared_with_too(tmp_path, monkeypatch):
    course = make_course(tmp_path)
    (course / "course_config.py").unlink()
    monkeypatch.setattr("autograder.validate.execute", _not_reached)
    with pytest.raises(Reached) as reached:
        validate(write(tmp_path, ANSWERS, edit=lambda book: book.cells.pop(5)))
    assert any(
        cell.metadata.get("nbgrader", {}).get("grade_id") == "test_triple"
        for cell in reached.value.args[0].notebook.cells
    )


def test_limit_that_was_met_is_named(tmp_path):
    course = make_course(tmp_path, cell_seconds=1)
    result = validate(write(tmp_path, {**ANSWERS, "triple": "while True:\n    pass"}), course_folder=course)
    assert not result.is_clean
    assert any(limit.limit == "cell time" for limit in result.limits)
    assert checks(result)["double"].passed


@pytest.mark.parametrize("content", ["", "{", "[]", '{"nbformat": 4}'])
def test_unreadable_notebook_ends_with_status_2_and_one_line(tmp_path, capsys, content):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text(content)
    with pytest.raises(NotebookError):
        validate(path)
    with pytest.raises(SystemExit) as ended:
        main(["validate", str(path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_notebook_of_another_assignment_is_refused(tmp_path):
    course = make_course(tmp_path)
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text(json.dumps(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])))
    with pytest.raises(NotebookError, match="No question of this assignment"):
        validate(path, course_folder=course)


def test_wrong_configuration_of_the_course_is_told(tmp_path):
    course = make_course(tmp_path)
    (course / "course_config.py").write_text("course = None")
    with pytest.raises(ConfigurationError):
        validate(write(tmp_path, ANSWERS), course_folder=course)


def test_command_prints_a_line_per_question_and_ends_with_status_1(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, {**ANSWERS, "double": "def double(x):\n    return '\x1b[31m'"}, contract=CONTRACT)
    with pytest.raises(SystemExit) as ended:
        main(["validate", str(path)])
    printed = capsys.readouterr().out
    assert ended.value.code == 1
    assert "double(2) should be 4" in printed
    assert "graded by hand" in printed
    assert "\x1b" not in printed
