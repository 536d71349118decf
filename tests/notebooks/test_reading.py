"""Hostile bytes become a notebook or one clear sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from autograder.errors import NotebookError
from autograder.notebooks import digest, grade_id, read_executed, read_notebook

MEGABYTE = 2**20


def document(*cells: object, **fields: object) -> dict:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **fields}


def code(source: object = "x = 1", **fields: object) -> dict:
    return {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        "source": source,
    } | fields


def write(folder: Path, content: object) -> Path:
    path = folder / "homework.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_a_notebook_from_jupyter_comes_back_whole(tmp_path):
    path = write(
        tmp_path, document(code(["x = 1\n", "y = 2"]), {"cell_type": "markdown", "metadata": {}, "source": "# Hi"})
    )
    notebook = read_notebook(path, max_bytes=MEGABYTE)
    assert [cell.source for cell in notebook.cells] == ["x = 1\ny = 2", "# Hi"]
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_text_with_a_byte_order_mark_or_in_wide_characters_is_read(tmp_path, encoding):
    path = write(tmp_path, json.dumps(document(code("# größer"))).encode(encoding))
    assert read_notebook(path, max_bytes=MEGABYTE).cells[0].source == "# größer"


DEEP = b'{"nbformat": 4, "metadata": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b', "cells": []}'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty.*Received: 0 bytes"),
        (b" \n ", "is empty"),
        (json.dumps(document(code())).encode()[:-20], "not valid JSON at line 1.*Received"),
        (b'{"nbformat": 4, "cells": [', "Received: the end of the file"),
        (b"<html>sign in</html>", "not valid JSON"),
        (b"\0" * 100, "not valid JSON|not UTF-8"),
        (b'{"nbformat": 4, \0 "cells": []}', "not valid JSON"),
        (json.dumps(document(code("größer")), ensure_ascii=False).encode("latin-1"), "not UTF-8 text"),
        (b"\x89PNG\r\n\x1a\n", "not UTF-8 text"),
        (b"[" * 100_000, "nested deeper"),
        (DEEP, "nested deeper"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "number that is too long"),
        (b"[1, 2]", "not a notebook.*Received: a list"),
        (b"null", "not a notebook.*Received: nothing"),
        (b'{"name": "config"}', "not a notebook.*keys name"),
        ({"nbformat": "4", "cells": []}, "not a notebook"),
        ({"nbformat": 4, "metadata": {}}, "no list of cells.*Received: nothing"),
        (document(cells="none"), "no list of cells.*Received: a text"),
        (document(nbformat=5), "Received: format 5"),
        (document(nbformat=-1), "Received: format -1"),
        (document(nbformat=3, worksheets="none"), "old notebook format 3"),
        (document("a cell"), "Cell 1 of homework.ipynb is damaged.*a text"),
        (document(code(), code({"a": 1})), "Cell 2 of homework.ipynb has no text.*keys a"),
        (document(code(["x", 1])), "Cell 1 .*Received: a list"),
        (document(*[code()] * 2001), "2000 cells at most.*Received: 2001"),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_sentence(tmp_path, content, expected):
    path = write(tmp_path, content)
    with pytest.raises(NotebookError, match=f"(?s)homework.ipynb.*(?:{expected})|{expected}") as caught:
        read_notebook(path, max_bytes=MEGABYTE)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path) not in message, "students must not see the grader's folders"
    assert len(message) < 400


def test_missing_file(tmp_path):
    with pytest.raises(NotebookError, match="homework.ipynb is not there. Hand in the notebook under this name"):
        read_notebook(tmp_path / "homework.ipynb", max_bytes=MEGABYTE)


@pytest.mark.skipif(os.name == "nt", reason="pipes and links of this kind are POSIX")
def test_links_pipes_and_folders_are_refused_without_waiting(tmp_path):
    target = write(tmp_path, document(code()))
    (tmp_path / "link.ipynb").symlink_to(target)
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    for name, received in [("link", "symbolic link"), ("pipe", "a pipe, socket or device"), ("folder", "a folder")]:
        with pytest.raises(NotebookError, match=received):
            read_notebook(tmp_path / f"{name}.ipynb", max_bytes=MEGABYTE)


def test_a_name_that_cannot_be_a_file_is_refused(tmp_path):
    with pytest.raises(NotebookError, match="cannot be opened"):
        read_notebook(tmp_path / "a\0b.ipynb", max_bytes=MEGABYTE)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "homework.ipynb"
    with path.open("wb") as file:
        file.truncate(300 * 2**30)  # sparse: reading it would take all memory
    with pytest.raises(NotebookError, match="20 MB are allowed.*Clear its outputs.*Received"):
        read_notebook(path, max_bytes=20 * MEGABYTE)


def test_an_old_format_is_upgraded_and_leaves_a_note(tmp_path):
    old = nbformat.v3.new_notebook(
        worksheets=[
            nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("x = 1"), nbformat.v3.new_heading_cell("Hi")])
        ]
    )
    notebook = read_notebook(write(tmp_path, old), max_bytes=MEGABYTE)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [("code", "x = 1"), ("markdown", "# Hi")]
    assert notebook.metadata.orig_nbformat == 3


def test_damaged_cells_are_made_well_formed(tmp_path):
    cells = [
        {"cell_type": "code"},
        {"cell_type": "sql", "source": "SELECT 1", "metadata": []},
        code("a\0b\r\nc", outputs="none"),
        code("\ud800 half a character"),
    ]
    notebook = read_notebook(write(tmp_path, document(*cells, metadata=[])), max_bytes=MEGABYTE)
    assert [cell.cell_type for cell in notebook.cells] == ["code", "raw", "code", "code"]
    assert [cell.source for cell in notebook.cells] == [
        "",
        "SELECT 1",
        "a\N{REPLACEMENT CHARACTER}b\nc",
        "? half a character",
    ]
    assert all(isinstance(cell.metadata, dict) for cell in notebook.cells)
    json.dumps(notebook, ensure_ascii=False).encode()


@pytest.mark.parametrize("marks", [{}, None, [], "text", {"grade_id": None}, {"grade_id": 7}, {"grade_id": ""}])
def test_damaged_nbgrader_metadata_name_no_cell(marks):
    assert grade_id(nbformat.v4.new_code_cell(metadata={"nbgrader": marks})) is None


def test_the_digest_is_over_sources_types_and_ids_but_not_outputs():
    cell = nbformat.v4.new_code_cell("x = 1", metadata={"nbgrader": {"grade_id": "q"}})
    notebook = nbformat.v4.new_notebook(cells=[cell])
    before = digest(notebook)
    cell.outputs = [nbformat.v4.new_output("stream", text="1")]
    cell.metadata["collapsed"] = True
    assert digest(notebook) == before
    cell.metadata["nbgrader"]["grade_id"] = "p"
    assert digest(notebook) != before


def test_no_folder_on_the_way_may_be_a_link(tmp_path):
    """A student who can write into `submitted/` cannot have another's notebook graded as their own."""
    home = tmp_path / "submitted" / "student-01" / "homework"
    home.mkdir(parents=True)
    write(home, document(code()))
    (tmp_path / "submitted" / "student-02").symlink_to(tmp_path / "submitted" / "student-01")
    trusted = tmp_path / "submitted"
    assert read_notebook(home / "homework.ipynb", max_bytes=MEGABYTE, within=trusted).cells
    stolen = trusted / "student-02" / "homework" / "homework.ipynb"
    with pytest.raises(NotebookError, match="Hand in the notebook itself. Received: a symbolic link"):
        read_notebook(stolen, max_bytes=MEGABYTE, within=trusted)


OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": ["one\n", "two\n"]},
    {"output_type": "display_data", "data": {"image/png": "aGk=", "text/html": ["<p>", "x"]}, "metadata": {}},
    {"output_type": "error", "ename": "A", "evalue": "b", "traceback": ["c", "d"]},
]


def test_outputs_of_a_run_come_back_as_the_text_they_were(tmp_path):
    path = write(tmp_path, document(code(outputs=OUTPUTS)))
    (cell,) = read_executed(path, max_bytes=MEGABYTE).cells
    stream, shown, error = cell.outputs
    assert stream.text == "one\ntwo\n"
    assert shown.data["text/html"] == "<p>x"
    assert shown.data["image/png"] == "aGk="
    assert error.traceback == ["c", "d"]


@pytest.mark.parametrize(
    "outputs", [[{}], [3], [{"output_type": "stream", "text": [3]}], [{"output_type": "display_data"}]]
)
def test_damaged_outputs_of_a_run_are_one_clear_sentence(tmp_path, outputs):
    path = write(tmp_path, document(code(outputs=outputs)))
    try:
        (cell,) = read_executed(path, max_bytes=MEGABYTE).cells
    except NotebookError as error:
        assert "Received: " in str(error)
    else:  # mended
        assert all(isinstance(output.get("text", ""), str) for output in cell.outputs)
