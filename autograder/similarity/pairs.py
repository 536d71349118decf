"""Which submissions share fingerprints that few others have.

What everybody was given does not count, nor what stands in the reference solution, nor what many in the class wrote.
What remains counts the more, the fewer have it: a k-gram in d notebooks weighs 1 / (d - 1), so that what only two have
counts whole. The similarity of two sets of fingerprints is the weight of those in both over the weight of the smaller.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from statistics import median

import numpy as np

from autograder.config import Assignment, Course
from autograder.errors import ConfigurationError
from autograder.similarity.answers import Answers, Given, read_answers, read_given
from autograder.similarity.fingerprints import CellPrint, Hashes, fingerprint, gram_hashes
from autograder.similarity.passages import Passage, shared_passages
from autograder.similarity.tokens import MAX_TOKENS, Token, lex, normalise

DIGITS = 6  # of similarities that are compared, so that the order of a sum decides nothing


@dataclass(frozen=True)
class Settings:
    """What counts as alike.

    Attributes:
        k: tokens in a k-gram; nothing shorter is ever seen.
        window: of so many k-grams in a row one is a fingerprint; runs of `k + window - 1` tokens are always seen.
        common_share: what more than this share of the class wrote does not count.
        common_least: what so many or fewer wrote always counts, however small the class.
        least_shared: a pair or a question with fewer fingerprints in common is not listed.
        least_similarity: nor is a pair whose notebooks are less alike than this.
        least_size: a smaller set counts as so many, about ten lines: whoever has little of their own shares it soon.
        top: how many pairs are listed by their whole notebooks, and how many others by single questions.
        question_similarity: how alike one question must be for a pair to be listed for it alone.
    """

    k: int = 8
    window: int = 5
    common_share: float = 0.2
    common_least: int = 3
    least_shared: int = 8
    least_similarity: float = 0.1
    least_size: int = 30
    top: int = 20
    question_similarity: float = 0.5

    def __post_init__(self) -> None:
        for name in ("k", "window", "common_least", "least_shared", "least_size", "top"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"Similarity needs a {name} of at least 1. Received: {getattr(self, name)}")
        for name in ("common_share", "least_similarity", "question_similarity"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"Similarity needs a {name} from 0 to 1. Received: {getattr(self, name)}")

    @property
    def guaranteed(self) -> int:
        """The length in tokens of a run that two notebooks cannot share unseen."""
        return self.k + self.window - 1


@dataclass(frozen=True)
class Figure:
    """How alike two sets of fingerprints are.

    Attributes:
        similarity: 0 to 1, the weight of the shared ones over the weight of the smaller set, or `least_size` if less.
        shared: how many both have.
        smaller: how many the smaller set has.
    """

    similarity: float
    shared: int
    smaller: int


NOTHING = Figure(0.0, 0, 0)


@dataclass(frozen=True)
class Pair:
    """Two submissions that share code.

    Attributes:
        left: a student.
        right: the other one.
        overall: over all code cells, wherever in the notebook they stand.
        questions: the questions in which both share something, in the order of the notebook.
        passages: where the shared code stands.
        by_question: whether it is listed for a single question only.
    """

    left: str
    right: str
    overall: Figure
    questions: Mapping[str, Figure]
    passages: tuple[Passage, ...]
    by_question: bool = False

    @property
    def likest(self) -> list[tuple[str, Figure]]:
        """The questions, most alike first."""
        return sorted(self.questions.items(), key=lambda item: (-item[1].similarity, -item[1].shared))


@dataclass(frozen=True)
class Similarities:
    """The pairs of a class that a person may want to look at. It accuses nobody.

    Attributes:
        assignment: which.
        settings: by which pairs were found.
        answers: what each student wrote, by student.
        pairs: most alike first; after them those that are listed for one question only, again most alike first.
        typical: the median similarity of all pairs of the class.
        usual_most: nineteen of twenty pairs of the class are at most so similar.
        problems: a sentence for every submission that could not be compared, or not wholly.
    """

    assignment: Assignment
    settings: Settings
    answers: Mapping[str, Answers]
    pairs: tuple[Pair, ...]
    typical: float
    usual_most: float
    problems: tuple[str, ...]


@dataclass
class Prints:
    """One submission's fingerprints: cells as they stand, and the fingerprints that count, by question and in all."""

    answers: Answers
    cells: list[CellPrint]
    by_question: dict[str, frozenset[int]] = field(default_factory=dict)
    overall: frozenset[int] = frozenset()


