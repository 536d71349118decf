"""A small release and an honest submission of it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder.notebooks import Release, digest
from tests.notebooks.homework import released_notebook


@pytest.fixture
def release() -> Release:
    notebook = released_notebook()
    return Release(notebook=notebook, path=Path("assignments/homework/homework.ipynb"), digest=digest(notebook))


@pytest.fixture
def submission() -> nbformat.NotebookNode:
    """The release with honest answers."""
    notebook = released_notebook()
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        answers = {"add": "def add(a, b):\n    return a + b", "double": "def double(a):\n    return 2 * a"}
        cell.source = {**answers, "discussion": "Adding is twice as good."}.get(name, cell.source)
    return notebook
