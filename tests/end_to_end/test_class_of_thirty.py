"""Thirty students nobody has seen before, graded twice: the second time without a kernel. About 5 minutes.

Each of them made the mistakes of two demo students, drawn by lot, so the right verdicts are known although the notebook
is new.
"""

from __future__ import annotations

import itertools
import random
from io import StringIO
from pathlib import Path

import nbformat
import pytest
from rich.console import Console

from autograder import store
from autograder.execution import levels
from autograder.marking import mark_class
from autograder.mutants import Mutant, apply_mutant, read_mutants
from autograder.trial_course import TrialStudent, build_course, compare, hand_in, read_release, read_source

ROOT = Path(__file__).parents[2]
NAME = "rnn_layers"
COUNT, SEED = 30, 11
COLD = next(status for status in levels() if status.level == "cold")


def pairs_of_mistakes(mutants: list[Mutant]) -> list[tuple[Mutant, Mutant]]:
    """Pairs of wrong demo students who each changed one question alone, and not the same one; drawn by lot."""
    alone = [mutant for mutant in mutants if len(mutant.expected) == 1 and set(mutant.cells) == set(mutant.expected)]
    pairs = [pair for pair in itertools.combinations(alone, 2) if not set(pair[0].cells) & set(pair[1].cells)]
    return random.Random(SEED).sample(pairs, COUNT)


@pytest.mark.slow
@pytest.mark.skipif(not COLD.works, reason=f"no sandbox on this machine: {COLD.why}")
def test_thirty_unseen_submissions_are_graded_once(tmp_path):
    folder = tmp_path / "course"
    course = build_course(ROOT, folder, [NAME], command="demo")
    release, source = read_release(folder, NAME), read_source(folder, NAME)
    students = []
    for number, (one, other) in enumerate(pairs_of_mistakes(read_mutants(folder / "solutions" / NAME / "mutants")), 1):
        both = Mutant("both", "", {}, right=False, cells={**one.cells, **other.cells})
        content = nbformat.writes(apply_mutant(release, source, both))
        expected = {**one.expected, **other.expected}
        students.append(TrialStudent(f"student-{number:02d}", f"{one.name} {other.name}", "", expected, content))
    hand_in(folder, course.assignment(NAME), students)

    def grade():
        return mark_class(folder, course, NAME, console=Console(file=StringIO()), profile="smoke", workers=2)

    first = grade()
    assert first.done == {"run": COUNT}
    reports = [store.read_report(folder, NAME, student.student) for student in students]
    surprised = {
        verdict.student.name: verdict.surprises
        for verdict in compare(students, reports, course.assignment(NAME))
        if verdict.surprises
    }
    assert not surprised
    again = grade()
    assert again.done == {"nothing": COUNT}
    assert [store.read_report(folder, NAME, student.student) for student in students] == reports
