"""The command line. Every command is thin: it reads options, calls one function, prints, and chooses an exit status.

Nothing heavy is imported before a command runs, so that `--help` answers at once. `grading` has the commands for
whoever grades, `inspecting` those that look whether something is in order, `quality` those about the grading itself,
`trying` those that make things to try out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from autograder.cli import grading, inspecting, quality, trying  # importing them registers their commands
from autograder.cli.shared import CANNOT_START, INTERRUPTED, app, complain
from autograder.errors import AutograderError

__all__ = ["app", "grading", "inspecting", "main", "quality", "trying"]
DEBUG_VARIABLE = "AUTOGRADER_DEBUG"


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point `autograder`.

    Raises:
        SystemExit: always, with one of the documented statuses.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character gets a '?', not a crash
    debug = os.environ.get(DEBUG_VARIABLE, "") not in {"", "0"}
    try:
        app(args=None if arguments is None else list(arguments), prog_name="autograder")
    except AutograderError as error:
        if debug:
            raise
        complain(str(error))
        sys.exit(CANNOT_START)
    except KeyboardInterrupt:
        complain("interrupted; what was done is kept")
        sys.exit(INTERRUPTED)
    except Exception as error:  # a fault of ours is told in one line, and found with the variable
        if debug:
            raise
        complain(f"{type(error).__name__}: {error}. This should not happen; {DEBUG_VARIABLE}=1 shows where.")
        sys.exit(CANNOT_START)
