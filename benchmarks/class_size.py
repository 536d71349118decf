"""What a submission costs without its execution, in classes of 10 to 1,000: stored runs stand for the execution.

    python -m benchmarks.class_size [--sizes 10 100 1000] [--runs COURSE] [--out benchmarks/results]

judged     `autograder grade` for a class whose runs are stored and on which no hidden test has spoken yet: plans are
           made and found in the store, all questions judged, reports, feedback pages and class page written, and
           nbgrader's gradebook filled
one test   the same after an edit of one hidden test, the costliest
again      the same once more: nothing has changed

The runs are real: demo students of the multistep homework are graded under the smoke profile, which takes two minutes
and is left out with `--runs COURSE`, a folder of an earlier demo. Every student of a class hands in one of these
notebooks with a comment of their own in every answer, so each has a run of their own in the store; its evidence is a
hard link to that of a real one, which is all that is not as in a class. Nothing is executed.

Each class is graded in a process of its own, which first grades two other students: what starts only once (imports,
the judges' fork server) is shown with them, and what each further submission costs below. Processor time is that of all
processes; memory is the peak of the process that coordinates, and of the largest judge. Prints tables, and writes
class_size.json and class_size.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil
from rich.console import Console
from rich.table import Table

from autograder import store
from autograder.batch import Batch, read_reports
from autograder.checks import verdicts
from autograder.config import Course, load_course
from autograder.grading import find_submissions, prepare_setting
from autograder.marking import mark_class
from autograder.planning import decide
from autograder.records import Submission
from autograder.verdict_jobs import Order, VerdictJob, give_verdict
from benchmarks.kernel_start import machine

HOME = Path(__file__).parents[1]
NAME = "jena_multistep"
MUTANTS = (
    "right_numpy_style",
    "right_keras_timeseries",
    "wrong_window_gap",
    "wrong_naive_mean",
    "wrong_results_normalized",
)
EDITED = ("test_beat_baseline.py", r'("margin": )[\d.]+')
TARGET_MS, TARGET_MB = 250, 400
PHASES = ("judged", "one test", "again")
STARTERS = 2
PARTS = 10
SAMPLING_SECONDS = 0.3
WIDTH = 110
T = TypeVar("T")


def real_runs(folder: Path) -> Path:
    """A demo course whose students were graded for real."""
    command = [sys.executable, "-m", "autograder", "demo", "--folder", str(folder), "--assignment", NAME]
    subprocess.run([*command, "--students", ",".join(MUTANTS)], cwd=HOME, check=False, stdout=subprocess.DEVNULL)
    if len(read_reports(folder, NAME)[0]) != len(MUTANTS):
        raise SystemExit(f"the demo students could not be graded: see {folder}")
    return folder


def enlarge(graded: Path, folder: Path, name: str, count: int) -> tuple[Course, str]:
    """A class of `count` students and two starters, none of them judged, whose runs are those of a graded course.

    Returns its course, with this assignment alone, and the profile of the runs.
    """
    folder.mkdir(parents=True)
    # This assignment alone, and no run with another seed where a model is close to a bar: nothing is to be executed.
    restricted = f'{{"assignments": (course.assignment("{name}"),), "retrainings": 0}}'
    text = (graded / "course_config.py").read_text()
    (folder / "course_config.py").write_text(f"{text}\ncourse = course.model_copy(update={restricted})\n")
    if (graded / "nbgrader_config.py").is_file():
        shutil.copy(graded / "nbgrader_config.py", folder)
    course = load_course(folder)
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for part in (Path("solutions") / name, Path("assignments") / name):
        shutil.copytree(graded / part, folder / part, ignore=ignored)
    if store.data_folder(graded).is_dir():
        shutil.copytree(store.data_folder(graded), store.data_folder(folder))
    originals = [report for report in read_reports(graded, name)[0] if report.run is not None]
    profile = originals[0].run.profile if originals and originals[0].run else ""
    setting = prepare_setting(folder, course, name, profile=profile, sandbox=None)
    students = [*starters(), *(f"student-{number:04d}" for number in range(1, count + 1))]
    for number, student in enumerate(students):
        original = originals[number % len(originals)]
        hand_in(graded / "submitted" / original.student / name, folder / "submitted" / student / name, student)
        (submission,), _ = find_submissions(folder, course, name, [student])
        run = store.run_folder(graded, str(original.provenance["run"]))
        target = store.run_folder(folder, decide(setting, submission).key)
        own = shutil.ignore_patterns("verdicts", store.NOTEBOOK_FILE)
        shutil.copytree(run, target, copy_function=os.link, ignore=own)
        sign_answers(run / store.NOTEBOOK_FILE, target / store.NOTEBOOK_FILE, student)
    return course, profile


def starters() -> list[str]:
    """Students who are graded first, and not counted."""
    return [f"first-{number}" for number in range(1, STARTERS + 1)]


def hand_in(source: Path, home: Path, student: str) -> None:
    """The notebook of another student, with comments in the answers."""
    home.mkdir(parents=True)
    (path,) = source.glob("*.ipynb")
    sign_answers(path, home / path.name, student)
    (home / "timestamp.txt").write_text("2025-12-08 20:00:00.000000 UTC")


def sign_answers(source: Path, target: Path, student: str) -> None:
    """A copy of a notebook in which every answer ends with the student's name: no two answers of a class are equal."""
    notebook = json.loads(source.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = f"{''.join(cell['source'])}\n# {student}"
    target.write_text(json.dumps(notebook))


def edit(folder: Path, name: str, edited: tuple[str, str], text: str) -> None:
    """Change a number or a word of one hidden test."""
    file, pattern = edited
    path = folder / "solutions" / name / "hidden_tests" / file
    changed, times = re.subn(pattern, rf"\g<1>{text}", path.read_text())
    if times != 1:
        raise SystemExit(f"{path} should have {pattern!r} once. Received: {times} times")
    path.write_text(changed)


def cpu_seconds() -> float:
    """Processor time of this process and its descendants, those that ended included."""
    own = psutil.Process()
    return sum(sum(each.cpu_times()[:4]) for each in [own, *own.children(recursive=True)])


def peak_mb() -> float:
    """This process's peak. Not `ru_maxrss`, which begins with the memory of the process that started this one."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


class LargestJudge(threading.Thread):
    """Samples the memory of the processes below this one; `mb` is the largest that it saw."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mb = 0.0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLING_SECONDS):
            for child in psutil.Process().children(recursive=True):
                try:
                    self.mb = max(self.mb, child.memory_info().rss / 2**20)
                except psutil.Error:  # it ended meanwhile
                    continue

    def stop(self) -> float:
        self._over.set()
        self.join()
        return self.mb


def measure(folder: Path, name: str, profile: str, edited: tuple[str, str]) -> dict[str, dict[str, float]]:
    """Grade a class of stored runs three times; milliseconds for each submission and phase, and peaks of memory."""
    warnings.simplefilter("ignore")
    course = load_course(folder)
    students = {path.name for path in (folder / "submitted").iterdir()} - set(starters())

    def grade(who: set[str], expected: str) -> Batch:
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - devnull is no file of ours
            console = Console(file=nowhere)
            batch = mark_class(folder, course, name, console=console, students=who, profile=profile, yes=True)
        if dict(batch.done) != {expected: len(who)} or batch.problems or batch.changes:
            raise SystemExit(f"{len(who)} should be {expected!r}. Received: {batch.done}, {batch.problems[:3]}")
        return batch

    found: dict[str, dict[str, float]] = {}

    def timed(phase: str, who: set[str], expected: str) -> None:
        wall, cpu = time.perf_counter(), cpu_seconds()
        grade(who, expected)
        wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
        found[phase] = {"wall_ms": 1000 * wall / len(who), "cpu_ms": 1000 * cpu / len(who)}

    largest = LargestJudge()
    largest.start()
    timed("start", set(starters()), "judge")
    found["start"] = {key: value * STARTERS for key, value in found["start"].items()}  # of the class, not of each
    timed("judged", students, "judge")
    edit(folder, name, edited, "0.0625")
    timed("one test", students, "judge")
    timed("again", students, "nothing")
    found["peak"] = {"coordinator_mb": peak_mb(), "largest_judge_mb": largest.stop()}
    return found


def parts(folder: Path, name: str, profile: str) -> dict[str, float]:
    """Where the time goes: milliseconds of processor time for each step of a submission, in one process, warm."""
    from autograder.integrations.nbgrader import write_gradebook

    warnings.simplefilter("ignore")
    course = load_course(folder)
    setting = prepare_setting(folder, course, name, profile=profile, sandbox=None)
    order = Order(folder, course, name, profile, None)
    submissions, _ = find_submissions(folder, course, name)
    spent: dict[str, float] = {}

    def timed(part: str, do: Callable[[], T], submission: Submission) -> T:
        begun = time.process_time()
        result = do()
        if submission.student not in starters():  # they import and compile
            milliseconds = 1000 * (time.process_time() - begun)
            spent[part] = spent.get(part, 0.0) + milliseconds / (len(submissions) - STARTERS)
        return result

    def judge(run: Path, questions: set[str]) -> None:
        digests = {question: setting.verdict_digests[question] for question in questions}
        verdicts.obtain_verdicts(run, setting.tests_folder, setting.materials, digests)

    every = set(setting.verdict_digests)
    for submission in submissions:
        decision = timed("decide", partial(decide, setting, submission), submission)
        run = store.run_folder(folder, decision.runs[0])
        timed("judge", partial(judge, run, every), submission)
        job = VerdictJob(order, submission, decision.runs, hold_changes=False)
        timed("report and page", partial(give_verdict, job), submission)
        for question in sorted(every):
            (run / "verdicts" / f"{question}.json").unlink()
            timed(f"judge {question} alone", partial(judge, run, {question}), submission)
    students = [submission.student for submission in submissions]
    write_gradebook(folder, course, name, starters())
    timed("gradebook", partial(write_gradebook, folder, course, name, students), submissions[-1])
    return spent


def show(rows: Sequence[dict[str, object]], spent: dict[str, float], console: Console) -> None:
    """Tables: what each submission costs by size of the class, and where that goes."""
    table = Table(title="each submission beside its execution", title_justify="left")
    for heading in ("class", "", "wall ms each", "CPU ms each", "coordinator, MB", "largest judge, MB"):
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        found = row["found"]
        assert isinstance(found, dict)
        start, peak = found["start"], found["peak"]
        told = f"the first {STARTERS}, once: {start['wall_ms'] / 1000:.1f} s, CPU {start['cpu_ms'] / 1000:.1f} s"
        table.add_row(
            str(row["size"]), told, "", "", f"{peak['coordinator_mb']:.0f}", f"{peak['largest_judge_mb']:.0f}"
        )
        for phase in PHASES:
            table.add_row("", phase, f"{found[phase]['wall_ms']:.1f}", f"{found[phase]['cpu_ms']:.1f}")
    console.print(table)
    table = Table("part", "CPU ms each", title="where it goes, in one process", title_justify="left")
    for part, milliseconds in spent.items():
        table.add_row(part, f"{milliseconds:.1f}")
    console.print(table)


def plot(rows: Sequence[dict[str, object]], path: Path) -> None:
    """Cost and memory by size of the class, with the targets."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "class_size"  # the same numbers make the same file
    figure = Figure(figsize=(8, 3), layout="constrained")
    cost, memory = figure.subplots(1, 2)
    sizes = [row["size"] for row in rows]
    found = [row["found"] for row in rows]
    for phase, colour, marker in zip(PHASES, ("#24405f", "#7a9cc6", "#8a8a8a"), "os^", strict=True):
        cost.plot(sizes, [each[phase]["wall_ms"] for each in found], color=colour, marker=marker, label=phase)
    cost.axhline(TARGET_MS, color="#b03a2e", lw=1, ls="--", label="target")
    cost.set(ylabel="ms per submission (wall)", ylim=(0, None))
    memory.plot(
        sizes, [each["peak"]["coordinator_mb"] for each in found], color="#24405f", marker="o", label="coordinator"
    )
    memory.plot(sizes, [each["peak"]["largest_judge_mb"] for each in found], color="#7a9cc6", marker="s", label="judge")
    memory.axhline(TARGET_MB, color="#b03a2e", lw=1, ls="--", label="target")
    memory.set(ylabel="peak memory, MB", ylim=(0, None))
    for axes in (cost, memory):
        axes.set(xlabel="submissions", xscale="log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
        axes.minorticks_off()
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def ordinary() -> dict[str, str]:
    """The environment of a user, whose Python keeps what it has compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def in_own_process(*arguments: str) -> dict[str, object]:
    """What this module prints last when it is called with these arguments."""
    command = [sys.executable, "-m", "benchmarks.class_size", *arguments]
    done = subprocess.run(command, cwd=HOME, check=False, capture_output=True, text=True, env=ordinary())
    if done.returncode:
        raise SystemExit(f"{' '.join(command[2:])} failed:\n{(done.stderr or done.stdout)[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--runs", type=Path, help="a demo course that is graded already")
    parser.add_argument("--out", type=Path, default=HOME / "benchmarks" / "results")
    parser.add_argument("--one", nargs=3, metavar=("FOLDER", "PROFILE", "WHAT"), help="measure in this process")
    chosen = parser.parse_args()
    if chosen.one:
        folder, profile, what = chosen.one
        if what == "class":
            print(json.dumps(measure(Path(folder), NAME, profile, EDITED)))
        else:
            print(json.dumps(parts(Path(folder), NAME, profile)))
        return
    rows: list[dict[str, object]] = []
    # Beside the real runs, since hard links stay on one file system.
    beside = chosen.runs.resolve().parent if chosen.runs else None
    with tempfile.TemporaryDirectory(prefix="class-size-", dir=beside) as temporary:
        place = Path(temporary)
        graded = chosen.runs.resolve() if chosen.runs else real_runs(place / "demo")
        for size in chosen.sizes:
            folder = place / f"class-{size}"
            _, profile = enlarge(graded, folder, NAME, size)
            rows.append({"size": size, "found": in_own_process("--one", str(folder), profile, "class")})
            shutil.rmtree(folder)
        _, profile = enlarge(graded, place / "parts", NAME, PARTS)
        spent = in_own_process("--one", str(place / "parts"), profile, "parts")
    show(rows, spent, Console(width=WIDTH))
    chosen.out.mkdir(parents=True, exist_ok=True)
    told = {"machine": machine(), "rows": rows, "cpu_ms_by_part": spent}
    (chosen.out / "class_size.json").write_text(json.dumps(told, indent=1) + "\n")
    plot(rows, chosen.out / "class_size.svg")


if __name__ == "__main__":
    main()
