"""A student's check before handing in: the notebook runs here, on generated data, with its visible tests.

It needs no course folder, no hidden test and no sandbox, so that it works on any student's machine. What it cannot say
is said: what only grading assesses.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder import probes
from autograder.config import CONFIG_FILE, Limits, Parameter, Profile, load_course
from autograder.data import GENERATORS
from autograder.errors import EvidenceError
from autograder.evidence import encode, read_evidence
from autograder.execution import ExecutionPlan, Probe, execute
from autograder.notebooks import Release, digest, grade_id, load_release, prepare, read_notebook, release_path
from autograder.records import CellRun, LimitExceeded, Run
from autograder.tables import Finding

PROFILE = "smoke"
SEED = 7
GENERATED_ROWS = 10_200  # at most: a student waits for them
NOTEBOOK_MB = 20
TEST_PREFIX = "test_"
DATA_PARAMETER = "DATA_PATH"
NAMES_PROBE = """
def probe(student, given):
    return {"defined": [name for name in given.names if student.has(name)]}
"""

UNSEEN = (
    "grading runs more tests, on data that the notebook has never seen and with larger parameters; what is graded by "
    "hand, and training on a GPU, are not assessed here"
)


@dataclass(frozen=True)
class Contract:
    """What a released notebook says about itself, in `metadata.autograder`.

    Attributes:
        names: what each question asks a student to define.
        parameters: of the smoke profile.
        source: of the data that are generated when the notebook asks for any.
        rows: of the smoke profile, if it says how many.
    """

    names: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, Parameter]
    source: str
    rows: int | None = None


@dataclass(frozen=True)
class QuestionCheck:
    """How one question stands.

    `missing` are names of the contract that the notebook does not define when the question's tests have run.
    """

    id: str
    passed: bool
    missing: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Validation:
    """What a student has to know before handing in. Times are in seconds."""

    questions: tuple[QuestionCheck, ...]
    manual: tuple[str, ...]
    repairs: tuple[str, ...]
    limits: tuple[LimitExceeded, ...]
    seconds: float
    allowed_seconds: float
    compared_with: Path | None
    knows_contract: bool

    @property
    def is_clean(self) -> bool:
        """Whether every visible test passes, every name is there and no limit was met."""
        return all(check.passed and not check.missing for check in self.questions) and not self.limits

    def findings(self) -> list[Finding]:
        """The result as lines for a person: questions first, then what concerns the whole notebook."""
        lines = [_as_finding(check) for check in self.questions]
        lines += [Finding(question, None, "graded by hand") for question in self.manual]
        lines += [Finding("limit", False, str(limit), limit.advice) for limit in self.limits]
        lines += [Finding("mended", None, repair) for repair in self.repairs]
        if self.compared_with is None:
            told = "no released notebook was found to compare with, so deleted or edited test cells go unnoticed"
            lines.append(Finding("compared with", None, told))
        if not self.knows_contract:
            lines.append(Finding("names", None, "this notebook does not list the names that grading asks for"))
        told = f"{self.seconds:.0f} s of {self.allowed_seconds:.0f} s allowed, with the small {PROFILE} profile"
        in_time = Finding("time", self.seconds <= self.allowed_seconds, told)
        return [*lines, in_time, Finding("not looked at", None, UNSEEN)]


@dataclass(frozen=True)
class _Setting:
    release: Release | None
    contract: Contract
    profile: Profile


def validate(
    path: Path, *, course_folder: Path | None = None, on_cell: Callable[[int, int, str | None], None] | None = None
) -> Validation:
    """Run a student's notebook under the smoke profile and look at its visible tests.

    Args:
        path: the notebook. Its name is the assignment's.
        course_folder: where `assignments/` with the release may lie; None looks in the folders above the notebook.
        on_cell: told of progress, as by `execute`.

    Raises:
        NotebookError: the notebook cannot be read, or is of another assignment.
        AutograderError: the notebook cannot be run on this machine, or a course configuration that was found is wrong.
    """
    notebook = read_notebook(path, max_bytes=NOTEBOOK_MB * 2**20)
    setting = _setting(path, notebook, course_folder)
    repairs: tuple[str, ...] = ()
    if setting.release is not None:
        prepared = prepare(notebook, setting.release)
        notebook, repairs = prepared.notebook, prepared.repairs
    with tempfile.TemporaryDirectory(prefix="autograder-validate-") as scratch:
        folder = Path(scratch)
        run = execute(_plan(path, notebook, setting, folder), folder / "run", on_cell=on_cell)
        defined = {question: _defined(folder / "run", question) for question in setting.contract.names}
    names = [name for cell in notebook.cells if (name := grade_id(cell)) and _is_graded(cell)]
    return Validation(
        questions=tuple(
            _check(name.removeprefix(TEST_PREFIX), run, setting.contract, defined)
            for name in names
            if name.startswith(TEST_PREFIX)
        ),
        manual=tuple(name for name in names if not name.startswith(TEST_PREFIX)),
        repairs=repairs,
        limits=run.limits_exceeded,
        seconds=run.seconds,
        allowed_seconds=setting.profile.limits.run_seconds,
        compared_with=None if setting.release is None else setting.release.path,
        knows_contract=bool(setting.contract.names),
    )


def _setting(path: Path, notebook: NotebookNode, course_folder: Path | None) -> _Setting:
    """The release, contract and profile: from a course folder where there is one, else from the notebook itself."""
    assignment = path.stem
    course = _course_folder(path, course_folder)
    if course is None:
        contract = _contract(notebook)
        return _Setting(None, contract, Profile(parameters=dict(contract.parameters), data_rows=contract.rows))
    if (course / CONFIG_FILE).is_file():
        configured = load_course(course).assignment(assignment)
        release = load_release(course, configured)
        profile = configured.profiles.get(PROFILE)
    else:
        source = release_path(course, assignment)
        released = read_notebook(source, max_bytes=NOTEBOOK_MB * 2**20)
        release, profile = Release(released, source, digest(released)), None
    contract = _contract(release.notebook)
    fallback = Profile(parameters=dict(contract.parameters), data_rows=contract.rows)
    return _Setting(release, contract, profile or fallback)


def _course_folder(path: Path, wanted: Path | None) -> Path | None:
    """The folder with the release of this notebook's assignment, or None."""
    candidates = [wanted] if wanted is not None else [*path.resolve().parents[:5], Path.cwd()]
    return next((folder for folder in candidates if release_path(folder, path.stem).is_file()), None)


