"""How long a class takes: this project, stock nbgrader, otter, papermill and the bare cells, side by side in one run.

    python -m benchmarks.throughput [--count 24] [--rounds 2] [--otter PYTHON] [--out benchmarks/results]

autograder grade      our command: everything from the release check to the gradebook, in warm sandboxes
nbgrader autograde    stock nbgrader's command, in a course without our configuration
otter run             otter's command for one submission, for each of them; PYTHON is one that has otter-grader
papermill             papermill's command for each notebook; it gives no marks
bare cells            the code of each submission by a plain Python, one per core, one thread each; no marks
bare cells, loaded    the same in forks of plain Pythons that have imported TensorFlow, one per core

Two notebooks: `short` is mostly the import of TensorFlow, `training` is mostly training. The ways take turns, each in a
fresh copy of its course. Every submission is right, and a way that does not find so stops the benchmark. Commands that
grade one submission after another may use every core. Writes throughput.json and throughput.svg after every round, and
prints the tables. 24 submissions and two rounds take more than an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.kernel_start import machine
from benchmarks.throughput_courses import HOMEWORKS, NAME, copy_fresh
from benchmarks.throughput_phases import phases
from benchmarks.throughput_shown import plot, tables
from benchmarks.throughput_timing import Processor, adopt_orphans, timed
from benchmarks.throughput_ways import (
    BARE,
    BARE_LOADED,
    NBGRADER,
    NO_OTTER,
    OTTER,
    OURS,
    PAPERMILL,
    Way,
    environment,
    versions,
    ways,
)

ALL = (OURS, NBGRADER, OTTER, PAPERMILL, BARE, BARE_LOADED)
HERE = Path(__file__).parent


class Benchmark:
    """All ways and notebooks, and what has been measured of them so far."""

    def __init__(
        self, folder: Path, chosen: dict[str, Way], homeworks: list[str], count: int, processor: Processor
    ) -> None:
        self.folder = folder
        self.ways = chosen
        self.count = count
        self.homeworks = {name: HOMEWORKS[name] for name in homeworks}
        self.measured: dict[str, dict[str, list[dict[str, float]]]] = {
            name: {way: [] for way in chosen} for name in homeworks
        }
        self.phases: dict[str, list[dict[str, Any]]] = {name: [] for name in homeworks}
        self.processor = processor
        temporary = folder / "tmp"
        temporary.mkdir()
        self.environment = environment(temporary)

    def prepare(self) -> None:
        """Everything that is there before grading begins."""
        for homework in self.homeworks.values():
            for way in self.ways.values():
                folder = self._template(homework.name, way)
                folder.mkdir(parents=True)
                way.prepare(folder, homework, self.count)
        # The first import after a start of the machine reads half a gigabyte from the disk.
        for code in ("import keras, tensorflow, matplotlib.pyplot, pandas", "import nbgrader.apps, papermill"):
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    def beginning(self) -> dict[str, float]:
        """The parts of our command's beginning."""
        folder = copy_fresh(self._template(next(iter(self.homeworks)), self.ways[OURS]), self.folder / "course")
        command = [sys.executable, "-m", "benchmarks.throughput_phases", str(folder), NAME]
        own = self.environment
        done = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True, text=True, env=own)
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def play_round(self) -> None:
        """Every way once, for every notebook."""
        for name in self.homeworks:
            for way in self.ways.values():
                folder = copy_fresh(self._template(name, way), self.folder / "course")
                took = timed(way.commands(folder), self.processor, cwd=folder, env=self.environment)
                way.expect_full_marks(folder, self.count)
                self.measured[name][way.name].append({"wall": round(took.wall, 2), "cpu": round(took.cpu, 2)})
                if way.name == OURS:
                    self.phases[name].append(phases(took, folder, NAME))
                print(f"{name}, {way.name}: {took.wall:.1f} s, CPU {took.cpu:.1f} s", file=sys.stderr, flush=True)

    def _template(self, homework: str, way: Way) -> Path:
        return self.folder / "templates" / homework / way.name.replace(" ", "-")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=24, help="submissions")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--otter", type=Path, help="a Python with otter-grader, TensorFlow and Keras", metavar="PYTHON")
    parser.add_argument("--homeworks", nargs="+", choices=HOMEWORKS, default=list(HOMEWORKS))
    parser.add_argument("--ways", nargs="+", choices=ALL, default=list(ALL))
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    otter = options.otter.absolute() if options.otter else None  # a virtual environment's Python is a link
    cores = len(os.sched_getaffinity(0))
    chosen = {name: way for name, way in ways(cores, otter).items() if name in options.ways}
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="class-") as temporary, closing(Processor()) as processor:
        benchmark = Benchmark(Path(temporary), chosen, options.homeworks, options.count, processor)
        benchmark.prepare()
        found: dict[str, Any] = {
            "machine": machine(),
            "versions": versions(otter),
            "cpu_of": processor.of,
            "count": options.count,
            "homeworks": {name: homework.what for name, homework in benchmark.homeworks.items()},
            "ways": {name: {"typed": way.typed, "protects": way.protects} for name, way in chosen.items()},
            "missing": {OTTER: NO_OTTER} if otter is None and OTTER in options.ways else {},
            "beginning": benchmark.beginning() if OURS in chosen else {},
        }
        options.out.mkdir(parents=True, exist_ok=True)
        for number in range(options.rounds):
            benchmark.play_round()
            found |= {"rounds": number + 1, "seconds": benchmark.measured, "phases": benchmark.phases}
            (options.out / "throughput.json").write_text(json.dumps(found, indent=1) + "\n")
            plot(found, options.out / "throughput.svg")
    print(tables(found))


if __name__ == "__main__":
    main()
