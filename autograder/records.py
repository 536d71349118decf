"""The nouns that travel between the steps of grading, as frozen, validated, JSON-ready data.

`Submission` comes in, `Run` is what happened when it was executed, `Report` is what everybody reads.
The shape of `Report` in JSON is a promise to other programs (docs/report.md): fields may be added, none renamed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from statistics import fmean
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

CheckOutcome = Literal["passed", "failed", "limit_exceeded", "not_assessed", "error"]
QuestionOutcome = Literal["passed", "partial", "failed", "not_assessed", "error", "manual"]
CellOutcome = Literal["ok", "error", "timeout", "killed", "not_run"]
ProbeOutcome = Literal["ok", "timeout", "failed", "not_run"]
LimitName = Literal[
    "cell time",
    "run time",
    "cpu time",
    "memory",
    "processes",
    "open files",
    "disk",
    "files",
    "file size",
    "output",
    "output count",
]
SandboxLevel = Literal["warm", "cold", "none"]
Status = Literal["graded", "needs_attention"]
UseOf = Literal["run", "device"]

LIMIT_ADVICE: Final[Mapping[LimitName, str]] = {
    "cell time": "Look for loops that never end, and do less work: fewer epochs, whole arrays instead of loops.",
    "run time": "All cells share this time: make the slowest ones faster, for example with fewer epochs.",
    "cpu time": "All processes and threads share this time: use fewer of them, and do less work.",
    "memory": "Keep less at a time: smaller batches, float32, deleted copies. "
    "Files in the work folder, /tmp and /dev/shm may count as well.",
    "processes": "Start fewer processes and threads, and wait for them to end: small pools, n_jobs=1.",
    "open files": "Close files after use: open them in a `with` block.",
    "disk": "Write less, and remove files that you no longer need.",
    "files": "Write fewer files, and remove those that you no longer need.",
    "file size": "Write less into one file.",
    "output": "Print less: a summary, or the first rows.",
    "output count": "Show fewer outputs and pictures: print once after a loop instead of in it.",
}
"""For every limit what a student can do to stay below it."""

# What the operating system, NumPy and TensorFlow say when they refuse to exceed a limit, by the limit.
_LIMIT_SIGNS: Final[tuple[tuple[LimitName, re.Pattern[str]], ...]] = (
    ("disk", re.compile(r"\[Errno (?:28|122)\]|No space left on device|Disk quota exceeded")),
    ("file size", re.compile(r"\[Errno 27\]|File too large")),
    ("open files", re.compile(r"\[Errno 24\]|Too many open files")),
    ("processes", re.compile(r"^(?:BlockingIO|OS)Error: \[Errno 11\]|can't start new thread")),
    ("memory", re.compile(r"^MemoryError|ArrayMemoryError|^OSError: \[Errno 12\]|^ResourceExhaustedError.*device:CPU")),
)


class Record(BaseModel):
    """Immutable data; unknown fields are ignored on reading, so that older code reads newer files."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _whole_characters(cls, value: object) -> object:
        """Half a character (a lone surrogate), which kernels can send and no file can hold, becomes a question mark."""
        if isinstance(value, str):
            return value.encode(errors="replace").decode()
        if isinstance(value, tuple):
            return tuple(cls._whole_characters(item) if isinstance(item, str) else item for item in value)
        return value


class Submission(Record):
    """One student's notebook as handed in. Nothing in it is trusted, the student's id and the file name included."""

    student: str
    assignment: str
    path: Path
    submitted_at: datetime | None = None


class CellError(Record):
    """A student's exception, shortened to what helps: its class, message, and the line it came from."""

    name: str
    message: str
    line: int | None = None
    source: str | None = None

    def __str__(self) -> str:
        place = f" (line {self.line}: `{self.source}`)" if self.line and self.source else ""
        return f"{self.name}: {self.message}{place}" if self.message else f"{self.name}{place}"


class CellRun(Record):
    """What happened to one code cell. `index` counts all cells of the executed notebook."""

    index: int
    grade_id: str | None = None
    outcome: CellOutcome
    seconds: float = 0.0
    peak_memory_mb: float | None = None
    error: CellError | None = None
    output_bytes: int = 0
    output_truncated: bool = False


class ProbeRun(Record):
    """What happened to one question's probe. The evidence itself is in `evidence/<question>.npz`, if any came."""

    question: str
    outcome: ProbeOutcome
    seconds: float = 0.0
    message: str = ""


def limit_behind(name: str, message: str) -> LimitName | None:
    """The limit that the system refused to exceed, when that is what an exception (class and message) says."""
    text = f"{name}: {message}"
    return next((limit for limit, sign in _LIMIT_SIGNS if sign.search(text)), None)


class LimitExceeded(Record):
    """A limit that the submission ran into: which, how much was allowed, and in which cell."""

    limit: LimitName
    allowed: str
    grade_id: str | None = None
    cell_index: int | None = None

    @property
    def advice(self) -> str:
        """What a student can do about it, in a sentence."""
        return LIMIT_ADVICE[self.limit]

    def __str__(self) -> str:
        where = f" in the cell `{self.grade_id}`" if self.grade_id else ""
        return f"{self.limit} limit exceeded{where}: {self.allowed} allowed"


