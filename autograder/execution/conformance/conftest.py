"""Which sandboxes are tested, and the runs that many tests share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import SandboxError
from autograder.execution.conformance.attempts import Outcome, Result, attempts_of, prelude, run_cells
from autograder.execution.conformance.bait import Bait, laid_out
from autograder.execution.conformance.sandboxes import Level, Sandbox, load_sandbox

Run = Callable[..., Result]
_SPEC = pytest.StashKey[dict[str, Sandbox]]()


def pytest_configure(config: pytest.Config) -> None:
    """Find the sandboxes that were asked for; without any, the levels `warm` and `cold` as far as they work here."""
    asked = config.getoption("--sandbox", default=None)
    try:
        sandboxes = {spec: load_sandbox(spec) for spec in asked or ("warm", "cold")}
    except SandboxError as error:
        raise pytest.UsageError(str(error)) from error
    for sandbox in sandboxes.values():
        if unknown := sorted(set(sandbox.known_failures) - _promises()):
            raise pytest.UsageError(f"{sandbox.name} has known failures of promises that there are not: {unknown}")
        if asked and isinstance(sandbox, Level) and (why := sandbox.why_not()):
            raise pytest.UsageError(why)
    config.stash[_SPEC] = sandboxes


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test runs for every sandbox."""
    if "spec" in metafunc.fixturenames:
        sandboxes = metafunc.config.stash[_SPEC]
        names = [sandbox.name for sandbox in sandboxes.values()]
        metafunc.parametrize("spec", list(sandboxes), ids=names, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is known to fail, and skip levels that do not work on this machine."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        callspec = getattr(item, "callspec", None)
        if callspec is None or "spec" not in callspec.params:
            continue
        sandbox = config.stash[_SPEC][callspec.params["spec"]]
        reason = sandbox.known_failures.get(promise_of(item))
        if isinstance(sandbox, Level) and (why := sandbox.why_not()):
            item.add_marker(pytest.mark.skip(reason=why))
        elif reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def _promises() -> set[str]:
    """The names of all promises, also of files that are not collected this time."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    return {name for path in files for name in re.findall(r"^def test_(\w+)", path.read_text("utf-8"), re.MULTILINE)}


def promise_of(item: pytest.Item) -> str:
    """A promise's name: the test's, without `test_`."""
    return str(getattr(item, "originalname", item.name)).removeprefix("test_")


@pytest.fixture(scope="session")
def sandbox(spec: str, request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox under test; `spec` is its name on the command line."""
    return request.config.stash[_SPEC][spec]


@pytest.fixture(scope="session")
def bait() -> Iterator[Bait]:
    """What must not be found."""
    with laid_out() as found:
        yield found


@pytest.fixture(scope="session")
def run(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A function that runs cells in the sandbox; see `attempts.run_cells`."""

    def _run(cells: Mapping[str, str], **options: Any) -> Result:
        return run_cells(sandbox, tmp_path_factory.mktemp("run"), cells, **options)

    return _run


@pytest.fixture(scope="module")
def tried(run: Run, bait: Bait, request: pytest.FixtureRequest) -> Result:
    """One run of all attempts of a file; the file may have `OPTIONS` for it."""
    cells = {"prelude": prelude(bait.told()), **attempts_of(request.module)}
    return run(cells, data=bait.public_data, **getattr(request.module, "OPTIONS", {}))


@pytest.fixture
def outcome(tried: Result, request: pytest.FixtureRequest) -> Outcome:
    """What came of this test's attempt."""
    found = tried.outcome(request.function.__name__)
    assert found.cell is not None, "the run has no such cell"
    assert found.cell.outcome != "not_run", f"an attempt before this one ended the run: {tried.run.cause_of_death}"
    return found
