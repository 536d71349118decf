"""The pytest plugin that turns hidden tests into checks.

By hand: `pytest solutions/<assignment>/hidden_tests/test_windows.py --evidence RUN`, where RUN is a folder of a stored
run. In grading, `autograder.checks.judging` runs pytest with a `Verdicts` to collect what came of it.

Fixtures for hidden tests: `given`, `evidence`, `run`, `materials`, `picture`, `measured`. Marks: `weight(number)`, and
`requires("test_name", ...)` for tests that make sense only when others of the same file have passed.
"""

from __future__ import annotations

import inspect
import math
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograder.checks.failure import Failure, LimitFailure, NotAssessed
from autograder.checks.given import Given, Materials
from autograder.checks.view import EvidenceView
from autograder.errors import HiddenTestError
from autograder.records import CheckOutcome, CheckResult, Measure, Picture, Run

FILE_PREFIX = "test_"


@dataclass
class Verdicts:
    """What came of the hidden tests of a run, by question."""

    run_folder: Path
    run: Run
    materials: Materials
    checks: dict[str, list[CheckResult]] = field(default_factory=dict)
    pictures: dict[str, list[Picture]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


VERDICTS = pytest.StashKey[Verdicts]()
MEASURE = pytest.StashKey[Measure]()


def question_of(path: Path) -> str:
    """The question that a hidden-test file is about: `test_windows.py` is about `windows`."""
    return path.stem.removeprefix(FILE_PREFIX)


def call_given(module: ModuleType, question: str, seed: int, materials: Materials) -> Given:
    """Call a hidden-test module's `given` with what it asks for; the same seed gives the same inputs.

    Raises:
        HiddenTestError: `given` asks for something unknown or returns something else than a `Given`.
    """
    function = getattr(module, "given", None)
    if function is None:
        return Given()
    offers = {"rng": np.random.default_rng([seed, zlib.crc32(question.encode())]), "materials": materials}
    wanted = list(inspect.signature(function).parameters)
    unknown = [name for name in wanted if name not in offers]
    if unknown:
        raise HiddenTestError(f"given() of {question} may ask for {sorted(offers)}. Received: {unknown}")
    result = function(**{name: offers[name] for name in wanted})
    if not isinstance(result, Given):
        raise HiddenTestError(f"given() of {question} must return a Given. Received: {type(result).__name__}")
    return result


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--evidence RUN`, and the conformance kit's `--sandbox`, which its own conftest.py would add too late."""
    group = parser.getgroup("autograder")
    group.addoption(
        "--evidence", metavar="RUN", type=Path, default=None, help="judge this stored run with hidden tests"
    )
    group.addoption(
        "--sandbox",
        metavar="LEVEL|MODULE:OBJECT",
        action="append",
        help="a sandbox for the tests of autograder.execution.conformance; may be given several times",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks; read the run when hidden tests are run by hand."""
    config.addinivalue_line("markers", "weight(number): how much this check counts within its question; default 1")
    config.addinivalue_line("markers", "requires(*names): tests of the same file that must have passed before")
    folder = config.getoption("--evidence", default=None)
    if folder is not None and VERDICTS not in config.stash:
        from autograder.checks.judging import open_run  # a hand-run is the only time that the plugin reads files

        config.stash[VERDICTS] = open_run(folder, Path(str(config.args[0])) if config.args else None)


def _verdicts(config: pytest.Config) -> Verdicts:
    verdicts = config.stash.get(VERDICTS, None)
    if verdicts is None:
        raise pytest.UsageError("Hidden tests judge a stored run: name its folder with --evidence RUN")
    return verdicts


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """What happened when the notebook was executed."""
    return _verdicts(pytestconfig).run


@pytest.fixture(scope="session")
def materials(pytestconfig: pytest.Config) -> Materials:
    """What the grader knows beside the evidence: parameters, data, calibration."""
    return _verdicts(pytestconfig).materials


@pytest.fixture(scope="module")
def given(request: pytest.FixtureRequest, run: Run, materials: Materials) -> Given:
    """What this file's `given` returned: the probe's inputs, and the answers that stayed here."""
    return call_given(request.module, question_of(request.path), run.seed, materials)


@pytest.fixture(scope="module")
def evidence(request: pytest.FixtureRequest, run: Run) -> EvidenceView:
    """What this file's probe found in the student's kernel."""
    question = question_of(request.path)
    return EvidenceView(_verdicts(request.config).run_folder / "evidence" / f"{question}.npz", run, question)


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[str, dict[str, object]], None]:
    """Attach numbers for a picture on the feedback page to this question."""
    pictures = _verdicts(request.config).pictures.setdefault(question_of(request.path), [])

    def attach(kind: str, data: dict[str, object]) -> None:
        pictures.append(Picture(kind=kind, data=data))

    return attach


@pytest.fixture
def measured(request: pytest.FixtureRequest, materials: Materials) -> Callable[[float, float], bool]:
    """Compare a trained model's result with a bar: `measured(value, bar)` says whether it is reached.

    The value is kept with the check: near the bar, where another seed could have given another outcome, the notebook is
    run again and the mean of all runs decides. How near that is says the calibration: `spread` of this question, by the
    name of the test.
    """
    entry = (materials.calibration or {}).get(question_of(request.path), {})
    spread = float(entry.get("spread", {}).get(request.node.name, 0.0))

    def compare(value: float, bar: float) -> bool:
        if not math.isfinite(value):
            raise HiddenTestError(f"measured() of {request.node.name} takes finite numbers. Received: {value}")
        measure = Measure(values=(float(value),), bar=float(bar), spread=spread)
        request.node.stash[MEASURE] = measure
        return measure.reached

    return compare


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose prerequisites have not passed fails with their names, and is not run."""
    if VERDICTS not in item.config.stash:
        return
    done = {check.name: check for check in item.config.stash[VERDICTS].checks.get(question_of(item.path), [])}
    for mark in item.iter_markers("requires"):
        for name in mark.args:
            if name not in done:
                raise HiddenTestError(
                    f"{item.name} requires {name!r}, which is not an earlier test of {item.path.name}"
                )
            if done[name].outcome == "not_assessed":
                raise NotAssessed(f"Not assessed, because this was not: {done[name].title}")
            if done[name].outcome != "passed":
                raise Failure(f"This could not be looked at, because an earlier check did not pass: {done[name].title}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Sort what happened into the four outcomes, and show a person the message rather than a traceback."""
    report = yield
    verdicts = item.config.stash.get(VERDICTS, None)
    if verdicts is None:
        return report
    error = call.excinfo.value if call.excinfo is not None else None
    if error is None and report.when != "call":
        return report
    result = check_result(item, error)
    verdicts.checks.setdefault(question_of(item.path), []).append(result)
    if isinstance(error, Failure):
        report.when = "call"  # a student's mistake is a failure, also when a fixture was the first to see it
        report.longrepr = "\n".join(filter(None, [result.message, result.hint and f"Hint: {result.hint}"]))
    elif isinstance(error, NotAssessed):
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"not assessed: {error.message}")
    return report


def check_result(item: pytest.Item, error: BaseException | None) -> CheckResult:
    """One test's outcome as data. What is neither passed nor the student's is the grader's own error."""
    outcome: CheckOutcome
    message = hint = ""
    if error is None:
        outcome = "passed"
    elif isinstance(error, Failure):
        outcome = "limit_exceeded" if isinstance(error, LimitFailure) else "failed"
        message, hint = error.message, error.hint
    elif isinstance(error, NotAssessed):
        outcome, message = "not_assessed", error.message
    else:
        outcome, message = "error", f"This check itself went wrong ({type(error).__name__}); a person will look at it."
    weights = [mark.args[0] for mark in item.iter_markers("weight") if mark.args]
    return CheckResult(
        name=item.name,
        title=_title(item),
        outcome=outcome,
        weight=float(weights[0]) if weights else 1.0,
        message=message,
        hint=hint,
        measure=_measure_of(item, outcome),
    )


def _measure_of(item: pytest.Item, outcome: CheckOutcome) -> Measure | None:
    """What was measured, where it decided: a check that failed for another reason is no matter of luck."""
    measure = item.stash.get(MEASURE, None)
    if measure is None or outcome != ("passed" if measure.reached else "failed"):
        return None
    return measure


def _title(item: pytest.Item) -> str:
    """A test's docstring as one line; it is what a student reads."""
    documentation: Any = getattr(getattr(item, "function", None), "__doc__", None)
    return " ".join(documentation.split()) if documentation else item.name.removeprefix(FILE_PREFIX).replace("_", " ")
