"""Where the time of `autograder grade` goes: from what it says while it runs, and from when its files were written.

    python -m benchmarks.throughput_phases COURSE NAME    how long the beginning of a command takes, part by part

The seconds of the whole command add up to its wall time. Those of single submissions are means; submissions run and are
judged side by side, so they add up to what one submission takes from its start to its report and not to wall time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.throughput_timing import Timed

WHOLE = {
    "beginning": "imports, release, data, hidden tests, warm process",
    "class": "from the first submission's start to the last one's report",
    "class page": "ending of workers and judges, the class's page",
    "gradebook": "import of nbgrader, and the gradebook's one writer",
    "end": "the table, and the end of the process",
}
EACH = {
    "worker": "the worker process; the first ones wait for the imports of the process that they are forked from",
    "kernel": "sandbox, kernel, the probes' runtime",
    "cells": "the student's cells",
    "probes": "the probes",
    "rest of run": "between cells, ending the kernel, collecting evidence, storing the run",
    "judging": "waiting for a judge, and the hidden tests",
    "report": "report, feedback page, history",
}


def phases(timed: Timed, course: Path, assignment: str) -> dict[str, Any]:
    """The phases of one call of `autograder grade --json` that graded the whole class anew.

    Returns:
        `whole` and `each`: seconds by the names in `WHOLE` and `EACH`; `slots`: how many ran at a time; `slots_busy`:
        the share of their time, from the first start to the last report, in which a notebook was running.
    """
    events = list(_events(timed))
    found = next((when, told) for when, told in events if told["event"] == "found")
    started = {told["name"]: when for when, told in events if told["event"] == "started"}
    first = {told["name"]: when for when, told in events if told["event"] == "cell" and told["done"] == 1}
    ended = {told["name"]: when for when, told in events if told["event"] == "ended"}
    reports = course / "reports" / assignment
    last, page, gradebook = max(ended.values()), _written(reports / "index.html"), _written(course / "gradebook.db")
    marks = (timed.began, found[0], last, page, gradebook, timed.began + timed.wall)
    whole = {name: after - before for name, before, after in zip(WHOLE, marks, marks[1:], strict=False)}
    rows = [_one(course, reports / name, started[name], first[name], ended[name]) for name in sorted(ended)]
    each = {name: sum(row[name] for row in rows) / len(rows) for name in EACH}
    slots = int(found[1]["at_a_time"])
    busy = sum(row["ran"] for row in rows) / (slots * whole["class"])
    return {"whole": _rounded(whole), "each": _rounded(each), "slots": slots, "slots_busy": round(busy, 3)}


def _one(course: Path, report_folder: Path, started: float, first: float, ended: float) -> dict[str, float]:
    """Seconds of one submission; `first` is when its first cell had run."""
    report = json.loads((report_folder / "report.json").read_text())
    stored = course / ".autograder" / "runs" / report["provenance"]["run"]
    run = json.loads((stored / "run.json").read_text())
    ran_until = _written(stored / "run.json")
    judged = max(_written(path) for path in (stored / "verdicts").iterdir())
    cells = sum(cell["seconds"] for cell in run["cells"])
    probes = sum(probe["seconds"] for probe in run["probes"])
    first_began = first - run["cells"][0]["seconds"]
    return {
        "worker": first_began - run["startup_seconds"] - started,
        "kernel": run["startup_seconds"],
        "cells": cells,
        "probes": probes,
        "rest of run": ran_until - first_began - cells - probes,
        "judging": judged - ran_until,
        "report": ended - judged,
        "ran": ran_until - started,
    }


def _events(timed: Timed) -> Any:
    for when, line in timed.lines:
        if line.startswith("{"):
            yield when, json.loads(line)


def _written(path: Path) -> float:
    return path.stat().st_mtime


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 3) for name, value in seconds.items()}


def beginning(course_folder: Path, assignment: str) -> dict[str, float]:
    """Seconds of the parts of a command's beginning; call it in a process that has imported none of the product."""
    clock = time.perf_counter()
    import autograder.marking  # what the command imports
    from autograder.config import load_course
    from autograder.execution.sandbox import Confinement, settle
    from autograder.grading import prepare_setting

    marks = {f"imports of {autograder.marking.__name__}": time.perf_counter()}
    setting = prepare_setting(course_folder, load_course(course_folder), assignment, profile=None, sandbox=None)
    assert setting.release
    marks["configuration, data, hidden tests, release"] = time.perf_counter()
    profile = setting.profile
    settled = settle(Confinement(setting.sandbox, profile.limits, profile.threads, gpu=profile.gpu))
    assert settled.level == setting.sandbox, settled.note
    marks["warm process, and its trial"] = time.perf_counter()
    times = [clock, *marks.values()]
    return {name: round(after - before, 3) for name, before, after in zip(marks, times, times[1:], strict=False)}


if __name__ == "__main__":
    print(json.dumps(beginning(Path(sys.argv[1]).resolve(), sys.argv[2])))
