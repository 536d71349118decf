"""Shows a batch while it runs: a live display in a terminal, plain lines anywhere else."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column

from autograder.events import CellDone, Event, Outcome, Started
from autograder.tables import clean, one_line

ENDINGS = {"run": "", "judge": ", judged from a stored run", "report": ", reported anew", "nothing": ", unchanged"}
ENOUGH_TO_JUDGE = 0.5  # submissions, before a guess at the time is worth anything


class Display(Protocol):
    """What is told of a running batch."""

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""
        ...

    def pause(self) -> None:
        """Stop drawing, because something else is about to be printed or asked."""
        ...

    def on_found(self, submissions: int, workers: int) -> None:
        """Hear how much there is to do."""
        ...

    def on_event(self, event: Event) -> None:
        """Hear what happened."""
        ...


def display(console: Console, title: str) -> Display:
    """The display that suits the console."""
    return LiveDisplay(console, title) if console.is_terminal else PlainDisplay(console, title)


class _Clock:
    """How many are done, and how long the others will take, judging by what is done: whole submissions, and cells."""

    def __init__(self) -> None:
        self.total = 0
        self.done = 0
        self.running: dict[str, float] = {}
        self.began = time.monotonic()

    def start(self, total: int) -> None:
        self.total = total
        self.began = time.monotonic()

    def hear(self, event: Event) -> None:
        if isinstance(event, Started):
            self.running[event.name] = 0.0
        elif isinstance(event, CellDone):
            self.running[event.name] = event.done / max(event.total, 1)
        else:
            self.running.pop(event.name, None)
            self.done += 1

    def left(self) -> str:
        progress = self.done + sum(self.running.values())
        remaining = self.total - progress
        count = f"{self.total - self.done} left"
        if progress < ENOUGH_TO_JUDGE or remaining <= 0:
            return count
        return f"{count}, about {_duration((time.monotonic() - self.began) / progress * remaining)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _ending(outcome: Outcome) -> str:
    if outcome.value is None:
        told = f"not graded: {one_line(outcome.problem)}"
    else:
        told = clean(outcome.value).replace("_", " ") + ENDINGS[outcome.action]
    return f"{clean(outcome.name)}: {told} ({outcome.seconds:.0f} s)"


class PlainDisplay:
    """One line when a submission starts, is tried again, or is done."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._clock = _Clock()

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def pause(self) -> None:
        """Nothing is drawn."""

    def on_found(self, submissions: int, workers: int) -> None:
        """Say how much there is to do."""
        self._clock.start(submissions)
        plural = "" if submissions == 1 else "s"
        self._say(f"{self._title}: {submissions} submission{plural}, {workers} at a time")

    def on_event(self, event: Event) -> None:
        """Say what happened; single cells are not worth a line."""
        self._clock.hear(event)
        if isinstance(event, Started):
            again = " again" if event.attempt > 1 else ""
            why = f", {clean(event.why)}" if event.why else ""
            self._say(f"{clean(event.name)}: starts{again}{why}")
        elif isinstance(event, Outcome):
            self._say(f"[{self._clock.done}/{self._clock.total}] {_ending(event)}; {self._clock.left()}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class JsonDisplay:
    """One JSON object per line for other programs: `{"event": "started" | "cell" | "ended" | "found", ...}`."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""

    def pause(self) -> None:
        """Nothing is drawn."""

    def on_found(self, submissions: int, workers: int) -> None:
        """Say how much there is to do."""
        self._say("found", {"submissions": submissions, "at_a_time": workers})

    def on_event(self, event: Event) -> None:
        """Say what happened."""
        kind = "started" if isinstance(event, Started) else "cell" if isinstance(event, CellDone) else "ended"
        self._say(kind, asdict(event))

    def _say(self, kind: str, told: dict[str, object]) -> None:
        line = json.dumps({"event": kind, "assignment": self._title, **told})
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveDisplay:
    """A bar for the whole batch, and one for each submission that runs."""

    def __init__(self, console: Console, title: str) -> None:
        self._clock = _Clock()
        self._rows: dict[str, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
            console=console,
            transient=True,
        )
        self._whole = self._bars.add_task(clean(title), total=None, told="prepares")

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; the bars vanish, and the result's table takes their place."""
        self._bars.stop()

    def pause(self) -> None:
        """Take the bars away."""
        self._bars.stop()

    def on_found(self, submissions: int, workers: int) -> None:
        """Draw how much there is to do."""
        self._clock.start(submissions)
        self._bars.update(self._whole, total=submissions, told=f"{self._clock.left()}, {workers} at a time")

    def on_event(self, event: Event) -> None:
        """Draw what happened."""
        self._clock.hear(event)
        if isinstance(event, Started):
            told = "starts" if event.attempt == 1 else "starts again"
            if event.name in self._rows:
                self._bars.remove_task(self._rows[event.name])
            self._rows[event.name] = self._bars.add_task(f"  {clean(event.name)}", total=None, told=told)
        elif isinstance(event, CellDone):
            told = f"after {one_line(event.cell, 40)}" if event.cell else ""
            self._bars.update(self._rows[event.name], completed=event.done, total=event.total, told=told)
        elif event.name in self._rows:  # what needed no kernel never had a bar
            self._bars.remove_task(self._rows.pop(event.name))
        self._bars.update(self._whole, completed=self._clock.done, told=self._clock.left())

    def refresh(self) -> None:
        """Draw now, without waiting for the next turn."""
        self._bars.refresh()
