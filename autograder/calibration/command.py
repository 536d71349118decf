"""`autograder calibrate`: from notebooks and baselines to `calibration.json`, a page and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from autograder.calibration.entries import write_calibration
from autograder.calibration.page import render_page
from autograder.calibration.rates import Figures, Rate, figures_of
from autograder.calibration.trials import Trials, run_trials
from autograder.config import Course
from autograder.feedback import write_page
from autograder.records import SandboxLevel
from autograder.store import STATE_FOLDER
from autograder.tables import plain

CALIBRATION_FILE = "calibration.json"
PAGES = "calibration"


def calibrate_assignment(
    course_folder: Path,
    course: Course,
    name: str,
    *,
    seeds: int,
    date: str,
    console: Console,
    profile: str | None = None,
    workers: int | None = None,
    sandbox: SandboxLevel | None = None,
    keep: bool = False,
) -> tuple[Trials, list[Figures]]:
    """Calibrate one assignment under one profile: run, count, choose bars, write them down, and show them.

    Runs are kept in `.autograder/calibration/<assignment>/`: a call that was stopped goes on, and more seeds cost only
    what is new. The page lies beside them, since it tells what solutions reach.

    Args:
        course_folder: the course.
        course: its configuration.
        name: of the assignment.
        seeds: how often each notebook runs; two after each other share their data.
        date: of the calibration, which is written down.
        console: for progress and the table.
        profile: instead of the course's default.
        workers: notebooks at a time.
        sandbox: instead of the course's level.
        keep: whether `calibration.json` stays as it is.

    Raises:
        AutograderError: nothing can be graded, or a file of the assignment is wrong.
    """
    folder = course_folder / STATE_FOLDER / PAGES / name
    trials = run_trials(
        course_folder,
        course,
        name,
        folder,
        seeds=seeds,
        console=console,
        profile=profile,
        workers=workers,
        sandbox=sandbox,
    )
    figures = figures_of(trials.results, trials.models.bars)
    console.print(figures_table(figures, f"{name}, profile {trials.profile}, {trials.origin} data, {seeds} seeds"))
    for problem in trials.problems:
        console.print(plain(f"! {problem}", "yellow"), soft_wrap=True)
    page = folder / f"{trials.profile}-{trials.origin}.html"
    write_page(page, render_page(trials, figures, title=course.assignment(name).title, date=date))
    console.print(plain(f"Page: {page}"), soft_wrap=True)
    if not keep:
        path = course_folder / "solutions" / name / CALIBRATION_FILE
        write_calibration(path, trials, figures, date=date)
        console.print(plain(f"Written: {path}"), soft_wrap=True)
    return trials, figures


def figures_table(figures: list[Figures], title: str) -> Table:
    """For each measured check: the bar, what honest and hopeless results reached, and both error rates."""
    table = Table(title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("Check", overflow="fold", min_width=20)
    for heading in ("Bar", "Honest", "Hopeless", "False fails", "False passes", "Spread"):
        table.add_column(heading, justify="right", no_wrap=heading in {"Bar", "Spread"})
    for each in figures:
        table.add_row(
            plain(f"{each.question}: {each.check.removeprefix('test_').replace('_', ' ')}"),
            plain(f"{each.bar:.4g}", "bold" if each.setting else ""),
            plain(_span(each.honest)),
            plain(_span(each.dishonest)),
            plain(_rate(each.false_fails)),
            plain(_rate(each.false_passes)),
            plain("-" if each.spread is None else f"{each.spread:.3g}"),
        )
    return table


def _span(values: Mapping[str, Sequence[float]]) -> str:
    every = [value for found in values.values() for value in found]
    return f"{min(every):.3g} to {max(every):.3g}" if every else "-"


def _rate(rate: Rate | None) -> str:
    return "-" if rate is None else f"{rate.rate:.1%} of {rate.n} (≤ {rate.high:.1%})"
