"""A class at once: what is done is kept, what is still right is not done again. About 60 s, with kernels but no TensorFlow."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from autograder.batch import worker_count
from autograder.config import Profile
from autograder.events import CellDone, Outcome, Started
from autograder.progress import LiveDisplay, _Clock, display

EVENTS = [
    Started("student-01", 1),
    CellDone("student-01", 1, 2, "windows\x1b[31m"),
    Started("student-02", 1),
    Started("student-02", 2),
    Outcome("student-01", "graded", seconds=3),
    CellDone("student-02", 1, 2, None),
    Outcome("student-02", None, "the worker process died [bold]twice"),
]


@pytest.mark.parametrize("terminal", [True, False])
def test_display_tells_who_runs_how_far_and_how_many_are_left(terminal):
    printed = io.StringIO()
    console = Console(file=printed, force_terminal=terminal, width=100, markup=False, color_system=None)
    with display(console, "jena") as shown:
        assert isinstance(shown, LiveDisplay) == terminal
        shown.on_found(2, 1)
        for event in EVENTS:
            shown.on_event(event)
            if isinstance(shown, LiveDisplay):
                shown.refresh()
    told = printed.getvalue()
    assert "windows\x1b[31m" not in told
    for expected in (
        "student-01",
        "again",
        "1 left",
        "about ",
        *(["after windows"] if terminal else ["[bold]twice"]),
    ):
        assert expected in told


def test_time_left_counts_cells_of_what_runs(monkeypatch):
    clock = _Clock()
    clock.start(4)
    monkeypatch.setattr("time.monotonic", lambda: clock.began + 30)
    clock.hear(Started("a", 1))
    assert clock.left() == "4 left"
    clock.hear(CellDone("a", 1, 2, None))
    assert clock.left() == "4 left, about 3 min 30 s"
    clock.hear(Outcome("a", "graded"))
    assert clock.left() == "3 left, about 1 min 30 s"


def test_number_of_workers_follows_the_cores_and_the_work(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert worker_count(None, Profile(threads=2), 100) == 4
    assert worker_count(None, Profile(threads=16), 100) == 1
    assert worker_count(None, Profile(), 3) == 3
    assert worker_count(5, Profile(threads=2), 100) == 5
    assert worker_count(None, Profile(), 0) == 1


def test_links_of_the_class_page_lead_to_the_pages_whatever_a_student_is_called(tmp_path):
    """A student's id may hold any character that a folder's name can."""
    from urllib.parse import unquote

    from autograder.batch import publish_class_page
    from autograder.config import load_course
    from autograder.records import Report
    from autograder.store import write_report

    assignment = load_course(Path(__file__).parents[1]).assignments[0]
    student = "Zoë #1, 100% <b>"
    report = Report(assignment=assignment.name, student=student, status="graded", score=1.0, max_score=2.0)
    write_report(tmp_path, report, notebook=None, feedback="<html>")
    page = publish_class_page(tmp_path, assignment)
    (link,) = re.findall(r'href="([^"]+feedback\.html)"', page.read_text())
    assert "#" not in link
    assert (page.parent / unquote(link)).is_file()
