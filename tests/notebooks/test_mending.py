"""Whatever a student did to the cells, the result has every released cell once, in place, and keeps the student's work."""

from __future__ import annotations

import copy

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.errors import NotebookError
from autograder.notebooks import digest, grade_id, prepare


def find(notebook, name):
    return next(cell for cell in notebook.cells if grade_id(cell) == name)


def order(notebook):
    return [grade_id(cell) or cell.source for cell in notebook.cells]


def own(source, cell_id="own", **fields):
    return nbformat.v4.new_code_cell(source, id=cell_id, **fields)


def run(notebook):
    """Run the code cells here: a mended notebook must define what the student defined."""
    names: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
    return names


def test_an_honest_submission_needs_no_repair(submission, release):
    prepared = prepare(submission, release)
    assert prepared.repairs == ()
    assert digest(prepared.notebook) == digest(submission)


def test_the_notebook_that_is_passed_stays_as_it_is(submission, release):
    submission.cells[0].metadata["nbgrader"] = {}
    submission.cells.reverse()
    before = copy.deepcopy(submission)
    prepare(submission, release)
    assert submission == before
    assert digest(release.notebook) == release.digest


def test_outputs_counts_and_metadata_are_cleared(submission, release):
    cell = find(submission, "add")
    cell.outputs = [nbformat.v4.new_output("stream", text="x" * 10_000)]
    cell.execution_count = 7
    cell.metadata["tags"] = ["raises-exception"]
    submission.cells.append(own("1", metadata={"tags": ["parameters"], "papermill": {"status": "completed"}}))
    submission.metadata["widgets"] = {"state": "x" * 10_000}
    submission.metadata["kernelspec"] = {"name": "julia", "display_name": "Julia"}
    notebook = prepare(submission, release).notebook
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in notebook.cells)
    assert [cell.id for cell in notebook.cells if "tags" in cell.metadata] == ["id-parameters"]
    assert notebook.metadata == release.notebook.metadata


@pytest.mark.parametrize("name", ["parameters", "setup", "test_add", "test_both"])
def test_a_changed_locked_cell_is_restored(submission, release, name):
    find(submission, name).source = "pass"
    prepared = prepare(submission, release)
    assert find(prepared.notebook, name).source == find(release.notebook, name).source
    assert prepared.repairs == (f"The locked cell `{name}` had been changed and was restored.",)


@pytest.mark.parametrize(
    "change",
    [
        {"points": 100},
        {"points": "nan"},
        {"grade": False},
        {"locked": False},
        {"solution": True},
        {"schema_version": 1},
    ],
)
def test_changed_points_flags_and_versions_are_restored(submission, release, change):
    find(submission, "test_add").metadata["nbgrader"].update(change)
    prepared = prepare(submission, release)
    assert find(prepared.notebook, "test_add").metadata == find(release.notebook, "test_add").metadata
    assert prepared.repairs == ("The points or locks of the cell `test_add` had been changed and were restored.",)


@pytest.mark.parametrize("name", ["parameters", "setup", "test_add", "test_double", "test_both"])
def test_a_missing_locked_cell_is_put_back_in_its_place(submission, release, name):
    submission.cells.remove(find(submission, name))
    prepared = prepare(submission, release)
    assert order(prepared.notebook) == order(release.notebook)
    assert prepared.repairs == (f"The cell `{name}` was missing and was put back as it was released.",)


def test_a_missing_test_comes_behind_the_last_cell_of_its_question(submission, release):
    place = submission.cells.index(find(submission, "test_add"))
    submission.cells[place] = own("extra = add(1, 2)")
    assert order(prepare(submission, release).notebook)[4:8] == ["add", "extra = add(1, 2)", "test_add", "## Double"]


def test_a_missing_answer_is_put_back_as_the_released_stub(submission, release):
    submission.cells.remove(find(submission, "add"))
    prepared = prepare(submission, release)
    assert order(prepared.notebook) == order(release.notebook)
    assert find(prepared.notebook, "add").source == find(release.notebook, "add").source
    assert prepared.repairs == ("The cell `add` was missing and was put back as it was released, without an answer.",)


def test_a_stub_that_is_put_back_does_not_take_away_what_the_student_defined_elsewhere(submission, release):
    answer = find(submission, "double")
    submission.cells.remove(answer)
    find(submission, "add").source += "\n\n" + answer.source
    notebook = prepare(submission, release).notebook
    assert order(notebook) == order(release.notebook)
    assert run(notebook)["double"](4) == 8


def test_a_test_before_its_answer_is_moved_behind_it(submission, release):
    test = find(submission, "test_add")
    submission.cells.remove(test)
    submission.cells.insert(3, test)
    prepared = prepare(submission, release)
    assert order(prepared.notebook) == order(release.notebook)
    assert prepared.repairs == ("The cell `test_add` stood before the answer that it tests and was moved behind it.",)


