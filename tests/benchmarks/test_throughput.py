"""The throughput benchmark: its classes, its clock and its tables. Takes about 4 s; no notebook runs here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.checks import judging
from autograder.config import load_course
from autograder.notebooks import digest
from autograder.notebooks.release import disagreements
from autograder.submissions import find_submissions
from benchmarks import throughput_courses, throughput_ways
from benchmarks.throughput_courses import HOMEWORKS, NAME, students
from benchmarks.throughput_phases import EACH, WHOLE, phases
from benchmarks.throughput_shown import medians, plot, tables
from benchmarks.throughput_timing import Timed
from benchmarks.throughput_ways import BARE, BARE_LOADED, NBGRADER, NO_OTTER, OTTER, OURS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("homework", HOMEWORKS.values(), ids=list(HOMEWORKS))
def test_submissions_differ_in_one_cell_and_hold_no_hidden_test(homework, tmp_path):
    throughput_courses.write_own(tmp_path, homework, 3)
    paths = sorted(tmp_path.glob(f"submitted/*/{NAME}/{NAME}.ipynb"))
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    assert [path.parents[1].name for path in paths] == students(3)
    assert len({digest(notebook) for notebook in notebooks}) == 3  # else one run would do for all
    first, second = (homework.cells(number) for number in (1, 2))
    assert {name for name in first if first[name] != second[name]} == {"model"}
    assert not any("HIDDEN" in path.read_text() or "sliding_window_view" in path.read_text() for path in paths)


def test_our_course_is_a_course(tmp_path):
    throughput_courses.write_own(tmp_path, HOMEWORKS["short"], 2)
    course = load_course(tmp_path)
    source = nbformat.read(tmp_path / "solutions" / NAME / f"{NAME}.ipynb", as_version=4)
    assert disagreements(source, course.assignment(NAME)) == []
    assert "configure(c)" in (tmp_path / "nbgrader_config.py").read_text()
    submissions, problems = find_submissions(tmp_path, course, NAME)
    assert [submission.student for submission in submissions] == students(2)
    assert problems == []
    hidden = judging.load_hidden_tests(tmp_path / "solutions" / NAME / "hidden_tests")
    assert sorted(hidden) == ["model", "windows"]
    assert course.assignment(NAME).max_score == throughput_courses.POINTS


def test_nbgraders_source_has_the_hidden_tests_and_its_submissions_do_not(tmp_path):
    throughput_courses.write_nbgrader(tmp_path, HOMEWORKS["short"], 2)
    source = nbformat.read(tmp_path / "source" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in source.cells:
        name = cell.metadata.nbgrader.grade_id
        assert ("### BEGIN HIDDEN TESTS\n" in cell.source) == name.startswith("test_"), name
        compile(cell.source, name, "exec")
    assert not any("HIDDEN" in path.read_text() for path in tmp_path.glob("submitted/*/*/*.ipynb"))
    assert "autograder" not in (tmp_path / "nbgrader_config.py").read_text()


def right_windows(series, length):
    import numpy as np

    return np.lib.stride_tricks.sliding_window_view(series, length)[:-1][..., None], series[length:]


@pytest.mark.parametrize(("shift", "passes"), [(0, True), (1, False)])
def test_hidden_tests_of_the_others_pass_what_is_right_and_fail_what_is_not(shift, passes):
    """nbgrader's regions and otter's test functions are the same source; here they judge functions made by hand."""

    def make_windows(series, length):
        x, y = right_windows(series, length)
        return x + shift, y

    def model(x):
        """The last value and its last change once more, which continues a sine well; a constant does not."""
        return x[:, -1] * 2 - x[:, -2] if passes else x[:, -1] * 0 + 9

    for hidden in throughput_courses.HIDDEN.values():
        names = {"make_windows": make_windows, "model": model}
        if passes:
            exec(hidden, names)
        else:
            with pytest.raises(AssertionError):
                exec(hidden, names)


def test_otters_tests_and_scripts_are_python(tmp_path):
    throughput_courses.write_otter(tmp_path / "otter", HOMEWORKS["short"], 2)
    for path in sorted((tmp_path / "otter" / "tests").iterdir()):
        compile(path.read_text(), path.name, "exec")
        assert f"name = '{path.stem}'" in path.read_text()
    throughput_courses.write_scripts(tmp_path / "bare", HOMEWORKS["short"], 2)
    scripts = sorted((tmp_path / "bare").iterdir())
    assert [path.stem for path in scripts] == students(2)
    assert "epochs=2," in scripts[0].read_text()


def test_a_way_that_finds_a_right_submission_wrong_stops_the_benchmark(tmp_path):
    way = throughput_ways.ways(2, None)[OURS]
    for student, score in zip(students(2), (2.0, 1.0), strict=True):
        report = tmp_path / "reports" / NAME / student / "report.json"
        report.parent.mkdir(parents=True)
        report.write_text(json.dumps({"score": score}))
    with pytest.raises(SystemExit, match="student-02': 1.0"):
        way.expect_full_marks(tmp_path, 2)


def test_otter_is_a_way_only_where_it_is_installed():
    assert OTTER not in throughput_ways.ways(2, None)
    assert OTTER in throughput_ways.ways(2, Path(sys.executable))


def test_bare_cells_run_one_per_core_and_a_failure_is_told(tmp_path):
    """Without TensorFlow: each script leaves a file; one that fails makes the command fail."""
    for student in students(3):
        (tmp_path / f"{student}.py").write_text(f"open({str(tmp_path / student)!r}, 'w').close()\n")
    command = [sys.executable, throughput_ways.throughput_bare.__file__, str(tmp_path), "2"]
    subprocess.run(command, check=True)
    assert all((tmp_path / student).is_file() for student in students(3))
    (tmp_path / "student-02.py").write_text("raise SystemExit(3)\n")
    failed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "['student-02.py']" in failed.stderr


BURN = "import time\nend = time.process_time() + 0.4\nwhile time.process_time() < end: pass"
ORPHAN = f"""
import os, sys
if not os.fork():
    if not os.fork():
        os.close(2)
        exec({BURN!r})
    os._exit(0)
