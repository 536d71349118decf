"""The course as data: what `course_config.py` declares, validated once and frozen.

`load_course(folder)` runs the folder's `course_config.py`, which the instructor writes and which is therefore trusted,
and returns its `course`. Whatever is wrong in it ends as one ConfigurationError that names the field.
"""

from __future__ import annotations

import runpy
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from autograder.errors import ConfigurationError
from autograder.records import SandboxLevel

CONFIG_FILE = "course_config.py"
_CORES_BY_DEFAULT = 4


def _identifier(value: str) -> str:
    """Names become folder names, file names and grade_ids, so they are plain."""
    if not value.replace("_", "a").replace("-", "a").isalnum() or not value.isascii():
        raise ValueError("use ASCII letters, digits, '_' and '-' only")
    return value


Identifier = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_identifier)]
Positive = Annotated[float, Field(gt=0)]
PositiveInt = Annotated[int, Field(gt=0)]
NonNegativeInt = Annotated[int, Field(ge=0)]
Parameter = str | bool | int | float


class Settings(BaseModel):
    """Base of all settings: frozen, and a misspelt field is an error rather than silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Settings):
    """What one submission may use, all processes of its sandbox together. Times in seconds, sizes in megabytes.

    `cpu_seconds` is by default four times `run_seconds`, as much as four busy cores use; `file_mb`, the largest single
    file, is by default `disk_mb`. `files` counts files and folders.
    """

    cell_seconds: Positive = 120
    run_seconds: Positive = 600
    probe_seconds: Positive = 60
    startup_seconds: Positive = 90
    cpu_seconds: Positive = Field(default_factory=lambda given: _CORES_BY_DEFAULT * given["run_seconds"])
    memory_mb: PositiveInt = 4096
    disk_mb: PositiveInt = 512
    file_mb: PositiveInt = Field(default_factory=lambda given: given["disk_mb"])
    files: PositiveInt = 50_000
    processes: PositiveInt = 256
    open_files: PositiveInt = 1024
    cell_output_kb: PositiveInt = 256
    cell_output_messages: PositiveInt = 2000
    cell_images: PositiveInt = 20
    image_kb: PositiveInt = 2048
    evidence_mb: PositiveInt = 64
    notebook_mb: PositiveInt = 20


class Profile(Settings):
    """One way to run an assignment: the parameters that are injected, how much data, and the limits.

    `gpu` shows the accelerators of the machine to the kernels; without it they are not even visible. `kernels_per_gpu`
    submissions share one of them.
    """

    parameters: dict[str, Parameter] = {}
    data_rows: PositiveInt | None = None
    limits: Limits = Limits()
    threads: PositiveInt = 1
    gpu: bool = False
    kernels_per_gpu: PositiveInt = 1


class Question(Settings):
    """One question. `defines` are the names that its contract asks for; `manual` ones are hand-graded."""

    id: Identifier
    points: Annotated[float, Field(ge=0)]
    title: str = ""
    topic: str = ""
    defines: tuple[str, ...] = ()
    manual: bool = False


class JenaData(Settings):
    """Where the weather comes from: a file, the official download, or (when neither is set) the generated station."""

    source: Literal["jena"] = "jena"
    path: Path | None = None
    download: bool = False
    withheld_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    seed: int = 2009


class ReviewsData(Settings):
    """Where the film reviews come from: a file of JSON lines, the official download, or (neither set) the grammar."""

    source: Literal["reviews"] = "reviews"
    path: Path | None = None
    download: bool = False
    withheld_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.25
    seed: int = 2011


class ScenesData(Settings):
    """Where the scenes of digits come from: a file, or (when none is set) drawn from scikit-learn's digits."""

    source: Literal["scenes"] = "scenes"
    path: Path | None = None
    withheld_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.25
    seed: int = 1998


DataSettings = JenaData | ReviewsData | ScenesData