def test_an_answer_moved_to_the_end_takes_its_test_along(submission, release):
    answer = find(submission, "add")
    submission.cells.remove(answer)
    submission.cells.append(answer)
    assert order(prepare(submission, release).notebook)[-2:] == ["add", "test_add"]


def test_a_test_of_nothing_new_comes_behind_the_last_answer_before_it(submission, release):
    test = find(submission, "test_both")
    submission.cells.remove(test)
    submission.cells.insert(3, test)
    names = order(prepare(submission, release).notebook)
    assert names.index("test_both") > names.index("double")


def test_parameters_and_setup_come_before_all_other_code(submission, release):
    first, second = find(submission, "parameters"), find(submission, "setup")
    rest = [cell for cell in submission.cells if cell not in (first, second)]
    submission.cells = [rest[0], own("import os"), second, *rest[1:], first]
    prepared = prepare(submission, release)
    assert order(prepared.notebook)[:4] == ["# Homework", "parameters", "setup", "import os"]
    assert prepared.repairs == ("The cells `parameters`, `setup` were moved before all other code.",)


def test_a_split_answer_keeps_its_id_in_the_first_part_and_its_code_in_both(submission, release):
    cell = find(submission, "add")
    rest = copy.deepcopy(cell)
    cell.source, rest.source, rest.id = "def helper(a, b):\n    return a + b", "add = helper", "split"
    submission.cells.insert(submission.cells.index(cell) + 1, rest)
    prepared = prepare(submission, release)
    assert order(prepared.notebook)[4:7] == ["add", "add = helper", "test_add"]
    assert run(prepared.notebook)["add"](1, 2) == 3
    assert any("more than one cell `add`" in repair for repair in prepared.repairs)


def test_an_unchanged_copy_of_a_locked_cell_is_removed(submission, release):
    submission.cells.append(copy.deepcopy(find(submission, "test_add")))
    prepared = prepare(submission, release)
    assert order(prepared.notebook) == order(release.notebook)
    assert prepared.repairs == ("A copy of the locked cell `test_add` was removed.",)


def test_a_changed_copy_of_a_locked_cell_becomes_the_students_own(submission, release):
    changed = copy.deepcopy(find(submission, "test_add"))
    changed.source, changed.id = "mine = add(2, 3)", "copy"
    submission.cells.insert(submission.cells.index(find(submission, "test_add")), changed)
    prepared = prepare(submission, release)
    assert order(prepared.notebook)[4:7] == ["add", "mine = add(2, 3)", "test_add"]
    assert find(prepared.notebook, "test_add").source == find(release.notebook, "test_add").source


@pytest.mark.parametrize(
    ("name", "kind"), [("add", "markdown"), ("add", "raw"), ("discussion", "code"), ("test_add", "raw")]
)
def test_a_cell_of_another_type_is_changed_back(submission, release, name, kind):
    find(submission, name).cell_type = kind
    prepared = prepare(submission, release)
    assert find(prepared.notebook, name).cell_type == find(release.notebook, name).cell_type
    assert any("again" in repair for repair in prepared.repairs)
    nbformat.validate(prepared.notebook)


def test_an_unknown_grade_id_becomes_a_plain_cell(submission, release):
    metadata = {
        "nbgrader": find(submission, "test_add").metadata["nbgrader"] | {"grade_id": "test_free_points", "points": 50}
    }
    submission.cells.append(own("x = 1", metadata=metadata))
    prepared = prepare(submission, release)
    assert prepared.notebook.cells[-1].metadata == {}
    assert "`test_free_points`" in prepared.repairs[0]


@pytest.mark.parametrize(
    "broken", [{}, [], None, "text", {"grade_id": None}, {"grade_id": ["add"]}, {"schema_version": "x"}]
)
def test_broken_nbgrader_metadata_are_no_obstacle(submission, release, broken):
    for cell in submission.cells:
        cell.metadata["nbgrader"] = broken
    assert order(prepare(submission, release).notebook) == order(release.notebook)


def test_without_any_metadata_cells_are_recognised_by_content_and_place(submission, release):
    for number, cell in enumerate(submission.cells):
        cell.metadata, cell["id"] = nbformat.from_dict({}), f"new-{number}"
    prepared = prepare(submission, release)
    assert digest(prepared.notebook) == digest(prepare(submission, release).notebook)
    assert order(prepared.notebook) == order(release.notebook)
    assert find(prepared.notebook, "discussion").source == "Adding is twice as good."
    assert len(prepared.repairs) == 1


def test_a_rewritten_cell_in_the_place_of_a_deleted_answer_is_the_answer(submission, release):
    place = submission.cells.index(find(submission, "add"))
    submission.cells[place] = own("def add(a, b):\n    return sum((a, b))")
    notebook = prepare(submission, release).notebook
    assert order(notebook) == order(release.notebook)
    assert run(notebook)["add"](1, 2) == 3


