"""What a cell may put out: bounded, however it comes, and the cells after it are unharmed. One kernel."""

from __future__ import annotations

from autograder.execution.conformance.attempts import Outcome, Result, cell

OPTIONS = {"cell_output_kb": 64, "cell_output_messages": 100, "cell_images": 3, "image_kb": 64, "cell_seconds": 8}
_MOST_KEPT = 2**20  # characters of one cell in the executed notebook


def _is_bounded(outcome: Outcome) -> bool:
    """Whether the cell ended, what is kept of it is small, and the report names the limit."""
    ended = outcome.cell is not None and outcome.cell.outcome != "killed"
    named = bool(set(outcome.limits) & {"output", "output count"})
    return ended and named and len(outcome.text) < _MOST_KEPT


@cell("for n in range(300_000):\n    print('x' * 1000)")
def test_flood_of_lines_is_stopped(outcome: Outcome) -> None:
    """A loop that prints without end is stopped, the limit is named, and the notebook stays small."""
    assert _is_bounded(outcome), outcome


@cell("print('x' * (24 * 2**20))")
def test_one_huge_line_is_cut(outcome: Outcome) -> None:
    """One output of many megabytes is cut, the limit is named, and the connection is mended."""
    assert _is_bounded(outcome), outcome


@cell("'x' * (24 * 2**20)")
def test_huge_repr_is_cut(outcome: Outcome) -> None:
    """A last value whose text has many megabytes is cut."""
    assert _is_bounded(outcome), outcome


@cell("from IPython.display import display\nfor n in range(3000):\n    display(n)")
def test_many_messages_are_cut(outcome: Outcome) -> None:
    """Thousands of small outputs are cut to the number that is allowed."""
    assert _is_bounded(outcome), outcome


@cell("""
import base64
from IPython.display import display
for n in range(12):
    display({"image/png": base64.b64encode(bytes(2**20)).decode(), "text/plain": "picture"}, raw=True)
""")
def test_pictures_are_limited(outcome: Outcome) -> None:
    """Pictures that are too many or too large are left out."""
    assert _is_bounded(outcome), outcome


@cell("""
socket, session = get_ipython().kernel.iopub_socket, get_ipython().kernel.session
parts = session.serialize(session.msg("display_data", content={}, parent=get_ipython().parent_header))
parts[5] = b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
parts[1] = session.sign(parts[2:])
socket.send_multipart([b"display_data", *parts])
print("sent")
""")
def test_deep_json_is_survived(outcome: Outcome) -> None:
    """A message that is nested a hundred thousand levels deep, well signed, disturbs nothing."""
    assert outcome.cell is not None
    assert outcome.text == "sent\n", outcome


@cell("""
socket = get_ipython().kernel.iopub_socket
for parts in ([b""], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"x", b"{}", b"{}", b"{}", b"{}"], [bytes(1000)] * 50):
    socket.send_multipart(parts)
print("sent")
""")
def test_malformed_messages_are_survived(outcome: Outcome) -> None:
    """Messages that are none disturb nothing."""
    assert outcome.cell is not None
    assert outcome.text == "sent\n", outcome


@cell("""
import sys
kernel = get_ipython().kernel
kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=get_ipython().parent_header)
print("still here")
""")
def test_forged_state_ends_no_cell_for_good(outcome: Outcome) -> None:
    """A forged message that the cell has ended harms this cell's outputs at most."""
    assert outcome.cell is not None
    assert outcome.cell.outcome == "ok", outcome


@cell("raise ValueError('x' * 300_000)")
def test_huge_exception_is_cut(outcome: Outcome) -> None:
    """An exception with a very long message is reported with its beginning."""
    assert outcome.cell is not None
    assert outcome.cell.error is not None
    assert len(outcome.cell.error.message) < 10_000
    assert len(outcome.text) < _MOST_KEPT


@cell("print('\\ud800 \\x00 \\x1b[31m')")
def test_odd_characters_are_survived(outcome: Outcome) -> None:
    """Half characters, null bytes and terminal codes disturb nothing."""
    assert outcome.cell is not None
    assert outcome.cell.outcome in {"ok", "error"}, outcome


@cell("print('as ever')")
def test_cells_after_all_that_are_unharmed(outcome: Outcome) -> None:
    """After all that, a cell's output is what it printed."""
    assert outcome.text == "as ever\n", outcome


def test_executed_notebook_stays_small(tried: Result) -> None:
    """The executed notebook of a run that has put out hundreds of megabytes has a few."""
    assert (tried.folder / "executed.ipynb").stat().st_size < 8 * 2**20
