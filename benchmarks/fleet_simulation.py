"""A course graded by a fleet, as a discrete-event simulation (simpy).

A submission's way: the coordinator's leading thread prepares it, the scheduler hands it to a free slot, the parcel
travels, the slot runs it, the run travels back, the leading thread stores it, a judge judges it, and one writer puts it
into the gradebook.

Shared parts serve in order of arrival and know on arrival how long a request takes, so its end is known at once
(`Server`): exact, and one event per request instead of three, which is what makes 100,000 submissions a matter of
seconds. Slots, losses and the queue in front of the slots are simpy's.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from benchmarks.fleet_costs import HOUR, Arrivals, Coordinator, Fleet, RunTimes

Steps = Generator[simpy.Event, Any, None]
DAY = 24 * HOUR


@dataclass(frozen=True)
class Outcome:
    """What came of one simulated course; times in seconds, counted from the deadline.

    Attributes:
        finished: when the last mark was written.
        arrived, marked: of each submission, shape (submissions,).
        runs: seconds of each submission on its slot, the last attempt alone.
        lost_runs: attempts that were lost with a node or the coordinator.
        lost_seconds: what those had run.
        attempts_most: of the unluckiest submission.
        use: share of the time that each part was busy: devices, leader, scheduler, link out, link in, judges, writer.
    """

    finished: float
    arrived: np.ndarray
    marked: np.ndarray
    runs: np.ndarray
    lost_runs: int
    lost_seconds: float
    attempts_most: int
    use: dict[str, float]

    @property
    def waits(self) -> np.ndarray:
        """Seconds from handing in (or the deadline, if grading starts there) to the mark, shape (submissions,)."""
        return self.marked - self.arrived


class Server:
    """`count` equal servers with one queue in front of them."""

    def __init__(self, count: int = 1) -> None:
        self.free = [-math.inf] * count
        self.busy = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """When a request that comes now has been served. Requests come in order of time."""
        end = max(now, self.free[0]) + seconds
        heapq.heapreplace(self.free, end)
        self.busy += seconds
        return end

    def pause(self, until: float) -> None:
        """Serve nothing new before that time."""
        self.free = [max(free, until) for free in self.free]
        heapq.heapify(self.free)


def run_seconds(rng: np.random.Generator, count: int, times: RunTimes) -> np.ndarray:
    """Seconds on the slot of every submission, shape (count,)."""
    seconds = times.median * np.exp(rng.normal(0.0, times.spread, count))
    kind = rng.random(count)
    broken = kind < times.broken_share
    endless = kind > 1 - times.endless_share
    seconds[broken] *= rng.random(int(broken.sum()))
    seconds[endless] += times.cell_limit
    return seconds + times.overhead


def arrival_seconds(rng: np.random.Generator, count: int, arrivals: Arrivals) -> np.ndarray:
    """When submissions come in, relative to the deadline, sorted, shape (count,): all at 0, or before it."""
    if not arrivals.days:
        return np.zeros(count)
    open_for = arrivals.days * DAY
    before = rng.uniform(0.0, open_for, count)
    rushing = rng.random(count) < arrivals.rush
    before[rushing] = rng.exponential(arrivals.rush_hours * HOUR, int(rushing.sum())) % open_for
    return np.sort(-before)


class Course:
    """One simulated course. Build it and call `play` once."""

    def __init__(
        self,
        arrived: np.ndarray,
        seconds: np.ndarray,
        fleet: Fleet,
        coordinator: Coordinator,
        *,
        seed: int,
        coordinator_lost_at: float | None = None,
        outage: float = 600.0,
    ) -> None:
        # Lists: a number from an array is slow to come by, and each is needed alone.
        self.arrived: list[float] = arrived.tolist()
        self.seconds: list[float] = seconds.tolist()
        self.begun = self.arrived[0]
        self.env = simpy.Environment(initial_time=self.begun)
        self.fleet, self.costs = fleet, coordinator
        self.slots = fleet.devices * fleet.kernels
        self.rng = np.random.default_rng([seed, 1])  # of losses: the same submissions with and without them
        # What no slot has asked for yet waits as a file, and not in the scheduler's memory.
        self.ready = simpy.PriorityStore(self.env, capacity=1)
        self.leader, self.scheduler, self.out, self.back, self.writer = (Server() for _ in range(5))
        self.judges = Server(coordinator.judges)
        self.attempts = [0] * len(seconds)
        self.marked = [math.nan] * len(seconds)
        self.left = len(seconds)
        self.run_total = self.lost_seconds = 0.0
        self.lost_runs = 0
        self.all_marked = self.env.event()
        self.nodes: list[list[simpy.Process]] = []
        self.env.process(self._prepare())
        for first in range(0, self.slots, fleet.per_node * fleet.kernels):
            count = min(fleet.per_node * fleet.kernels, self.slots - first)
            node = [self.env.process(self._slot()) for _ in range(count)]
            if math.isfinite(fleet.hours_between_losses):
                self.env.process(self._lose(node))
            self.nodes.append(node)
        if coordinator_lost_at is not None:
            self.env.process(self._lose_coordinator(coordinator_lost_at, outage))

    def play(self) -> Outcome:
        """Run until the last mark is written."""
        self.env.run(until=self.all_marked)
        if self.costs.writes_at_end:
            self.marked = [self.writer.serve(self.env.now, self.costs.writer) for _ in self.marked]
        finished = max(self.marked)
        length = finished - self.begun
        use = {
            "devices": self.run_total / (self.slots * length),
            "leader": self.leader.busy / length,
            "scheduler": self.scheduler.busy / length,
            "link out": self.out.busy / length,
            "link in": self.back.busy / length,
            "judges": self.judges.busy / (self.costs.judges * length),
            "writer": self.writer.busy / length,
        }
        return Outcome(
            finished=finished,
            arrived=np.array(self.arrived),
            marked=np.array(self.marked),
            runs=np.array(self.seconds),
            lost_runs=self.lost_runs,
            lost_seconds=self.lost_seconds,
            attempts_most=max(self.attempts),
            use=use,
        )

    def _prepare(self) -> Steps:
        """The leading thread makes submissions ready in the order in which they came, one ahead of the slots."""
        for number, arrived in enumerate(self.arrived):
            if arrived > self.env.now:
                yield self.env.timeout(arrived - self.env.now)
            yield self.env.timeout(self.leader.serve(self.env.now, self.costs.prepare) - self.env.now)
            yield self.ready.put(number)

    def _slot(self) -> Steps:
        """Takes the next submission and runs it, for ever. An interrupt says until when the slot is gone."""
        env, ready = self.env, self.ready
        while True:
            asked = ready.get()
            begun = math.inf
            try:
                yield asked
                handed = self.scheduler.serve(env.now, self.costs.scheduler / 2)
                begun = self.out.serve(handed, self.costs.megabytes_out / self.costs.link)
                self.attempts[asked.value] += 1
                yield env.timeout(begun - env.now + self.seconds[asked.value])
            except simpy.Interrupt as loss:
                until, noticed = loss.cause
                if asked.triggered:
                    self._lost(asked.value, max(0.0, env.now - begun), noticed)
                else:
                    asked.cancel()
                yield from self._gone(until)
            else:
                self._collect(asked.value)

    def _gone(self, until: float) -> Steps:
        """Wait for the replacement, which another loss may put off."""
        while self.env.now < until:
            try:
                yield self.env.timeout(until - self.env.now)
            except simpy.Interrupt as loss:
                until = max(until, loss.cause[0])

    def _lost(self, number: int, had_run: float, noticed: float) -> None:
        """A submission whose slot is gone is ready again once that has been noticed; its place in the queue is kept."""
        self.lost_runs += 1
        self.lost_seconds += had_run
        self._then(lambda event: self.ready.put(event.value), noticed, number)

    def _collect(self, number: int) -> None:
        """The run travels back while the slot goes on."""
        self.run_total += self.seconds[number]
        heard = self.scheduler.serve(self.env.now, self.costs.scheduler / 2)
        here = self.back.serve(heard, self.costs.megabytes_in / self.costs.link)
        self._then(self._keep, here, number)

    def _keep(self, event: simpy.Event) -> None:
        self._then(self._judge, self.leader.serve(self.env.now, self.costs.keep), event.value)

    def _judge(self, event: simpy.Event) -> None:
        judged = self.judges.serve(self.env.now, self.costs.judge + self.costs.report)
        self._then(self._write, judged, event.value)

    def _write(self, event: simpy.Event) -> None:
        if not self.costs.writes_at_end:
            self.marked[event.value] = self.writer.serve(self.env.now, self.costs.writer)
        self.left -= 1
        if not self.left:
            self.all_marked.succeed()

    def _then(self, step: Callable[[simpy.Event], None], at: float, number: int) -> None:
        """The next step of a submission, when it is due."""
        event = self.env.timeout(at - self.env.now, number)
        assert event.callbacks is not None  # only what has happened has none
        event.callbacks.append(step)

    def _lose(self, node: list[simpy.Process]) -> Steps:
        """A node's life: lost at random times, replaced each time."""
        while True:
            yield self.env.timeout(self.rng.exponential(self.fleet.hours_between_losses * HOUR))
            now = self.env.now
            for slot in node:
                slot.interrupt((now + self.fleet.replacement, now + self.fleet.detection))
            yield self.env.timeout(self.fleet.replacement)

    def _lose_coordinator(self, at: float, outage: float) -> Steps:
        """Stored runs stay, what runs is lost with the scheduler, and everything stored is looked through again.

        A mark that is already on its way through judging is not held up: right as long as the judges keep up.
        """
        yield self.env.timeout(at - self.env.now)
        stored = len(self.marked) - self.left
        again = at + outage + stored * self.costs.prepare
        for server in (self.leader, self.scheduler, self.out, self.back, self.judges, self.writer):
            server.pause(again)
        for slot in (slot for node in self.nodes for slot in node):
            slot.interrupt((again, again))


def simulate(
    count: int,
    fleet: Fleet,
    coordinator: Coordinator,
    *,
    seed: int,
    times: RunTimes | None = None,
    arrivals: Arrivals | None = None,
    coordinator_lost_at: float | None = None,
    outage: float = 600.0,
) -> Outcome:
    """Grade `count` submissions once.

    Args:
        count: of submissions.
        fleet: the runners.
        coordinator: what a submission costs the shared parts.
        seed: of run times, arrivals and losses.
        times: of the submissions.
        arrivals: when they come in; None means all at the deadline.
        coordinator_lost_at: seconds after the deadline.
        outage: seconds until the coordinator is back.
    """
    rng = np.random.default_rng([seed, 0])
    arrived = arrival_seconds(rng, count, arrivals or Arrivals())
    seconds = run_seconds(rng, count, times or RunTimes())
    course = Course(
        arrived, seconds, fleet, coordinator, seed=seed, coordinator_lost_at=coordinator_lost_at, outage=outage
    )
    return course.play()
