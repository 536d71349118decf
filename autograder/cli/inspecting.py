"""Commands that look whether something is in order: a notebook, a machine, a course."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.shared import (
    EPILOG,
    FINE,
    NEEDS_A_PERSON,
    CourseFolder,
    app,
    console_for,
)


@app.command(epilog=EPILOG)
def validate(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="Your notebook.")],
    course: Annotated[
        Path | None, typer.Option("--course", help="Where assignments/ with the release lies.", metavar="DIR")
    ] = None,
) -> None:
    """For students: run a notebook here, on generated data, and look at its visible tests.

    The notebook runs with your own rights and without a sandbox: validate only what you wrote.
    """
    from contextlib import nullcontext

    from autograder.tables import findings_table, one_line
    from autograder.validate import validate as look_at

    console = console_for(stderr=True)
    with console.status("starting Python for the notebook") if console.is_terminal else nullcontext() as status:

        def on_cell(done: int, total: int, cell: str | None) -> None:
            if status is not None:
                status.update(f"{done} of {total} cells have run, the last: {one_line(cell or 'one of yours', 40)}")

        result = look_at(notebook, course_folder=course, on_cell=on_cell)
    console_for().print(findings_table(result.findings(), notebook.name))
    raise typer.Exit(FINE if result.is_clean else NEEDS_A_PERSON)


@app.command(epilog=EPILOG)
def doctor(course: CourseFolder = Path()) -> None:
    """Look whether this machine and this course are ready to grade; one remedy for each fault."""
    from autograder.doctor import examine
    from autograder.tables import findings_table

    findings = examine(course.resolve())
    console_for().print(findings_table(findings, "autograder doctor"))
    raise typer.Exit(NEEDS_A_PERSON if any(finding.well is False for finding in findings) else FINE)
