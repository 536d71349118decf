"""How a batch goes: what runs, what is done, and how long the rest will take.

The time that is left is estimated from whole runs, not from cells: training takes most of a notebook's time and is one
cell of many. What is known:

- how long a run takes: the mean of those that this batch has finished. One that has been running for longer than that
  counts with the time that it has taken so far. Before the first has finished: what stored runs have taken.
- how far each running one is: the time since it started. One that is over the mean is expected to take a tenth more.
- how many of those that wait will run: all that have no report yet, and of the others the share that had to run so
  far. What is unchanged or only judged again costs next to nothing beside a run.
- how many run at a time. As soon as a place is free the next one takes it; the last place to become free is the end.

Where nothing has to run, the estimate is the rate at which submissions have been done so far. Before anything is known
there is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from statistics import fmean

from autograder.events import CellDone, Event, Outcome, Started

Clock = Callable[[], float]
OVERDUE = 0.1  # of the mean: what a run that has taken longer than the mean is expected to take yet


@dataclass
class Running:
    """A submission that runs: since when, the how manieth time, and how far it is."""

    began: float
    attempt: int = 1
    done: int = 0
    total: int = 0
    cell: str | None = None


class Pace:
    """Listens to a batch and tells how it goes.

    Args:
        reported: students of this batch who have a report from before: what is unchanged is not run again.
        usual_seconds: what a run took in an earlier batch, if that is known.
        clock: seconds that only grow.

    Attributes:
        total: how many submissions there are.
        at_a_time: how many run at a time.
        done: how many have ended, failed ones included.
        failed: how many need a person, or could not be graded.
        running: those that run, by name, the longest running first.
    """

    def __init__(
        self,
        reported: Collection[str] = (),
        usual_seconds: float | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.total = 0
        self.at_a_time = 1
        self.done = 0
        self.failed = 0
        self.running: dict[str, Running] = {}
        self._reported = frozenset(reported)
        self._usual_seconds = usual_seconds
        self._clock = clock
        self._began = clock()
        self._run_seconds: list[float] = []
        self._known: dict[str, bool] = {}  # of those that have a report: whether they had to run

    def start(self, submissions: int, at_a_time: int) -> None:
        """Hear how much there is to do."""
        self.total, self.at_a_time = submissions, max(1, at_a_time)
        self._began = self._clock()

    def hear(self, event: Event) -> None:
        """Hear what happened."""
        if isinstance(event, Started):
            before = self.running.pop(event.name, None)
            self.running[event.name] = Running(self._clock(), before.attempt + 1 if before else event.attempt)
            self._learn(event.name, ran=True)
        elif isinstance(event, CellDone):
            if (row := self.running.get(event.name)) is not None:
                row.done, row.total, row.cell = event.done, event.total, event.cell
        else:
            self._end(event)

    def _end(self, outcome: Outcome) -> None:
        row = self.running.pop(outcome.name, None)
        self.done += 1
        self.failed += outcome.value != "graded"
        self._learn(outcome.name, ran=outcome.action == "run")
        if row is not None and outcome.value is not None:
            self._run_seconds.append(self._clock() - row.began)

    def _learn(self, name: str, *, ran: bool) -> None:
        if name in self._reported:
            self._known[name] = ran

    @property
    def waiting(self) -> int:
        """How many have not been started."""
        return max(0, self.total - self.done - len(self.running))

    def seconds_running(self, name: str) -> float:
        """How long this one has been running."""
        return self._clock() - self.running[name].began

    def seconds_left(self) -> float | None:
        """How long the rest will take; None while nothing is known."""
        now = self._clock()
        if self.done >= self.total:
            return 0.0
        if not self.running and not self._run_seconds and self.done:
            return (now - self._began) / self.done * (self.total - self.done)
        mean = self._mean_seconds(now)
        if mean is None:
            return None
        rests = [max(mean - (now - row.began), OVERDUE * mean) for row in self.running.values()]
        return _last_to_end(rests, round(self._expected_runs()), mean, self.at_a_time)

    def _mean_seconds(self, now: float) -> float | None:
        if not self._run_seconds:
            return self._usual_seconds
        mean = fmean(self._run_seconds)
        overdue = [now - row.began for row in self.running.values() if now - row.began > mean]
        return fmean([*self._run_seconds, *overdue])

    def _expected_runs(self) -> float:
        """Of those that wait. One imagined run keeps the first unchanged submission from speaking for all."""
        old = min(self.waiting, len(self._reported) - len(self._known))
        share = (sum(self._known.values()) + 1) / (len(self._known) + 1)
        return self.waiting - old + old * share


def _last_to_end(rests: list[float], waiting: int, seconds: float, places: int) -> float:
    """When the last of equally long runs ends, if each takes the place that is free first.

    Args:
        rests: how long those that run will take yet, at most `seconds` each. More of them than places means that some
            wait to be tried again.
        waiting: how many are to follow.
        seconds: what each of them takes.
        places: how many run at a time.
    """
    free = sorted([*rests, *[0.0] * (places - len(rests))])[-places:]
    rounds, more = divmod(waiting + max(0, len(rests) - places), places)
    ends = [end + seconds * rounds for end in free]
    if more:  # one round more for the places that are free first
        ends[:more] = [end + seconds for end in ends[:more]]
    return max(ends)
