"""A small release with everything that mending knows: opening cells, answers, tests, a hand-graded text."""

from __future__ import annotations

import nbformat


def marks(name: str, *, answer: bool = False, points: float | None = None, kind: str = "code") -> dict:
    result = {"grade_id": name, "schema_version": 3, "cell_type": kind, "task": False}
    result |= {"solution": answer, "grade": points is not None, "locked": not answer}
    return {"nbgrader": result if points is None else result | {"points": points}}


def code(name: str, source: str, *, tags: tuple[str, ...] = (), **fields) -> nbformat.NotebookNode:
    metadata = marks(name, **fields) | ({"tags": list(tags)} if tags else {})
    return nbformat.v4.new_code_cell(source, id=f"id-{name}", metadata=metadata)


def text(source: str, cell_id: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source, id=cell_id)


def released_notebook() -> nbformat.NotebookNode:
    discussion = nbformat.v4.new_markdown_cell(
        "YOUR ANSWER HERE", id="id-discussion", metadata=marks("discussion", answer=True, points=2.0, kind="markdown")
    )
    cells = [
        text("# Homework", "title"),
        code("parameters", "N = 1", tags=("parameters",)),
        code("setup", "import math"),
        text("## Add", "intro-add"),
        code("add", "def add(a, b):\n    raise NotImplementedError", answer=True),
        code("test_add", "assert callable(add)", points=1.0),
        text("## Double", "intro-double"),
        code("double", "def double(a):\n    raise NotImplementedError", answer=True),
        code("test_double", "assert callable(double)", points=1.0),
        text("## Both", "intro-both"),
        code("test_both", "assert add and double", points=0.5),
        text("## Discuss", "intro-discussion"),
        discussion,
    ]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
    }
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)
