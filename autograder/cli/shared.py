"""What all commands share: the application, options that several have, exit statuses, where they print."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

FINE = 0
NEEDS_A_PERSON = 1
CANNOT_START = 2
INTERRUPTED = 130
FILE_WIDTH = 120  # of tables that go into a file or pipe

EPILOG = """\b
Exit status:
  0    all is fine
  1    something needs a person, or mending
  2    cannot start: configuration, usage, or a file that cannot be read
  130  interrupted; what was done is kept

AUTOGRADER_DEBUG=1 shows where an error came from.
"""

app = typer.Typer(
    help="Grades deep-learning notebooks: runs them once in a sandbox, judges saved evidence many times.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Level(StrEnum):
    """Sandbox levels, as they are written on the command line."""

    warm = "warm"
    cold = "cold"
    none = "none"


CourseFolder = Annotated[
    Path, typer.Option("--course", help="Course folder: course_config.py, nbgrader's folders.", metavar="DIR")
]
Students = Annotated[list[str] | None, typer.Option("--student", help="Only this one; may be repeated.", metavar="S")]
ProfileName = Annotated[str | None, typer.Option("--profile", help="Instead of the course's default.", metavar="P")]
Sandbox = Annotated[Level | None, typer.Option("--sandbox", help="Instead of the course's; none protects nothing.")]
DemoFolder = Annotated[Path, typer.Option("--folder", help="Only a demo's own folder is replaced.", metavar="DIR")]
DemoStudents = Annotated[
    str | None, typer.Option("--students", help="Names of mutants with commas between, or all.", metavar="NAMES")
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="Run notebooks on a Dask cluster.", metavar="ADDRESS")
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Submissions at a time.", metavar="N")]


def console_for(*, stderr: bool = False) -> Console:
    """A console that guesses nothing about what it prints: no markup, no highlighting, no emoji codes."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = FILE_WIDTH
    return console


def complain(message: str) -> None:
    """One clear message on stderr, in which nothing is taken for markup or a terminal's escape sequence."""
    from autograder.tables import clean

    print(f"autograder: {clean(message, limit=4000)}", file=sys.stderr)
