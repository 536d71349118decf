"""Commands that look at the quality of the grading itself: its bars, its secrets, and alike submissions."""

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
def audit(
    assignments: Annotated[list[str] | None, typer.Argument(metavar="ASSIGNMENT...", help="All if none.")] = None,
    course: CourseFolder = Path(),
    before_release: Annotated[  # noqa: FBT002
        bool, typer.Option("--before-release", help="There is no release yet; look at what it will be made of.")
    ] = False,
) -> None:
    """Look whether anything secret leaves solutions/, whether notebook, hidden tests and configuration agree, and more.

    docs/audit.md lists every rule and how to mend what it finds. Exit status 1 if something has to be mended.
    """
    from autograder.audit import audit_assignment, print_audit
    from autograder.config import load_course

    folder = course.resolve()
    configuration = load_course(folder)
    names = assignments or [assignment.name for assignment in configuration.assignments]
    for name in names:
        configuration.assignment(name)
    green = []
    for name in names:
        findings = audit_assignment(folder, configuration, name, before_release=before_release)
        green.append(print_audit(findings, console_for(), name))
    raise typer.Exit(FINE if all(green) else NEEDS_A_PERSON)


@app.command(epilog=EPILOG)
def selftest(
    assignment: AssignmentName,
    course: CourseFolder = Path(),
    generated: Annotated[int, typer.Option(min=0, help="So many mistakes made by itself.", metavar="N")] = 24,
    seed: Annotated[int | None, typer.Option(help="Another seed draws other mistakes.", metavar="S")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Where it works.", metavar="DIR")] = None,
    profile: ProfileName = "smoke",
    workers: Workers = None,
    sandbox: Sandbox = None,
    equivalent: Annotated[
        str | None, typer.Option("--equivalent", help="Remember that this mistake is none.", metavar="NAME")
    ] = None,
    because: Annotated[str, typer.Option("--because", help="Why it is none.", metavar="TEXT")] = "",
) -> None:
    """Test the hidden tests: grade the solution, demo students and generated mistakes; which check catches what?

    Runs are kept: a second call starts no kernel. Exit status 1 if a verdict is not the expected one, or if less than
    95 % of the generated mistakes lose points.
    """
    from autograder.config import load_course
    from autograder.selftest import mark_equivalent, print_selftest, run_selftest

    home = course.resolve()
    configuration = load_course(home)
    if equivalent is not None:
        mutation = mark_equivalent(home, configuration, assignment, equivalent, because)
        console_for().print(mutation.diff, markup=False)
        raise typer.Exit(FINE)
    result = run_selftest(
        home,
        configuration,
        assignment,
        console=console_for(),
        folder=folder,
        generated=generated,
        seed=seed,
        profile=profile,
        workers=workers,
        sandbox=sandbox.value if sandbox else None,
    )
    print_selftest(result, console=console_for())
    raise typer.Exit(FINE if result.is_fine else NEEDS_A_PERSON)


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
