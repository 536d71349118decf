"""Outputs are bounded while they stream in: units without a kernel, then real floods (about 15 s)."""

import json

import pytest
from nbformat.v4 import new_code_cell, new_output

from autograder.config import Limits
from autograder.execution.outputs import CellOutput, trim

PNG = "image/png"
SMALL = Limits(cell_output_kb=1, cell_output_messages=3, cell_images=2, image_kb=1)


def stream(text, name="stdout"):
    return {"msg_type": "stream", "content": {"name": name, "text": text}, "wire_bytes": len(text)}


def display(data, kind="display_data"):
    return {"msg_type": kind, "content": {"data": data, "metadata": {}}, "wire_bytes": len(json.dumps(data))}


def shown(outputs):
    return "".join(output.text for output in outputs if output.output_type == "stream")


def test_streams_are_joined_and_progress_bars_overwritten():
    output, kept = CellOutput(Limits()), []
    for text in ("epoch 1\n", "10 %", "\r50 %\r", "100 %", "\ndone\n", "a\r\nb"):
        output.admit(stream(text), kept)
    assert [one.text for one in kept] == ["epoch 1\n100 %\ndone\na\r\nb"]
    output.admit(stream("oops", "stderr"), kept)
    assert [one.name for one in kept] == ["stdout", "stderr"]


def test_a_long_progress_bar_is_not_truncated():
    output, kept = CellOutput(SMALL), []
    for step in range(500):
        output.admit(stream(f"\rstep {step:5d}" + "=" * 40), kept)
    assert shown(kept) == "step   499" + "=" * 40
    assert output.reasons == []


def test_text_is_cut_at_its_limit_and_says_so_once():
    output, kept = CellOutput(SMALL), []
    for _ in range(5):
        output.admit(stream("x" * 600), kept)
    text = shown(kept)
    assert text.count("x") == 1024
    assert text.count("[output truncated: more than 1 kB]") == 1
    assert output.received_bytes == 3000


def test_clearing_makes_room_again():
    output, kept = CellOutput(SMALL), []
    for _ in range(5):
        output.admit(stream("x" * 600), kept)
        kept.clear()
        output.cleared()
    assert output.reasons == []


def test_pictures_are_counted_and_measured():
    output, kept = CellOutput(SMALL), []
    small, large = display({PNG: "A" * 100}), display({PNG: "A" * 3000})
    assert [output.admit(one, kept) for one in (large, small, small, small)] == [False, True, True, False]
    assert "a picture of more than 1 kB" in shown(kept)
    assert "more than 2 pictures" in shown(kept)


def test_the_number_of_outputs_is_limited_but_errors_always_come():
    output, kept = CellOutput(SMALL), []
    assert [output.admit(display({"text/plain": "1"}), kept) for _ in range(4)] == [True, True, True, False]
    error = {"msg_type": "error", "content": {"ename": "E", "evalue": "v" * 10**6, "traceback": ["t" * 10**6] * 3}}
    assert output.admit(error, kept)
    assert sum(map(len, error["content"]["traceback"])) <= 20_000
    assert len(error["content"]["evalue"]) <= 20_000


def test_a_flood_is_recognised_only_far_above_the_limit():
    output, kept = CellOutput(SMALL), []
    for _ in range(20):
        output.admit(stream("x" * 600), kept)
    assert output.flood is None
    for _ in range(20):
        output.admit(stream("x" * 600), kept)
    assert output.flood == "output"


def test_nonsense_is_left_out():
    output = CellOutput(SMALL)
    assert not output.admit({"msg_type": "display_data", "content": {"data": "no dict"}}, [])
    assert not output.admit({"msg_type": "comm_msg", "content": {}, "wire_bytes": 10**7}, [])


def test_what_updates_have_inflated_is_trimmed():
    cell = new_code_cell()
    cell.outputs = [new_output("display_data", data={"text/plain": "x" * 5000}) for _ in range(10)]
    assert trim(cell, SMALL)
    assert len(json.dumps(cell.outputs)) < 8000
    assert not trim(cell, Limits())


@pytest.fixture(scope="module")
def result(level, run):
    picture = "display({'image/png': 'A' * 200}, raw=True)"
    return run(
        level,
        {
            "pictures": f"for n in range(30):\n    {picture}",
            "progress": "import sys\nfor n in range(300):\n    print('\\rstep', n, end='', flush=True)",
            "clears": "from IPython.display import clear_output\nfor n in range(50):\n    clear_output(wait=True)\n    print(n)",
            "updates": "handle = display('first', display_id=True)\nfor n in range(50):\n    handle.update(f'number {n}')",
            "widget": "from comm import create_comm\nfor n in range(20):\n"
            "    create_comm(target_name='jupyter.widget', data={'state': {'x': 'y' * 1000}})\nprint('made')",
            "prints": "while True:\n    print('x' * 1000)",
            "huge": "class Huge:\n    def __repr__(self):\n        return 'x' * 60_000_000\nHuge()",
            "malformed": "ip = get_ipython()\nsession, socket = ip.kernel.session, ip.kernel.iopub_socket\n"
            "for kind in ('stream', 'display_data', 'clear_output', 'comm_open', 'comm_msg', 'status', 'error'):\n"
            "    session.send(socket, kind, {'data': [[]]}, parent=ip.kernel.get_parent())\n"
            "socket.send_multipart([b'no', b'message'])",
            "after": "print('still here')",
        },
        cell_seconds=15,
    )


def test_real_pictures(result):
    images = [one for one in result.outputs("pictures") if "data" in one]
    assert len(images) == 20
    assert result.cell("pictures").output_truncated


def test_real_progress_bars_and_updates(result):
    assert result.text("progress") == "step 299"
    assert result.text("clears") == "49\n"
    assert "number 49" in result.text("updates")
    assert len(result.outputs("updates")) == 1
    assert result.text("widget") == "made\n"
    assert "widgets" not in result.notebook.metadata


def test_a_real_flood_is_interrupted(result):
    assert result.cell("prints").error.name == "KeyboardInterrupt"
    assert result.cell("prints").seconds < 12
    assert len(result.text("prints")) < 300_000
    assert "[output truncated" in result.text("prints")


def test_one_huge_message_is_survived(result):
    assert result.cell("huge").output_truncated
    assert "[output truncated" in result.text("huge")


def test_malformed_messages_are_survived(result):
    assert result.cell("malformed").outcome == "ok"
    assert result.text("after") == "still here\n"
    assert not result.kernel_died
    assert set(result.limits()) == {"output", "output count"}
    assert (result.folder / "executed.ipynb").stat().st_size < 2_000_000
