"""One submission from notebook to report, in five steps: prepare, execute, collect, judge, report.

This is the file to read first. Each step takes what the step before returned; what a student did ends as data in the
report, and an exception that leaves this file is the grader's own.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import probes, store
from autograder.checks import judging, luck, verdicts
from autograder.checks.given import Given, Materials
from autograder.config import Assignment, Course, Profile
from autograder.data import DataSet, provide_data
from autograder.errors import NotebookError
from autograder.evidence import encode
from autograder.execution import ExecutionPlan, Probe, execute, gpu
from autograder.feedback import render_feedback
from autograder.notebooks import Release, digest, load_release, prepare, read_executed, read_notebook
from autograder.records import Report, SandboxLevel, Submission
from autograder.reporting import environment, file_sha256, make_report, refused_report
from autograder.submissions import find_submissions

__all__ = ["find_submissions", "grade_submission", "prepare_data", "read_report"]

read_report = store.read_report
OnCell = Callable[[int, int, str | None], None]
log = logging.getLogger(__name__)
_MAX_EXECUTED_BYTES = 2**30  # outputs are bounded by the limits; this only keeps a damaged store from filling memory


@dataclass(frozen=True)
class Setting:
    """What a submission is graded with, beside its own bytes. What is made from it is made once."""

    course_folder: Path
    assignment: Assignment
    profile_name: str
    profile: Profile
    sandbox: SandboxLevel
    seed: int
    data: DataSet | None
    hidden_tests: dict[str, judging.HiddenTests]
    retrainings: int = 0

    @property
    def tests_folder(self) -> Path:
        """Where the assignment's hidden tests lie."""
        return hidden_tests_folder(self.course_folder, self.assignment.name)

    @cached_property
    def materials(self) -> Materials:
        """What hidden tests may know about the run."""
        origin = self.data.origin if self.data else ""
        return Materials(
            profile=self.profile_name,
            parameters=self.profile.parameters,
            public=self.data.public if self.data else None,
            withheld=self.data.withheld if self.data else None,
            origin=origin,
            calibration=judging.calibration_for(self.tests_folder.parent, self.profile_name, origin),
        )

    @cached_property
    def release(self) -> Release:
        """The notebook that students got.

        Raises:
            ReleaseError: there is none, or it does not match the configuration.
        """
        return load_release(self.course_folder, self.assignment)

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """What runs in the kernel after each question's test cell, by the cell's grade_id."""
        seconds = self.profile.limits.probe_seconds
        return {
            f"test_{question}": _probe(tests, tests.given(self.seed, self.materials), seconds)
            for question, tests in self.hidden_tests.items()
        }

    @cached_property
    def verdict_digests(self) -> dict[str, str]:
        """What determines the verdict on a run, by question."""
        return verdicts.verdict_digests(self.hidden_tests, self.materials)

    @cached_property
    def _with_other_seeds(self) -> dict[int, Setting]:
        return {}

    def at_round(self, number: int) -> Setting:
        """The same with another seed, for a notebook that is run again: round 0 is this setting itself."""
        if not number:
            return self
        if number not in self._with_other_seeds:
            self._with_other_seeds[number] = replace(self, seed=self.seed + number)
        return self._with_other_seeds[number]

    @cached_property
    def tests_digest(self) -> str:
        """Of all hidden tests and the calibration."""
        return judging.tests_digest(self.tests_folder)


def grade_submission(
    course_folder: Path,
    course: Course,
    submission: Submission,
    *,
    profile: str | None = None,
    sandbox: SandboxLevel | None = None,
    on_cell: OnCell | None = None,
) -> Report:
    """Grade one submission and publish its report, page and executed notebook in the course folder.

    A run that is already stored is judged again, not executed again; a verdict that is still right is not asked again.

    Raises:
        AutograderError: the configuration, the release, the hidden tests, the data or the sandbox are at fault.
    """
    setting = prepare_setting(course_folder, course, submission.assignment, profile=profile, sandbox=sandbox)
    folders: list[Path] = []
    while True:
        here = setting.at_round(len(folders))
        try:
            plan = prepare_plan(here, submission)
        except NotebookError as error:
            return publish(setting, refuse(setting, submission, str(error)), notebook=None)
        folders.append(obtain_run(here, plan, on_cell))
        rounds = judge_rounds(setting, folders)
        if not needs_another_run(setting, rounds):
            report = report_of(setting, submission, folders, rounds)
            return publish(setting, report, notebook=read_notebook_of(folders[0]))


