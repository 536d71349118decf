"""The course's own steps between a submission and its autograded notebook, as nbgrader's configuration lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets.utils.importstring import import_item

from autograder.errors import GradebookError
from autograder.integrations.nbgrader.autograde import GradeSubmission

# What these do is done already, for the release or for the prepared submission, or is done by the writer.
DONE = (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    Execute,
    GradeSubmission,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)


class Preprocessing:
    """nbgrader's preprocessors that remain, `LimitOutput` and a course's own for example, made once for a class."""

    def __init__(self, converter: Any) -> None:
        """Make them.

        Args:
            converter: nbgrader's `Autograde` with the course's configuration.
        """
        self._before = _made(converter, converter.sanitize_preprocessors)
        self._after = _made(converter, converter.autograde_preprocessors)
        listed = map(_class_of, converter.autograde_preprocessors)
        penalties = next((kind for kind in listed if issubclass(kind, AssignLatePenalties)), None)
        self.late_penalty = None if penalties is None else _late_penalty(converter, penalties)

    def before(self, notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """What the course does before grading."""
        return _applied(self._before, notebook, resources)

    def after(self, notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """What the course does with the graded notebook."""
        return _applied(self._after, notebook, resources)


def _class_of(entry: Any) -> Any:
    return import_item(entry) if isinstance(entry, str) else entry


def _made(converter: Any, entries: Iterable[Any]) -> list[Any]:
    kinds = [_class_of(entry) for entry in entries]
    return [kind(config=converter.config, log=converter.log) for kind in kinds if not issubclass(kind, DONE)]


def _late_penalty(converter: Any, kind: Any) -> Any:
    step = kind(config=converter.config, log=converter.log)
    step.init_plugin()
    return step.plugin_inst.late_submission_penalty


def _applied(steps: Iterable[Any], notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
    for step in steps:
        try:
            notebook, resources = step(notebook, resources)
        except Exception as error:  # a course's own code may raise anything
            raise GradebookError(
                f"The preprocessor {type(step).__name__} failed. Received: {type(error).__name__}: {error}"
            ) from error
    return notebook, resources
