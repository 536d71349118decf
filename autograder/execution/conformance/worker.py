"""A grader's worker in a process of its own, so that a test can kill it: runs one notebook in one sandbox.

    python -m autograder.execution.conformance.worker SANDBOX FOLDER

`FOLDER/cells.json` holds the cells by name; results go where `execute` puts them, into FOLDER. After the cell `pause`
the worker makes `FOLDER/paused` and waits until there is `FOLDER/go`, so that what is there can be looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from autograder.execution.conformance.attempts import make_plan
from autograder.execution.conformance.sandboxes import load_sandbox

PAUSE = "pause"
_CELLS = "cells.json"
_SECONDS = 1200  # a worker runs until its test ends it


class Worker:
    """One worker, from its start to its end.

    Args:
        spec: the sandbox, as on the command line.
        folder: for the results; it is made.
        cells: sources by name, one of them `pause`.
        temporary: the folder for temporary files.
    """

    def __init__(self, spec: str, folder: Path, cells: Mapping[str, str], temporary: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        (folder / _CELLS).write_text(json.dumps(dict(cells)), encoding="utf-8")
        path = os.pathsep.join(part for part in sys.path if part)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, spec, str(folder)],
                env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def has_paused(self) -> bool:
        """Whether the worker waits after the cell `pause`.

        Raises:
            AssertionError: it has ended before.
        """
        said = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        assert self.process.poll() is None, f"the worker ended before it was to be ended: {said[-500:]}"
        return (self._folder / "paused").exists()

    def go_on(self) -> None:
        """Let the worker run the cells after `pause`."""
        (self._folder / "go").touch()

    def kill(self) -> None:
        """End the worker by SIGKILL, if it has not ended."""
        self.process.kill()
        self.process.wait()


def main() -> None:
    """Run what the command line names."""
    spec, name = sys.argv[1:]
    folder = Path(name)
    cells = json.loads((folder / _CELLS).read_text(encoding="utf-8"))

    def on_cell(_done: int, _total: int, cell: str | None) -> None:
        if cell == PAUSE:
            (folder / "paused").touch()
            while not (folder / "go").exists():
                time.sleep(0.02)

    plan = make_plan(cells, cell_seconds=_SECONDS, run_seconds=_SECONDS)
    load_sandbox(spec).execute(plan, folder, on_cell=on_cell)


if __name__ == "__main__":
    main()
