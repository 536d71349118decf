"""Keeps a cell's outputs within their limits while they stream in."""

from __future__ import annotations

import json
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.config import Limits
from autograder.execution.channels import WIRE_BYTES
from autograder.records import LimitName

_KILOBYTE = 1024
# A cell may send this many times what is kept, for progress bars and cleared pictures, before it is stopped.
_FLOOD_FACTOR = 16
_TRACEBACK_CHARACTERS = 20_000
_SHOWN = ("stream", "display_data", "execute_result", "update_display_data", "error")


class CellOutput:
    """What one cell has put out so far, and what of it is kept.

    Attributes:
        received_bytes: the size of all outputs that the cell sent.
        reasons: why outputs were left out, in words; empty if all were kept.
        exceeded: the limits that outputs were left out for.
        flood: the limit that the cell has exceeded absurdly, so that it has to be stopped; None before.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.received_bytes = 0
        self.reasons: list[str] = []
        self.exceeded: list[LimitName] = []
        self.flood: LimitName | None = None
        self._messages = 0
        self._wire_bytes = 0
        self._room = limits.cell_output_kb * _KILOBYTE
        self._outputs = 0
        self._images = 0

    def cleared(self) -> None:
        """The cell has cleared its outputs: what was kept counts no more."""
        self._room = self.limits.cell_output_kb * _KILOBYTE
        self._outputs = self._images = 0

    def admit(self, message: dict[str, Any], outputs: list[NotebookNode]) -> bool:
        """Whether to keep a message; shortens it to what fits, and says in `outputs` when something is left out."""
        kind, content = message["msg_type"], message["content"]
        size = int(message.get(WIRE_BYTES, 0))
        self._wire_bytes += size
        self._messages += 1
        self._look_for_flood()
        if kind not in _SHOWN:
            return size <= self._whole
        self.received_bytes += len(content["text"]) if kind == "stream" and "text" in content else size
        if kind == "error":
            _shorten_error(content)
            return True
        if kind == "stream":
            return self._admit_text(content, outputs)
        if self._outputs >= self.limits.cell_output_messages:
            return self._leave_out(f"more than {self.limits.cell_output_messages} outputs", outputs, "output count")
        return self._admit_display(content, outputs, replaces=kind == "update_display_data")

    def lose(self, reason: str, outputs: list[NotebookNode]) -> None:
        """Say that outputs are missing for a reason that lies outside of this account."""
        self._leave_out(reason, outputs)

    @property
    def _whole(self) -> int:
        return self.limits.cell_output_kb * _KILOBYTE

    def _look_for_flood(self) -> None:
        pictures = self.limits.cell_images * self.limits.image_kb * _KILOBYTE
        if self._wire_bytes > _FLOOD_FACTOR * self._whole + pictures:
            self.flood = "output"
        elif self._messages > _FLOOD_FACTOR * self.limits.cell_output_messages:
            self.flood = "output count"

    def _admit_text(self, content: dict[str, Any], outputs: list[NotebookNode]) -> bool:
        text = str(content.get("text", ""))
        name = "stderr" if content.get("name") == "stderr" else "stdout"
        last = outputs[-1] if outputs and outputs[-1].output_type == "stream" and outputs[-1].name == name else None
        if last is None and self._outputs >= self.limits.cell_output_messages:
            return self._leave_out(f"more than {self.limits.cell_output_messages} outputs", outputs, "output count")
        before = last.text if last is not None else ""
        merged = _without_overwritten(before, text)
        allowed = len(before) + self._room
        kept, cut = merged[:allowed], len(merged) > allowed
        self._room = allowed - len(kept)
        if last is None:
            outputs.append(new_output("stream", name=name, text=kept))
            self._outputs += 1
        else:
            last.text = kept
        if cut:
            self._leave_out(f"more than {self.limits.cell_output_kb} kB", outputs)
        return False  # it is already in its place

    def _admit_display(self, content: dict[str, Any], outputs: list[NotebookNode], *, replaces: bool) -> bool:
        data = content.get("data")
        if not isinstance(data, dict):
            return False
        images = [mime for mime in data if str(mime).startswith("image/")]
        picture_bytes = sum(len(str(data[mime])) * 3 // 4 for mime in images)
        other_bytes = len(json.dumps({mime: value for mime, value in data.items() if mime not in images}, default=str))
        if images and picture_bytes > self.limits.image_kb * _KILOBYTE:
            return self._leave_out(f"a picture of more than {self.limits.image_kb} kB", outputs)
        if images and self._images >= self.limits.cell_images and not replaces:
            return self._leave_out(f"more than {self.limits.cell_images} pictures", outputs, "output count")
        if other_bytes > self._room:
            return self._leave_out(f"more than {self.limits.cell_output_kb} kB", outputs)
        if not replaces:
            self._room -= other_bytes
            self._outputs += 1
            self._images += bool(images)
        return True

    def _leave_out(self, reason: str, outputs: list[NotebookNode], limit: LimitName = "output") -> bool:
        if limit not in self.exceeded:
            self.exceeded.append(limit)
        if reason not in self.reasons:
            self.reasons.append(reason)
            outputs.append(new_output("stream", name="stdout", text=f"[output truncated: {reason}]\n"))
        return False


def trim(cell: NotebookNode, limits: Limits) -> bool:
    """Cut a finished cell's outputs to what their limits allow; True if anything was cut.

    Updates of displays reach the outputs of cells that have ended, so their sum is taken once more at the end.
    """
    allowed = 2 * (limits.cell_output_kb + limits.cell_images * limits.image_kb) * _KILOBYTE
    kept: list[NotebookNode] = []
    for output in cell.outputs:
        allowed -= len(json.dumps(output, default=str))
        if allowed < 0:
            kept.append(new_output("stream", name="stdout", text="[output truncated: too much in all]\n"))
            cell.outputs = kept
            return True
        kept.append(output)
    return False


def _without_overwritten(before: str, text: str) -> str:
    """Both joined, carriage returns taken as a terminal takes them: what follows one replaces its line."""
    start = before.rfind("\n") + 1
    lines = (before[start:] + text).split("\n")
    return before[:start] + "\n".join(_last_written(line) if "\r" in line else line for line in lines)


def _last_written(line: str) -> str:
    """What is seen of a line in the end. A carriage return at its end waits for what comes next."""
    body = line.rstrip("\r")
    return body[body.rfind("\r") + 1 :] + "\r" * (body != line)


def _shorten_error(content: dict[str, Any]) -> None:
    """Bound the parts of an error message in place, keeping the end of the traceback."""
    content["ename"] = str(content.get("ename", ""))[:200]
    content["evalue"] = str(content.get("evalue", ""))[:_TRACEBACK_CHARACTERS]
    lines, room = [], _TRACEBACK_CHARACTERS
    traceback = content.get("traceback")
    for line in reversed(traceback if isinstance(traceback, list) else []):
        lines.append(str(line)[-room:])
        room -= len(lines[-1])
        if room <= 0:
            break
    content["traceback"] = lines[::-1]
