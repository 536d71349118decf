"""An audit as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from autograder import tables
from autograder.audit.findings import Finding, is_green
from autograder.audit.registry import RULES


def print_audit(findings: Sequence[Finding], console: Console, name: str) -> bool:
    """Show what an audit found, what has to be mended first; returns whether it is green."""
    lines = [_line(finding) for finding in sorted(findings, key=_urgency)]
    quiet = sum(not any(finding.rule == rule for finding in findings) for rule in RULES)
    lines.append(tables.Finding("rules", True, f"{quiet} of {len(RULES)} found nothing"))
    console.print(tables.findings_table(lines, f"Audit of {name}"))
    count = sum(finding.counts for finding in findings)
    told = f"{count} finding{'s' if count != 1 else ''} to mend." if count else "Nothing has to be mended."
    console.print(tables.plain(told, "red" if count else "green"))
    return is_green(findings)


def _urgency(finding: Finding) -> int:
    if finding.waived:
        return 3
    return ["error", "warning", "note"].index(finding.severity)


def _line(finding: Finding) -> tables.Finding:
    told = f"{finding.place}: {finding.found}"
    if finding.waived:
        return tables.Finding(finding.rule, None, f"{told}\nallowed, because {finding.waived}")
    return tables.Finding(finding.rule, False if finding.counts else None, told, finding.remedy)
