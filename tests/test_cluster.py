"""Grading on a Dask cluster: two workers on this machine that share nothing with the grader but bytes. About 60 s."""

from __future__ import annotations

import os
import signal
import threading
import time

import psutil
import pytest

from autograder import store
from autograder.batch import grade_batch
from autograder.config import load_course
from autograder.errors import ConfigurationError
from autograder.events import CellDone, Outcome, Started
from tests.tiny_course import ANSWERS, NAME, hand_in, make_course

distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Dask's own sockets, while its loop ends
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
]


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two worker processes with one thread each."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as made:
        yield made


def grade(folder, address, **options):
    events = []
    result = grade_batch(folder, load_course(folder), NAME, on_event=events.append, scheduler=address, **options)
    return result, events


def test_a_class_is_graded_by_the_workers_and_the_marks_are_the_same(cluster, tmp_path):
    course = make_course(tmp_path / "course")
    for number in range(4):
        hand_in(course, f"student-{number:02d}", ANSWERS if number % 2 else {})
    result, events = grade(course, cluster.scheduler_address)
    assert {report.student: report.score for report in result.reports} == {
        f"student-{number:02d}": 3.0 if number % 2 else 0.0 for number in range(4)
    }
    assert result.is_clean
    assert sum(isinstance(event, CellDone) for event in events) >= 4, "cells are told of through the scheduler"
    again, _ = grade(course, cluster.scheduler_address)
    assert again.done == {"nothing": 4}
    here = grade_batch(course, load_course(course), NAME, on_event=lambda _: None)
    assert here.done == {"nothing": 4}, "a run of the cluster counts as one of this machine"


def test_a_lost_worker_costs_time_and_nothing_else(cluster, tmp_path):
    course = make_course(tmp_path / "course")
    hand_in(course, "student-01", ANSWERS | {"double": "import time\ntime.sleep(3)\n" + ANSWERS["double"]})
    killed = []

    def kill_the_one_that_runs():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not killed:
            for worker in cluster.workers.values():
                process = psutil.Process(worker.pid)
                if any("ipykernel" in " ".join(child.cmdline()) for child in process.children(recursive=True)):
                    os.kill(worker.pid, signal.SIGKILL)
                    killed.append(worker.pid)
            time.sleep(0.1)

    killer = threading.Thread(target=kill_the_one_that_runs)
    killer.start()
    result, events = grade(course, cluster.scheduler_address)
    killer.join()
    assert killed
    assert [report.score for report in result.reports] == [3.0]
    assert [type(event) for event in events if not isinstance(event, CellDone)] == [Started, Outcome]


def test_a_gpu_profile_needs_workers_that_offer_one(cluster, tmp_path):
    course = make_course(tmp_path / "course")
    config = course / "course_config.py"
    config.write_text(config.read_text().replace("Profile(limits", "Profile(gpu=True, limits"))
    hand_in(course, "student-01", ANSWERS)
    with pytest.raises(ConfigurationError, match=r"GPU slots .*Received: 2 workers"):
        grade(course, cluster.scheduler_address)
    assert store.reported_students(course, NAME) == []


def test_a_scheduler_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.fleets.CONNECT_SECONDS", 1)
    course = make_course(tmp_path / "course")
    hand_in(course, "student-01", ANSWERS)
    with pytest.raises(ConfigurationError, match="No Dask scheduler answers"):
        grade(course, "tcp://127.0.0.1:9")
