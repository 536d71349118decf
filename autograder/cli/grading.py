"""Commands for whoever grades: grade a class, look at what came of it, keep the store in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.shared import (
    EPILOG,
    FINE,
    INTERRUPTED,
    NEEDS_A_PERSON,
    CourseFolder,
    ProfileName,
    Sandbox,
    Scheduler,
    Students,
    Workers,
    app,
    complain,
    console_for,
)

if TYPE_CHECKING:
    from autograder.records import Report


@app.command(epilog=EPILOG)
def grade(
    assignments: Annotated[list[str], typer.Argument(metavar="ASSIGNMENT...", help="Names of assignments.")],
    course: CourseFolder = Path(),
    student: Students = None,
    profile: ProfileName = None,
    sandbox: Sandbox = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    yes: Annotated[bool, typer.Option("--yes", help="Publish changed marks without asking.")] = False,  # noqa: FBT002
    plan: Annotated[bool, typer.Option("--plan", help="Only tell what would be done, and why.")] = False,  # noqa: FBT002
    as_json: Annotated[bool, typer.Option("--json", help="Progress as JSON lines on stderr.")] = False,  # noqa: FBT002
    no_gradebook: Annotated[bool, typer.Option("--no-gradebook", help="Leave nbgrader's gradebook as it is.")] = False,  # noqa: FBT002
) -> None:
    """Grade what was handed in: run, judge, write reports and feedback, and fill the gradebook.

    What is still right is not done again: a submission that was run before under the same conditions is judged from
    its stored run, by those hidden tests that have changed. A published mark whose submission has not changed changes
    only when somebody says so: at the terminal, or with --yes.
    """
    from autograder.config import load_course
    from autograder.marking import mark_class, print_batch, print_plan

    folder = course.resolve()
    configuration = load_course(folder)
    for name in assignments:  # a misspelt second name is told before the first is graded
        configuration.assignment(name)
    if plan:
        for name in assignments:
            print_plan(
                folder, configuration, name, student, profile, sandbox.value if sandbox else None, console=console_for()
            )
        raise typer.Exit(FINE)
    status = FINE
    for name in assignments:
        batch = mark_class(
            folder,
            configuration,
            name,
            console=console_for(stderr=True),
            students=student,
            profile=profile,
            sandbox=sandbox.value if sandbox else None,
            workers=workers,
            scheduler=scheduler,
            gradebook=not no_gradebook,
            yes=yes,
            as_json=as_json,
        )
        print_batch(batch, configuration, course_folder=folder, console=console_for())
        if batch.interrupted:
            raise typer.Exit(INTERRUPTED)
        status = status if batch.is_clean else NEEDS_A_PERSON
    raise typer.Exit(status)


@app.command(epilog=EPILOG)
def report(
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Name of an assignment.")],
    course: CourseFolder = Path(),
    student: Annotated[str | None, typer.Option("--student", help="One student's questions.", metavar="S")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The stored reports as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Show stored reports: the class, or one student. Grades nothing."""
    from autograder import store
    from autograder.batch import read_reports
    from autograder.config import load_course
    from autograder.errors import ReportError
    from autograder.tables import class_table, legend, plain, points_text, question_legend, student_table

    folder, console = course.resolve(), console_for()
    title = load_course(folder).assignment(assignment).title
    problems: list[str] = []
    found: Sequence[Report]
    if student is not None:
        found = [store.read_report(folder, assignment, student)]
    else:
        found, problems = read_reports(folder, assignment)
    if not found and not problems:
        raise ReportError(f"There are no reports yet; make them: autograder grade {assignment}. Received: {folder}")
    if as_json:
        documents = [entry.model_dump(mode="json") for entry in found]
        print(json.dumps(documents[0] if student is not None else documents, indent=1))
    elif student is not None:
        console.print(plain(f"{student}: {points_text(found[0].score)} of {points_text(found[0].assessed_max_score)}"))
        console.print(plain("\n".join([found[0].problem, *found[0].repairs]).strip(), "yellow"))
        console.print(student_table(found[0]))
        console.print(legend())
    else:
        console.print(class_table(found, f"{assignment}: {title}"))
        console.print(question_legend(found[0]))
        console.print(legend())
    for problem in problems:
        complain(problem)
    well = not problems and all(entry.status == "graded" for entry in found)
    raise typer.Exit(FINE if well else NEEDS_A_PERSON)


@app.command(epilog=EPILOG)
def show(
    student: Annotated[str, typer.Argument(metavar="STUDENT", help="The student's id.")],
    assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Name of an assignment.")],
    course: CourseFolder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON, complete.")] = False,  # noqa: FBT002
) -> None:
    """Look into one submission: cells, limits, devices, checks, evidence, the history of its mark. Runs nothing."""
    from autograder.config import load_course
    from autograder.dossier import look_into, print_dossier

    folder = course.resolve()
    title = load_course(folder).assignment(assignment).title
    dossier = look_into(folder, assignment, student)
    if as_json:
        print(dossier.to_json())
    else:
        print_dossier(dossier, title, console=console_for())
    raise typer.Exit(FINE if dossier.report.status == "graded" else NEEDS_A_PERSON)


@app.command(epilog=EPILOG)
def store(
    course: CourseFolder = Path(),
    clean: Annotated[bool, typer.Option("--gc", help="Remove runs that no report rests on.")] = False,  # noqa: FBT002
    max_gb: Annotated[
        float | None, typer.Option("--max-gb", min=0, help="Only what is above this.", metavar="N")
    ] = None,
    max_days: Annotated[
        float | None, typer.Option("--max-days", min=0, help="Only what was not used for so long.", metavar="N")
    ] = None,
) -> None:
    """Show what stored runs take, and reclaim it. Runs that published reports rest on are never removed."""
    from autograder.config import load_course
    from autograder.marking import print_store

    folder = course.resolve()
    configuration = load_course(folder)
    print_store(folder, configuration, remove=clean, max_gb=max_gb, max_days=max_days, console=console_for())
