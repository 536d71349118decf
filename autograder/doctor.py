"""Is this machine, and this course, ready to grade? One line per matter, one remedy per fault."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from autograder.checks import judging
from autograder.config import Assignment, Course, load_course
from autograder.errors import ConfigurationError, DataError, HiddenTestError, ReleaseError
from autograder.execution import cgroup, gpu, levels
from autograder.grading import hidden_tests_folder, prepare_data
from autograder.notebooks import load_release
from autograder.reporting import ENVIRONMENT
from autograder.tables import Finding

OLDEST_PYTHON = (3, 11)
PACKAGES = (*ENVIRONMENT, "nbclient", "jupyter_client", "nbgrader", "pytest")


def examine(course_folder: Path) -> list[Finding]:
    """Look at everything that grading needs; nothing raises, all of it is told."""
    findings = [_python(), *_packages()]
    course: Course | None = None
    try:
        course = load_course(course_folder)
    except ConfigurationError as error:
        findings.append(Finding("course configuration", False, str(error), "Correct the field, then run doctor again."))
    findings += [*_sandbox(course), _gpu()]
    if course is None:
        return findings
    count = len(course.assignments)
    told = f"{course.course_id}: {count} assignment{'s' if count > 1 else ''}, profile {course.default_profile}"
    findings += [Finding("course configuration", True, told), _nbgrader(course_folder)]
    for assignment in course.assignments:
        findings += _assignment(course_folder, course, assignment)
    return findings


def _python() -> Finding:
    wanted = ".".join(str(part) for part in OLDEST_PYTHON)
    well = sys.version_info >= OLDEST_PYTHON
    found = f"{platform.python_version()} on {platform.system()}"
    return Finding("python", well, found, f"Use Python {wanted} or newer.")


def _packages() -> Iterator[Finding]:
    found, missing = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    yield Finding("packages", True, ", ".join(found))
    if missing:
        yield Finding("packages missing", False, ", ".join(missing), f"pip install {' '.join(missing)}")


def _sandbox(course: Course | None) -> Iterator[Finding]:
    """The level that the course grades with has to work; `cold` may stand in for `warm`."""
    found = {status.level: status for status in levels()}
    wanted = course.sandbox if course else None
    for level, status in found.items():
        told = f"works: {status.why}" if status.works else f"does not work: {status.why}"
        if level == "none" == wanted:
            remedy = "Set sandbox='warm' in course_config.py: level none protects nothing."
            yield Finding("sandbox none", False, "students' code runs with your rights", remedy)
            continue
        replaced = level == "warm" and not status.works and found["cold"].works
        needed = level == wanted and not replaced
        told += "; kernels start cold, each importing its libraries anew" if replaced else ""
        yield Finding(f"sandbox {level}", status.works if needed else None, told, status.remedy)
    yield _memory_limit()


def _memory_limit() -> Finding:
    group = cgroup.available()
    if group.works:
        return Finding("memory limit", None, f"held by the system, with control groups {group.why}")
    told = f"held by a watchdog that looks four times a second, because there are no control groups: {group.why}"
    return Finding("memory limit", None, told)


def _gpu() -> Finding:
    nodes = gpu.device_nodes()
    if not nodes:
        return Finding("gpu", None, "none; what asks for one is not assessed here, neither given nor lost")
    return Finding("gpu", None, ", ".join(path.name for path in nodes))


def _nbgrader(course_folder: Path) -> Finding:
    path = course_folder / "nbgrader_config.py"
    remedy = "Copy nbgrader_config.py from the project into the course folder: it hands the course to nbgrader."
    return Finding("nbgrader configuration", path.is_file(), path.name if path.is_file() else "missing", remedy)


def _assignment(course_folder: Path, course: Course, assignment: Assignment) -> Iterator[Finding]:
    name = assignment.name
    yield _release(course_folder, assignment)
    yield _hidden_tests(course_folder, assignment)
    origin = ""
    if assignment.data is not None:
        finding, origin = _data(course_folder, course, assignment)
        yield finding
    folder = hidden_tests_folder(course_folder, name).parent
    try:
        calibrated = judging.calibration_for(folder, course.default_profile, origin)
    except HiddenTestError as error:
        yield Finding(f"{name}: calibration", False, str(error), "Calibrate again.")
        return
    told = "there" if calibrated else f"none for profile {course.default_profile}; thresholds are the tests' own"
    yield Finding(f"{name}: calibration", True if calibrated else None, told)


def _release(course_folder: Path, assignment: Assignment) -> Finding:
    try:
        release = load_release(course_folder, assignment)
    except ReleaseError as error:
        remedy = f"nbgrader generate_assignment {assignment.name} --force"
        return Finding(f"{assignment.name}: release", False, str(error), remedy)
    told = f"matches the configuration: {len(assignment.questions)} questions ({release.path.name})"
    return Finding(f"{assignment.name}: release", True, told)


def _hidden_tests(course_folder: Path, assignment: Assignment) -> Finding:
    folder = hidden_tests_folder(course_folder, assignment.name)
    label = f"{assignment.name}: hidden tests"
    remedy = f"Every question that is not manual needs {folder}/test_QUESTION.py, and no other file may be named so."
    try:
        found = set(judging.load_hidden_tests(folder))
    except HiddenTestError as error:
        return Finding(label, False, str(error), remedy)
    wanted = {question.id for question in assignment.questions if not question.manual}
    faults = [f"no tests for {question}" for question in sorted(wanted - found)]
    faults += [f"tests for {question}, which is no question" for question in sorted(found - wanted)]
    return Finding(label, not faults, "; ".join(faults) or f"for all {len(found)} questions", remedy)


def _data(course_folder: Path, course: Course, assignment: Assignment) -> tuple[Finding, str]:
    label = f"{assignment.name}: data"
    try:
        data = prepare_data(course_folder, assignment, course.default_profile)
    except (DataError, OSError) as error:
        remedy = "Name a file in the assignment's data (path=...), or leave it out for generated data."
        return Finding(label, False, str(error), remedy), ""
    if data is None:
        return Finding(label, None, "needs none"), ""
    return Finding(label, True, f"{data.origin}: {data.description}"), data.origin
