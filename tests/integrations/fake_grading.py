"""Stands for `autograder.grading.grade_submission` where a test is about nbgrader and not about kernels.

It runs the student's cells in this process, gives a question its points where its function returns what it should, and
writes a report folder as the real one does. What a student's first cell says decides the odd outcomes.
"""

from __future__ import annotations

import io
import os
import signal
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nbformat
from nbgrader.plugins import BasePlugin

from autograder import grading, store
from autograder.errors import NotebookError, SandboxError
from autograder.feedback import render_feedback
from autograder.notebooks import load_release, prepare, read_notebook
from autograder.records import QuestionResult, Report, Run
from autograder.reporting import file_sha256, refused_report

EXPECTED = {"add": lambda names: names["add"](2, 3) == 5, "double": lambda names: names["double"](4) == 8}


def install() -> None:
    grading.grade_submission = grade_submission


def grade_submission(course_folder: Path, course, submission, *, profile=None, sandbox=None, on_cell=None) -> Report:
    assignment = course.assignment(submission.assignment)
    profile = profile or course.default_profile
    provenance = {"profile": profile, "sandbox": sandbox or course.sandbox}
    provenance["submission_sha256"] = file_sha256(submission.path, 2**24)
    with (course_folder / "graded.log").open("a") as log:
        log.write(f"{submission.student} {profile}\n")
    try:
        prepared = prepare(read_notebook(submission.path, max_bytes=2**20), load_release(course_folder, assignment))
    except NotebookError as error:
        report = refused_report(assignment, submission, str(error), provenance)
        return write(course_folder, report, None)
    notebook, names = prepared.notebook, run_cells(prepared.notebook)
    mood = names.get("MOOD", "")
    if mood == "killed" and not (course_folder / "was_killed").exists():
        (course_folder / "was_killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if mood == "no sandbox here":
        raise SandboxError("The sandbox could not be started.")
    questions = tuple(judge(question, names, mood) for question in assignment.questions)
    assessed = [question.points for question in questions if question.points is not None]
    report = Report(
        assignment=assignment.name, student=submission.student, questions=questions, repairs=prepared.repairs,
        status="needs_attention" if mood == "error" else "graded",
        score=None if mood == "error" else sum(assessed), max_score=assignment.max_score, provenance=provenance,
        run=Run(assignment=assignment.name, profile=profile, seed=1, sandbox="none"),
    )  # fmt: skip
    return write(course_folder, report, notebook)


def run_cells(notebook) -> dict:
    names: dict = {}
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        out, err = io.StringIO(), io.StringIO()
        try:
            with redirect_stdout(out), redirect_stderr(err):
                exec(compile(cell.source, "cell", "exec"), names)
        except Exception as error:
            story = traceback.format_exception_only(error)
            cell.outputs.append(nbformat.v4.new_output("error", ename="E", evalue=str(error), traceback=story))
        cell.execution_count = count
        for name, stream in (("stdout", out), ("stderr", err)):
            if stream.getvalue():
                cell.outputs.append(nbformat.v4.new_output("stream", name=name, text=stream.getvalue()))
    return names


def judge(question, names: dict, mood: str) -> QuestionResult:
    if question.manual:
        points, outcome = None, "manual"
    elif question.id == "double" and mood in {"error", "not_assessed"}:
        points, outcome = None, mood
    else:
        try:
            passed = EXPECTED[question.id](names)
        except Exception:
            passed = False
        part = 0.5 if mood == "half" else 1.0
        points, outcome = (part * question.points, "passed") if passed else (0.0, "failed")
    return QuestionResult(id=question.id, points=points, max_points=question.points, outcome=outcome)


def write(course_folder: Path, report: Report, notebook) -> Report:
    text = None if notebook is None else nbformat.writes(notebook)
    store.write_report(course_folder, report, notebook=text, feedback=render_feedback(report, notebook=notebook))
    return report


class TakeHalf(BasePlugin):
    """A late penalty of half the score."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 2
