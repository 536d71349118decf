"""A student's exception as data: its class, its message, and the line of the notebook that it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autograder.records import CellError

_MESSAGE_CHARACTERS = 500
_SOURCE_CHARACTERS = 160
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# "Cell In[3], line 2" (IPython 8.7 and later), "Input In [3], in <cell line: 2>()" (before)
_PLACE = re.compile(r"(?:Cell|Input) In ?\[(\d+)\], (?:line |in <cell line: )(\d+)")


def cell_error(content: Mapping[str, Any], sources: Mapping[int, str]) -> CellError:
    """The error in an `error` message or an execute reply.

    Args:
        content: with `ename`, `evalue` and `traceback`; written by the kernel, so anything may be missing.
        sources: the source of the notebook's cells by execution count; the deepest frame in one of them is the place.
    """
    traceback = content.get("traceback")
    text = _plain("\n".join(str(line) for line in traceback[-40:])) if isinstance(traceback, list) else ""
    line, source = _place(text, sources)
    return CellError(
        name=_plain(str(content.get("ename", "Error")))[:100],
        message=shorten(_plain(str(content.get("evalue", ""))), _MESSAGE_CHARACTERS),
        line=line,
        source=source,
    )


def shorten(text: str, length: int) -> str:
    """A text of at most `length` characters; what is cut shows as dots."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _plain(text: str) -> str:
    return _ANSI.sub("", text)


def _place(traceback: str, sources: Mapping[int, str]) -> tuple[int | None, str | None]:
    for count, line in reversed(_PLACE.findall(traceback)):
        lines = sources.get(int(count[:9]), "").splitlines()
        number = int(line[:9])
        if 1 <= number <= len(lines):
            return number, shorten(lines[number - 1].strip(), _SOURCE_CHARACTERS)
    return None, None
