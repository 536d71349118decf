"""What a submission costs besides its own cells: the tiny LSTM notebook in five ways, side by side in one run.

    python -m benchmarks.kernel_start [--rounds 7] [--out benchmarks/results]

bare cells           the cells alone, in a fork of a process that has TensorFlow loaded: the least that can be
papermill            plain papermill with an ordinary kernel, no sandbox
nbgrader autograde   the command, for three submissions, divided by three
ours, cold           `grade_submission`, prepare to report, in a cold sandbox
ours, warm           the same in a warm sandbox

The ways take turns in every round, so that a busy moment of the machine falls on all of them. Medians are shown, and
ratios. Writes kernel_start.json and kernel_start.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import papermill
import psutil
from rich.console import Console
from rich.table import Table

from autograder.config import load_course
from autograder.execution import warm
from autograder.grading import find_submissions, grade_submission
from autograder.records import SandboxLevel
from benchmarks import tiny_lstm

BARE = """
import os, sys, time
import keras, numpy, pandas, matplotlib.pyplot, tensorflow
cells = sys.argv[1].split("\x1e")
print("ready", flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    if not os.fork():
        namespace = {"__name__": "__main__"}
        for cell in cells:
            exec(cell, namespace)
        os._exit(0)
    os.wait()
    print(time.perf_counter() - begun, flush=True)
"""
THREADS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"
)
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


class Bare:
    """A process that has everything loaded, and runs the cells in a fork of itself when told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", BARE, "\x1e".join(tiny_lstm.CELLS.values())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | THREADS,
        )
        self._read()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def __call__(self) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._read())

    def close(self) -> None:
        self.process.communicate()


def papermill_cold(plain: Path) -> float:
    """One notebook with papermill's own engine."""
    source = plain / "submitted" / tiny_lstm.STUDENTS[0] / tiny_lstm.NAME / f"{tiny_lstm.NAME}.ipynb"
    begun = time.perf_counter()
    papermill.execute_notebook(source, plain / "out.ipynb", kernel_name="python3", progress_bar=False)
    return time.perf_counter() - begun


def nbgrader_autograde(plain: Path) -> float:
    """All submissions by nbgrader's own command, per submission."""
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", tiny_lstm.NAME, "--force"],
        cwd=plain,
        check=True,
        capture_output=True,
        env=os.environ | THREADS | QUIET,
    )
    return (time.perf_counter() - begun) / len(tiny_lstm.STUDENTS)


def ours(own: Path, level: SandboxLevel) -> float:
    """One submission by this project, executed and judged anew."""
    course = load_course(own)
    submission = find_submissions(own, course, tiny_lstm.NAME)[0][0]
    tiny_lstm.forget_runs(own)
    begun = time.perf_counter()
    report = grade_submission(own, course, submission, sandbox=level)
    seconds = time.perf_counter() - begun
    if (report.score, report.provenance["sandbox"]) != (2.0, level):
        raise SystemExit(f"the benchmark's submission should get 2.0 at {level}. Received: {report}")
    return seconds


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds per submission for every way, one value per round, after one round that counts for nothing."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        own, plain = tiny_lstm.write_courses(Path(folder))
        os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # nbgrader calls alembic by its name
        nbgrader = [sys.executable, "-m", "nbgrader", "generate_assignment", tiny_lstm.NAME]
        subprocess.run(nbgrader, cwd=plain, check=True, capture_output=True)
        os.environ.update(THREADS | QUIET)  # papermill's kernel inherits them; ours sets its own
        bare = Bare()
        ways: dict[str, Callable[[], float]] = {
            "bare cells": bare,
            "papermill": lambda: papermill_cold(plain),
            "nbgrader autograde": lambda: nbgrader_autograde(plain),
            "ours, cold": lambda: ours(own, "cold"),
            "ours, warm": lambda: ours(own, "warm"),
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds + 1):
            for name, way in ways.items():
                seconds = way()
                if number:
                    found[name].append(round(seconds, 3))
        bare.close()
        warm.let_go()
    return found


def machine() -> dict[str, object]:
    """What the numbers were measured on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": memory,
        "kernel": ".".join(platform.release().split(".")[:2]),
        "python": platform.python_version(),
    }


def show(found: dict[str, list[float]], console: Console) -> None:
    """A table: medians, what is added to the bare cells, and how much faster than nbgrader."""
    medians = {name: statistics.median(values) for name, values in found.items()}
    table = Table(title="a submission of the tiny LSTM notebook, seconds", title_justify="left")
    for heading in ("", "median", "least", "most", "added to bare cells", "times faster than nbgrader"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, values in found.items():
        table.add_row(
            name,
            f"{medians[name]:.2f}",
            f"{min(values):.2f}",
            f"{max(values):.2f}",
            f"{medians[name] - medians['bare cells']:.2f}",
            f"{medians['nbgrader autograde'] / medians[name]:.1f}",
        )
    console.print(table)


def plot(found: dict[str, list[float]], path: Path) -> None:
    """Every round as a dot, the median as a bar."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "kernel_start"  # the same numbers make the same file
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    names = list(found)[::-1]
    axes.barh(names, [statistics.median(found[name]) for name in names], color="#7a9cc6")
    for place, name in enumerate(names):
        axes.plot(found[name], [place] * len(found[name]), ".", color="#24405f", markersize=5)
        axes.annotate(
            f"{statistics.median(found[name]):.2f} s",
            (max(found[name]), place),
            xytext=(6, -4),
            textcoords="offset points",
        )
    axes.set_xlabel("seconds per submission (bar: median)")
    axes.set_xlim(0, max(max(values) for values in found.values()) * 1.12)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    found = measure(options.rounds)
    options.out.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine(), "rounds": options.rounds, "seconds": found}
    (options.out / "kernel_start.json").write_text(json.dumps(told, indent=1) + "\n")
    plot(found, options.out / "kernel_start.svg")
    show(found, Console(width=110))


if __name__ == "__main__":
    main()