def prepare_setting(
    course_folder: Path, course: Course, assignment_name: str, *, profile: str | None, sandbox: SandboxLevel | None
) -> Setting:
    """Everything that is the same for all submissions of an assignment."""
    assignment = course.assignment(assignment_name)
    name = profile or course.default_profile
    return Setting(
        course_folder=course_folder,
        assignment=assignment,
        profile_name=name,
        profile=assignment.profile(name),
        sandbox=sandbox or course.sandbox,
        seed=course.seed,
        data=prepare_data(course_folder, assignment, name),
        retrainings=course.retrainings,
        hidden_tests=judging.load_hidden_tests(hidden_tests_folder(course_folder, assignment_name)),
    )


def prepare_data(course_folder: Path, assignment: Assignment, profile: str) -> DataSet | None:
    """The assignment's data set, cut into what the notebook gets and what it never sees.

    Raises:
        DataError: the data are missing or damaged.
    """
    if assignment.data is None:
        return None
    rows = assignment.profile(profile).data_rows
    cache = store.data_folder(course_folder)
    return provide_data(assignment.data, rows=rows, course_folder=course_folder, cache=cache)


def prepare_plan(setting: Setting, submission: Submission) -> ExecutionPlan:
    """Read and mend the notebook, and put the probes in their places.

    Raises:
        NotebookError: the notebook cannot be graded; the message is for its student.
    """
    limits, release = setting.profile.limits, setting.release
    handed_in = setting.course_folder / "submitted"
    notebook = read_notebook(
        submission.path,
        max_bytes=limits.notebook_mb * 2**20,
        within=handed_in if submission.path.is_relative_to(handed_in) else None,
    )
    prepared = prepare(notebook, release)
    return ExecutionPlan(
        assignment=setting.assignment.name,
        profile=setting.profile_name,
        notebook=prepared.notebook,
        parameters={**setting.profile.parameters, "SEED": setting.seed, **_data_parameter(setting)},
        probes=setting.probes,
        runtime=probes.sources(),
        limits=limits,
        level=setting.sandbox,
        seed=setting.seed,
        threads=setting.profile.threads,
        gpu=setting.profile.gpu,
        kernels_per_gpu=setting.profile.kernels_per_gpu,
        data=setting.data.public if setting.data else None,
        repairs=prepared.repairs,
    )


def _probe(tests: judging.HiddenTests, given: Given, seconds: float) -> Probe:
    later = tuple(encode(inputs) for inputs in given.later)
    return Probe(tests.question, tests.probe_source, encode(given.inputs), seconds, later)


def obtain_run(setting: Setting, plan: ExecutionPlan, on_cell: OnCell | None) -> Path:
    """The folder of the run that this plan determines: a stored one, or a new execution."""
    parts = run_parts(setting, plan)
    key = store.key_of(parts)
    if not store.has_run(setting.course_folder, key):
        with store.new_run(setting.course_folder, key) as folder:
            run = execute(replace(plan, device=_one_device(setting)), folder, on_cell=on_cell)
            store.write_key(folder, parts)
            judging.write_run(folder, run, setting.materials)
    return store.run_folder(setting.course_folder, key)


def _one_device(setting: Setting) -> str | None:
    """An accelerator for a submission that is graded by itself."""
    return next(iter(gpu.slots(setting.profile)), None)


def run_parts(setting: Setting, plan: ExecutionPlan) -> dict[str, object]:
    """What determines an execution, part by part: code, probes and their inputs, parameters, data, environment, limits.

    Levels warm and cold count as one: the conformance kit holds them to giving the same evidence.
    """
    return {
        "notebook": [digest(plan.notebook), plan.repairs],
        "parameters": dict(plan.parameters),
        **{
            f"probe of {probe.question}": [
                _sha256(each) for each in (probe.source.encode(), probe.inputs, *probe.later)
            ]
            for _, probe in sorted(plan.probes.items())
        },
        "probes' runtime": {name: _sha256(source.encode()) for name, source in sorted(plan.runtime.items())},
        "data": [setting.data.public_sha256, setting.data.withheld_sha256] if setting.data else None,
        "limits": plan.limits.model_dump(),
        "profile": [plan.profile, plan.gpu, plan.threads],
        "sandbox": plan.level != "none",
        "seed": plan.seed,
        "environment": dict(environment()),
    }


