"""Commands that make things to try out: a whole course of generated students, and data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.shared import (
    EPILOG,
    FINE,
    NEEDS_A_PERSON,
    CourseFolder,
    DemoFolder,
    DemoStudents,
    ProfileName,
    Sandbox,
    Workers,
    app,
    console_for,
)


@app.command(epilog=EPILOG)
def demo(
    folder: DemoFolder = Path("demo-course"),
    course: CourseFolder = Path(),
    profile: ProfileName = "smoke",
    sandbox: Sandbox = None,
    workers: Workers = None,
    assignment: Annotated[
        list[str] | None, typer.Option("--assignment", help="Only this one; may be repeated.", metavar="NAME")
    ] = None,
    students: DemoStudents = None,
) -> None:
    """Build a course with generated students whose mistakes are known, grade it, and compare.

    Exit status 1 if a verdict is not the expected one.
    """
    from autograder.demo import run_demo

    names = [name.strip() for name in students.split(",") if name.strip()] if students else None
    fine = run_demo(
        course.resolve(),
        folder.resolve(),
        console=console_for(),
        assignments=assignment,
        names=names,
        profile=profile,
        sandbox=sandbox.value if sandbox else None,
        workers=workers,
    )
    raise typer.Exit(FINE if fine else NEEDS_A_PERSON)


@app.command(epilog=EPILOG)
def data(
    source: Annotated[str, typer.Argument(metavar="[jena|reviews|scenes]", help="Which data to write.")] = "jena",
    course: CourseFolder = Path(),
    output: Annotated[Path | None, typer.Option("--output", help="Write generated data here.", metavar="FILE")] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="So many steps of ten minutes, reviews or scenes.", metavar="N")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives other data.", metavar="S")] = 7,
) -> None:
    """Write generated data to a file, or show which data grading uses."""
    from autograder.data import GENERATORS

    if source not in GENERATORS:
        raise typer.BadParameter(f"there is only: {', '.join(GENERATORS)}. Received: {source}")
    console = console_for()
    if output is not None:
        from autograder.tables import plain

        generator = GENERATORS[source]
        count = generator.rows if rows is None else rows
        written = generator.write(output, count, seed)
        console.print(plain(f"{count:,} {generator.what}, seed {seed}: {written}"), soft_wrap=True)
        return
    from autograder.config import load_course
    from autograder.grading import prepare_data
    from autograder.tables import data_table

    folder = course.resolve()
    for assignment in load_course(folder).assignments:
        if assignment.data is not None:
            used = {name: prepare_data(folder, assignment, name) for name in sorted(assignment.profiles)}
            console.print(data_table({name: kept for name, kept in used.items() if kept is not None}, assignment.name))
