"""Grading a class again after an edit of one hidden test: this project against `nbgrader autograde --force`.

    python -m benchmarks.rejudging [--count 24] [--assignments tiny_lstm jena_multistep] [--rounds 3] [--runs COURSE]

A class of `count` submissions is graded and in the gradebook. Then one hidden test is edited, and both grade the same
notebooks again, side by side in one run: this project with `autograder grade --yes` before and after nbgrader's turn,
`rounds` times each with an edit of its own; stock nbgrader, which knows no other way, with `nbgrader autograde --force`
once, in a course of its own that loads nothing of this project. nbgrader is spared the making of a new release with
the edited test, which it would need first.

tiny_lstm        a short notebook: Keras is imported, an LSTM with 8 units learns a sine
jena_multistep   the multistep homework as demo students hand it in, with the smoke profile's parameters and data

This project's runs come from a few real executions (see `class_size`; `--runs` names an earlier demo), one for each
submission. That no kernel is started is looked at in two ways: the events of the batch, where every start of a notebook
is told, and the store, which has the same runs with the same files afterwards. Prints a table, and writes
rejudging.json and rejudging.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from autograder import store
from autograder.config import Course
from autograder.grading import prepare_data
from benchmarks import class_size, tiny_lstm
from benchmarks.kernel_start import QUIET, machine

HOME = Path(__file__).parents[1]
TARGET = 50
JENA = class_size.NAME
EDITED = {tiny_lstm.NAME: ("test_model.py", r"(error < )(?:[\d.]+ \* )?(?=baseline)"), JENA: class_size.EDITED}
EDITS = {tiny_lstm.NAME: "{} * ", JENA: "{}"}


@dataclass(frozen=True)
class Both:
    """The same class twice: in this project's course and in stock nbgrader's."""

    name: str
    profile: str
    own: Path
    plain: Path
    count: int


def make_tiny(place: Path, count: int) -> Both:
    """A class with the short notebook; three submissions are executed for real."""
    own, plain = tiny_lstm.write_courses(place / "tiny")
    run(["-m", "autograder", "grade", tiny_lstm.NAME, "--course", str(own)])
    _, profile = class_size.enlarge(own, place / "tiny_class", tiny_lstm.NAME, count)
    return _hand_in_twice(tiny_lstm.NAME, profile, place / "tiny_class", plain, count)


def make_jena(place: Path, count: int, graded: Path | None) -> Both:
    """A class with the multistep homework."""
    graded = graded or class_size.real_runs(place / "demo")
    course, profile = class_size.enlarge(graded, place / "jena_class", JENA, count)
    plain = place / "jena_plain"
    _release_plainly(place / "jena_class", course, profile, plain)
    return _hand_in_twice(JENA, profile, place / "jena_class", plain, count)


def _release_plainly(own: Path, course: Course, profile: str, plain: Path) -> None:
    """Stock nbgrader's course: the same source, but the profile's parameters stand in its locked cell."""
    assignment = course.assignment(JENA)
    data = prepare_data(own, assignment, profile)
    assert data is not None
    values = {**assignment.profile(profile).parameters, "SEED": course.seed, "DATA_PATH": data.public.name}
    notebook = nbformat.read(own / "solutions" / JENA / f"{JENA}.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source += "".join(f"\n{name} = {value!r}" for name, value in values.items())
    source = plain / "source" / JENA
    source.mkdir(parents=True)
    nbformat.write(notebook, source / f"{JENA}.ipynb")
    shutil.copy(data.public, source)
    (plain / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "benchmark"\n')


def _hand_in_twice(name: str, profile: str, own: Path, plain: Path, count: int) -> Both:
    """Give nbgrader the notebooks of our class, and grade our class once."""
    for student in class_size.starters():
        shutil.rmtree(own / "submitted" / student)
    shutil.rmtree(plain / "submitted", ignore_errors=True)
    shutil.copytree(own / "submitted", plain / "submitted")
    run(["-m", "nbgrader", "generate_assignment", name], folder=plain)
    both = Both(name, profile, own, plain, count)
    grade_again(both)
    return both


def run(arguments: list[str], *, folder: Path = HOME) -> subprocess.CompletedProcess[str]:
    """A Python program; its output is kept."""
    environment = class_size.ordinary() | QUIET | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, check=False, capture_output=True, text=True, env=environment
    )
    if done.returncode not in {0, 1}:  # 1: a person has to look at something
        raise SystemExit(f"{' '.join(arguments)} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    return done


def edit(both: Both, number: int) -> None:
    """Another threshold in one hidden test."""
    class_size.edit(both.own, both.name, EDITED[both.name], EDITS[both.name].format(0.9 + number / 1000))


def grade_again(both: Both) -> tuple[float, dict[str, int], int]:
    """Seconds of `autograder grade --yes`, how many submissions needed what, and how many notebooks were started."""
    command = ["-m", "autograder", "grade", both.name, "--course", str(both.own), "--profile", both.profile]
    begun = time.perf_counter()
    done = run([*command, "--yes", "--json"])
    seconds = time.perf_counter() - begun
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    ended = [event for event in events if event["event"] == "ended"]
    actions = {action: sum(event["action"] == action for event in ended) for action in {e["action"] for e in ended}}
    return seconds, actions, sum(event["event"] == "started" for event in events)


def executions(both: Both) -> dict[str, int]:
    """When each file of the stored runs was written, verdicts aside."""
    runs = store.run_folder(both.own, "")
    return {
        str(path.relative_to(runs)): path.stat().st_mtime_ns
        for path in sorted(runs.rglob("*"))
        if path.is_file() and path.parent.name != "verdicts"
    }


def nbgrader_again(both: Both) -> float:
    """Seconds of `nbgrader autograde --force`."""
    begun = time.perf_counter()
    done = run(["-m", "nbgrader", "autograde", both.name, "--force"], folder=both.plain)
    seconds = time.perf_counter() - begun
    graded = len(list((both.plain / "autograded").glob(f"*/{both.name}/{both.name}.ipynb")))
    if graded != both.count:
        raise SystemExit(f"nbgrader should grade {both.count}. Received: {graded}\n{done.stderr[-2000:]}")
    return seconds


def measure(both: Both, rounds: int) -> dict[str, object]:
    """Seconds of both, side by side; fails where anything was executed."""
    before, ours = executions(both), []

    def our_turn(number: int) -> None:
        edit(both, number)
        seconds, actions, started = grade_again(both)
        if started or actions != {"judge": both.count}:
            raise SystemExit(f"all of {both.count} should be judged again. Received: {actions}, {started} started")
        ours.append(round(seconds, 3))

    for number in range(1, rounds + 1):
        our_turn(number)
    theirs = round(nbgrader_again(both), 3)
    for number in range(rounds + 1, 2 * rounds + 1):
        our_turn(number)
    if executions(both) != before:
        raise SystemExit("the stored runs should be as they were. Received: others")
    return {
        "assignment": both.name,
        "submissions": both.count,
        "ours_seconds": ours,
        "nbgrader_seconds": theirs,
        "times_faster": round(theirs / statistics.median(ours), 1),
        "notebooks_started": 0,
    }


def show(rows: list[dict[str, object]], console: Console) -> None:
    """Seconds of both, and how many times faster."""
    table = Table(title="a class graded again after an edit of one hidden test", title_justify="left")
    for heading in ("notebook", "submissions", "nbgrader, s", "ours, s (least to most)", "times faster", "started"):
        table.add_column(heading, justify="left" if heading == "notebook" else "right")
    for row in rows:
        ours = row["ours_seconds"]
        assert isinstance(ours, list)
        told = f"{statistics.median(ours):.1f} ({min(ours):.1f} to {max(ours):.1f})"
        numbers = [row["submissions"], f"{row['nbgrader_seconds']:.0f}", told, row["times_faster"]]
        table.add_row(str(row["assignment"]), *map(str, numbers), str(row["notebooks_started"]))
    console.print(table)


def plot(rows: list[dict[str, object]], path: Path) -> None:
    """Bars on a logarithmic axis."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "rejudging"  # the same numbers make the same file
    figure = Figure(figsize=(7, 0.8 + 0.9 * len(rows)), layout="constrained")
    axes = figure.subplots()
    labels, place = [], 0.0
    for row in reversed(rows):
        ours = statistics.median(row["ours_seconds"])
        for seconds, who, colour in (
            (ours, "ours, judged again", "#24405f"),
            (row["nbgrader_seconds"], "nbgrader autograde --force", "#7a9cc6"),
        ):
            axes.barh([place], [seconds], color=colour, height=0.8)
            axes.annotate(f"{seconds:.1f} s", (seconds, place), xytext=(4, -3), textcoords="offset points")
            labels.append((place, f"{row['assignment']}: {who}"))
            place += 1
        place += 0.6
    axes.set_yticks([at for at, _ in labels], [label for _, label in labels])
    axes.set(xscale="log", xlabel=f"seconds for {rows[0]['submissions']} submissions")
    axes.margins(x=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--assignments", nargs="+", choices=list(EDITED), default=list(EDITED))
    parser.add_argument("--rounds", type=int, default=3, help="turns of ours before and after nbgrader's")
    parser.add_argument("--runs", type=Path, help="a demo course of jena_multistep that is graded already")
    parser.add_argument("--out", type=Path, default=HOME / "benchmarks" / "results")
    chosen = parser.parse_args()
    graded = chosen.runs.resolve() if chosen.runs else None
    rows = []
    with tempfile.TemporaryDirectory(prefix="rejudging-", dir=graded.parent if graded else None) as temporary:
        for name in chosen.assignments:
            place = Path(temporary)
            tiny = name == tiny_lstm.NAME
            both = make_tiny(place, chosen.count) if tiny else make_jena(place, chosen.count, graded)
            rows.append(measure(both, chosen.rounds))
    show(rows, Console(width=class_size.WIDTH))
    chosen.out.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine(), "rows": rows}
    (chosen.out / "rejudging.json").write_text(json.dumps(told, indent=1) + "\n")
    plot(rows, chosen.out / "rejudging.svg")


if __name__ == "__main__":
    main()
