"""One submission's marks in the gradebook, written as nbgrader writes them, through its own classes.

nbgrader looks up every cell of every student by a query of six tables and commits each mark by itself, which costs a
tenth of a second for a submission. Here the cells are looked up once for a class, a submission's rows by their keys,
and what is the same is not written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nbgrader import api
from sqlalchemy import select
from sqlalchemy.orm import load_only

from autograder.errors import GradebookError
from autograder.integrations.nbgrader.database import transaction

Penalty = Callable[[str, float, float], float | None]
"""From student, score and seconds late to what is taken off, as plugins of nbgrader's `AssignLatePenalties` say it."""


@dataclass(frozen=True)
class Marks:
    """What the gradebook gets of one submission.

    Attributes:
        points: by the name of a graded cell; None where a person has to look.
        comments: nbgrader's automatic comment by the name of an answer's cell.
        submitted_at: in UTC without saying so, as nbgrader keeps times; None where it is not known.
    """

    points: Mapping[str, float | None]
    comments: Mapping[str, str | None]
    submitted_at: datetime | None


@dataclass(frozen=True)
class _Notebook:
    """A notebook of the assignment: its cells' names by their keys."""

    key: str
    name: str
    graded: Mapping[str, str]
    commented: Mapping[str, str]


class MarkTable:
    """The marks of one assignment in an open gradebook.

    Attributes:
        kernelspec: of the assignment's notebook, which nbgrader puts in the place of a submission's.
    """

    def __init__(
        self,
        gradebook: Any,
        assignment: str,
        *,
        penalty: Penalty | None = None,
        create_students: bool = True,
    ) -> None:
        """Look up the assignment's cells.

        Args:
            gradebook: nbgrader's, open.
            assignment: its name, which is also the name of the notebook that is graded.
            penalty: what being late costs; None leaves penalties as they are.
            create_students: whether students that the gradebook does not know are added to it.
        """
        self._gradebook, self._name = gradebook, assignment
        self._penalty, self._create_students = penalty, create_students
        with transaction(gradebook) as session:
            kept = session.scalars(select(api.Assignment).where(api.Assignment.name == assignment)).one()
            self._key, self._due = kept.id, kept.duedate
            self._notebooks = [_cells_of(session, notebook) for notebook in kept.notebooks]
            kernelspec = next(notebook.kernelspec for notebook in kept.notebooks if notebook.name == assignment)
        self.kernelspec: dict[str, Any] = json.loads(kernelspec or "{}") or {}

    def write(self, student: str, marks: Marks, *, work_changed: bool, handed_in: Collection[str]) -> None:
        """Bring one submission's rows to what they should be, in one transaction.

        What an instructor gave by hand stays; as in nbgrader it is to be looked at again when the work or its points
        have changed.

        Args:
            student: the student's id.
            marks: of the assignment's notebook.
            work_changed: whether the autograded notebook is another one than before.
            handed_in: names of the notebooks that came; further ones of the assignment get nothing, as in nbgrader.

        Raises:
            GradebookError: the student is not in the gradebook and may not be added, or the late penalty cannot be
                told; nothing has been written.
            SQLAlchemyError: the database refused.
        """
        with transaction(self._gradebook) as session:
            submission = self._submission(session, student)
            if marks.submitted_at is not None:
                submission.timestamp = marks.submitted_at
            for notebook in self._notebooks:
                if notebook.name == self._name:
                    self._write_notebook(session, notebook, submission, student, marks, work_changed=work_changed)
                elif notebook.name not in handed_in:
                    for grade in self._rows(session, notebook, submission)[1].values():
                        grade.auto_score, grade.needs_manual_grade = 0, False

    def points_of(self, students: Iterable[str]) -> dict[str, dict[str, float | None]]:
        """The points that the gradebook holds, by student and cell; without the students whom it does not know."""
        notebook = self._own()
        chosen = (
            select(api.SubmittedAssignment.student_id, api.Grade.cell_id, api.Grade.auto_score)
            .join(api.SubmittedNotebook, api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id)
            .join(api.Grade, api.Grade.notebook_id == api.SubmittedNotebook.id)
            .where(
                api.SubmittedAssignment.assignment_id == self._key,
                api.SubmittedAssignment.student_id.in_(list(students)),
                api.SubmittedNotebook.notebook_id == notebook.key,
                api.Grade.cell_id.in_(notebook.graded),
            )
        )
        found: dict[str, dict[str, float | None]] = {}
        with transaction(self._gradebook) as session:
            for student, cell, points in session.execute(chosen):
                found.setdefault(student, {})[notebook.graded[cell]] = points
        return found

    def _own(self) -> _Notebook:
        return next(notebook for notebook in self._notebooks if notebook.name == self._name)

    def _submission(self, session: Any, student: str) -> Any:
        """The student's submission, with empty rows for all cells if it is new, as `Gradebook.add_submission` has."""
        chosen = select(api.SubmittedAssignment).where(
            api.SubmittedAssignment.assignment_id == self._key, api.SubmittedAssignment.student_id == student
        )
        light = load_only(api.SubmittedAssignment.timestamp, api.SubmittedAssignment.extension)
        submission = session.scalars(chosen.options(light)).one_or_none()
        if submission is not None:
            return submission
        if session.scalar(select(api.Student.id).where(api.Student.id == student)) is None:
            if not self._create_students:
                raise GradebookError(f"{student} is not in the gradebook, and Autograde.create_student is off.")
            session.add(api.Student(id=student))
        submission = api.SubmittedAssignment(id=api.new_uuid(), assignment_id=self._key, student_id=student)
        session.add(submission)
        for notebook in self._notebooks:
            row = api.SubmittedNotebook(notebook_id=notebook.key, assignment=submission)
            session.add_all(api.Grade(cell_id=cell, notebook=row) for cell in notebook.graded)
            session.add_all(api.Comment(cell_id=cell, notebook=row) for cell in notebook.commented)
        return submission

    def _rows(self, session: Any, notebook: _Notebook, submission: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """The submitted notebook, its grades and its comments, by the cells' names.

        The cells' keys are in the conditions because nbgrader's tables are indexed by them.
        """
        row = session.scalars(
            select(api.SubmittedNotebook)
            .where(
                api.SubmittedNotebook.notebook_id == notebook.key, api.SubmittedNotebook.assignment_id == submission.id
            )
            .options(load_only(api.SubmittedNotebook.late_submission_penalty))
        ).one()
        grade, comment = api.Grade, api.Comment
        grades = session.scalars(
            select(grade)
            .where(grade.notebook_id == row.id, grade.cell_id.in_(notebook.graded))
            .options(
                load_only(
                    grade.cell_id, grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade
                )
            )
        )
        comments = session.scalars(
            select(comment)
            .where(comment.notebook_id == row.id, comment.cell_id.in_(notebook.commented))
            .options(load_only(comment.cell_id, comment.auto_comment))
        )
        return (
            row,
            {notebook.graded[entry.cell_id]: entry for entry in grades},
            {notebook.commented[entry.cell_id]: entry for entry in comments},
        )

    def _write_notebook(
        self,
        session: Any,
        notebook: _Notebook,
        submission: Any,
        student: str,
        marks: Marks,
        *,
        work_changed: bool,
    ) -> None:
        row, grades, comments = self._rows(session, notebook, submission)
        lost = sorted((marks.points.keys() - grades.keys()) | (marks.comments.keys() - comments.keys()))
        if lost:
            raise GradebookError(
                f"The gradebook has no rows of {student} for some cells; an older release was graded. Remove this "
                f"submission from the gradebook (nbgrader db) and grade again. Received: {', '.join(lost)}"
            )
        changed = work_changed or any(grades[name].auto_score != points for name, points in marks.points.items())
        for name, points in marks.points.items():
            grade = grades[name]
            grade.auto_score = points
            if grade.manual_score is None:
                grade.needs_manual_grade = points is None
            elif changed:
                grade.needs_manual_grade = True
        for name, text in marks.comments.items():
            comments[name].auto_comment = text
        if self._penalty is not None:
            late = self._seconds_late(submission)
            row.late_submission_penalty = self._penalty_of(student, grades.values(), late) if late > 0 else None

    def _seconds_late(self, submission: Any) -> float:
        if submission.timestamp is None or self._due is None:
            return 0.0
        due = self._due if submission.extension is None else self._due + submission.extension
        return float((submission.timestamp - due).total_seconds())

    def _penalty_of(self, student: str, grades: Iterable[Any], late: float) -> float | None:
        """What the course's plugin takes off, within 0 and the score."""
        assert self._penalty is not None
        score = math.fsum(map(_score, grades))
        try:
            penalty = self._penalty(student, score, late)
        except Exception as error:  # the instructor's own code may raise anything
            raise GradebookError(
                f"The late penalty cannot be told. Received: {type(error).__name__}: {error}"
            ) from error
        return None if penalty is None else min(max(penalty, 0), score)


def _score(grade: Any) -> float:
    """A cell's score, as nbgrader's `Grade.score` has it."""
    points = grade.auto_score if grade.manual_score is None else grade.manual_score
    return 0.0 if points is None else float(points + (grade.extra_credit or 0.0))


def _cells_of(session: Any, notebook: Any) -> _Notebook:
    def keys(*kinds: Any) -> dict[str, str]:
        rows = [session.execute(select(kind.id, kind.name).where(kind.notebook_id == notebook.id)) for kind in kinds]
        return {key: name for result in rows for key, name in result}

    return _Notebook(
        notebook.id, notebook.name, keys(api.GradeCell, api.TaskCell), keys(api.SolutionCell, api.TaskCell)
    )
