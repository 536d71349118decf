"""Rounds: inputs that hold the answers to earlier ones reach the kernel when the earlier evidence has left it. About 6 s."""

from __future__ import annotations

import pytest

from tests.integrity.conftest import ABLE, TOTAL, assert_no_secret, pages, snippets

ROUNDS = '''
def given():
    return Given(x=1, note="FIRST-NOTE").then(x=2, note="SECOND-NOTE").then(x=3, note="THIRD-NOTE")

def probe(student, given):
    return {"x": given.x, "so_far": lambda: student.remember(given.note)}

def test_rounds(evidence):
    """Each round is answered before the next one is given."""
    notes = ["FIRST-NOTE", "SECOND-NOTE", "THIRD-NOTE"]
    for number in range(3):
        found = evidence.round(number)
        if (found["x"], found["so_far"]) != (number + 1, " ".join(notes[: number + 1])):
            raise Failure(f"Expected the notes so far. Received: {found['so_far']!r}")
'''
REMEMBER = """
def remember(note):
    with open("/tmp/notes", "a") as file:
        file.write(note + " ")
    return open("/tmp/notes").read().strip()
"""


@pytest.fixture
def rounds(exam):
    exam.question("rounds", ROUNDS)
    return exam


def test_rounds_come_one_after_the_other(rounds):
    report = rounds.grade(rounds.notebook(double=ABLE, total=TOTAL, rounds=REMEMBER))
    rounds.assert_outcomes(report)
    assert [probe.question for probe in report.run.probes] == ["double", "total", "rounds"]
    assert sorted(path.name for path in (rounds.run_of(report) / "evidence").iterdir()) == [
        "double.npz", "rounds.1.npz", "rounds.2.npz", "rounds.npz", "total.npz",
    ]  # fmt: skip


def test_who_gives_no_answer_is_given_nothing_more(rounds):
    """A probe that is made to leave nothing behind does not see the inputs of the next round."""
    silent = next(each for each in snippets("runtime") if each.name == "a_probe_that_leaves_at_once")
    reader = next(each for each in snippets("thieves") if each.name == "a_reader_of_the_inbox")
    rounds.question("last", "def probe(student, given):\n    return {}\n\ndef test_it():\n    pass\n", 0.5)
    notebook = rounds.notebook(
        double=ABLE, total=TOTAL, rounds=silent.source + reader.source, last="import time; time.sleep(0.3)\nprint(LOOT)"
    )
    report = rounds.grade(notebook)
    assert report.question("rounds").points in (None, 0.0)
    assert report.question("double").points == 1.0
    executed = pages(rounds, report)["executed.ipynb"]
    assert "SECOND-NOTE" not in executed and "THIRD-NOTE" not in executed
    assert_no_secret(rounds, report)


def test_a_stored_run_knows_its_rounds(rounds):
    """Other inputs of a later round are another execution."""
    notebook = rounds.notebook(double=ABLE, total=TOTAL, rounds=REMEMBER)
    first = rounds.grade(notebook)
    rounds.question("rounds", ROUNDS.replace("x=3", "x=33"))
    second = rounds.grade(notebook)
    assert first.provenance["run"] != second.provenance["run"]
    rounds.assert_outcomes(second, rounds="failed")
