"""Reports as tables for a terminal.

Much of what is shown was written by students. It is shown as text and nothing else: never as markup of rich, never as
an escape sequence of the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from autograder.attention import Case, Kind
    from autograder.data import DataSet
    from autograder.planning import Decision
    from autograder.records import CheckResult, QuestionResult, Report
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


URGENT: Final[Mapping[Kind, str]] = {
    "grader bug": "The grader went wrong: no mark until that is mended. Grading again then judges what is open.",
    "infrastructure": "The machine failed, and nobody's mark is lower for it. Grading again tries again.",
    "student error": "The notebook cannot be read: no mark. Ask its student for another file.",
}
"""What it means when a case of this kind needs a person."""
ORDINARY: Final[Mapping[Kind, str]] = {
    "limit": "ran into a limit",
    "student error": "had an exception in the notebook",
    "not assessed": "could not be assessed in part",
}
"""What is told of cases of this kind that need nobody."""
NAMED_CASES = 3  # of what is ordinary
COMMANDS_EACH = 3  # cases of one cause that get a command each; more are all alike


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


def scores_line(reports: Sequence[Report]) -> str:
    """A class that is too large for a table, in a line."""
    scores = sorted(report.score for report in reports if report.score is not None)
    told = f"{len(reports)} reports"
    if scores:
        told += f", scores {points_text(scores[0])} to {points_text(scores[-1])}, median {points_text(median(scores))}"
    without = len(reports) - len(scores)
    return f"{told}, {without} without a score." if without else f"{told}."


def attention_lines(cases: Sequence[Case], command: Callable[[str], str]) -> Iterator[Text | Padding]:
    """What needs a person, all of it, with the command to look at it; then what is ordinary, counted.

    Texts are to be printed as they are, so that commands can be copied; what is padded may be wrapped.

    Args:
        cases: sorted by kind.
        command: makes the command for a student.
    """
    urgent = [case for case in cases if case.needs_person]
    ordinary = [case for case in cases if not case.needs_person]
    if urgent:
        need = "needs" if len(urgent) == 1 else "need"
        yield plain(f"\n{_submissions(len(urgent))} {need} a person:", "bold magenta")
    for kind, alike in groupby(urgent, key=lambda case: case.kind):
        yield from _urgent_lines(kind, list(alike), command)
    if ordinary:
        yield plain("\nTo know; it is in the marks and on the pages:", "bold")
    for kind, alike in groupby(ordinary, key=lambda case: case.kind):
        yield _ordinary_line(kind, list(alike))
    if ordinary:
        yield plain(f"  To look at one: {command('STUDENT')}", "dim")


def _urgent_lines(kind: Kind, cases: Sequence[Case], command: Callable[[str], str]) -> Iterator[Text | Padding]:
    """Those of one cause together: a hidden test that goes wrong does so for many."""
    yield Padding(plain(f"! {kind} ({len(cases)}). {URGENT[kind]}", "magenta"), 0)
    causes: dict[str, list[str]] = {}
    for case in cases:
        causes.setdefault(case.reason, []).append(case.student)
    for reason, students in causes.items():
        yield Padding(plain(one_line(reason, 400)), (0, 0, 0, 2))
        if len(students) > COMMANDS_EACH:
            yield Padding(Text(f"{len(students)} alike: {', '.join(map(clean, students))}"), (0, 0, 0, 4))
        for student in students if len(students) <= COMMANDS_EACH else students[:1]:
            yield plain(f"    {command(student)}", "cyan")


def _ordinary_line(kind: Kind, cases: Sequence[Case]) -> Padding:
    reasons = {case.reason for case in cases}
    same = f" ({one_line(reasons.pop(), 80)})" if len(reasons) == 1 else ""
    first = cases[:NAMED_CASES]
    named = [case.student if same else f"{case.student} ({one_line(case.reason, 80)})" for case in first]
    more = f" and {len(cases) - NAMED_CASES} more" if len(cases) > NAMED_CASES else ""
    told = f"{kind}: {_submissions(len(cases))} {ORDINARY[kind]}{same}: {', '.join(named)}{more}."
    return Padding(plain(told), (0, 0, 0, 2))


def _submissions(count: int) -> str:
    return f"{count} submission{'' if count == 1 else 's'}"


def student_table(report: Report) -> Table:
    """One student's questions with their checks; under what did not pass come message and hint."""
    table = Table(box=box.SIMPLE_HEAD, show_lines=False)
    table.add_column("")
    table.add_column("Question / check", overflow="fold")
    table.add_column("Points", justify="right", no_wrap=True)
    for question in report.questions:
        name = Text().append_text(plain(question.id, "bold")).append_text(plain(f"  {one_line(question.title)}"))
        name.append_text(plain(f"\n{question.message}" if question.message else ""))
        points = "-" if question.points is None else points_text(question.points)
        table.add_row(sign(question.outcome), name, f"{points} of {points_text(question.max_points)}")
        before = ""
        for check in question.checks:
            told = "" if check.outcome == "passed" else _told(check)
            row = plain(one_line(check.title), "dim" if check.outcome == "passed" else "")
            if told and told == before:
                row.append("  as above", "dim")
            below = [Padding(plain(told), (0, 0, 0, 4))] if told not in {"", before} else []
            table.add_row(sign(check.outcome), Group(Padding(row, (0, 0, 0, 2)), *below), "")
            before = told
    return table


def _told(check: CheckResult) -> str:
    return f"{check.message}\n{f'Hint: {check.hint}' if check.hint else ''}".strip()


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
