"""A self-test in the terminal: a table of mutants by questions, and what a person should know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.selftest.outcomes import KILLED_AT_LEAST, Row, SelfTest, Surprise
from autograder.tables import legend, plain, sign

EXPECTED_PASS = Text("·", style="dim")


def print_selftest(result: SelfTest, *, console: Console) -> None:
    """The tables, the diffs of what survives, and the share killed."""
    console.print(mutant_table(result))
    numbered = ", ".join(f"{number} {question}" for number, question in enumerate(result.questions, 1))
    console.print(plain(f"Questions: {numbered}.", "dim"), soft_wrap=True)
    console.print(legend())
    console.print(
        plain(
            "· passed, as expected; a pair is expected → got; a generated mutant must lose something.",
            "dim",
        )
    )
    _surprises(console, "False passes: a mistake that the hidden tests let through", result.false_passes)
    _surprises(console, "False fails: an answer that lost more than it should", result.false_fails)
    _surprises(console, "Undecided: the grader went wrong, or could not tell", result.undecided)
    _listed(console, "Questions without a demo student who loses them", result.without_mutant)
    _listed(console, "Checks that fail on no mutant", result.never_fail)
    _listed(console, "Checks that fail only where all of their question fail", result.only_with_all)
    _listed(console, "Equivalent mutants that no longer occur; remove them from equivalent_mutants.json", result.lapsed)
    for mutation in result.survivors:
        console.print(plain(f"\n{mutation.name} survives:", "yellow"))
        console.print(_coloured(mutation.diff), soft_wrap=True)
    if result.survivors:
        told = (
            "\nA survivor is a mistake that costs nothing: write a check that catches it or, if it behaves like the "
            f"solution on every input:\nautograder selftest {result.assignment} --equivalent NAME --because REASON"
        )
        console.print(plain(told), soft_wrap=True)
    for problem in result.problems:
        console.print(plain(f"! {problem}", "yellow"), soft_wrap=True)
    console.print(plain(f"\n{summary(result)}", "green" if result.is_fine else "red"), soft_wrap=True)


def summary(result: SelfTest) -> str:
    """What came of it, in two sentences."""
    written = [row for row in result.rows if row.kind != "generated"]
    surprised = {each.name for each in (*result.false_passes, *result.false_fails, *result.undecided)}
    met = sum(row.name not in surprised and bool(row.got) for row in written)
    told = f"{met} of {len(written)} hand-written answers got the outcomes that are known to be right."
    if result.share is None:
        return f"{told} No mutants were generated."
    low, high = result.interval
    left_out = f"; {result.equivalent} equivalent ones were left out" if result.equivalent else ""
    return (
        f"{told} {result.killed} of {result.measured} generated mutants were killed: {result.share:.1%} "
        f"(95 % interval {low:.1%} to {high:.1%}, at least {KILLED_AT_LEAST:.0%} are asked for){left_out}. "
        f"{result.possible} could be generated."
    )


def mutant_table(result: SelfTest) -> Table:
    """Mutants by questions: the outcome, or what was expected and what came."""
    title = f"{result.assignment}: self-test of the hidden tests, profile {result.profile}"
    table = Table(
        title=plain(title), box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", padding=(0, 1, 0, 0)
    )
    table.add_column("Mutant", overflow="fold")
    for number, _ in enumerate(result.questions, 1):
        table.add_column(str(number), justify="center", no_wrap=True)
    table.add_column("", no_wrap=True)
    before = "solution"
    for row in result.rows:
        if row.kind != before:
            table.add_section()
            before = row.kind
        table.add_row(plain(row.name), *(_cell(row, question) for question in result.questions), _verdict(row))
    return table


def _cell(row: Row, question: str) -> Text:
    if question not in row.got:
        return plain("-", "dim")
    expected, got = row.expected.get(question), row.got[question]
    if expected is None or expected == got:
        return EXPECTED_PASS.copy() if got == "passed" else sign(got)
    pair = Text.assemble(sign(expected), "→", sign(got))
    pair.stylize("red")
    return pair


def _verdict(row: Row) -> Text:
    if not row.got:
        return plain("not graded", "magenta")
    if row.kind == "generated":
        if row.lost:
            return plain("killed", "green")
        return plain("undecided", "magenta") if row.undecided else plain("survives", "red")
    met = all(row.got.get(question) == expected for question, expected in row.expected.items())
    return plain("✓", "green") if met else plain("✗", "red")


def _surprises(console: Console, title: str, surprises: Sequence[Surprise]) -> None:
    lines = [f"{each.name}: {each.question} is {each.got}, not {each.expected}" for each in surprises]
    _listed(console, title, lines, "red")


def _listed(console: Console, title: str, lines: Iterable[str], style: str = "yellow") -> None:
    told = "\n".join(f"  {line}" for line in lines)
    if told:
        console.print(plain(f"\n{title}:", style))
        console.print(plain(told), soft_wrap=True)


def _coloured(diff: str) -> Text:
    styles = {"+": "green", "-": "red", "@": "cyan"}
    text = Text()
    for number, line in enumerate(diff.splitlines()):
        text.append("\n" if number else "").append_text(plain(line, styles.get(line[:1], "")))
    return text
