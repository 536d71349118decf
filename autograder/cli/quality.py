"""Commands that look at the quality of the grading itself: its bars, and submissions that are too much alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.shared import (
    EPILOG,
    FINE,
    NEEDS_A_PERSON,
    CourseFolder,
    ProfileName,
    Sandbox,
    Workers,
    app,
    console_for,
)

AssignmentName = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Name of an assignment.")]


@app.command(epilog=EPILOG)
def calibrate(
    assignment: AssignmentName,
    course: CourseFolder = Path(),
    profile: ProfileName = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each notebook; two share their data.", metavar="N")] = 4,
    keep: Annotated[bool, typer.Option("--keep", help="Leave calibration.json as it is.")] = False,  # noqa: FBT002
    workers: Workers = None,
    sandbox: Sandbox = None,
) -> None:
    """Train what deserves to pass and what does not over several seeds, choose bars, and say how often they err.

    Writes solutions/ASSIGNMENT/calibration.json, where hidden tests read their bars, and a page beside the runs. Runs
    are kept: a call that was stopped goes on, and more seeds cost only what is new.
    """
    from datetime import UTC, datetime

    from autograder.calibration import calibrate_assignment
    from autograder.config import load_course

    folder = course.resolve()
    trials, _ = calibrate_assignment(
        folder,
        load_course(folder),
        assignment,
        seeds=seeds,
        date=datetime.now(UTC).date().isoformat(),
        console=console_for(),
        profile=profile,
        workers=workers,
        sandbox=sandbox.value if sandbox else None,
        keep=keep,
    )
    raise typer.Exit(NEEDS_A_PERSON if trials.problems else FINE)


@app.command(epilog=EPILOG)
def similarity(
    assignment: AssignmentName,
    course: CourseFolder = Path(),
    top: Annotated[int, typer.Option(min=1, help="So many pairs side by side on the page.", metavar="N")] = 20,
) -> None:
    """List pairs of submissions that are alike beyond the release and common answers. It accuses nobody.

    The page reports/ASSIGNMENT/similarity.html shows them side by side. Exit status 1 if a notebook cannot be read.
    """
    from autograder.config import load_course
    from autograder.similarity import Settings, print_similarities, similar_pairs, write_similarity_page

    folder = course.resolve()
    found = similar_pairs(folder, load_course(folder), assignment, settings=Settings(top=top))
    print_similarities(found, write_similarity_page(folder, found), console=console_for())
    raise typer.Exit(NEEDS_A_PERSON if found.problems else FINE)
