"""Leads a batch: sends notebooks to a fleet and runs to judges, as decided, and keeps what comes.

Everything that happens (a cell, an answer, a verdict) comes as a message to one queue, and is dealt with here, in one
thread. Runs are stored as they come, and judges publish reports: whatever stops the batch, what is done is kept.
"""

from __future__ import annotations

import gc
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from autograder import store
from autograder.checks import judging
from autograder.errors import AutograderError, ExecutionError, WorkerDiedError
from autograder.events import CellDone, Event, Fault, Outcome, Started
from autograder.execution.gpu import out_of_gpu_memory
from autograder.fleets import PRELOAD, Fleet, lost_worker
from autograder.grading import Setting
from autograder.parcels import Answer, read_answer, write_files
from autograder.planning import Decision
from autograder.records import Submission
from autograder.verdict_jobs import Order, Verdict, VerdictJob, give_verdict
from autograder.workers import begin_worker, fork_server

log = logging.getLogger(__name__)


@dataclass
class _Case:
    """One submission on its way."""

    decision: Decision
    runs: tuple[str, ...] = ()
    attempt: int = 0
    died: int = 0
    alone: bool = False
    began: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        return self.decision.submission.student


@dataclass(frozen=True)
class Ended:
    """One submission at its end: what it needed, how it went, the runs judged, and the verdict where one was given."""

    decision: Decision
    outcome: Outcome
    runs: tuple[str, ...] = ()
    verdict: Verdict | None = None


@dataclass(frozen=True)
class _Answered:
    """A fleet's future is done."""

    case: _Case
    future: Future[bytes]


@dataclass(frozen=True)
class _Judged:
    """A judge's future is done."""

    case: _Case
    future: Future[str]


class _TakenByNeighboursError(Exception):
    """The device's memory was not enough, and others ran on it: this run is not kept."""


