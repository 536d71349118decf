"""What has to be done for a submission, and why: nothing that is still right is done again.

run      no stored run is determined by what there is now, or a trained model needs one with another seed
judge    the run is stored; some hidden tests have not been asked about it, or have changed
report   run and verdicts are stored; the report is missing, or rests on something else
nothing  the report is as it would be written
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder import store
from autograder.checks import luck, verdicts
from autograder.checks.judging import Judgement
from autograder.errors import NotebookError
from autograder.execution import ExecutionPlan
from autograder.grading import (
    Setting,
    digests_to_judge,
    needs_another_run,
    prepare_plan,
    report_key,
    run_parts,
)
from autograder.records import Report, Status, Submission

Action = Literal["run", "judge", "report", "nothing"]
_MANY = 4  # parts or questions that are named one by one


@dataclass(frozen=True)
class Published:
    """What of a published report a batch has to know; the rest stays on disk."""

    status: Status
    score: float | None


@dataclass(frozen=True)
class Decision:
    """What one submission needs.

    Attributes:
        action: the costliest step; the steps after it follow.
        why: in words for a person.
        runs: keys of the stored runs that are judged: the first, and those with other seeds. Empty when there is none
            yet, and when the notebook cannot be run.
        key: of the run that is needed; empty where none is.
        plan: the execution, where one is needed.
        parts: what the key was made of, where an execution is needed.
        refusal: why the notebook cannot be run, in words for its student.
        published: status and score of the published report, if there is one.
    """

    submission: Submission
    action: Action
    why: str
    runs: tuple[str, ...] = ()
    key: str = ""
    plan: ExecutionPlan | None = None
    parts: dict[str, object] | None = None
    refusal: str = ""
    published: Published | None = None


def decide(setting: Setting, submission: Submission) -> Decision:
    """What this submission needs under this setting.

    Raises:
        AutograderError: the release, the hidden tests or the configuration are at fault.
    """
    before = store.find_report(setting.course_folder, submission.assignment, submission.student)
    try:
        plan = prepare_plan(setting, submission)
    except NotebookError as error:
        return _refused(setting, submission, str(error), before)
    published = _published(before)
    runs: tuple[str, ...] = ()
    rounds: list[dict[str, Judgement]] = []
    while not rounds or needs_another_run(setting, rounds):
        here = setting.at_round(len(rounds))
        plan = prepare_plan(here, submission) if rounds else plan
        parts = run_parts(here, plan)
        key = store.key_of(parts)
        if not store.has_run(setting.course_folder, key):
            why = _why_again(rounds, here) if rounds else _why_run(setting, before, parts)
            return Decision(submission, "run", why, runs, key, plan, parts, published=published)
        store.note_use(setting.course_folder, key)
        runs = (*runs, key)
        wanted = digests_to_judge(setting, rounds)
        found = verdicts.stored_verdicts(store.run_folder(setting.course_folder, key), wanted)
        missing = sorted(set(wanted) - set(found))
        if missing:
            return Decision(submission, "judge", _why_judge(missing, setting, before, key), runs, published=published)
        rounds.append(found)
    if before is None or before.provenance.get("made_of") != report_key(setting, submission, *runs):
        return Decision(submission, "report", _why_report(before), runs, published=published)
    return Decision(submission, "nothing", "unchanged", runs, published=published)


def _published(report: Report | None) -> Published | None:
    return Published(report.status, report.score) if report is not None else None


def _refused(setting: Setting, submission: Submission, reason: str, before: Report | None) -> Decision:
    unchanged = before is not None and before.provenance.get("made_of") == report_key(setting, submission, reason)
    why = "unchanged, and cannot be run" if unchanged else "cannot be run"
    return Decision(submission, "nothing" if unchanged else "report", why, refusal=reason, published=_published(before))


def _why_run(setting: Setting, before: Report | None, parts: dict[str, object]) -> str:
    run = before.provenance.get("run") if before is not None else None
    if not isinstance(run, str):
        return "never run"
    changed = store.changed_parts(setting.course_folder, run, parts)
    if changed is None:
        return "its stored run is gone"
    return f"changed: {_listed(changed)}" if changed else "its stored run is gone"


def _why_again(rounds: list[dict[str, Judgement]], setting: Setting) -> str:
    return f"too close to tell skill from luck: {_listed(list(luck.open_questions(rounds)))}; seed {setting.seed}"


def _why_judge(missing: list[str], setting: Setting, before: Report | None, key: str) -> str:
    if before is None or key not in before.runs:
        return "run, and not judged"
    everything = len(missing) == len(setting.verdict_digests)
    return f"hidden tests changed: {'all' if everything else _listed(missing)}"


def _why_report(before: Report | None) -> str:
    return "has no report" if before is None else "points, titles, tests or submission changed"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