def _contract(notebook: NotebookNode) -> Contract:
    """Read leniently: a student's own copy of the metadata may be anything."""
    found = _dict(notebook.metadata.get("autograder"))
    names = {
        str(question): tuple(str(name) for name in listed)
        for question, listed in _dict(found.get("names")).items()
        if isinstance(listed, list)
    }
    parameters = _dict(_dict(found.get("profiles")).get(PROFILE))
    data = _dict(found.get("data"))
    source, rows = str(data.get("source")), data.get("rows")
    kept = {str(name): value for name, value in parameters.items() if isinstance(value, (str, bool, int, float))}
    return Contract(
        names=names,
        parameters=kept,
        source=source if source in GENERATORS else next(iter(GENERATORS)),
        rows=rows if isinstance(rows, int) and rows > 0 else None,
    )


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _plan(path: Path, notebook: NotebookNode, setting: _Setting, folder: Path) -> ExecutionPlan:
    limits: Limits = setting.profile.limits
    known = _parameter_names(notebook)
    parameters: dict[str, Parameter] = {**setting.profile.parameters, "SEED": SEED}
    data = None
    if DATA_PARAMETER in known:
        generator = GENERATORS[setting.contract.source]
        most = min(generator.rows, GENERATED_ROWS)
        rows = min(setting.profile.data_rows or setting.contract.rows or most, most)
        data = generator.write(folder / generator.file_name, rows, SEED)
        parameters[DATA_PARAMETER] = str(data)
    names = {question: listed for question, listed in setting.contract.names.items() if listed}
    return ExecutionPlan(
        assignment=path.stem,
        profile=PROFILE,
        notebook=notebook,
        parameters={name: value for name, value in parameters.items() if name in known},
        probes={
            TEST_PREFIX + question: Probe(question, NAMES_PROBE, encode({"names": list(listed)}), limits.probe_seconds)
            for question, listed in names.items()
        },
        runtime=probes.sources(),
        limits=limits,
        level="none",
        seed=SEED,
        threads=2,
        data=data,
    )


def _parameter_names(notebook: NotebookNode) -> set[str]:
    """The names that the notebook's `parameters` cell assigns: what may be injected."""
    sources = [cell.source for cell in notebook.cells if "parameters" in (cell.metadata.get("tags") or [])]
    return {name for source in sources for name in re.findall(r"^(\w+) *(?::[^=\n]*)?=", source, re.MULTILINE)}


def _is_graded(cell: NotebookNode) -> bool:
    marks = cell.metadata.get("nbgrader")
    return isinstance(marks, dict) and bool(marks.get("grade"))


def _defined(folder: Path, question: str) -> set[str] | None:
    """The question's names that exist when its tests have run; None when nobody could look."""
    path = folder / "evidence" / f"{question}.npz"
    if not path.is_file():
        return None
    try:
        defined = read_evidence(path).get("defined")
    except EvidenceError:
        return None
    return {str(name) for name in defined} if isinstance(defined, (list, tuple)) else None


def _check(question: str, run: Run, contract: Contract, defined: Mapping[str, set[str] | None]) -> QuestionCheck:
    answer, test = run.cell(question), run.cell(TEST_PREFIX + question)
    known = defined.get(question)
    missing = () if known is None else tuple(name for name in contract.names.get(question, ()) if name not in known)
    # What goes wrong in the student's own cell comes first, and explains what the tests say after it.
    why = _story("your cell", answer) or _story("the tests", test) or ("" if test else "the test cell is missing")
    return QuestionCheck(
        id=question,
        passed=test is not None and test.outcome == "ok" and (answer is None or answer.outcome == "ok"),
        missing=missing,
        why=why,
    )


def _as_finding(check: QuestionCheck) -> Finding:
    told = "the visible tests pass" if check.passed else check.why or "the visible tests do not pass"
    remedy = f"Define {', '.join(check.missing)}." if check.missing else ""
    if remedy and check.passed:
        told += f", but not defined: {', '.join(check.missing)}"
    return Finding(check.id, check.passed and not check.missing, told, remedy)


def _story(what: str, cell: CellRun | None) -> str:
    """What happened to a cell, or nothing when all went well."""
    if cell is None or cell.outcome == "ok":
        return ""
    if cell.error is not None and cell.error.name == "NotImplementedError":
        return "not answered yet: `raise NotImplementedError()` is still there"
    if cell.error is not None:
        return f"{what}: {cell.error}"
    return f"{what}: {cell.outcome.replace('_', ' ')} after {cell.seconds:.0f} s"
