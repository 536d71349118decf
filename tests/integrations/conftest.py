"""The tiny course as fixtures. Its helpers are modules of this folder, which the commands that tests start load too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiny_course import NAME, CourseFolder


@pytest.fixture(scope="session")
def released(tmp_path_factory) -> CourseFolder:
    """A course after `nbgrader generate_assignment`; tests work on copies of it."""
    course = CourseFolder(tmp_path_factory.mktemp("released") / "course")
    course.root.mkdir()
    result = course.build().nbgrader("generate_assignment", NAME)
    assert result.returncode == 0, result.stderr
    return course


@pytest.fixture
def course(released, tmp_path) -> CourseFolder:
    return released.copy(tmp_path / "course")