class Conductor:
    """One batch, from decisions to outcomes.

    Args:
        setting: what the class is graded with.
        order: the same, as it travels to judges.
        decide: says what a submission needs now.
        messages: the queue that the fleet's cells come to.
        attempts: how often a notebook is sent when the machine, and not the student, is at fault.
        on_event: hears of everything that happens.
    """

    def __init__(
        self,
        setting: Setting,
        order: Order,
        *,
        decide: Callable[[Submission], Decision],
        fleet: Fleet,
        judges: ProcessPoolExecutor,
        messages: SimpleQueue[object],
        attempts: int,
        on_event: Callable[[Event], None],
    ) -> None:
        self._setting = setting
        self._order = order
        self._decide = decide
        self._fleet = fleet
        self._judges = judges
        self._messages = messages
        self._attempts = attempts
        self._on_event = on_event
        self._again: deque[_Case] = deque()
        self._running = 0
        self._judging = 0
        self._lonely = False
        self._open = True
        self._twins: dict[str, list[_Case]] = {}

    def conduct(self, submissions: Iterable[Submission]) -> Iterator[Ended]:
        """Do what every submission needs; those that end come as they end.

        Leaving the iteration early leaves what runs to the fleet's and judges' owner.
        """
        decisions = map(self._decide, submissions)
        while True:
            yield from self._begin(decisions)
            if not (self._running or self._judging):
                return
            message = self._messages.get()
            if isinstance(message, _Answered):
                yield from self._take_answer(message)
            elif isinstance(message, _Judged):
                yield from self._take_verdict(message)
            elif isinstance(message, CellDone):
                self._on_event(message)

    def finish_judging(self) -> Iterator[Ended]:
        """After an interruption: the verdicts that are being given still come; nothing else is begun."""
        while self._judging:
            message = self._messages.get()
            if isinstance(message, _Judged):
                yield from self._take_verdict(message, go_on=False)

    def _begin(self, decisions: Iterator[Decision]) -> Iterator[Ended]:
        """Start as much as there is room for."""
        while self._open and self._has_room():
            if self._again and not self._again[0].alone:
                self._send(self._again.popleft())
                continue
            decision = next(decisions, None)
            if decision is None:
                self._open = False
            elif decision.action == "nothing":
                status = decision.published.status if decision.published else None
                yield self._end(_Case(decision, decision.runs), status)
            elif decision.action == "run":
                self._send_once(_Case(decision, decision.runs))
            else:
                self._judge(_Case(decision, decision.runs))
        while not self._open and self._again and self._has_room() and not (self._again[0].alone and self._running):
            self._send(self._again.popleft())

    def _has_room(self) -> bool:
        """Whether another one may start: nothing starts beside one that has to run alone."""
        return not self._lonely and self._running < self._fleet.slots and self._judging < 2 * judge_count()

    def _send_once(self, case: _Case) -> None:
        """Send a notebook, unless one that is equal in all that counts runs already: its run will do for both."""
        if case.decision.key in self._twins:
            self._twins[case.decision.key].append(case)
        else:
            self._twins[case.decision.key] = []
            self._send(case)

    def _send(self, case: _Case) -> None:
        case.attempt += 1
        plan = case.decision.plan
        assert plan is not None
        self._lonely = case.alone
        self._running += 1
        self._on_event(Started(case.name, case.attempt, case.decision.why))
        future = self._fleet.send(case.name, plan, self._setting.data)
        future.add_done_callback(lambda done: self._messages.put(_Answered(case, done)))

    def _take_answer(self, message: _Answered) -> Iterator[Ended]:
        case = message.case
        self._running -= 1
        self._lonely = False
        try:
            answer = read_answer(message.future.result())
        except WorkerDiedError as error:
            case.died += 1
            case.alone = case.died >= self._fleet.tolerance - 1
            if case.died < self._fleet.tolerance:
                self._again.append(case)
            else:
                yield from self._give_up(case, f"{error}, {case.died} times")
        except Exception as error:  # whatever a cluster's transport raises
            lost = lost_worker(error)
            # A worker whose code raises says so with an ExecutionError; what else comes is the transport's.
            fault: Fault = "grader" if isinstance(error, ExecutionError) and not lost else "machine"
            yield from self._give_up(case, lost or f"{type(error).__name__}: {error}", fault)
        else:
            yield from self._keep(case, answer)

    def _keep(self, case: _Case, answer: Answer) -> Iterator[Ended]:
        if answer.run is None:
            if answer.again and case.attempt < self._attempts:
                self._again.append(case)
            else:
                yield from self._give_up(case, answer.problem)
            return
        try:
            with store.new_run(self._setting.course_folder, case.decision.key) as folder:
                write_files(answer, folder)
                if not case.alone and out_of_gpu_memory(answer.run, folder / "evidence"):
                    raise _TakenByNeighboursError
                store.write_key(folder, case.decision.parts or {})
                judging.write_run(folder, answer.run, self._setting.materials)
        except _TakenByNeighboursError:
            case.alone = True  # it counts when it has the device for itself
            self._again.append(case)
            return
        except OSError as error:
            yield from self._give_up(case, f"the run could not be stored: {error}")
            return
        for each in [case, *self._twins.pop(case.decision.key, [])]:
            each.runs = (*each.runs, case.decision.key)
            self._judge(each)

    def _judge(self, case: _Case) -> None:
        decision = case.decision
        job = VerdictJob(self._order, decision.submission, case.runs, decision.refusal)
        self._judging += 1
        try:
            future = self._judges.submit(give_verdict, job)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda done: self._messages.put(_Judged(case, done)))

    def _take_verdict(self, message: _Judged, *, go_on: bool = True) -> Iterator[Ended]:
        self._judging -= 1
        try:
            verdict = Verdict.model_validate_json(message.future.result())
        except AutograderError as error:
            yield self._end(message.case, None, str(error), fault="grader")
        except BrokenProcessPool as error:
            yield self._end(message.case, None, f"a judge's process died: {error}", fault="machine")
        except Exception as error:  # a fault of ours: no mark, and a person looks
            log.exception("judging %s went wrong", message.case.name)
            yield self._end(message.case, None, f"{type(error).__name__}: {error}", fault="grader")
        else:
            if not verdict.again:
                yield self._end(message.case, verdict.status, verdict=verdict)
            elif go_on:
                yield from self._go_on(message.case)

    def _go_on(self, case: _Case) -> Iterator[Ended]:
        """What is too close to tell needs another run, which may be stored already."""
        try:
            decision = self._decide(case.decision.submission)
        except AutograderError as error:
            yield self._end(case, None, str(error), fault="grader")
            return
        following = _Case(decision, decision.runs, began=case.began)
        if decision.action != "run":
            self._judge(following)
        elif decision.key in self._twins:
            self._twins[decision.key].append(following)
        else:
            self._twins[decision.key] = []
            self._again.append(following)

    def _give_up(self, case: _Case, problem: str, fault: Fault = "machine") -> Iterator[Ended]:
        """The machine could not run it; if others wait for the same run, the first of them is tried."""
        yield self._end(case, None, problem, fault=fault)
        waiting = self._twins.pop(case.decision.key, [])
        if waiting:
            self._twins[case.decision.key] = waiting[1:]
            self._again.append(waiting[0])

    def _end(
        self,
        case: _Case,
        status: str | None,
        problem: str = "",
        verdict: Verdict | None = None,
        fault: Fault | None = None,
    ) -> Ended:
        seconds = time.monotonic() - case.began
        outcome = Outcome(case.name, status, problem, seconds, case.decision.action, fault)
        self._on_event(outcome)
        decision = replace(case.decision, plan=None, parts=None)  # a class of plans is large
        return Ended(decision, outcome, case.runs, verdict)


def judge_count() -> int:
    """How many judges work at a time: trusted processes that compute, so one for each core."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def judge_pool(log_folder: Path) -> ProcessPoolExecutor:
    """Processes that judge; they end with this one, however it ends."""
    return ProcessPoolExecutor(
        max_workers=judge_count(),
        mp_context=fork_server(PRELOAD),
        initializer=partial(_begin_judge, log_folder / "judges.log"),
    )


def _begin_judge(log: Path) -> None:
    """What was loaded before stays loaded, and need not be looked through each time that garbage is collected."""
    begin_worker(log)
    gc.freeze()