class Assignment(Settings):
    """One notebook with its questions, in the order in which they are shown."""

    name: Identifier
    title: str
    questions: tuple[Question, ...] = Field(min_length=1)
    profiles: dict[Identifier, Profile]
    homework: int | None = None
    due: datetime | None = None
    consultation_by: date | None = None
    data: DataSettings | None = Field(default=None, discriminator="source")

    @property
    def max_score(self) -> float:
        """The sum of all questions' points."""
        return round(sum(question.points for question in self.questions), 4)

    @model_validator(mode="after")
    def _questions_are_unique(self) -> Assignment:
        ids = [question.id for question in self.questions]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        if repeated:
            raise ValueError(f"question ids must be unique, received twice: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _points_are_stated(self) -> Assignment:
        if not self.max_score:
            raise ValueError("at least one question must have points")
        return self

    def question(self, question_id: str) -> Question:
        """One question by its id.

        Raises:
            ConfigurationError: there is no such question.
        """
        for question in self.questions:
            if question.id == question_id:
                return question
        raise ConfigurationError(f"assignment {self.name} has no question {question_id!r}")

    def profile(self, name: str) -> Profile:
        """One profile by its name.

        Raises:
            ConfigurationError: the assignment has no such profile.
        """
        try:
            return self.profiles[name]
        except KeyError:
            known = ", ".join(sorted(self.profiles))
            raise ConfigurationError(
                f"assignment {self.name} has no profile {name!r}; it has: {known}. Received: {name!r}"
            ) from None


class Course(Settings):
    """A course: its assignments, and how submissions are run by default.

    `attempts` is how often a notebook is sent when the machine and not the student is at fault. `retrainings` is how
    often, at most, it is run again with another seed because a trained model came too close to a bar to tell skill from
    luck. `store_gb` is how much stored runs may take: after a batch, the longest unused of those that no report rests
    on are removed.
    """

    course_id: Identifier
    title: str
    assignments: tuple[Assignment, ...] = Field(min_length=1)
    default_profile: Identifier = "cpu"
    sandbox: SandboxLevel = "warm"
    timezone: str = "UTC"
    seed: int = 7
    workers: PositiveInt | None = None
    attempts: PositiveInt = 3
    retrainings: NonNegativeInt = 2
    store_gb: Positive | None = None

    @model_validator(mode="after")
    def _assignments_are_unique(self) -> Course:
        names = [assignment.name for assignment in self.assignments]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"assignment names must be unique, received twice: {', '.join(repeated)}")
        for assignment in self.assignments:
            if self.default_profile not in assignment.profiles:
                raise ValueError(f"default_profile {self.default_profile!r} is not a profile of {assignment.name}")
        return self

    def assignment(self, name: str) -> Assignment:
        """One assignment by its name.

        Raises:
            ConfigurationError: the course has no such assignment.
        """
        for assignment in self.assignments:
            if assignment.name == name:
                return assignment
        known = ", ".join(sorted(assignment.name for assignment in self.assignments))
        raise ConfigurationError(f"the course has no assignment {name!r}; it has: {known}. Received: {name!r}")


def load_course(folder: Path) -> Course:
    """Run `folder/course_config.py` and return the `course` that it defines.

    Raises:
        ConfigurationError: the file is missing, does not run, defines no course, or has a wrong field, which is named.
    """
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise ConfigurationError(
            f"No {CONFIG_FILE} in this folder. Run the command in the course folder or name it with --course DIR. "
            f"Received: {folder}"
        )
    try:
        course = runpy.run_path(str(path)).get("course")
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error
    except ConfigurationError:
        raise
    except Exception as error:  # the file is a program: whatever it raises is told to its author
        line = _line_in(path, error)
        raise ConfigurationError(f"{CONFIG_FILE} does not run: {type(error).__name__}: {error}{line}") from error
    if not isinstance(course, Course):
        raise ConfigurationError(f"{CONFIG_FILE} must define `course = Course(...)`. Received: {type(course).__name__}")
    return course


def _explain(error: ValidationError) -> str:
    """The first wrong field as a sentence, and how many more there are."""
    # A field whose default rests on a wrong one is not wrong itself.
    first, *others = [each for each in error.errors() if each["type"] != "default_factory_not_called"]
    field = _field_path(error.title, first["loc"])
    received = _shorten(first.get("input"))
    message = first["msg"].removeprefix("Value error, ")
    more = f" ({len(others)} more wrong after this one)" if others else ""
    return f"{CONFIG_FILE}: {field}: {message}. Received: {received}{more}"


def _field_path(model: str, location: tuple[int | str, ...]) -> str:
    return ".".join([model, *(str(part) for part in location)])


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _line_in(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f" (line {error.lineno})"
    lines = []
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            lines.append(traceback.tb_lineno)
        traceback = traceback.tb_next
    return f" (line {lines[-1]})" if lines else ""
