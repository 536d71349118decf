"""What writing the gradebook costs for each submission, from 10 to 1,000 of them; stored runs stand for the execution.

    python -m benchmarks.gradebook [--sizes 10 100 1000] [--converter 30] [--out benchmarks/results]

first      `write_gradebook` for a class that is graded and not yet in the gradebook
again      the same call once more: everything is there and unchanged
one mark   the same call after one question of every report has other points
converter  nbgrader's own converter on the same reports, which is what `nbgrader autograde` does after grading

The notebooks are the released multistep homework with answers of a dozen lines, printed epochs in every cell and a
picture of 20 kB in every sixth: about 190 kB when executed. Every class is written in a process of its own, whose peak
memory is shown. Wall time waits for the disk and for whatever else runs on the machine, CPU time does not. Prints a
table and writes gradebook.json.
"""

from __future__ import annotations

import argparse
import base64
import json
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import nbformat
from nbgrader.converters import Autograde
from rich.console import Console
from rich.table import Table

from autograder import store
from autograder.config import Assignment, Course, load_course
from autograder.integrations.nbgrader import autograde, write_gradebook
from autograder.integrations.nbgrader.configure import load_config
from autograder.integrations.nbgrader.converting import convert, course_directory
from autograder.notebooks import load_release, prepare
from autograder.records import QuestionResult, Report, Run
from autograder.reporting import file_sha256

HOME = Path(__file__).parents[1]
NAME = "jena_multistep"
ANSWER = "\n# one line of an answer, of which there are a dozen\n" * 12
PICTURE_BYTES = 20_000
CELLS_WITHOUT_PICTURE = 6
MOST_BYTES = 2**24


def build(folder: Path, count: int) -> Course:
    """A course with a graded class that is not in any gradebook."""
    folder.mkdir()
    shutil.copy(HOME / "course_config.py", folder)
    shutil.copytree(HOME / "assignments" / NAME, folder / "assignments" / NAME)
    course = load_course(folder)
    assignment = course.assignment(NAME)
    release = load_release(folder, assignment)
    notebook = nbformat.read(release.path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source += ANSWER
    handed_in = nbformat.writes(notebook)
    executed = nbformat.writes(run(prepare(notebook, release).notebook))
    for number in range(count):
        student = f"student-{number:04d}"
        path = folder / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(handed_in)
        (path.parent / "timestamp.txt").write_text("2025-12-08 20:00:00.000000 UTC")
        report = graded(assignment, student, number, {"submission_sha256": file_sha256(path, MOST_BYTES)})
        store.write_report(folder, report, notebook=executed, feedback="")
    return course


def run(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook with outputs as training leaves them."""
    rng = random.Random(7)
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="Epoch 1/8\n" * 60)]
        if number % CELLS_WITHOUT_PICTURE == 0:
            picture = base64.b64encode(rng.randbytes(PICTURE_BYTES)).decode()
            cell.outputs.append(nbformat.v4.new_output("display_data", data={"image/png": picture}))
    return notebook


def graded(assignment: Assignment, student: str, number: int, provenance: dict[str, object]) -> Report:
    questions = tuple(
        QuestionResult(
            id=question.id,
            points=None if question.manual else question.points * ((number + place) % 3) / 2,
            max_points=question.points,
            outcome="manual" if question.manual else "partial",
        )
        for place, question in enumerate(assignment.questions)
    )
    return Report(
        assignment=NAME,
        student=student,
        status="graded",
        score=0.0,
        max_score=assignment.max_score,
        questions=questions,
        run=Run(assignment=NAME, profile="cpu", seed=1, sandbox="warm"),
        provenance={"profile": "cpu", "sandbox": "warm", **provenance},
    )


def change_a_mark(folder: Path) -> None:
    """As a mended hidden test would: the first question of everybody gets half of its points."""
    for student in store.reported_students(folder, NAME):
        report = store.read_report(folder, NAME, student)
        first = report.questions[0]
        half = first.model_copy(update={"points": first.max_points / 2})
        path = store.report_folder(folder, NAME, student) / store.REPORT_FILE
        path.write_text(report.model_copy(update={"questions": (half, *report.questions[1:])}).model_dump_json())


def nbgraders_converter(folder: Path) -> list[str]:
    def stored(_folder: Path, _course: Course, _assignment: str, student: str) -> Report:
        return store.read_report(folder, NAME, student)

    config = load_config(folder)
    with mock.patch.object(autograde, "grade_student", stored):
        return convert(Autograde, course_directory(folder, config, NAME), config, force=True)


def measure(count: int, way: str) -> dict[str, float]:
    """Milliseconds for each submission, and the peak memory of this process in MB."""
    warnings.simplefilter("ignore")
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="gradebook-") as temporary:
        folder = Path(temporary) / "course"
        course = build(folder, count)
        write_gradebook(folder, course, NAME, ["student-0000"])  # makes the gradebook and warms caches

        def timed(name: str, write: Callable[[], list[str]]) -> None:
            wall, cpu = time.perf_counter(), time.process_time()
            problems = write()
            found[f"{name} wall"] = (time.perf_counter() - wall) / count * 1000
            found[f"{name} cpu"] = (time.process_time() - cpu) / count * 1000
            assert not problems, problems[:3]

        if way == "converter":
            timed("converter", lambda: nbgraders_converter(folder))
        else:
            timed("first", lambda: write_gradebook(folder, course, NAME))
            timed("again", lambda: write_gradebook(folder, course, NAME))
            change_a_mark(folder)
            timed("one mark", lambda: write_gradebook(folder, course, NAME))
    found["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--converter", type=int, nargs="*", default=[30], help="class sizes for nbgrader's converter")
    parser.add_argument("--out", type=Path, default=HOME / "benchmarks" / "results")
    parser.add_argument("--one", nargs=2, metavar=("N", "WAY"), help="measure one class in this process")
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(int(chosen.one[0]), chosen.one[1])))
        return
    cases = [(count, "writer") for count in chosen.sizes] + [(count, "converter") for count in chosen.converter]
    rows = []
    for count, way in cases:
        command = [sys.executable, "-m", "benchmarks.gradebook", "--one", str(count), way]
        done = subprocess.run(command, cwd=HOME, check=True, capture_output=True, text=True)
        rows.append({"submissions": count, "way": way, **json.loads(done.stdout.splitlines()[-1])})
    table = Table("way", "submissions", "wall ms each", "CPU ms each", "peak MB", title="The gradebook, per submission")
    for row in rows:
        for name in ("first", "again", "one mark", "converter"):
            if f"{name} wall" in row:
                wall, cpu = row[f"{name} wall"], row[f"{name} cpu"]
                table.add_row(name, str(row["submissions"]), f"{wall:.1f}", f"{cpu:.1f}", f"{row['peak MB']:.0f}")
    Console().print(table)
    chosen.out.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    (chosen.out / "gradebook.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
