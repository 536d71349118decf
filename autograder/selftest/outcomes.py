"""What a self-test found: who got which outcomes, against what was to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from autograder.records import CheckResult, QuestionOutcome, QuestionResult, Report
from autograder.selftest.mutations import Mutation

Kind = Literal["solution", "right", "wrong", "generated"]
KILLED_AT_LEAST: Final = 0.95
POINTS_DIFFER: Final = 1e-6
RANK: Final[Mapping[str, int]] = {"failed": 0, "partial": 1, "passed": 2}
FAILING: Final = frozenset({"failed", "limit_exceeded"})


@dataclass(frozen=True)
class Row:
    """One submission of the self-test.

    Attributes:
        name: of the mutant; "solution" for the reference solution.
        kind: the solution, a right or wrong demo student, or a generated mutant.
        story: what this student did; of a generated mutant its diff.
        expected: outcome by question; empty for a generated mutant, which has to lose something somewhere.
        got: outcome by question, of the questions that depend on the student alone; empty where it was not graded.
        lost: questions with fewer points than the solution has.
        problem: why it was not graded.
    """

    name: str
    kind: Kind
    story: str
    expected: Mapping[str, QuestionOutcome]
    got: Mapping[str, QuestionOutcome]
    lost: tuple[str, ...] = ()
    problem: str = ""

    @property
    def undecided(self) -> tuple[str, ...]:
        """Questions about which nothing can be said: the grader went wrong, or this machine cannot tell."""
        return tuple(question for question, outcome in self.got.items() if outcome not in RANK)

    @property
    def survives(self) -> bool:
        """Whether it is a generated mutant that has lost nothing, although it was graded whole."""
        return self.kind == "generated" and not self.lost and bool(self.got) and not self.undecided


@dataclass(frozen=True)
class Surprise:
    """An outcome that is not the expected one."""

    name: str
    question: str
    expected: str
    got: str


@dataclass(frozen=True)
class SelfTest:
    """How good an assignment's hidden tests are at telling right from wrong.

    Attributes:
        questions: those that depend on the student alone, in order.
        rows: the solution, demo students and generated mutants.
        never_fail: checks (`question: name`) that no mutant has failed.
        only_with_all: checks that failed only where all of their question failed, which tells nothing about them.
        without_mutant: questions that no demo student is expected to lose.
        survivors: generated mutants that have lost nothing.
        equivalent: how many of the chosen mutants were left out, because they are as right as the solution.
        lapsed: entries of the equivalent mutants that no longer occur.
        possible: how many mutants can be generated.
        interval: a 95 % confidence interval of the share killed (Wilson's).
        problems: what a person has to look at.
    """

    assignment: str
    profile: str
    seed: int
    questions: tuple[str, ...]
    rows: tuple[Row, ...]
    never_fail: tuple[str, ...]
    only_with_all: tuple[str, ...]
    without_mutant: tuple[str, ...]
    survivors: tuple[Mutation, ...]
    equivalent: int
    lapsed: tuple[str, ...]
    possible: int
    interval: tuple[float, float]
    problems: tuple[str, ...] = ()

    @property
    def false_passes(self) -> tuple[Surprise, ...]:
        """Mistakes that got a better outcome than they should."""
        return tuple(each for each in self._surprises() if _is_better(each.got, each.expected))

    @property
    def false_fails(self) -> tuple[Surprise, ...]:
        """Answers that got a worse outcome than they should."""
        return tuple(each for each in self._surprises() if _is_better(each.expected, each.got))

    @property
    def undecided(self) -> tuple[Surprise, ...]:
        """Questions where the grader went wrong, or could not tell."""
        return tuple(
            Surprise(row.name, question, row.expected.get(question, "an outcome"), row.got[question])
            for row in self.rows
            for question in row.undecided
            if row.got[question] != row.expected.get(question)
        )

    @property
    def killed(self) -> int:
        """How many generated mutants lost something."""
        return sum(row.kind == "generated" and bool(row.lost) for row in self.rows)

    @property
    def measured(self) -> int:
        """How many generated mutants lost something, or survived."""
        return self.killed + len(self.survivors)

    @property
    def share(self) -> float | None:
        """The share of generated mutants killed; None where there are none."""
        return self.killed / self.measured if self.measured else None

    @property
    def is_fine(self) -> bool:
        """Whether every expectation was met, and enough of the generated mutants were killed."""
        surprised = self.false_passes or self.false_fails or self.undecided or self.problems
        return not surprised and (self.share is None or self.share >= KILLED_AT_LEAST)

    def document(self) -> dict[str, Any]:
        """As plain JSON, with what is computed from it."""
        computed = {
            "false_passes": [asdict(each) for each in self.false_passes],
            "false_fails": [asdict(each) for each in self.false_fails],
            "undecided": [asdict(each) for each in self.undecided],
            "killed": self.killed,
            "measured": self.measured,
            "share": self.share,
            "is_fine": self.is_fine,
        }
        return {"schema": 1, **asdict(self), **computed}

    def _surprises(self) -> list[Surprise]:
        return [
            Surprise(row.name, question, expected, row.got[question])
            for row in self.rows
            for question, expected in row.expected.items()
            if question in row.got and row.got[question] != expected
        ]


def _is_better(one: str, other: str) -> bool:
    return one in RANK and other in RANK and RANK[one] > RANK[other]


def row_of(
    name: str,
    kind: Kind,
    story: str,
    expected: Mapping[str, QuestionOutcome],
    report: Report | None,
    *,
    solution: Report | None,
    questions: Sequence[str],
) -> Row:
    """What came of one submission.

    Args:
        name: of the mutant.
        kind: of the mutant.
        story: what it did.
        expected: outcomes that are not "passed"; of no meaning for generated mutants.
        report: of the submission, None where there is none.
        solution: the reference solution's report.
        questions: those that count.
    """
    every = {} if kind == "generated" else {question: expected.get(question, "passed") for question in questions}
    if report is None or not report.questions or report.run is None:
        problem = report.problem if report is not None else "It has no report"
        return Row(name, kind, story, every, {}, problem=problem)
    results = {result.id: result for result in report.questions if result.id in questions}
    full = {result.id: result for result in solution.questions} if solution is not None else {}
    got = {question: result.outcome for question, result in results.items()}
    lost = tuple(question for question, result in results.items() if _loses(result, full.get(question)))
    return Row(name, kind, story, every, got, lost)


def _loses(result: QuestionResult, full: QuestionResult | None) -> bool:
    if full is None or full.points is None or result.points is None:
        return False
    return result.points < full.points - POINTS_DIFFER


def idle_checks(solution: Report, mutants: Iterable[Report], questions: Sequence[str]) -> tuple[list[str], list[str]]:
    """Checks that fail on no mutant, and checks that fail only together with all others of their question."""
    failed: set[str] = set()
    failed_alone: set[str] = set()
    for report in mutants:
        for question in report.questions:
            failing = {_name(question, check) for check in question.checks if check.outcome in FAILING}
            failed |= failing
            if len(failing) < len(question.checks):
                failed_alone |= failing
    every = [
        (_name(question, check), len(question.checks) > 1)
        for question in solution.questions
        if question.id in questions
        for check in question.checks
    ]
    never = [name for name, _ in every if name not in failed]
    together = [name for name, has_others in every if has_others and name in failed - failed_alone]
    return never, together


def _name(question: QuestionResult, check: CheckResult) -> str:
    return f"{question.id}: {check.name}"


def wilson(killed: int, measured: int) -> tuple[float, float]:
    """A 95 % confidence interval of a share (Wilson 1927)."""
    if not measured:
        return 0.0, 1.0
    from scipy.stats import binomtest  # takes a while to import

    interval = binomtest(killed, measured).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
