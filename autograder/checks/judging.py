"""Judge a stored run: pytest over the hidden tests, in this trusted process, over what the probes left on disk.

No student code, no TensorFlow and no pickle is loaded here. A verdict costs a fraction of a second, so a changed test,
weight or message is judged again without running a notebook.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import io
import json
import logging
import os
import sys
import textwrap
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from autograder import atomic
from autograder.checks import plugin
from autograder.checks.given import Given, Materials
from autograder.config import Parameter
from autograder.errors import HiddenTestError, ReportError, UntrustedError
from autograder.records import CheckResult, Picture, Record, Run
from autograder.untrusted import read_bytes

RUN_FILE = "run.json"
MATERIALS_FILE = "materials.json"
MAX_RUN_BYTES = 64 * 2**20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HiddenTests:
    """One question's hidden-test file: where it is, its loaded module, and the source of its probe."""

    question: str
    path: Path
    module: ModuleType
    probe_source: str

    def given(self, seed: int, materials: Materials) -> Given:
        """The probe's inputs and the answers to them; the same seed gives the same."""
        return plugin.call_given(self.module, self.question, seed, materials)


class Judgement(Record):
    """What the hidden tests say about one question."""

    checks: tuple[CheckResult, ...]
    pictures: tuple[Picture, ...] = ()

    @property
    def went_wrong(self) -> bool:
        """Whether a check was at fault itself."""
        return any(check.outcome == "error" for check in self.checks)


def load_hidden_tests(folder: Path) -> dict[str, HiddenTests]:
    """All hidden-test files of an assignment, by question.

    Raises:
        HiddenTestError: the folder has none, or a file cannot be imported or has no probe.
    """
    paths = sorted(folder.glob(f"{plugin.FILE_PREFIX}*.py"))
    if not paths:
        raise HiddenTestError(f"There are no hidden tests (files test_<question>.py) to judge with. Received: {folder}")
    return {plugin.question_of(path): _load(path) for path in paths}


def _load(path: Path) -> HiddenTests:
    specification = importlib.util.spec_from_file_location(f"hidden_{uuid.uuid4().hex}", path)
    if specification is None or specification.loader is None:
        raise HiddenTestError(f"Not a Python file. Received: {path}")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except Exception as error:  # the file is a program of the instructor's
        raise HiddenTestError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(getattr(module, "probe", None)):
        raise HiddenTestError(f"{path.name} must define probe(student, given). Received: no such function")
    source = textwrap.dedent(inspect.getsource(module.probe))
    return HiddenTests(plugin.question_of(path), path, module, source)


def calibration_for(assignment_folder: Path, profile: str, origin: str) -> Mapping[str, Any] | None:
    """What `calibration.json` holds for a profile and an origin of data, or None."""
    path = assignment_folder / "calibration.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get(profile, {})
    except (ValueError, AttributeError) as error:
        raise HiddenTestError(f"{path.name} is not what a calibration writes: {error}") from error
    calibration: Mapping[str, Any] | None = found.get(origin) or found.get("generated")
    return calibration


class _Kept(Record):
    """What is stored of `Materials`: all but the calibration, which is read anew."""

    profile: str
    parameters: dict[str, Parameter]
    public: Path | None
    withheld: Path | None
    origin: str


def write_run(folder: Path, run: Run, materials: Materials) -> None:
    """Keep what a verdict needs beside the evidence. The run's own file comes last: with it, the run exists."""
    kept = _Kept(
        profile=materials.profile,
        parameters=dict(materials.parameters),
        public=materials.public,
        withheld=materials.withheld,
        origin=materials.origin,
    )
    atomic.write(folder / MATERIALS_FILE, kept.model_dump_json(indent=1))
    atomic.write(folder / RUN_FILE, run.model_dump_json(indent=1))