class DeviceInfo(Record):
    """One accelerator that the kernel could see, and what this run used of it, as seen from outside by the grader.

    Where the driver does not tell processes apart, use is the device's as a whole, its memory less what was used before
    the run; `memory_of` and `utilization_of` say which of the two was measured. Memory in MiB, utilisation from 0 to 1.

    Attributes:
        shared: whether other kernels of the grader may have used the device meanwhile.
        device_peak_memory_mb: of everybody together, to see how full the device was.
        samples: how often it was looked at.
        problem: what the driver said when it told no more, for example that the device is lost.
    """

    name: str
    uuid: str | None = None
    memory_mb: float | None = None
    peak_memory_mb: float | None = None
    memory_of: UseOf | None = None
    mean_utilization: float | None = None
    peak_utilization: float | None = None
    utilization_of: UseOf | None = None
    device_peak_memory_mb: float | None = None
    shared: bool = False
    samples: int | None = None
    problem: str = ""


class Run(Record):
    """One execution of one submission: an account of it, beside `executed.ipynb` and `evidence/`.

    `allowed` says for every limit how much of it there was, in words.
    """

    schema_version: Literal[1] = 1
    assignment: str
    profile: str
    seed: int
    sandbox: SandboxLevel
    sandbox_note: str = ""
    cells: tuple[CellRun, ...] = ()
    probes: tuple[ProbeRun, ...] = ()
    limits_exceeded: tuple[LimitExceeded, ...] = ()
    allowed: dict[LimitName, str] = {}
    seconds: float = 0.0
    startup_seconds: float = 0.0
    peak_memory_mb: float | None = None
    kernel_died: bool = False
    cause_of_death: str = ""
    devices: tuple[DeviceInfo, ...] = ()
    repairs: tuple[str, ...] = ()

    def cell(self, grade_id: str) -> CellRun | None:
        """The cell with this grade_id, or None."""
        return next((cell for cell in self.cells if cell.grade_id == grade_id), None)

    def probe(self, question: str) -> ProbeRun | None:
        """The probe of this question, or None."""
        return next((probe for probe in self.probes if probe.question == question), None)


class Measure(Record):
    """What a check compares with a bar: a trained model's result, which depends on the seed of its training.

    Attributes:
        values: one for each run, each with a seed of its own. Their mean counts: at or above the bar, the check passes.
        bar: what is asked for.
        spread: standard deviation of one value from seed to seed, from the calibration; 0 where that is not known.
    """

    values: tuple[float, ...]
    bar: float
    spread: Annotated[float, Field(ge=0)] = 0.0

    @property
    def mean(self) -> float:
        """Of all runs."""
        return fmean(self.values)

    @property
    def reached(self) -> bool:
        """Whether the mean is at or above the bar."""
        return self.mean >= self.bar


class CheckResult(Record):
    """One hidden test's outcome. `title` is the test's docstring: the line that a student reads.

    `measure` is there where the outcome is that of a number against a bar, and the number a matter of training.
    """

    name: str
    title: str
    outcome: CheckOutcome
    weight: Annotated[float, Field(ge=0)] = 1.0
    message: str = ""
    hint: str = ""
    measure: Measure | None = None


class Picture(Record):
    """Numbers behind one of a question's pictures in the feedback, for example curves or forecasts; plain JSON."""

    kind: str
    data: dict[str, object] = {}


class QuestionResult(Record):
    """All checks of one question and the points they make. `points` is None where no mark can be given (yet)."""

    id: str
    title: str = ""
    topic: str = ""
    points: float | None
    max_points: float
    outcome: QuestionOutcome
    checks: tuple[CheckResult, ...] = ()
    message: str = ""
    pictures: tuple[Picture, ...] = ()


class Report(Record):
    """One submission's result: nbgrader's gradebook, feedback, class table and exports are all written from it."""

    schema_number: Literal[1] = Field(default=1, alias="schema")
    assignment: str
    student: str
    status: Status
    score: float | None
    max_score: float
    assessed_max_score: float = 0.0
    questions: tuple[QuestionResult, ...] = ()
    repairs: tuple[str, ...] = ()
    problem: str = ""
    run: Run | None = None
    provenance: dict[str, object] = {}

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    @property
    def runs(self) -> tuple[str, ...]:
        """Keys of the stored runs that it rests on: the first, and those with other seeds where there were any."""
        further = self.provenance.get("further_runs")
        keys = [self.provenance.get("run"), *(further if isinstance(further, list | tuple) else ())]
        return tuple(key for key in keys if isinstance(key, str))

    def question(self, question_id: str) -> QuestionResult:
        """The result of one question.

        Raises:
            KeyError: the report has no such question.
        """
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)


def points_for(checks: Sequence[CheckResult], max_points: float) -> tuple[float | None, QuestionOutcome]:
    """Points and outcome of a question: its points times the weight of the checks that passed.

    A grader's error takes the mark away from the machine (None: a person looks). Checks that could not be assessed
    here are neither given nor lost: they are left out of the sum; a question of which nothing could be assessed has
    no points yet.
    """
    if not checks or any(check.outcome == "error" for check in checks):
        return None, "error"
    assessed = [check for check in checks if check.outcome != "not_assessed"]
    total = sum(check.weight for check in assessed)
    if not total:
        return None, "not_assessed"
    passed = sum(check.weight for check in assessed if check.outcome == "passed")
    points = round(max_points * passed / total, 4)
    if passed == total:
        return points, "passed"
    return points, "partial" if passed else "failed"
