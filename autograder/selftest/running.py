"""A self-test from beginning to end: mutants handed in, graded as any others, and looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from autograder import atomic
from autograder.batch import Batch
from autograder.config import Assignment, Course
from autograder.errors import MutantError
from autograder.mutants import Mutant, apply_mutant, read_mutants
from autograder.records import Report, SandboxLevel
from autograder.selftest.cells import solution_cells
from autograder.selftest.equivalents import add_equivalent, equivalents_file, lapsed, read_equivalents
from autograder.selftest.mutations import Mutation, choose, generate
from autograder.selftest.outcomes import Kind, SelfTest, idle_checks, row_of, wilson
from autograder.store import STATE_FOLDER
from autograder.trial_course import (
    TrialStudent,
    grade_trial,
    hand_in,
    judged_questions,
    read_release,
    read_source,
    refresh_course,
    withdraw_others,
)

COMMAND: Final = "selftest"
SOLUTION: Final = "solution"
RESULT_FILE: Final = "selftest.json"
GENERATED: Final = 24


@dataclass(frozen=True)
class _Plan:
    """Who is handed in, and what was left out."""

    mutants: tuple[tuple[Kind, Mutant], ...]
    generated: tuple[Mutation, ...]
    equivalent: int
    lapsed: tuple[str, ...]
    possible: int
    problems: tuple[str, ...]


def selftest_folder(course_folder: Path, name: str) -> Path:
    """Where the self-test of an assignment keeps its course, unless it is told another place."""
    return course_folder / STATE_FOLDER / COMMAND / name


def run_selftest(
    course_folder: Path,
    course: Course,
    name: str,
    *,
    console: Console,
    folder: Path | None = None,
    generated: int = GENERATED,
    seed: int | None = None,
    profile: str | None = None,
    workers: int | None = None,
    sandbox: SandboxLevel | None = None,
) -> SelfTest:
    """Grade the solution, the demo students and generated mutants of an assignment, and compare.

    Runs are stored: what has been graded once under the same conditions is not run again, and an interrupted
    self-test goes on where it stopped.

    Args:
        course_folder: of the course.
        course: its configuration.
        name: of the assignment.
        console: where progress is shown.
        folder: of the self-test's own course; by default beneath the course's state.
        generated: how many mutants to generate; a larger number contains the mutants of every smaller one.
        seed: of the choice among mutants; by default the course's.
        profile: instead of the course's default profile.
        workers: how many submissions run at a time.
        sandbox: instead of the course's sandbox level.

    Raises:
        AutograderError: the self-test could not be made or graded.
        KeyboardInterrupt: somebody stopped it; what is done is kept.
    """
    assignment = course.assignment(name)
    folder = folder or selftest_folder(course_folder, name)
    seed = course.seed if seed is None else seed
    plan = _plan(course_folder, assignment, generated, seed)
    trial = refresh_course(course_folder, course, name, folder, command=COMMAND)
    students = _students(plan, read_release(folder, name), read_source(folder, name))
    withdraw_others(folder, name, students)
    hand_in(folder, assignment, students, apart=timedelta(0))
    batch = grade_trial(folder, trial, name, console=console, profile=profile, sandbox=sandbox, workers=workers)
    if batch.interrupted:
        raise KeyboardInterrupt
    result = _assess(plan, batch, assignment, seed, profile or course.default_profile)
    atomic.write(folder / RESULT_FILE, json.dumps(result.document(), indent=1, ensure_ascii=False) + "\n")
    return result


def mark_equivalent(course_folder: Path, course: Course, assignment: str, name: str, because: str) -> Mutation:
    """Remember that a generated mutant behaves like the solution on every input, and is no mistake.

    Returns:
        The mutant.

    Raises:
        MutantError: there is no such mutant, or no reason was given.
    """
    cells = solution_cells(read_source(course_folder, assignment), course.assignment(assignment))
    mutations, _ = generate(cells)
    found = next((mutation for mutation in mutations if mutation.name == name), None)
    if found is None:
        question = name.rpartition("@")[2].partition(":")[0]
        others = [mutation.name for mutation in mutations if mutation.question == question]
        known = f"of {question} there are: {', '.join(others)}" if others else "look at the self-test's table"
        raise MutantError(f"{assignment} has no such generated mutant; {known}. Received: {name}")
    add_equivalent(equivalents_file(course_folder, assignment), found, because)
    return found


def _plan(course_folder: Path, assignment: Assignment, count: int, seed: int) -> _Plan:
    home = course_folder / "solutions" / assignment.name
    written = read_mutants(home / "mutants") if any((home / "mutants").glob("*.py")) else []
    mutations, problems = generate(solution_cells(read_source(course_folder, assignment.name), assignment))
    known = read_equivalents(equivalents_file(course_folder, assignment.name))
    # Drawn before the equivalent ones are taken out: to mark one brings no new one in its place.
    drawn = choose(mutations, count, seed)
    chosen = tuple(mutation for mutation in drawn if mutation.digest not in known)
    solution = Mutant(SOLUTION, "The reference solution", {}, right=True, cells={})
    return _Plan(
        mutants=(
            (SOLUTION, solution),
            *(("right", mutant) for mutant in written if mutant.right),
            *(("wrong", mutant) for mutant in written if not mutant.right),
        ),
        generated=chosen,
        equivalent=len(drawn) - len(chosen),
        lapsed=tuple(f"{entry.name} ({entry.because})" for entry in lapsed(known, mutations)),
        possible=sum(mutation.digest not in known for mutation in mutations),
        problems=tuple(problems),
    )


def _students(plan: _Plan, release: NotebookNode, source: NotebookNode) -> list[TrialStudent]:
    mutants = [*(mutant for _, mutant in plan.mutants), *(mutation.as_mutant() for mutation in plan.generated)]
    return [
        TrialStudent(
            mutant.name,
            mutant.name,
            mutant.headline,
            mutant.expected,
            nbformat.writes(apply_mutant(release, source, mutant)),
        )
        for mutant in mutants
    ]


def _assess(plan: _Plan, batch: Batch, assignment: Assignment, seed: int, profile: str) -> SelfTest:
    reports = {report.student: report for report in batch.reports if report.student not in batch.ungraded}
    solution = reports.get(SOLUTION)
    questions = judged_questions(assignment)
    rows = [
        row_of(
            mutant.name,
            kind,
            mutant.headline,
            mutant.expected,
            reports.get(mutant.name),
            solution=solution,
            questions=questions,
        )
        for kind, mutant in plan.mutants
    ]
    rows += [
        row_of(each.name, "generated", each.diff, {}, reports.get(each.name), solution=solution, questions=questions)
        for each in plan.generated
    ]
    surviving = {row.name for row in rows if row.survives}
    killed = sum(row.kind == "generated" and bool(row.lost) for row in rows)
    never, together = _idle(plan, reports, questions)
    ungraded = [f"{row.name} was not graded: {row.problem}" for row in rows if not row.got]
    return SelfTest(
        assignment=assignment.name,
        profile=profile,
        seed=seed,
        questions=tuple(questions),
        rows=tuple(rows),
        never_fail=tuple(never),
        only_with_all=tuple(together),
        without_mutant=tuple(_without_mutant(plan, questions)),
        survivors=tuple(each for each in plan.generated if each.name in surviving),
        equivalent=plan.equivalent,
        lapsed=plan.lapsed,
        possible=plan.possible,
        interval=wilson(killed, killed + len(surviving)),
        problems=(*plan.problems, *batch.problems, *ungraded),
    )


def _idle(plan: _Plan, reports: Mapping[str, Report], questions: Sequence[str]) -> tuple[list[str], list[str]]:
    solution = reports.get(SOLUTION)
    if solution is None:
        return [], []
    names = [mutant.name for kind, mutant in plan.mutants if kind == "wrong"]
    names += [mutation.name for mutation in plan.generated]
    return idle_checks(solution, [reports[name] for name in names if name in reports], questions)


def _without_mutant(plan: _Plan, questions: Sequence[str]) -> list[str]:
    lost = {question for _, mutant in plan.mutants for question, outcome in mutant.expected.items()}
    return [question for question in questions if question not in lost]
