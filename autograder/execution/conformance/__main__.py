"""The kit as a program: holds sandboxes to their promises and prints a table.

    python -m autograder.execution.conformance --sandbox cold
    python -m autograder.execution.conformance --sandbox my_package.sandboxes:CONTAINER --only network --json found.json

Exit status: 0 every promise holds (known failures with a reason aside), 1 some do not, 2 the kit could not be run.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_FOLDER = Path(__file__).parent
_SHOWN = {"passed": "[green]kept[/]", "xfailed": "[yellow]known[/]", "skipped": "[dim]skipped[/]"}


@dataclass(frozen=True)
class Verdict:
    """What came of one promise for one sandbox: `outcome` is passed, failed, error, skipped or xfailed."""

    area: str
    name: str
    promise: str
    sandbox: str
    outcome: str
    reason: str = ""


class Collector:
    """A pytest plugin that collects the verdicts."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self._items: dict[str, pytest.Item] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the tests, for their docstrings."""
        self._items = {item.nodeid: item for item in session.items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome; whatever goes wrong before or after the test itself is an error."""
        if report.when == "call" or report.outcome != "passed":
            outcome: str = report.outcome if report.when == "call" else "error"
            if report.skipped:
                outcome = "xfailed" if hasattr(report, "wasxfail") else "skipped"
            self.verdicts[report.nodeid] = self._verdict(report.nodeid, outcome, _reason(report))

    def _verdict(self, nodeid: str, outcome: str, reason: str) -> Verdict:
        item = self._items[nodeid]
        function = getattr(item, "function", None)
        sandbox = item.name.partition("[")[2].rstrip("]")
        name = item.name.partition("[")[0].removeprefix("test_")
        promise = " ".join((inspect.getdoc(function) or name).split())
        return Verdict(item.path.stem.removeprefix("test_"), name, promise, sandbox, outcome, reason)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the kit; returns the exit status."""
    summary = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m autograder.execution.conformance", description=summary)
    parser.add_argument("--sandbox", action="append", default=[], metavar="LEVEL|MODULE:OBJECT")
    areas = sorted(path.stem.removeprefix("test_") for path in _FOLDER.glob("test_*.py"))
    parser.add_argument("--only", action="append", default=[], choices=areas, help="an area; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all verdicts to a file")
    given = parser.parse_args(arguments)
    files = [str(_FOLDER / f"test_{area}.py") for area in given.only or areas]
    chosen = [part for spec in given.sandbox for part in ("--sandbox", spec)]
    collector = Collector()
    sys.path.insert(0, str(Path.cwd()))  # where --sandbox finds modules, as `python -m` promises
    quiet = ["-c", os.devnull, "--rootdir", str(_FOLDER), "-p", "no:cacheprovider", "-p", "no:terminal"]
    with Console(stderr=True).status("Each promise is tried; this takes a minute or two for each sandbox ..."):
        status = pytest.main([*files, *chosen, *quiet], plugins=[collector])
    verdicts = list(collector.verdicts.values())
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(verdict) for verdict in verdicts], indent=1), encoding="utf-8")
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not verdicts:
        return 2
    _show(verdicts)
    return int(any(verdict.outcome in {"failed", "error"} for verdict in verdicts))


def _show(verdicts: list[Verdict]) -> None:
    console = Console()
    table = Table("area", "promise", "sandbox", "", show_lines=False)
    for verdict in verdicts:
        shown = _SHOWN.get(verdict.outcome, "[bold red]BROKEN[/]")
        note = f"\n[dim]{escape(verdict.reason)}[/]" if verdict.reason else ""
        table.add_row(verdict.area, escape(verdict.promise) + note, verdict.sandbox, shown)
    console.print(table)
    for sandbox in sorted({verdict.sandbox for verdict in verdicts}):
        own = [verdict.outcome for verdict in verdicts if verdict.sandbox == sandbox]
        broken = sum(outcome in {"failed", "error"} for outcome in own)
        console.print(
            f"{sandbox}: {own.count('passed')} promises kept, {broken} broken, "
            f"{own.count('xfailed')} known not to hold, {own.count('skipped')} skipped"
        )


def _reason(report: pytest.TestReport) -> str:
    """Why a promise was skipped, is known not to hold, or was found broken, in one line."""
    told = report.longrepr
    crash = getattr(told, "reprcrash", None)
    if report.skipped:
        text = getattr(report, "wasxfail", "") or (told[2] if isinstance(told, tuple) else "")
    else:
        text = getattr(crash, "message", "") or str(told or "")
    return text.splitlines()[0].removeprefix("AssertionError: ")[:300] if text else ""


if __name__ == "__main__":
    sys.exit(main())
