"""A batch that is killed at twenty random moments ends with the gradebook of one that was left alone. About 2 minutes.

Real kernels, nbgrader's real gradebook; the assignment is tiny, so that a moment is as often in the gradebook's writing
as in a kernel's.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

ROOT = Path(__file__).parents[2]
KILLS = 20
STUDENTS = [f"student-{number:02d}" for number in range(1, 7)]
MARKS = f"""
import json, sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///" + sys.argv[1], "tiny") as gradebook:
    print(json.dumps(sorted(
        [s.student.id, s.score, g.name, g.auto_score, g.manual_score, g.needs_manual_grade]
        for s in gradebook.assignment_submissions("{NAME}") for n in s.notebooks for g in n.grades
    )))
"""


def answers(student: str, edition: int) -> dict[str, str]:
    """What a student hands in; each edition is other code, and every second student is half wrong."""
    triple = ANSWERS["triple"] if int(student[-2:]) % 2 else "def triple(x):\n    return 3.0 * x"
    return {"double": ANSWERS["double"], "triple": f"{triple}\nedition = {edition}"}


def hand_in_anew(course: Path, student: str, edition: int) -> None:
    shutil.rmtree(course / "submitted" / student, ignore_errors=True)
    hand_in(course, student, answers(student, edition))


def grade(course: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "autograder", "grade", NAME, "--course", str(course), "--yes", "--workers", "2"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def marks(course: Path) -> list[object]:
    code = [sys.executable, "-W", "ignore", "-c", MARKS, str(course / "gradebook.db")]
    found = json.loads(subprocess.run(code, capture_output=True, text=True, check=True).stdout)
    assert len({(row[0], row[2]) for row in found}) == len(found), "a mark is there twice"
    return found


def scores(course: Path) -> dict[str, object]:
    return {
        path.parent.name: [json.loads(path.read_text())[name] for name in ("status", "score")]
        for path in sorted(course.glob(f"reports/{NAME}/*/report.json"))
    }


def members_of(session: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def test_killed_at_twenty_random_moments(tmp_path):
    course, rng = make_course(tmp_path / "course"), random.Random(20)
    editions = dict.fromkeys(STUDENTS, 0)
    for student in STUDENTS:
        hand_in_anew(course, student, 0)
    for number in range(KILLS):
        batch = grade(course)
        time.sleep(rng.uniform(0.3, 7))
        batch.send_signal(signal.SIGKILL)
        batch.communicate()
        deadline = time.monotonic() + 20
        while members_of(batch.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert members_of(batch.pid) == [], "a process outlived the grader"
        if number % 4 == 3:
            student = rng.choice(STUDENTS)
            editions[student] += 1
            hand_in_anew(course, student, editions[student])
    last = grade(course)
    printed, _ = last.communicate(timeout=120)
    assert last.returncode == 0, printed

    alone = make_course(tmp_path / "alone")
    for student, edition in editions.items():
        hand_in_anew(alone, student, edition)
    undisturbed = grade(alone)
    printed, _ = undisturbed.communicate(timeout=120)
    assert undisturbed.returncode == 0, printed
    assert scores(course) == scores(alone)
    assert len(scores(course)) == len(STUDENTS)
    assert marks(course) == marks(alone)
    assert [mark for mark in marks(course) if mark[2] == "test_triple"], "the gradebook holds no marks"
