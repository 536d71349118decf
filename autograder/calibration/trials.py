"""Runs honest notebooks over seeds, through the grading and store of any submission, and reads what came of it.

Two runs after each other share their data and differ in the seed of their training, so that what luck does can be told
from what the data do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console

from autograder import store
from autograder.calibration.models import Models, honest_notebooks, read_models
from autograder.config import Course
from autograder.grading import prepare_setting
from autograder.mutants import read_mutants
from autograder.records import Report, SandboxLevel
from autograder.reporting import environment
from autograder.trial_course import (
    TrialStudent,
    grade_trial,
    hand_in,
    read_release,
    read_source,
    refresh_course,
    withdraw_others,
)

COMMAND = "calibrate"
FIRST_SEED = 500_000  # no seed that a course is likely to grade with
SEEDS_PER_DATA = 2
ANSWERED_DATA_SETS = 20  # answers need no kernel, so they are asked for on more data than notebooks


@dataclass(frozen=True)
class Result:
    """One measured result.

    Attributes:
        model: name of the notebook, or of the answer that needed none.
        honest: whether it deserves to pass.
        value: None where an honest notebook failed before it could be measured.
        bar: what it was compared with.
        data: number of the data set; results of one model on one data set differ by luck alone.
    """

    model: str
    honest: bool
    question: str
    check: str
    value: float | None
    bar: float | None
    data: int


@dataclass(frozen=True)
class Trials:
    """All that was measured, and under what.

    Attributes:
        curves: for each question with a picture of training curves, the solution's validation losses, epoch by epoch.
        problems: what went wrong with a notebook that deserves to pass, a sentence each.
    """

    profile: str
    origin: str
    seeds: int
    results: tuple[Result, ...]
    curves: Mapping[str, tuple[tuple[float, ...], ...]]
    problems: tuple[str, ...]
    how: Mapping[str, object]
    models: Models


def run_trials(
    source: Path,
    course: Course,
    name: str,
    folder: Path,
    *,
    seeds: int,
    console: Console,
    profile: str | None = None,
    workers: int | None = None,
    sandbox: SandboxLevel | None = None,
) -> Trials:
    """Run every honest notebook with so many seeds; what was run before under the same conditions is taken as it is.

    Raises:
        AutograderError: nothing can be graded.
    """
    trial = refresh_course(source, course, name, folder, command=COMMAND)
    solution = folder / "solutions" / name
    (solution / "calibration.json").unlink(missing_ok=True)  # results must not depend on the calibration before
    models = read_models(solution)
    notebooks = honest_notebooks(
        read_release(folder, name), read_source(folder, name), read_mutants(solution / "mutants"), models
    )
    students = _students(notebooks)
    assignment = trial.assignment(name)
    withdraw_others(folder, name, students)
    hand_in(folder, assignment, students)
    results: list[Result] = []
    curves: dict[str, list[tuple[float, ...]]] = {}
    problems: list[tuple[str, str]] = []
    for number in range(seeds):
        here = _seeded(trial, name, number)
        batch = grade_trial(folder, here, name, console=console, profile=profile, workers=workers, sandbox=sandbox)
        if batch.interrupted:
            raise KeyboardInterrupt
        setting = prepare_setting(folder, here, name, profile=profile, sandbox=sandbox)
        for student in students:
            report = store.read_report(folder, name, student.student)
            results += _measured(report, student.name, number // SEEDS_PER_DATA)
            problems += _problems(report, student.name, setting.seed)
            if student is students[0]:
                _keep_curves(report, curves)
    results += _answers(models, folder, trial, name, profile=profile, sandbox=sandbox)
    return Trials(
        profile=setting.profile_name,
        origin=setting.data.origin if setting.data else "generated",
        seeds=seeds,
        results=tuple(results),
        curves={question: tuple(found) for question, found in sorted(curves.items())},
        problems=tuple(told for question, told in problems if question in {"", *(each.question for each in results)}),
        how={
            "seeds": seeds,
            "first_seed": FIRST_SEED,
            "notebooks": list(notebooks),
            "parameters": dict(setting.profile.parameters),
            "data": setting.data.description if setting.data else "made by the hidden tests",
            "environment": dict(environment()),
        },
        models=models,
    )


def _students(notebooks: Mapping[str, NotebookNode]) -> list[TrialStudent]:
    return [
        TrialStudent(f"student-{number:02d}", name, "", {}, nbformat.writes(notebook))
        for number, (name, notebook) in enumerate(notebooks.items(), 1)
    ]


def _seeded(course: Course, name: str, number: int) -> Course:
    """The course with the seeds of one round: each submission runs once, on other data every other round."""
    assignment = course.assignment(name)
    if assignment.data is not None:
        data = assignment.data.model_copy(update={"seed": FIRST_SEED + number // SEEDS_PER_DATA})
        assignment = assignment.model_copy(update={"data": data})
    return course.model_copy(
        update={"assignments": (assignment,), "seed": FIRST_SEED + number, "retrainings": 0, "store_gb": None}
    )


def _measured(report: Report, model: str, data: int) -> list[Result]:
    return [
        Result(model, True, question.id, check.name, check.measure.values[0], check.measure.bar, data)
        for question in report.questions
        for check in question.checks
        if check.measure is not None
    ]


def _answers(
    models: Models, folder: Path, course: Course, name: str, *, profile: str | None, sandbox: SandboxLevel | None
) -> list[Result]:
    """What needs no notebook, on many data sets; on one, where another seed gives the same data."""
    results: list[Result] = []
    seen: set[str] = set()
    for number in range(ANSWERED_DATA_SETS):
        here = _seeded(course, name, SEEDS_PER_DATA * number)
        setting = prepare_setting(folder, here, name, profile=profile, sandbox=sandbox)
        if setting.data is not None and setting.data.public_sha256 in seen:
            break
        seen |= {setting.data.public_sha256} if setting.data else set()
        results += [
            Result(each.model, each.honest, each.question, each.check, float(each.value), None, number)
            for each in models.answers(setting.hidden_tests, setting.materials, FIRST_SEED + number)
        ]
    return results


def _problems(report: Report, model: str, seed: int) -> list[tuple[str, str]]:
    """What an honest notebook failed for another reason than a measured result: the question, and a sentence."""
    found = [("", f"{model}, seed {seed}: {report.problem}")] if report.problem else []
    return found + [
        (question.id, f"{model}, seed {seed}: {question.id}, {check.name}: {check.message}")
        for question in report.questions
        for check in question.checks
        if check.outcome not in {"passed", "not_assessed"} and check.measure is None
    ]


def _keep_curves(report: Report, curves: dict[str, list[tuple[float, ...]]]) -> None:
    """The validation losses of the solution's best training, for the band behind a student's curves."""
    for question in report.questions:
        for picture in question.pictures:
            series = picture.data.get("series")
            if picture.kind == "curves" and isinstance(series, Mapping):
                found = [tuple(map(float, each["val_loss"])) for each in series.values() if "val_loss" in each]
                if found:
                    curves.setdefault(question.id, []).append(min(found, key=min))
