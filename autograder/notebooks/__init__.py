"""Notebooks as they come in, as they were released, and as they are graded.

`read_notebook` turns hostile bytes into a notebook, `load_release` reads what students were given, and `prepare` mends
a submission against it.
"""

from autograder.notebooks.mending import Prepared, prepare
from autograder.notebooks.reading import digest, grade_id, read_executed, read_notebook
from autograder.notebooks.release import Release, load_release, release_path

__all__ = [
    "Prepared",
    "Release",
    "digest",
    "grade_id",
    "load_release",
    "prepare",
    "read_executed",
    "read_notebook",
    "release_path",
]
