"""Notebooks as hostile bytes: read, matched and mended into one that can be graded, or refused with a NotebookError.

Takes about fifteen seconds of one core.
"""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import NotebookError
from autograder.feedback.notebook_page import NotebookPage
from autograder.notebooks import Release, digest, grade_id, prepare, read_notebook
from tests.fuzzing.mutations import JSON_WORDS, Reach, altered, as_json, bounded, edited, odd_values
from tests.notebooks.homework import released_notebook

MEGABYTE = 2**20
RELEASED = released_notebook()
RELEASE = Release(notebook=RELEASED, path=Path("homework.ipynb"), digest=digest(RELEASED))
OLD = nbformat.v3.new_notebook(
    worksheets=[
        nbformat.v3.new_worksheet(
            cells=[
                nbformat.v3.new_code_cell("x = 1", outputs=[nbformat.v3.new_output("stream", output_text="1")]),
                nbformat.v3.new_heading_cell("Hi", level=2),
                nbformat.v3.new_text_cell("markdown", "text"),
            ]
        )
    ]
)


def submission() -> dict[str, Any]:
    """An honest one, with outputs, as JSON has it."""
    notebook = released_notebook()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="1\n")]
    return json.loads(nbformat.writes(notebook))


SUBMISSION = submission()
WORDS = (*JSON_WORDS, b'"cells"', b'"metadata"', b'"nbgrader"', b'"source"', b'"grade_id"', b'"nbformat": 3', b'"id"')


def examine(path: Path, reach: Reach) -> None:
    """Read, mend, and hold the result against what grading relies on."""
    try:
        notebook = read_notebook(path, max_bytes=MEGABYTE)
    except NotebookError as error:
        expect_sentence(error)
        reach("refused")
        return
    digest(notebook)
    json.dumps(notebook, ensure_ascii=False).encode()
    NotebookPage().cells(notebook)
    before = copy.deepcopy(notebook)
    try:
        prepared = prepare(notebook, RELEASE)
    except NotebookError as error:
        expect_sentence(error)
        reach("no homework")
        return
    assert notebook == before, "mending works on a copy"
    expect_gradable(prepared.notebook)
    for repair in prepared.repairs:
        assert len(repair) < 1000
        repair.encode()
    reach("mended" if prepared.repairs else "whole")


def expect_sentence(error: NotebookError) -> None:
    message = str(error)
    assert "\n" not in message
    assert len(message) < 500
    message.encode()


def expect_gradable(notebook: nbformat.NotebookNode) -> None:
    """Every released cell once, locked ones as released, tests behind answers, and valid as a file."""
    nbformat.validate(notebook)
    found = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}
    names = [grade_id(cell) for cell in notebook.cells if grade_id(cell)]
    released = {grade_id(cell): cell for cell in RELEASED.cells if grade_id(cell)}
    assert sorted(names) == sorted(released)
    for name, cell in released.items():
        assert found[name].metadata == cell.metadata
        assert found[name].cell_type == cell.cell_type
        if not cell.metadata["nbgrader"]["solution"]:
            assert found[name].source == cell.source
    assert names.index("parameters") < names.index("setup")
    for name in ("add", "double"):
        assert names.index("setup") < names.index(name) < names.index(f"test_{name}")
    assert all(not cell.get("outputs") for cell in notebook.cells)
    nbformat.writes(notebook).encode()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzing") / "homework.ipynb"


@pytest.mark.parametrize("indent", [None, 1])
def test_damaged_text(path: Path, indent: int | None) -> None:
    reach = Reach()
    content = json.dumps(SUBMISSION, indent=indent).encode()

    @bounded(200)
    @given(data=edited(content, WORDS, most=2))
    def attempt(data: bytes) -> None:
        path.write_bytes(data)
        examine(path, reach)

    attempt()
    reach.expect(refused=0.2, whole=0.03)


def test_altered_cells(path: Path) -> None:
    """Parts of an honest submission left out, doubled, exchanged, or replaced by anything that JSON can say."""
    reach = Reach()
    names = st.sampled_from(["add", "test_add", "setup", "discussion", "own", "\ud800", "a\nb", "x" * 500])
    marks = st.fixed_dictionaries({}, optional={"nbgrader": st.fixed_dictionaries({"grade_id": names}) | odd_values})
    cells = st.fixed_dictionaries(
        {},
        optional={
            "cell_type": st.sampled_from(["code", "markdown", "raw", "sql"]) | odd_values,
            "source": st.lists(st.text(max_size=9), max_size=3) | odd_values,
            "metadata": marks | odd_values,
            "id": names | odd_values,
            "outputs": odd_values,
            "attachments": odd_values,
        },
    )

    @bounded(300)
    @given(document=altered(SUBMISSION, odd_values | cells | marks, most=6))
    def attempt(document: Any) -> None:
        path.write_bytes(as_json(document))
        examine(path, reach)

    attempt()
    reach.expect(mended=0.2, refused=0.03)


def test_altered_old_notebooks(path: Path) -> None:
    """The upgrade of format 3 walks over what it has not checked."""
    reach = Reach()

    @bounded(150)
    @given(document=altered(json.loads(json.dumps(OLD)), most=3))
    def attempt(document: Any) -> None:
        path.write_bytes(as_json(document))
        examine(path, reach)

    attempt()
    reach.expect(**{"no homework": 0.2})


def test_any_bytes(path: Path) -> None:
    @bounded(100)
    @given(data=st.binary(max_size=300))
    def attempt(data: bytes) -> None:
        path.write_bytes(data)
        with pytest.raises(NotebookError) as caught:
            read_notebook(path, max_bytes=MEGABYTE)
        expect_sentence(caught.value)

    attempt()


@pytest.mark.parametrize("name", ["add", "own", "test_add", ""])
def test_time_grows_with_the_size_alone(path: Path, name: str) -> None:
    """Two thousand cells of one name, and a source of a megabyte, are mended within seconds."""
    document = copy.deepcopy(SUBMISSION)
    cell = {"cell_type": "code", "source": "x = 1\n" * 20, "metadata": {"nbgrader": {"grade_id": name}}, "outputs": []}
    document["cells"] += [dict(cell) for _ in range(1900)]
    document["cells"][-1]["source"] = " = " * 300_000
    path.write_bytes(as_json(document))
    start = time.perf_counter()
    examine_large = read_notebook(path, max_bytes=4 * MEGABYTE)
    expect_gradable(prepare(examine_large, RELEASE).notebook)
    assert time.perf_counter() - start < 10
