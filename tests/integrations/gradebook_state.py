"""All that a gradebook and `autograded/` hold, without the random keys of rows, so that two of them can be compared."""

from __future__ import annotations

import stat

from nbgrader import api

from autograder.config import load_course
from autograder.integrations.nbgrader import write_gradebook


def gradebook_state(root) -> dict:
    """Every row of the gradebook, by names."""
    with api.Gradebook(f"sqlite:///{root / 'gradebook.db'}", "sums") as gradebook:
        database = gradebook.db
        return {
            "version": database.execute(api.text("SELECT version_num FROM alembic_version")).all(),
            "students": sorted(student.id for student in database.query(api.Student)),
            "assignments": [(a.name, a.duedate, a.course_id, a.max_score) for a in database.query(api.Assignment)],
            "cells": sorted((c.name, c.cell_type, c.locked, c.checksum) for c in database.query(api.SourceCell)),
            "submissions": {
                submission.student_id: submission_state(submission)
                for submission in database.query(api.SubmittedAssignment)
            },
            "loose": [
                database.query(kind).filter(kind.notebook_id.is_(None)).count() for kind in (api.Grade, api.Comment)
            ],
        }


def submission_state(submission) -> dict:
    state = {"timestamp": submission.timestamp, "score": submission.score, "late": submission.late_submission_penalty}
    for notebook in submission.notebooks:
        state[notebook.name] = {
            "flagged": notebook.flagged,
            "late": notebook.late_submission_penalty,
            "grades": sorted(
                (g.name, g.max_score, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade)
                for g in notebook.grades
            ),
            "comments": sorted((c.name, c.auto_comment, c.manual_comment) for c in notebook.comments),
        }
    return state


def files_state(root) -> dict:
    """Every file of `autograded/`, hidden ones too: its content and permissions."""
    folder = root / "autograded"
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def touched(root) -> dict:
    """What changes when a file is written again."""
    paths = [root / "gradebook.db", *sorted((root / "autograded").rglob("*"))]
    return {path.relative_to(root).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def give_by_hand(root, points: dict[str, float], comment="Well argued.") -> None:
    """What the formgrader does when an instructor grades the discussion: points by student."""
    with api.Gradebook(f"sqlite:///{root / 'gradebook.db'}", "sums") as gradebook:
        for student, given in points.items():
            grade = gradebook.find_grade("discussion", "homework", "homework", student)
            grade.manual_score, grade.needs_manual_grade = given, False
            gradebook.find_comment("discussion", "homework", "homework", student).manual_comment = comment
        gradebook.db.commit()


def write_in_a_process(root, begun) -> None:
    """What the process does that is killed."""
    begun.set()
    assert write_gradebook(root, load_course(root), "homework") == []