os.wait()
print("done", file=sys.stderr)
"""
UNNOTICED = f"""
import contextlib, os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if not os.fork():
    exec({BURN!r})
    os._exit(0)
with contextlib.suppress(ChildProcessError):
    os.wait()
"""
CLOCK = """
import sys, json
from contextlib import closing
from pathlib import Path
from benchmarks.throughput_timing import Processor, adopt_orphans, timed
adopt_orphans()
commands = [[sys.executable, "-c", source] for source in sys.argv[2:]]
with closing(Processor()) as processor:
    took = timed(commands, processor, cwd=Path(sys.argv[1]), env={})
print(json.dumps([took.cpu, processor.of, [line for _, line in took.lines]]))
"""


def clock(folder, *sources):
    command = [sys.executable, "-c", CLOCK, str(folder), *sources]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))


@pytest.mark.parametrize(("source", "said"), [(ORPHAN, ["done"]), (UNNOTICED, [])], ids=["orphan", "unnoticed"])
def test_processor_time_is_counted_whoever_a_process_belongs_to(source, said, tmp_path):
    """A warm process outlives the command; a kernel that is killed with its sandbox is told to no parent."""
    done = clock(tmp_path, source, "pass")
    assert done.returncode == 0, done.stderr
    cpu, of, lines = json.loads(done.stdout)
    assert lines == said
    assert cpu >= 0.4
    assert cpu < 4 or of == "the whole machine"  # two Pythons start as well


def test_a_command_that_fails_stops_the_benchmark_with_what_it_said(tmp_path):
    done = clock(tmp_path, "import sys; print('on stdout'); sys.exit('no such thing')")
    assert done.returncode == 1
    assert "no such thing" in done.stderr
    assert "on stdout" in done.stderr


def grading(folder: Path) -> Timed:
    """What a grading of two submissions leaves, with times made up: 100 s is the beginning."""
    runs, reports = folder / ".autograder" / "runs", folder / "reports" / NAME
    lines = [(102.0, {"event": "found", "submissions": 2, "at_a_time": 2})]
    for number, student in enumerate(students(2)):
        run = {"startup_seconds": 0.1, "cells": [{"seconds": 1.0}, {"seconds": 2.0}], "probes": [{"seconds": 0.2}]}
        stored, late = runs / f"key{number}", 0.5 * number
        (stored / "verdicts").mkdir(parents=True)
        (reports / student).mkdir(parents=True)
        (stored / "run.json").write_text(json.dumps(run))
        (stored / "verdicts" / "windows.json").write_text("{}")
        (reports / student / "report.json").write_text(json.dumps({"provenance": {"run": f"key{number}"}}))
        os.utime(stored / "run.json", (0, 105.8 + late))
        os.utime(stored / "verdicts" / "windows.json", (0, 106.0 + late))
        lines += [(102.0 + late, {"event": "started", "name": student})]
        lines += [(103.5 + late, {"event": "cell", "name": student, "done": 1, "total": 2})]
        lines += [(106.25 + late, {"event": "ended", "name": student})]
    for path, when in ((reports / "index.html", 107.0), (folder / "gradebook.db", 109.0)):
        path.write_text("")
        os.utime(path, (0, when))
    return Timed(100.0, 10.0, 9.0, tuple((when, json.dumps(told)) for when, told in lines) + ((102.0, "Note: hm"),))


def test_phases_add_up(tmp_path):
    told = phases(grading(tmp_path), tmp_path, NAME)
    assert told["whole"] == {"beginning": 2.0, "class": 4.75, "class page": 0.25, "gradebook": 2.0, "end": 1.0}
    assert sum(told["whole"].values()) == 10.0
    each = {
        "worker": 0.4,
        "kernel": 0.1,
        "cells": 3.0,
        "probes": 0.2,
        "rest of run": 0.1,
        "judging": 0.2,
        "report": 0.25,
    }
    assert told["each"] == pytest.approx(each)
    assert sum(each.values()) == pytest.approx(4.25)
    assert told["slots_busy"] == pytest.approx(2 * 3.8 / (2 * 4.75))


def measured() -> dict:
    """Two rounds, made up."""
    walls = {OURS: (20.0, 22.0), NBGRADER: (200.0, 220.0), BARE: (80.0, 90.0), BARE_LOADED: (21.0, 20.0)}
    took = {way: [{"wall": wall, "cpu": 1.5 * wall} for wall in rounds] for way, rounds in walls.items()}
    phase = {"whole": dict.fromkeys(WHOLE, 2.0), "each": dict.fromkeys(EACH, 0.5), "slots": 2, "slots_busy": 0.9}
    return {
        "count": 10,
        "homeworks": {"short": "imports", "training": "trains"},
        "ways": {way: {"typed": f"type {way}", "protects": "nothing"} for way in walls},
        "missing": {OTTER: NO_OTTER},
        "beginning": {"imports": 1.25},
        "seconds": {"short": took, "training": took},
        "phases": {"short": [phase, phase], "training": [phase]},
    }


def test_tables_tell_medians_ratios_and_what_is_missing():
    found = measured()
    assert medians(found, "short")[NBGRADER] == {"wall": 210.0, "cpu": 315.0}
    told = tables(found)
    assert f"| **{OURS}** | 21.0 | 20.0 to 22.0 | 1,714 | 3.15 | 1.50 | 10.0 |" in told
    assert f"| {OTTER} | {NO_OTTER} |" in told
    assert f"| short: ours against {NBGRADER} | 6.0 times | 10.00 times | yes |" in told
    assert f"| training: ours against {BARE_LOADED} | 1.0 times | 0.98 times | no |" in told
    assert "| imports | 1.25 |" in told


def test_tables_of_a_part_of_the_benchmark():
    """Only some ways, only one notebook: what cannot be compared is left out."""
    found = measured() | {"homeworks": {"short": "imports"}, "beginning": {}, "missing": {}, "phases": {"short": []}}
    found["seconds"] = {"short": {BARE: found["seconds"]["short"][BARE]}}
    told = tables(found)
    assert f"| {BARE} | 85.0 |" in told
    assert "times |" not in told.partition("## Aims")[2]


def test_the_same_data_make_the_same_plot(tmp_path):
    for name in ("first", "second"):
        plot(measured(), tmp_path / f"{name}.svg")
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
    assert b"per hour" in (tmp_path / "first.svg").read_bytes() or (tmp_path / "first.svg").stat().st_size > 10_000
