"""The command line. Every command is thin: it reads options, calls one function, prints, and chooses an exit status.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.errors import AutograderError

if TYPE_CHECKING:
    from rich.console import Console

FINE = 0
NEEDS_A_PERSON = 1
CANNOT_START = 2
INTERRUPTED = 130
FILE_WIDTH = 120  # of tables that go into a file or pipe
DEBUG_VARIABLE = "AUTOGRADER_DEBUG"

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
                folder, configuration, name, student, profile, sandbox.value if sandbox else None, console=_console()
            )
        raise typer.Exit(FINE)
    status = FINE
    for name in assignments:
        batch = mark_class(
            folder,
            configuration,
            name,
            console=_console(stderr=True),
            students=student,
            profile=profile,
            sandbox=sandbox.value if sandbox else None,
            workers=workers,
            scheduler=scheduler,
            gradebook=not no_gradebook,
            yes=yes,
            as_json=as_json,
        )
        print_batch(batch, configuration, console=_console())
        if batch.interrupted:
            raise typer.Exit(INTERRUPTED)
        status = status if batch.is_clean else NEEDS_A_PERSON
    raise typer.Exit(status)


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
    print_store(folder, configuration, remove=clean, max_gb=max_gb, max_days=max_days, console=_console())


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
        console=_console(),
        assignments=assignment,
        names=names,
        profile=profile,
        sandbox=sandbox.value if sandbox else None,
        workers=workers,
    )
    raise typer.Exit(FINE if fine else NEEDS_A_PERSON)


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

    console = _console(stderr=True)
    with console.status("starting Python for the notebook") if console.is_terminal else nullcontext() as status:

        def on_cell(done: int, total: int, cell: str | None) -> None:
            if status is not None:
                status.update(f"{done} of {total} cells have run, the last: {one_line(cell or 'one of yours', 40)}")

        result = look_at(notebook, course_folder=course, on_cell=on_cell)
    _console().print(findings_table(result.findings(), notebook.name))
    raise typer.Exit(FINE if result.is_clean else NEEDS_A_PERSON)


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

    folder, console = course.resolve(), _console()
    title = load_course(folder).assignment(assignment).title
    problems: list[str] = []
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
        _complain(problem)
    well = not problems and all(entry.status == "graded" for entry in found)
    raise typer.Exit(FINE if well else NEEDS_A_PERSON)


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
    console = _console()
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


@app.command(epilog=EPILOG)
def doctor(course: CourseFolder = Path()) -> None:
    """Look whether this machine and this course are ready to grade; one remedy for each fault."""
    from autograder.doctor import examine
    from autograder.tables import findings_table

    findings = examine(course.resolve())
    _console().print(findings_table(findings, "autograder doctor"))
    raise typer.Exit(NEEDS_A_PERSON if any(finding.well is False for finding in findings) else FINE)


def _console(*, stderr: bool = False) -> Console:
    """A console that guesses nothing about what it prints: no markup, no highlighting, no emoji codes."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = FILE_WIDTH
    return console


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
        _complain(str(error))
        sys.exit(CANNOT_START)
    except KeyboardInterrupt:
        _complain("interrupted; what was done is kept")
        sys.exit(INTERRUPTED)
    except Exception as error:  # a fault of ours is told in one line, and found with the variable
        if debug:
            raise
        _complain(f"{type(error).__name__}: {error}. This should not happen; {DEBUG_VARIABLE}=1 shows where.")
        sys.exit(CANNOT_START)


def _complain(message: str) -> None:
    """One clear message on stderr, in which nothing is taken for markup or a terminal's escape sequence."""
    from autograder.tables import clean

    print(f"autograder: {clean(message, limit=4000)}", file=sys.stderr)