def similar_pairs(
    course_folder: Path, course: Course, assignment_name: str, *, settings: Settings | None = None
) -> Similarities:
    """Compare all submissions of an assignment with each other. Nothing is run, and nothing written.

    Raises:
        ConfigurationError: there is no such assignment.
        ReleaseError: its release is missing or damaged.
        SubmissionError: nothing was handed in.
    """
    assignment = course.assignment(assignment_name)
    problems: list[str] = []
    release, given = read_given(course_folder, assignment, problems)
    answers = read_answers(course_folder, course, assignment, release, problems)
    return compare(assignment, answers, given, settings or Settings(), problems)


def compare(
    assignment: Assignment, answers: Sequence[Answers], given: Given, settings: Settings, problems: Iterable[str] = ()
) -> Similarities:
    """Compare what students wrote; the order of `answers` does not matter."""
    told = list(problems)
    prints = [_prints(each, given, settings, told) for each in sorted(answers, key=lambda each: each.student)]
    weights = _weights(prints, given, settings)
    for each in prints:
        _choose(each, weights)
    pairs, similarities = _listed(prints, weights, settings)
    count = math.comb(len(prints), 2)
    ranked = [0.0] * (count - len(similarities)) + similarities
    return Similarities(
        assignment=assignment,
        settings=settings,
        answers={each.answers.student: each.answers for each in prints},
        pairs=tuple(pairs),
        typical=median(ranked) if ranked else 0.0,
        usual_most=ranked[math.ceil(0.95 * count) - 1] if ranked else 0.0,
        problems=tuple(told),
    )


def _prints(answers: Answers, given: Given, settings: Settings, problems: list[str]) -> Prints:
    left, lexed = MAX_TOKENS, list[list[Token]]()
    for cell in answers.cells:
        tokens = lex(cell.source)
        lexed.append(tokens[:left])
        if len(tokens) > left:
            problems.append(f"{answers.student}: only the first {MAX_TOKENS:,} tokens of code are compared.")
            lexed += [[]] * (len(answers.cells) - len(lexed))
            break
        left -= len(tokens)
    cells = normalise(lexed, given.names)
    return Prints(answers, [fingerprint(cell, settings.k, settings.window) for cell in cells])


def _weights(prints: Sequence[Prints], given: Given, settings: Settings) -> dict[int, float]:
    """The weight of each k-gram that counts, by how many notebooks have it anywhere."""
    held = [np.unique(np.concatenate([cell.grams for cell in each.cells])) for each in prints if each.cells]
    if not held:
        return {}
    grams, holders = np.unique(np.concatenate(held), return_counts=True)
    most = max(settings.common_share * len(prints), settings.common_least)
    counts = (holders <= most) & ~np.isin(grams, _given_grams(given, settings))
    weights = 1.0 / np.maximum(holders[counts] - 1, 1)
    return dict(zip(grams[counts].tolist(), weights.tolist(), strict=True))


def _given_grams(given: Given, settings: Settings) -> Hashes:
    """All k-grams of what everybody has, and not only its fingerprints: none of them may count, whatever is around."""
    cells = normalise([lex(source) for source in given.sources], given.names)
    return np.concatenate([np.zeros(0, np.uint64), *(gram_hashes(cell, settings.k) for cell in cells)])


