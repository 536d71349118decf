"""A class at once: what is done is kept, what is still right is not done again. About 60 s, with kernels but no TensorFlow."""

from __future__ import annotations

import os
import re
from pathlib import Path

from autograder.batch import worker_count
from autograder.config import Profile


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