def test_which_text_is_the_answer_is_not_guessed(submission, release):
    place = submission.cells.index(find(submission, "discussion"))
    submission.cells[place : place + 1] = [
        nbformat.v4.new_markdown_cell(words, id=words) for words in ("first", "second")
    ]
    notebook = prepare(submission, release).notebook
    assert find(notebook, "discussion").source == "YOUR ANSWER HERE"
    assert order(notebook)[-2:] == ["first", "second"]


def test_what_papermill_injected_is_removed_but_not_a_students_code(submission, release):
    tagged = {"tags": ["injected-parameters"]}
    submission.cells.insert(2, own('# Parameters\nN = 99\nDATA = "here"', "one", metadata=tagged))
    submission.cells.insert(3, own("import os\nN = os.getpid()", "two", metadata=tagged))
    prepared = prepare(submission, release)
    assert "import os\nN = os.getpid()" in order(prepared.notebook)
    assert not any("99" in cell.source for cell in prepared.notebook.cells)
    assert any("papermill" in repair for repair in prepared.repairs)


def test_an_upgraded_notebook_is_told(submission, release):
    submission.metadata["orig_nbformat"] = 3
    assert prepare(submission, release).repairs == ("The notebook was saved in the old format 3 and was upgraded.",)


@pytest.mark.parametrize(
    ("attachments", "kept"),
    [
        ({"a.png": {"image/png": "iVBOR"}}, True),
        ({"a.png": {"image/png": "x" * 5 * 2**20}}, False),
        ({"a.html": {"text/html": "<script>"}}, False),
        ({"a.png": "text"}, False),
        (["a"], False),
        ({"a.png": {"image/png": ["list"]}}, False),
    ],
)
def test_attachments_are_pictures_of_bounded_size(submission, release, attachments, kept):
    find(submission, "discussion")["attachments"] = attachments
    prepared = prepare(submission, release)
    assert ("attachments" in find(prepared.notebook, "discussion")) is kept
    assert any("Pictures" in repair for repair in prepared.repairs) is not kept


@pytest.mark.parametrize("cell_id", ["id-add", "no spaces", "x" * 65, "", None, 7, "title"])
def test_cell_ids_become_valid_and_unique(submission, release, cell_id):
    submission.cells.append(own("x = 1"))
    submission.cells[-1]["id"] = cell_id
    notebook = prepare(submission, release).notebook
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    nbformat.validate(notebook)


@pytest.mark.parametrize("keep", [(), ("parameters", "setup")])
def test_a_notebook_of_another_assignment_is_refused(submission, release, keep):
    cells = [cell for cell in submission.cells if grade_id(cell) in keep]
    other = nbformat.v4.new_notebook(cells=[*cells, own("print('rnn')")])
    with pytest.raises(NotebookError, match="homework.ipynb was expected.*Received: a notebook of"):
        prepare(other, release)


def test_an_empty_notebook_is_refused(release):
    with pytest.raises(NotebookError, match="Received: a notebook of 0 cells without content"):
        prepare(nbformat.v4.new_notebook(), release)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_shuffle_deletion_and_copying_ends_in_a_gradable_notebook(submission, release, data):
    """Every released cell once, tests behind answers, opening first, the student's own cells in their order."""
    cells = [copy.deepcopy(cell) for cell in submission.cells]
    cells += [own(f"own_{number} = {number}", f"own-{number}") for number in range(3)]
    picked = data.draw(st.lists(st.sampled_from(range(len(cells))), min_size=4, max_size=20))
    chosen = [copy.deepcopy(cells[number]) for number in picked]
    for cell in chosen:
        if data.draw(st.booleans()):
            cell.metadata["nbgrader"] = {}
    mutilated = nbformat.from_dict({"metadata": {}, "cells": chosen})
    try:
        prepared = prepare(mutilated, release)
    except NotebookError:
        assert not {grade_id(cell) for cell in chosen} - {None, "parameters", "setup"}
        return
    names = order(prepared.notebook)
    released = [name for name in order(release.notebook) if name in {grade_id(cell) for cell in release.notebook.cells}]
    assert sorted(name for name in names if name in released) == sorted(released)
    assert names.index("parameters") < names.index("setup") < names.index("add")
    assert names.index("add") < names.index("test_add")
    assert names.index("double") < min(names.index("test_double"), names.index("test_both"))
    kept = [cell.source for cell in prepared.notebook.cells if cell.source.startswith("own_")]
    assert kept == [cell.source for cell in chosen if cell.source.startswith("own_")]
    nbformat.validate(prepared.notebook)
    assert prepare(prepared.notebook, release) == type(prepared)(prepared.notebook, ()), "mending twice changes nothing"
