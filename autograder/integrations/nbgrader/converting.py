"""Running nbgrader's converters in this process, quietly, with their errors as text."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nbgrader.converters import BaseConverter
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config


class _Errors(logging.Handler):
    """Makes one line of each error: of a traceback the exception, with the student in whose submission it was."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self._student = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what says something; nbgrader also announces and sums up."""
        text = record.getMessage().strip()
        if text.startswith("There was an error processing assignment: "):
            student = Path(text.partition(": ")[2]).parent.name
            self._student = f"{student}: " if student != "." else ""
        elif text.startswith("Traceback"):
            name, _, message = text.splitlines()[-1].strip().partition(": ")
            self.lines.append(f"{self._student}{name.rpartition('.')[2]}: {message}")
        elif not text.startswith(("There was an error processing assignment", "Please see")):
            self.lines.append(text.splitlines()[-1] if text else "an error without a message")


def course_directory(folder: Path, config: Config, assignment: str) -> Any:
    """nbgrader's view of the course folder, for one assignment."""
    return CourseDirectory(config=config, root=str(folder), assignment_id=assignment)


def convert(converter_class: type[BaseConverter], coursedir: Any, config: Config, **attributes: Any) -> list[str]:
    """Run one converter over its assignment; the working directory is as before afterwards.

    Args:
        converter_class: a subclass of nbgrader's `BaseConverter`.
        coursedir: from `course_directory`.
        config: the configuration of converter, exporter and preprocessors.
        attributes: set on the converter before it starts.

    Returns:
        What it logged as errors, one line each; empty when all went well.
    """
    errors = _Errors()
    logger = logging.getLogger(f"{__name__}.converter")
    logger.propagate = False  # the errors come back as the result, nothing is printed
    logger.setLevel(logging.ERROR)
    logger.addHandler(errors)
    try:
        converter = converter_class(coursedir=coursedir, config=config, log=logger)
        for name, value in attributes.items():
            setattr(converter, name, value)
        converter.start()
    except NbGraderException as error:
        if not errors.lines:
            errors.lines.append(str(error).strip())
    finally:
        logger.removeHandler(errors)
    return list(dict.fromkeys(errors.lines))