def open_run(folder: Path, tests: Path | None = None) -> plugin.Verdicts:
    """A stored run, ready to be judged; `tests` is a hidden-test file or folder, beside which calibration lies.

    Raises:
        ReportError: the folder holds no readable run.
    """
    try:
        run = Run.model_validate_json(read_bytes(folder / RUN_FILE, MAX_RUN_BYTES))
        kept = _Kept.model_validate_json(read_bytes(folder / MATERIALS_FILE, MAX_RUN_BYTES))
    except UntrustedError as error:
        raise ReportError(f"There is no stored run in this folder: {error}. Received: {folder}") from error
    except ValidationError as error:
        raise ReportError(f"The stored run cannot be read: {error!s:.300}. Received: {folder}") from error
    assignment_folder = None
    if tests is not None:
        hidden_folder = tests if tests.is_dir() else tests.parent
        assignment_folder = hidden_folder.resolve().parent
    calibration = calibration_for(assignment_folder, kept.profile, kept.origin) if assignment_folder else None
    materials = Materials(
        profile=kept.profile,
        parameters=kept.parameters,
        public=kept.public,
        withheld=kept.withheld,
        origin=kept.origin,
        calibration=calibration,
    )
    return plugin.Verdicts(run_folder=folder, run=run, materials=materials)


def judge(
    run_folder: Path,
    tests_folder: Path,
    materials: Materials | None = None,
    questions: Collection[str] | None = None,
) -> dict[str, Judgement]:
    """Run the hidden tests of an assignment over one stored run.

    Args:
        run_folder: the run.
        tests_folder: the hidden tests.
        materials: taken from the run when they are not given; a course folder may have moved since it was stored.
        questions: only these; None for all.

    Returns:
        A judgement for every hidden-test file. One that cannot be imported is an error of that question alone.
    """
    verdicts = open_run(run_folder, tests_folder)
    if materials is not None:
        verdicts.materials = materials
    collector = _Collector(verdicts)
    paths = [
        path
        for path in sorted(tests_folder.glob(f"{plugin.FILE_PREFIX}*.py"))
        if questions is None or plugin.question_of(path) in questions
    ]
    ini = resources.files("autograder.checks") / "hidden_tests.ini"
    arguments = [
        "-c",
        str(ini),
        "--rootdir",
        str(tests_folder),
        "--confcutdir",  # or else pytest looks through every folder above
        str(tests_folder),
        "--import-mode=importlib",
        "-q",
        "--capture=no",  # all goes to one place here; two temporary files would be asked after every test
    ]
    # Each of the last two would collect this whole process's garbage, five times over.
    arguments += [
        part for name in ("cacheprovider", "unraisableexception", "threadexception") for part in ("-p", f"no:{name}")
    ]
    arguments += ["-p", "autograder.checks.plugin", "--continue-on-collection-errors"]
    printed = io.StringIO()
    with (
        _own_modules(tests_folder),
        _no_other_plugins(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        status = pytest.main([*arguments, *map(str, paths)], plugins=[collector])
    judgements = {}
    for path in paths:
        question = plugin.question_of(path)
        checks = verdicts.checks.get(question) or [_broken(question, verdicts.broken.get(question, ""))]
        judgements[question] = Judgement(checks=tuple(checks), pictures=tuple(verdicts.pictures.get(question, ())))
    if any(judgement.went_wrong for judgement in judgements.values()):
        log.error("Hidden tests went wrong (pytest ended with %s):\n%s", status, printed.getvalue())
    return judgements


def tests_digest(tests_folder: Path) -> str:
    """SHA-256 over everything that determines a verdict: the hidden-test files and the calibration."""
    digest = hashlib.sha256()
    for path in [*sorted(tests_folder.glob("*.py")), tests_folder.parent / "calibration.json"]:
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class _Collector:
    """Hands the run to the plugin, and notes files that could not be imported."""

    def __init__(self, verdicts: plugin.Verdicts) -> None:
        self.verdicts = verdicts

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.VERDICTS] = self.verdicts

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.verdicts.broken[plugin.question_of(Path(report.nodeid))] = str(report.longrepr)


def _broken(question: str, story: str) -> CheckResult:
    log.error("The hidden tests of %s could not be run: %s", question, story or "no test was found")
    message = "The hidden tests of this question could not be run; a person will look at it."
    return CheckResult(name="hidden_tests", title="The hidden tests of this question", outcome="error", message=message)


@contextlib.contextmanager
def _own_modules(tests_folder: Path) -> Iterator[None]:
    """Hidden tests are loaded anew each time: they may have changed, and another course has files of the same names."""
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and Path(file).is_relative_to(tests_folder):
                del sys.modules[name]


@contextlib.contextmanager
def _no_other_plugins() -> Iterator[None]:
    """Verdicts do not depend on which pytest plugins happen to be installed."""
    before = {
        name: os.environ.get(name) for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")
    }
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
