"""The Jinja environment that every page is made with: everything is escaped, everything undefined is an error."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder import atomic
from autograder.errors import ReportError
from autograder.feedback.outcomes import MARKS
from autograder.feedback.sanitise import plain_text, prose
from autograder.feedback.totals import points_text

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def _printed(value: Any) -> Any:
    """What `{{ }}` prints: text loses its control characters before it is escaped; safe HTML stays as it is."""
    return plain_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@functools.cache
def environment() -> Environment:
    """The environment with the filters and constants of our templates; it compiles each template once."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(prose=prose, points=points_text)
    made.globals.update(marks=MARKS, content_security_policy=CONTENT_SECURITY_POLICY)
    return made


def write_page(path: Path, html: str) -> None:
    """Write a page so that a reader sees the old one or the new one, never half of one.

    Raises:
        ReportError: the file cannot be written.
    """
    try:
        atomic.write(path, html)
    except OSError as error:
        raise ReportError(
            f"The page could not be written; check the folder's space and permissions. Received: {path} ({error})"
        ) from error
