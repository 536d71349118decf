"""One page for the instructor: students by questions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from autograder.feedback.pages import environment
from autograder.feedback.totals import Totals, totals
from autograder.records import QuestionResult, Report


@dataclass(frozen=True)
class Row:
    """One student. `results` follow the table's questions; None where the report has no such question."""

    report: Report
    link: str
    totals: Totals
    results: tuple[QuestionResult | None, ...]


@dataclass(frozen=True)
class Column:
    """One question: `mean` over the students who have points for it, None when nobody has."""

    id: str
    title: str
    max_points: float
    mean: float | None
    graded: int


def render_class_table(reports: Iterable[Report], *, assignment_title: str, links: Mapping[str, str]) -> str:
    """The class as one self-contained HTML page: points per question, totals, status, mean per question.

    Args:
        reports: one report per student, in any order; the table is sorted by student. They are taken one by one, and
            only what the table shows of them is held.
        assignment_title: the page's heading.
        links: student to the address of that student's page, usually relative. Other students have no link.
    """
    ordered = sorted(map(_shown_of, reports), key=lambda report: report.student)
    questions: dict[str, QuestionResult] = {}
    for report in ordered:
        for question in report.questions:
            questions.setdefault(question.id, question)
    rows = [
        Row(report, _link(links.get(report.student, "")), totals(report, {}), tuple(_results(report, questions)))
        for report in ordered
    ]
    scores = [row.totals.score for row in rows if row.totals.score is not None]
    return (
        environment()
        .get_template("class_table.html.j2")
        .render(
            title=assignment_title,
            rows=rows,
            columns=[_column(question, ordered) for question in questions.values()],
            scores=scores,
            mean=math.fsum(scores) / len(scores) if scores else None,
            median=median(scores) if scores else None,
            needs_attention=sum(report.status == "needs_attention" for report in ordered),
            max_score=max((report.max_score for report in ordered), default=0.0),
        )
    )


def _shown_of(report: Report) -> Report:
    """The report without what the table does not show, which is most of it."""
    bare: dict[str, object] = {"checks": (), "pictures": ()}
    questions = tuple(question.model_copy(update=bare) for question in report.questions)
    return report.model_copy(update={"questions": questions, "run": None, "provenance": {}})


def _results(report: Report, questions: Iterable[str]) -> list[QuestionResult | None]:
    found = {question.id: question for question in report.questions}
    return [found.get(question_id) for question_id in questions]


def _column(question: QuestionResult, reports: Sequence[Report]) -> Column:
    results = [result for report in reports for result in report.questions if result.id == question.id]
    points = [result.points for result in results if result.points is not None]
    mean = math.fsum(points) / len(points) if points else None
    return Column(question.id, question.title, question.max_points, mean, len(points))


def _link(address: str) -> str:
    """Relative and web addresses; anything that a browser would run is left out."""
    try:
        scheme = urlsplit(address.strip()).scheme
    except ValueError:  # an address that no browser would open either
        return ""
    return address if scheme in {"", "http", "https", "file"} else ""
