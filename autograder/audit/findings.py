"""What an audit finds, and how an instructor may allow it.

A waiver is a comment in a file under `solutions/`, on the line that is found or on the line above:

    # audit: allow RULE because REASON

It changes no rule: the finding stays in the list, with the reason beside it, and no longer counts.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "note"]
_WAIVER = re.compile(r"#\s*audit:\s*allow\s+(?P<rule>[\w-]+)(?:\s+because\s+(?P<reason>\S.*?))?\s*$")


@dataclass(frozen=True)
class Finding:
    """One thing that an audit found.

    Attributes:
        rule: which rule found it.
        severity: an error has to be mended before a release; a warning is a guess for a person to look at; a note only
            says what could not be looked at.
        where: the file, seen from the course folder, and the cell in it if it is a notebook.
        found: what is there.
        remedy: what to do.
        line: in the file; None where it is about the file as a whole.
        waived: the reason for which it is allowed; empty where it is not.
    """

    rule: str
    severity: Severity
    where: str
    found: str
    remedy: str
    line: int | None = None
    waived: str = ""

    @property
    def counts(self) -> bool:
        """Whether the audit fails because of it."""
        return self.severity == "error" and not self.waived

    @property
    def place(self) -> str:
        """File, cell and line as a person reads them."""
        return self.where if self.line is None else f"{self.where}:{self.line}"


@dataclass(frozen=True)
class Waiver:
    """One comment that allows one rule at one place."""

    rule: str
    reason: str
    where: str
    line: int

    def allows(self, finding: Finding) -> bool:
        """Whether this comment stands at what was found: its line, the one above, or anywhere for a whole file."""
        same = (finding.rule, finding.where) == (self.rule, self.where)
        return same and (finding.line is None or finding.line - self.line in {0, 1})


def is_green(findings: Iterable[Finding]) -> bool:
    """Whether nothing was found that has to be mended."""
    return not any(finding.counts for finding in findings)


def read_waivers(path: Path, where: str) -> Iterator[Waiver]:
    """The waivers among a Python file's comments; text inside of strings is none. A damaged file has no waivers."""
    try:
        reader = io.StringIO(path.read_text(encoding="utf-8")).readline
        for token in tokenize.generate_tokens(reader):
            if token.type == tokenize.COMMENT and (found := _WAIVER.search(token.string)):
                yield Waiver(found["rule"], found["reason"] or "", where, token.start[0])
    except (OSError, UnicodeDecodeError, SyntaxError, tokenize.TokenError):
        return  # what cannot be read is a finding of its own


def apply_waivers(findings: Iterable[Finding], waivers: Iterable[Waiver], rules: Mapping[str, object]) -> list[Finding]:
    """The findings with their waivers, and what is wrong with waivers themselves."""
    waivers = list(waivers)
    valid = [waiver for waiver in waivers if waiver.rule in rules and waiver.reason]
    used: set[Waiver] = set()
    judged = []
    for finding in findings:
        waiver = next((each for each in valid if each.allows(finding)), None)
        used |= {each for each in valid if each.allows(finding)}
        judged.append(finding if waiver is None else replace(finding, waived=waiver.reason))
    judged += [_about(waiver, rules) for waiver in waivers if waiver not in used]
    return judged


def _about(waiver: Waiver, rules: Mapping[str, object]) -> Finding:
    if waiver.rule not in rules:
        found, remedy = f"a waiver names no rule: {waiver.rule}", "Correct the name; docs/audit.md lists the rules."
    elif not waiver.reason:
        found = f"a waiver of {waiver.rule} gives no reason"
        remedy = "Write `# audit: allow RULE because REASON`."
    else:
        found, remedy = f"a waiver of {waiver.rule} allows nothing", "Delete it: what it allowed is gone."
        return Finding("waiver", "warning", waiver.where, found, remedy, waiver.line)
    return Finding("waiver", "error", waiver.where, found, remedy, waiver.line)