def judge_rounds(setting: Setting, folders: Sequence[Path]) -> list[dict[str, judging.Judgement]]:
    """What hidden tests say about the runs of one submission: all of them about the first, then the open ones."""
    rounds: list[dict[str, judging.Judgement]] = []
    for folder in folders:
        wanted = digests_to_judge(setting, rounds)
        rounds.append(verdicts.obtain_verdicts(folder, setting.tests_folder, setting.materials, wanted))
    return rounds


def digests_to_judge(setting: Setting, rounds: Sequence[Mapping[str, judging.Judgement]]) -> dict[str, str]:
    """The questions that the next run is judged on, with what determines their verdicts."""
    if not rounds:
        return setting.verdict_digests
    return {question: setting.verdict_digests[question] for question in luck.open_questions(rounds)}


def needs_another_run(setting: Setting, rounds: Sequence[Mapping[str, judging.Judgement]]) -> bool:
    """Whether a trained model is too close to a bar, and the course allows another run.

    Where the grader itself went wrong, a person has to look first.
    """
    if len(rounds) > setting.retrainings or any(each.went_wrong for found in rounds for each in found.values()):
        return False
    return bool(luck.open_questions(rounds))


def report_of(
    setting: Setting,
    submission: Submission,
    folders: Sequence[Path],
    rounds: Sequence[Mapping[str, judging.Judgement]],
) -> Report:
    """The report of stored runs: what hidden tests say, in points, and what that rests on."""
    run = judging.open_run(folders[0]).run
    names = [folder.name for folder in folders]
    origin = {
        **provenance(setting, submission),
        "sandbox": run.sandbox,
        "run": names[0],
        "made_of": report_key(setting, submission, *names),
    }
    if names[1:]:
        origin["further_runs"] = names[1:]
    return make_report(setting.assignment, submission, run, luck.combine(rounds), origin)


def refuse(setting: Setting, submission: Submission, reason: str) -> Report:
    """The report of a notebook that cannot be run."""
    origin = {**provenance(setting, submission), "made_of": report_key(setting, submission, reason)}
    return refused_report(setting.assignment, submission, reason, origin)


def report_key(setting: Setting, submission: Submission, *runs: str) -> str:
    """What determines a report and its page: runs or a refusal, verdicts, points, titles, and their origins."""
    parts = {
        "run": runs,
        "verdicts": setting.verdict_digests,
        "assignment": setting.assignment.model_dump(mode="json", include={"title", "questions"}),
        **provenance(setting, submission),
    }
    return store.key_of({name: part for name, part in parts.items() if name != "sandbox"})  # warm and cold are one


def publish(setting: Setting, report: Report, *, notebook: NotebookNode | None) -> Report:
    """Write the report, its page and its notebook into the course folder."""
    page = render_feedback(report, notebook=notebook, title=setting.assignment.title)
    text = None if notebook is None else nbformat.writes(notebook)
    store.write_report(setting.course_folder, report, notebook=text, feedback=page)
    return report


def hidden_tests_folder(course_folder: Path, assignment: str) -> Path:
    """Where an assignment's hidden tests lie in a course folder."""
    return course_folder / "solutions" / assignment / "hidden_tests"


def provenance(setting: Setting, submission: Submission) -> dict[str, object]:
    """What a mark rests on; the same submission graded again under the same conditions gives the same."""
    data = setting.data
    return {
        "submission_sha256": file_sha256(submission.path, setting.profile.limits.notebook_mb * 2**20),
        "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
        "hidden_tests_sha256": setting.tests_digest,
        "profile": setting.profile_name,
        "parameters": dict(setting.profile.parameters),
        "sandbox": setting.sandbox,
        "seed": setting.seed,
        "data": data.description if data else None,
        "data_origin": data.origin if data else None,
        "data_sha256": data.public_sha256 if data else None,
        "withheld_sha256": data.withheld_sha256 if data else None,
        "environment": dict(environment()),
    }


def _data_parameter(setting: Setting) -> dict[str, str]:
    return {"DATA_PATH": setting.data.public.name} if setting.data else {}


def read_notebook_of(folder: Path) -> NotebookNode | None:
    """A stored run's executed notebook; None, and a line in the log, when it cannot be read."""
    path = folder / store.NOTEBOOK_FILE
    try:
        return read_executed(path, max_bytes=_MAX_EXECUTED_BYTES)
    except NotebookError as error:
        log.error("The executed notebook of a stored run cannot be read (%s): %s", error, path)
        return None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
