"""What nbgrader has to know of the course, in nbgrader's own terms."""

from __future__ import annotations

import inspect
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import Execute, SaveAutoGrades
from traitlets.config import Config, PyFileConfigLoader

from autograder.config import Course, load_course
from autograder.errors import ConfigurationError

SOURCE_FOLDER = "solutions"
RELEASE_FOLDER = "assignments"
CONFIG_FILE = "nbgrader_config.py"
PACKAGE = "autograder.integrations.nbgrader"
RELEASED = {"data", "images"}  # what lies in solutions/NAME/ beside the notebook and goes to students
SECRET = {"hidden_tests", "mutants", "calibration.json", "calibration.py", "equivalent_mutants.json", ".autograder"}


def configure(c: Config, folder: Path | None = None) -> None:
    """Set up nbgrader for the course: call this in `nbgrader_config.py`, and add own settings after it.

    Args:
        c: what `get_config()` returns there.
        folder: the course folder; without it, the folder of the configuration file that calls this.

    Raises:
        ConfigurationError: course_config.py is missing or wrong, and `folder` was given, or this is the formgrader.
        SystemExit: the same, in a command: after any other exception nbgrader would print a traceback and go on with
            settings of its own.
    """
    try:
        place = (folder or _folder_of_caller()).resolve()
        course = load_course(place)
    except ConfigurationError as error:
        if folder is not None or _in_a_server():
            raise
        raise SystemExit(f"autograder: {error}") from error
    if folder is None:
        os.environ["PATH"] = _path_with_own_tools()
    _configure_course(c, place, course)
    c.Autograde.exporter_class = f"{PACKAGE}.autograde.SubmissionExporter"
    ours = {Execute: f"{PACKAGE}.autograde.GradeSubmission", SaveAutoGrades: f"{PACKAGE}.autograde.SaveGrades"}
    c.Autograde.autograde_preprocessors = [
        ours.get(preprocessor, preprocessor) for preprocessor in Autograde.autograde_preprocessors.default()
    ]
    c.GenerateAssignment.exporter_class = f"{PACKAGE}.release.ReleaseExporter"
    c.GenerateFeedback.exporter_class = f"{PACKAGE}.feedback.FeedbackExporter"
    c.GenerateFeedback.preprocessors = []


def _path_with_own_tools() -> str:
    """PATH with the tools of this interpreter at the end.

    nbgrader calls `alembic` when it makes a gradebook, and leaves half a gradebook where it is not found: in a virtual
    environment that is used without being activated.
    """
    parts = [*os.environ.get("PATH", os.defpath).split(os.pathsep), sysconfig.get_path("scripts")]
    return os.pathsep.join(dict.fromkeys(parts))


@contextmanager
def own_tools() -> Iterator[None]:
    """nbgrader finds the tools that it calls; PATH is as before afterwards."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = _path_with_own_tools()
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


@own_tools()
def load_config(folder: Path) -> Config:
    """The configuration that nbgrader's commands would have in a course folder, the instructor's own settings included.

    Raises:
        ConfigurationError: course_config.py or nbgrader_config.py is missing or wrong.
    """
    config = Config()
    if not (folder / CONFIG_FILE).is_file():
        configure(config, folder)
        return config
    try:
        config.merge(PyFileConfigLoader(CONFIG_FILE, path=str(folder)).load_config())
    except SystemExit as error:
        raise ConfigurationError(str(error.code).removeprefix("autograder: ")) from error
    except Exception as error:  # the file is a program: whatever it raises is told to its author
        raise ConfigurationError(f"{CONFIG_FILE} does not run. Received: {type(error).__name__}: {error}") from error
    return config


def _in_a_server() -> bool:
    """Whether the formgrader reads the configuration: a mistake in it must not end a server in which others work."""
    module = sys.modules.get("jupyter_server.serverapp")
    return module is not None and bool(module.ServerApp.initialized())


def _folder_of_caller() -> Path:
    """The folder of the configuration file: nbgrader runs it from wherever the command was given."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame else None
    name = frame.f_globals.get("__file__") if frame else None
    return Path(name).parent if name else Path.cwd()


def _configure_course(c: Config, folder: Path, course: Course) -> None:
    c.CourseDirectory.root = str(folder)
    c.CourseDirectory.course_id = course.course_id
    c.CourseDirectory.source_directory = SOURCE_FOLDER
    c.CourseDirectory.release_directory = RELEASE_FOLDER
    c.CourseDirectory.ignore = [*CourseDirectory.ignore.default(), *sorted(SECRET | _beside_the_notebooks(folder))]
    c.Exchange.timezone = course.timezone


def _beside_the_notebooks(folder: Path) -> set[str]:
    """All names in solutions/NAME/ that must stay here: nbgrader only knows what to ignore, not what to release."""
    entries = (path for path in (folder / SOURCE_FOLDER).glob("*/*") if path.suffix != ".ipynb")
    return {path.name for path in entries} - RELEASED
