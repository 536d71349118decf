"""The pairs as a page and as a table for the terminal. Both say first that they accuse nobody."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from autograder.config import Assignment
from autograder.feedback import write_page
from autograder.feedback.similarity_page import (
    DISCLAIMER,
    Likeness,
    Listing,
    Marked,
    PairBeside,
    QuestionBeside,
    render_similarity,
)
from autograder.similarity.answers import Answers
from autograder.similarity.pairs import Figure, Pair, Similarities
from autograder.similarity.passages import Place
from autograder.tables import one_line, plain

PAGE = "similarity.html"


def write_similarity_page(course_folder: Path, similarities: Similarities) -> Path:
    """Write `reports/ASSIGNMENT/similarity.html`, beside the class table and in no student's folder.

    Raises:
        ReportError: the page cannot be written.
    """
    assignment = similarities.assignment
    shown = [(pair.by_question, _beside(pair, similarities)) for pair in similarities.pairs]
    path = course_folder / "reports" / assignment.name / PAGE
    html = render_similarity(
        [pair for by_question, pair in shown if not by_question],
        [pair for by_question, pair in shown if by_question],
        title=assignment.title,
        compared=len(similarities.answers),
        facts=facts(similarities),
        problems=similarities.problems,
    )
    write_page(path, html)
    return path


def print_similarities(similarities: Similarities, page: Path, *, console: Console) -> None:
    """The pairs, what the figures mean, and where the page lies."""
    console.print(plain(f"{DISCLAIMER}\n", "bold"))
    for fact in facts(similarities):
        console.print(plain(fact, "dim"))
    for problem in similarities.problems:
        console.print(plain(f"! {one_line(problem, 400)}", "yellow"), soft_wrap=True)
    if similarities.pairs:
        console.print(pairs_table(similarities.pairs, similarities.assignment))
    else:
        console.print(plain("\nNo two notebooks share enough to be listed."))
    console.print(plain(f"Side by side: {page}"), soft_wrap=True)


def pairs_table(pairs: Iterable[Pair], assignment: Assignment) -> Table:
    """One line for each pair: the whole notebooks, and the questions that are most alike."""
    table = Table(box=box.SIMPLE_HEAD, title=plain(assignment.title), title_justify="left", title_style="bold")
    table.add_column("Pair", overflow="fold")
    table.add_column("Whole notebook", justify="right", no_wrap=True)
    table.add_column("Most alike questions", overflow="fold")
    for pair in pairs:
        questions = [f"{question} {_words(figure)}" for question, figure in pair.likest[:3]]
        if pair.by_question:
            questions.insert(0, "listed for one question:")
        both = f"{one_line(pair.left, 60)} and {one_line(pair.right, 60)}"
        table.add_row(plain(both), plain(_words(pair.overall)), plain(one_line(", ".join(questions), 300)))
    return table


def facts(similarities: Similarities) -> list[str]:
    """How submissions were compared, and how alike those of this class are, in sentences."""
    settings, count = similarities.settings, len(similarities.answers)
    most = max(int(settings.common_share * count), settings.common_least)
    typical, usual = (f"{math.ceil(100 * figure)} %" for figure in (similarities.typical, similarities.usual_most))
    said = (
        "Compared: the code cells that students wrote, names, numbers, texts, comments and layout aside; runs of "
        f"{settings.guaranteed} tokens are always found, of fewer than {settings.k} never."
    )
    common = f"Left out: what the release or the reference solution has, and what more than {most} of {count} have."
    least = settings.least_size
    counted = (
        f"A percentage is a share by weight: what few have counts more, and less than {least} fingerprints (about "
        f"{round(least / 3)} lines) count as {least}."
    )
    usually = f"In this class half of all pairs are at most {typical} alike, nineteen of twenty at most {usual}."
    return [said, common, counted, usually] if count > 1 else [said, common, counted]


def _words(figure: Figure) -> str:
    return f"{_likeness(figure).percent} ({figure.shared} of {figure.smaller})"


def _likeness(figure: Figure) -> Likeness:
    return Likeness(figure.similarity, figure.shared, figure.smaller)


def _beside(pair: Pair, similarities: Similarities) -> PairBeside:
    left, right = similarities.answers[pair.left], similarities.answers[pair.right]
    marked_left = [(passage.left, passage.number) for passage in pair.passages]
    marked_right = [(passage.right, passage.number) for passage in pair.passages]
    touched = {left.cells[place.cell].question for place, _ in marked_left}
    touched |= {right.cells[place.cell].question for place, _ in marked_right}
    order = dict.fromkeys(cell.question for answers in (left, right) for cell in answers.cells)
    titles = {question.id: question.title for question in similarities.assignment.questions}
    questions = tuple(
        QuestionBeside(
            title=titles.get(name) or name,
            likeness=_likeness(pair.questions[name]) if name in pair.questions else None,
            left=_listings(left, name, marked_left),
            right=_listings(right, name, marked_right),
        )
        for name in order
        if name in touched
    )
    return PairBeside(pair.left, pair.right, _likeness(pair.overall), questions)


def _listings(answers: Answers, question: str, marked: Sequence[tuple[Place, int]]) -> tuple[Listing, ...]:
    return tuple(
        Listing(
            cell.source,
            tuple(Marked(place.first, place.last, passage) for place, passage in marked if place.cell == number),
        )
        for number, cell in enumerate(answers.cells)
        if cell.question == question
    )
