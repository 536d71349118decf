"""Reports as tables for a terminal.

Much of what is shown was written by students. It is shown as text and nothing else: never as markup of rich, never as
an escape sequence of the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from autograder.data import DataSet
    from autograder.planning import Decision
    from autograder.records import QuestionResult, Report
    from autograder.verdict_jobs import Change

MARKS: Final = {
    "passed": ("✓", "green"),
    "partial": ("◐", "yellow"),
    "failed": ("✗", "red"),
    "limit_exceeded": ("⧖", "red"),
    "not_assessed": ("-", "dim"),
    "error": ("!", "magenta"),
    "manual": ("✎", "cyan"),
}
"""One sign per outcome of a question or check."""

WORDS: Final = {
    "passed": "passed",
    "partial": "partly passed",
    "failed": "failed",
    "limit_exceeded": "limit exceeded",
    "not_assessed": "not assessed here",
    "error": "needs a person",
    "manual": "hand graded",
}


def clean(text: object, limit: int = 2000) -> str:
    """Text without control characters (terminal escapes) and without characters that turn the writing direction."""
    kept = (
        character
        for character in str(text)[:limit]
        if character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return "".join(kept)


def plain(text: object, style: str = "") -> Text:
    """Text for rich that is never read as markup."""
    return Text(clean(text), style=style)


def one_line(text: object, limit: int = 160) -> str:
    """The text in one line, shortened."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def sign(outcome: str) -> Text:
    """The sign of an outcome in its colour."""
    mark, style = MARKS.get(outcome, ("?", ""))
    return Text(mark, style=style)


def signs(questions: Iterable[QuestionResult]) -> Text:
    """One sign per question, in groups of five."""
    marks = Text()
    for number, question in enumerate(questions):
        if number and number % 5 == 0:
            marks.append(" ")
        marks.append_text(sign(question.outcome))
    return marks


def points_text(points: float | None) -> str:
    """Points with two decimals, or up to four where a share of a question needs them."""
    if points is None:
        return "-"
    whole, _, decimals = f"{points:.4f}".rstrip("0").partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def legend() -> Text:
    """What the signs mean."""
    line = Text(style="dim")
    for number, (outcome, (mark, style)) in enumerate(MARKS.items()):
        line.append("   " if number else "").append(mark, style=style).append(f" {WORDS[outcome]}")
    return line


def class_table(reports: Sequence[Report], title: str) -> Table:
    """Student, status, score of the assessed points, one sign per question, and what there is to know."""
    table = Table(title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("Student", no_wrap=True)
    table.add_column("Score", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    table.add_column("Questions", no_wrap=True)
    table.add_column("Note", overflow="fold")
    for report in reports:
        attention = report.status == "needs_attention"
        score = Text("a person", style="magenta") if report.score is None else Text(points_text(report.score))
        table.add_row(
            plain(report.student),
            score,
            points_text(report.assessed_max_score),
            signs(report.questions),
            plain(_note(report), "magenta" if attention else "dim"),
        )
    return table


def _note(report: Report) -> str:
    notes = [one_line(report.problem, 240)] if report.problem else []
    if report.run is not None:
        notes += [one_line(limit) for limit in report.run.limits_exceeded[:2]]
        if report.run.kernel_died:
            notes.append(one_line(report.run.cause_of_death or "the kernel died"))
    if report.repairs:
        count = len(report.repairs)
        notes.append(f"{count} repair{'s' if count > 1 else ''} to the notebook")
    return "; ".join(notes)


def question_legend(report: Report) -> Text:
    """Which sign belongs to which question."""
    names = [one_line(question.id, 40) for question in report.questions]
    return Text("Questions, from the left: " + ", ".join(names) + ".", style="dim")


def student_table(report: Report) -> Table:
    """One student's questions with their checks; what did not pass comes with message and hint."""
    table = Table(box=box.SIMPLE_HEAD, show_lines=False)
    table.add_column("")
    table.add_column("Question / check", overflow="fold")
    table.add_column("Points", justify="right", no_wrap=True)
    table.add_column("What to know", overflow="fold")
    for question in report.questions:
        points = f"{points_text(question.points)} of {points_text(question.max_points)}"
        told = plain(question.message or question.title)
        table.add_row(sign(question.outcome), plain(question.id, "bold"), points, told)
        for check in question.checks:
            hint = f"\nHint: {check.hint}" if check.hint and check.outcome != "passed" else ""
            told = plain(f"{check.message}{hint}".strip())
            table.add_row(sign(check.outcome), plain(f"  {one_line(check.title)}", "dim"), "", told)
    return table


@dataclass(frozen=True)
class Finding:
    """One line of a check-up: what was looked at, whether it is well, what was found, and how to mend it.

    `well` is None for what is only told.
    """

    name: str
    well: bool | None
    found: str
    remedy: str = ""


def findings_table(findings: Sequence[Finding], title: str) -> Table:
    """A check-up as a table, remedies under what they mend."""
    table = Table(title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", show_header=False)
    table.add_column("")
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for finding in findings:
        mark = Text("-", "dim") if finding.well is None else sign("passed" if finding.well else "failed")
        told = plain(finding.found)
        if finding.remedy and not finding.well:
            told.append(f"\n→ {clean(finding.remedy)}", style="yellow")
        table.add_row(mark, plain(finding.name), told)
    return table


def data_table(used: Mapping[str, DataSet], title: str) -> Table:
    """Which data each profile is graded with."""
    table = Table(title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("Profile", no_wrap=True)
    table.add_column("Origin", no_wrap=True)
    table.add_column("Data", overflow="fold")
    table.add_column("SHA-256 (public, withheld)", overflow="fold")
    for profile, data in used.items():
        digests = f"{data.public_sha256}\n{data.withheld_sha256}"
        table.add_row(plain(profile), plain(data.origin), plain(data.description), plain(digests))
    return table


def changes_table(changes: Sequence[Change], title: str) -> Table:
    """Marks that would change although their submissions did not: from what to what, and by which checks."""
    heading = f"{title}: marks that would change"
    table = Table(title=plain(heading), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("Student", no_wrap=True)
    table.add_column("Score", no_wrap=True)
    table.add_column("Question", no_wrap=True)
    table.add_column("Points", no_wrap=True)
    table.add_column("By these checks", overflow="fold")
    for change in changes:
        names = [change.student, _step(change.before, change.after)]
        for each in change.questions:
            checks = "\n".join(f"{name}: {_words(old)} → {_words(new)}" for name, old, new in each.checks)
            table.add_row(
                *map(plain, names), plain(each.question), plain(_step(each.before, each.after)), plain(checks)
            )
            names = ["", ""]
    return table


def _step(before: float | None, after: float | None) -> str:
    return f"{points_text(before)} → {points_text(after)}"


def _words(outcome: str) -> str:
    return WORDS.get(outcome, outcome)


def decisions_table(decisions: Sequence[Decision], title: str) -> Table:
    """What each submission needs, and why."""
    table = Table(title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    table.add_column("Student", no_wrap=True)
    table.add_column("Needs", no_wrap=True)
    table.add_column("Because", overflow="fold")
    for decision in decisions:
        table.add_row(plain(decision.submission.student), plain(decision.action), plain(decision.why))
    return table
