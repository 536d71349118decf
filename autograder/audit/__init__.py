"""Look for secrets that leave and for what does not agree, before students get an assignment and after they are graded.

`audit_assignment` runs every rule over one assignment; nothing is executed, neither a notebook nor a hidden test.

- `registry` knows the rules; they are in `agreement_rules` (what says the same), `release_rules`, `published_rules`,
  `package_rules` and `data_rules` (what must not leave), `probe_rules` and `hidden_test_rules`.
- `subject` reads what they look at, `leaving` cuts files into pieces of text, `syntax` answers questions about
  hidden-test files, `fingerprints` finds copies, `withheld` knows the data that students never get.
- `findings` has what a rule finds, and how an instructor may allow it; `shown` makes a table of it.
"""

from __future__ import annotations

from pathlib import Path

from autograder.audit import (
    agreement_rules,
    data_rules,
    hidden_test_rules,
    package_rules,
    probe_rules,
    published_rules,
    release_rules,
)
from autograder.audit.findings import Finding, apply_waivers, is_green, read_waivers
from autograder.audit.registry import RULES
from autograder.audit.shown import print_audit
from autograder.audit.subject import read_subject
from autograder.config import Course

# Importing a module registers its rules.
THEMES = (
    agreement_rules,
    release_rules,
    published_rules,
    package_rules,
    data_rules,
    probe_rules,
    hidden_test_rules,
)

__all__ = ["RULES", "Finding", "audit_assignment", "is_green", "print_audit"]


def audit_assignment(course_folder: Path, course: Course, name: str, *, before_release: bool = False) -> list[Finding]:
    """Everything that the rules find about an assignment, rule by rule, waived findings included.

    Args:
        course_folder: with `solutions/` and `assignments/`; reports and feedback pages are looked at where there are.
        course: its configuration.
        name: of the assignment.
        before_release: look at what a release will be made of, and leave out the one that it will replace.

    Raises:
        ConfigurationError: the course has no such assignment.
    """
    subject = read_subject(course_folder, course, name, is_released=not before_release)
    found = [finding for each in RULES.values() for finding in each.look(subject)]
    waivers = [
        waiver
        for path in subject.secret_files
        if path.suffix == ".py"
        for waiver in read_waivers(path, subject.told(path))
    ]
    return apply_waivers(found, waivers, RULES)
