"""The audit as a whole: the project's own assignments, its table, its documentation. Takes about 20 s."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from autograder.audit import RULES, Finding, audit_assignment, is_green, print_audit
from autograder.config import load_course
from autograder.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
ASSIGNMENTS = [assignment.name for assignment in load_course(ROOT).assignments]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_assignments_are_in_order(name):
    """Nothing has to be mended in what this project releases."""
    findings = audit_assignment(ROOT, load_course(ROOT), name)
    counted = [finding for finding in findings if finding.counts]
    assert [(finding.rule, finding.place, finding.found) for finding in counted] == []


def test_the_documentation_lists_every_rule():
    """docs/audit.md has one row for each rule, with the sentence that the rule says of itself, and for nothing else."""
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", page, re.MULTILINE)
    assert sorted(rows) == sorted((rule.id, rule.says) for rule in RULES.values())


def test_an_unknown_assignment_is_told():
    """With the names that there are."""
    with pytest.raises(ConfigurationError, match="no assignment 'rnn'"):
        audit_assignment(ROOT, load_course(ROOT), "rnn")


def shown(findings: list[Finding]) -> tuple[str, bool]:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    green = print_audit(findings, console, "films")
    return console.file.getvalue(), green


def test_the_table_begins_with_what_has_to_be_mended():
    """Then what a person should look at, then what is allowed, with its reason; text is no markup."""
    findings = [
        Finding("no-mutant", "error", "test_a.py", "allowed", "Write one.", waived="it is new"),
        Finding("metadata-in-release", "warning", "films.ipynb", "guessed", "Remove it."),
        Finding("missing-hint", "error", "test_b.py", "wrong [bold]here", "Mend it.", 7),
    ]
    text, green = shown(findings)
    assert not green
    places = [text.index(part) for part in ("test_b.py:7: wrong [bold]here", "guessed", "allowed, because it is new")]
    assert places == sorted(places)
    assert f"{len(RULES) - 3} of {len(RULES)} found nothing" in text
    assert "1 finding to mend." in text


def test_a_green_audit_says_so():
    """Warnings and notes do not change that."""
    text, green = shown([Finding("metadata-in-release", "warning", "films.ipynb", "guessed", "Remove it.")])
    assert green
    assert "Nothing has to be mended." in text
    assert is_green([])