def _choose(prints: Prints, weights: Mapping[int, float]) -> None:
    """Keep the fingerprints that count, for each question and for the whole."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for cell, answer in zip(prints.cells, prints.answers.cells, strict=True):
        found[answer.question].update(gram for gram in cell.chosen.tolist() if gram in weights)
    prints.by_question = {question: frozenset(grams) for question, grams in found.items()}
    prints.overall = frozenset().union(*found.values())


def _listed(
    prints: Sequence[Prints], weights: Mapping[int, float], settings: Settings
) -> tuple[list[Pair], list[float]]:
    """The pairs to look at, and the similarities above 0 of all pairs, sorted."""
    overall = _figures([each.overall for each in prints], weights, settings)
    first = _ranked(overall, settings)[: settings.top]
    by_question: dict[tuple[int, int], Figure] = {}
    for question in dict.fromkeys(name for each in prints for name in each.by_question):
        of_question = [each.by_question.get(question, frozenset()) for each in prints]
        for pair, figure in _figures(of_question, weights, settings).items():
            if figure.similarity >= settings.question_similarity and pair not in first:
                by_question[pair] = max(figure, by_question.get(pair, NOTHING), key=lambda each: each.similarity)
    others = _ranked(by_question, settings)[: settings.top]
    pairs = [
        _pair(prints[left], prints[right], overall[left, right], weights, settings, by_question=(left, right) in others)
        for left, right in [*first, *others]
    ]
    return pairs, sorted(figure.similarity for figure in overall.values())


def _figures(
    sets: Sequence[frozenset[int]], weights: Mapping[int, float], settings: Settings
) -> dict[tuple[int, int], Figure]:
    """The figures of all pairs that share something, through an index from fingerprints to those who have them."""
    index: defaultdict[int, list[int]] = defaultdict(list)
    for number, grams in enumerate(sets):
        for gram in grams:
            index[gram].append(number)
    shared: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for gram, holders in index.items():
        for pair in combinations(holders, 2):
            shared[pair].append(weights[gram])
    totals = [_total(grams, weights, settings.least_size) for grams in sets]
    return {
        (left, right): Figure(
            similarity=round(min(math.fsum(found) / min(totals[left], totals[right]), 1.0), DIGITS),
            shared=len(found),
            smaller=min(len(sets[left]), len(sets[right])),
        )
        for (left, right), found in shared.items()
    }


def _total(grams: frozenset[int], weights: Mapping[int, float], least: int) -> float:
    """The weight of a set; of one that is too small, as if there were more like those that it has."""
    total = math.fsum(weights[gram] for gram in grams)
    return total * max(1.0, least / len(grams)) if grams else 0.0


def _ranked(figures: Mapping[tuple[int, int], Figure], settings: Settings) -> list[tuple[int, int]]:
    """The pairs that share enough, most alike first; of equals those who share more, then by student."""
    enough = [
        (pair, figure)
        for pair, figure in figures.items()
        if figure.shared >= settings.least_shared and figure.similarity >= settings.least_similarity
    ]
    return [pair for pair, figure in sorted(enough, key=lambda item: (-item[1].similarity, -item[1].shared, item[0]))]


def _pair(
    left: Prints, right: Prints, overall: Figure, weights: Mapping[int, float], settings: Settings, *, by_question: bool
) -> Pair:
    questions: dict[str, Figure] = {}
    for question, grams in left.by_question.items():
        both = [grams, right.by_question.get(question, frozenset[int]())]
        figure = _figures(both, weights, settings).get((0, 1))
        if figure is not None:
            questions[question] = figure
    everything = ({gram for cell in each.cells for gram in cell.grams.tolist()} for each in (left, right))
    shared = set.intersection(*everything) & weights.keys()
    passages = shared_passages(left.cells, right.cells, k=settings.k, shared=shared)
    students = left.answers.student, right.answers.student
    return Pair(*students, overall, questions, passages, by_question=by_question)
