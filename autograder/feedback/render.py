"""A student's feedback page: one HTML file that needs no network, no script and no other file.

Everything on it comes from the report; nothing of a hidden test but its title, message and hint is known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from autograder.errors import ReportError
from autograder.feedback.notebook_page import NotebookPage
from autograder.feedback.outcomes import MARKS, Mark
from autograder.feedback.pages import environment
from autograder.feedback.pictures import read_picture
from autograder.feedback.plots import Drawing, draw
from autograder.feedback.totals import given_points, totals
from autograder.records import CellRun, CheckResult, QuestionResult, Report, Run

if TYPE_CHECKING:
    from nbformat import NotebookNode

MAX_PICTURES: Final = 12
MAX_PROVENANCE: Final = 200
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
# What a student can act on comes first; the grader's own trouble last.
_ORDER: Final = ("failed", "limit_exceeded", "error", "not_assessed", "passed")


@dataclass(frozen=True)
class QuestionView:
    """One question as the page shows it. `number` makes its anchor; `points` is None where none are given yet."""

    number: int
    result: QuestionResult
    title: str
    mark: Mark
    points: float | None
    comment: str
    to_mend: tuple[CheckResult, ...]
    passed: tuple[CheckResult, ...]
    drawings: tuple[Drawing, ...]
    undrawn: tuple[str, ...]
    cell: int | None


@dataclass(frozen=True)
class CellTime:
    """How long one cell ran; `share` is its part of the longest cell's time, in percent."""

    name: str
    run: CellRun
    share: float


def render_feedback(
    report: Report,
    *,
    notebook: NotebookNode | None = None,
    title: str = "",
    comments: Mapping[str, str] = _NOTHING,
    manual_points: Mapping[str, float] = _NOTHING,
) -> str:
    """The feedback page of one submission, as a self-contained HTML document.

    Equal arguments give equal bytes. Whatever a student wrote is escaped or sanitised, and bounded in size.

    Args:
        report: what was judged; a report with a `problem` and no questions gives a page that tells the problem.
        notebook: the executed notebook, shown at the end. None leaves it out.
        title: the assignment's title; its name where empty.
        comments: question id to the instructor's comment. Comments on anything else are shown too.
        manual_points: question id to points given by hand, which count instead of those of the checks.
    """
    cells = NotebookPage().cells(notebook) if notebook is not None else ()
    places = {cell.grade_id: cell.number for cell in reversed(cells) if cell.grade_id}
    questions = [
        _question(number, result, comments, manual_points, places)
        for number, result in enumerate(report.questions, start=1)
    ]
    known = {result.id for result in report.questions}
    return (
        environment()
        .get_template("feedback.html.j2")
        .render(
            title=title or report.assignment,
            report=report,
            totals=totals(report, manual_points),
            questions=questions,
            start_here=[question for question in questions if _can_be_mended(question)][:3],
            other_comments={
                name: text for name, text in sorted(comments.items()) if name not in known and text.strip()
            },
            grader_went_wrong=any(question.outcome == "error" for question in report.questions),
            remarks=tuple(_remarks(report)),
            cell_times=_cell_times(report.run) if report.run else (),
            provenance=tuple(_flat(report.provenance))[:MAX_PROVENANCE],
            cells=cells,
        )
    )


def _question(
    number: int,
    result: QuestionResult,
    comments: Mapping[str, str],
    manual_points: Mapping[str, float],
    places: Mapping[str, int],
) -> QuestionView:
    drawings, undrawn = _draw_all(result, number)
    checks = sorted(result.checks, key=lambda check: _ORDER.index(check.outcome))
    return QuestionView(
        number=number,
        result=result,
        title=result.title or result.id.replace("_", " ").capitalize(),
        mark=_mark(result, by_hand=result.id in manual_points),
        points=given_points(result, manual_points),
        comment=comments.get(result.id, "").strip(),
        to_mend=tuple(check for check in checks if check.outcome != "passed"),
        passed=tuple(check for check in checks if check.outcome == "passed"),
        drawings=drawings,
        undrawn=undrawn,
        cell=places.get(result.id),
    )


def _mark(result: QuestionResult, *, by_hand: bool) -> Mark:
    if by_hand:
        return MARKS["manual"]
    return MARKS["waiting" if result.outcome == "manual" and result.points is None else result.outcome]


def _draw_all(result: QuestionResult, number: int) -> tuple[tuple[Drawing, ...], tuple[str, ...]]:
    """The question's pictures, and a sentence for each that cannot be drawn: a picture never costs the page."""
    drawings, undrawn = [], []
    for index, picture in enumerate(result.pictures[:MAX_PICTURES], start=1):
        try:
            drawings.append(draw(read_picture(picture), f"q{number}-p{index}"))
        except ReportError as error:
            undrawn.append(str(error))
    if len(result.pictures) > MAX_PICTURES:
        undrawn.append(f"{len(result.pictures) - MAX_PICTURES} more pictures are not shown.")
    return tuple(drawings), tuple(undrawn)


def _can_be_mended(question: QuestionView) -> bool:
    return any(check.outcome in {"failed", "limit_exceeded"} for check in question.to_mend)


def _remarks(report: Report) -> Iterator[str]:
    """What was repaired, cut short or left out, one sentence each."""
    run_repairs = report.run.repairs if report.run else ()
    for repair in dict.fromkeys([*report.repairs, *run_repairs]):
        yield f"Repaired: {repair}"
    if report.run:
        yield from _run_remarks(report.run)
    for question in report.questions:
        for check in question.checks:
            if check.outcome == "not_assessed":
                reason = f": {check.message}" if check.message else ""
                title = (check.title or check.name).rstrip(". ")
                yield f"Not assessed in `{question.id}`: {title}{reason}"


def _run_remarks(run: Run) -> Iterator[str]:
    for limit in run.limits_exceeded:
        yield f"Limit: {limit}. {limit.advice}"
    if run.kernel_died:
        yield f"The notebook's process ended early. {run.cause_of_death}".strip()
    for cell in run.cells:
        if cell.output_truncated:
            yield f"The output of {_cell_name(cell)} was longer than is kept and was cut."


def _cell_times(run: Run) -> tuple[CellTime, ...]:
    longest = max((cell.seconds for cell in run.cells), default=0.0)
    return tuple(
        CellTime(_cell_name(cell), cell, round(100 * cell.seconds / longest, 1) if longest else 0.0)
        for cell in run.cells
    )


def _cell_name(cell: CellRun) -> str:
    return cell.grade_id or f"cell {cell.index + 1}"


def _flat(value: Mapping[str, object], path: str = "") -> Iterator[tuple[str, str]]:
    """Nested provenance as lines of `outer.inner` and value, in sorted order."""
    for key in sorted(value):
        inner, name = value[key], f"{path}{key}"
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{name}.")
        else:
            yield name, str(inner)[:500]
