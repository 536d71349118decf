"""Shows a batch while it runs: a live table in a terminal, plain lines anywhere else, JSON lines for other programs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autograder.events import CellDone, Event, Outcome, Started
from autograder.pace import Pace, Running
from autograder.tables import changes_table, clean, one_line, plain
from autograder.verdict_jobs import Change

ENDINGS = {"run": "", "judge": ", judged from a stored run", "report": ", reported anew", "nothing": ", unchanged"}
FRAMES_PER_SECOND = 4
MOST_ROWS = 24  # on a cluster more submissions run at a time than anybody reads
OTHER_LINES = 6  # of the terminal, that are kept for what is not a row
BAR_WIDTH = 24
NARROW = 100  # columns, below which bars are shorter


class Display:
    """What is told of a running batch. This one tells nothing."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""

    def pause(self) -> None:
        """Stop drawing, because something else is about to be printed or asked."""

    def on_found(self, submissions: int, at_a_time: int) -> None:
        """Hear how much there is to do."""

    def on_event(self, event: Event) -> None:
        """Hear what happened."""

    def on_note(self, note: str) -> None:
        """Hear a sentence for whoever looks on."""

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Hear which published marks would change."""

    def on_done(self, counts: Mapping[str, object]) -> None:
        """Hear what came of it all."""


def display(
    console: Console,
    title: str,
    *,
    as_json: bool = False,
    reported: Collection[str] = (),
    usual_seconds: float | None = None,
) -> Display:
    """The display that suits the console.

    Args:
        console: where to show it.
        title: name of the assignment.
        as_json: whether another program reads it.
        reported: students who have a report from before; see `Pace`.
        usual_seconds: what a run took then; None where that is not known.
    """
    if as_json:
        return JsonDisplay(console, title)
    pace = Pace(reported, usual_seconds)
    return LiveDisplay(console, title, pace) if console.is_terminal else PlainDisplay(console, title, pace)


class _TextDisplay(Display):
    """What is the same wherever people read."""

    def __init__(self, console: Console, title: str, pace: Pace | None = None) -> None:
        self._console = console
        self._title = clean(title)
        self._pace = pace or Pace()

    def on_note(self, note: str) -> None:
        """Say it."""
        self._console.print(plain(note, "yellow"), soft_wrap=True)

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Show them."""
        self._console.print(changes_table(changes, self._title))


class PlainDisplay(_TextDisplay):
    """One line when a submission starts, is tried again, or is done; single cells are not worth a line."""

    def on_found(self, submissions: int, at_a_time: int) -> None:
        """Say how much there is to do."""
        self._pace.start(submissions, at_a_time)
        plural = "" if submissions == 1 else "s"
        self._say(f"{self._title}: {submissions} submission{plural}, {at_a_time} at a time")

    def on_event(self, event: Event) -> None:
        """Say what happened."""
        again = isinstance(event, Started) and event.name in self._pace.running
        self._pace.hear(event)
        if isinstance(event, Started):
            told = "starts again" if again or event.attempt > 1 else "starts"
            why = f", {clean(event.why)}" if event.why else ""
            self._say(f"{clean(event.name)}: {told}{why}")
        elif isinstance(event, Outcome):
            self._say(f"[{self._pace.done}/{self._pace.total}] {_ending(event)}; {_left(self._pace)}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


class JsonDisplay(Display):
    """One JSON object per line for other programs; docs/operator.md lists them. Warnings of the log are lines too."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._log = _LogToNotes(self)

    def __enter__(self) -> Self:
        """From now on, whatever is logged or warned of is an event."""
        logging.captureWarnings(capture=True)
        logging.getLogger().addHandler(self._log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What is logged goes where it went before."""
        logging.getLogger().removeHandler(self._log)
        logging.captureWarnings(capture=False)

    def on_found(self, submissions: int, at_a_time: int) -> None:
        """Say how much there is to do."""
        self._say("found", {"submissions": submissions, "at_a_time": at_a_time})

    def on_event(self, event: Event) -> None:
        """Say what happened."""
        kind = "started" if isinstance(event, Started) else "cell" if isinstance(event, CellDone) else "ended"
        self._say(kind, asdict(event))

    def on_note(self, note: str) -> None:
        """Say it."""
        self._say("note", {"text": note})

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Say each."""
        for change in changes:
            self._say("change", change.model_dump(mode="json"))

    def on_done(self, counts: Mapping[str, object]) -> None:
        """The last line."""
        self._say("done", counts)

    def _say(self, kind: str, told: Mapping[str, object]) -> None:
        self._console.out(json.dumps({"event": kind, "assignment": self._title, **told}), highlight=False)


class _LogToNotes(logging.Handler):
    """Makes notes of what is logged, so that every line on the stream is JSON."""

    def __init__(self, shown: Display) -> None:
        super().__init__(logging.WARNING)
        self._shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        """One note for each."""
        self._shown.on_note(self.format(record))


class LiveDisplay(_TextDisplay):
    """One row for each submission that runs, and a line for the whole batch. It vanishes at the end."""

    def __init__(self, console: Console, title: str, pace: Pace | None = None) -> None:
        super().__init__(console, title, pace)
        self._lock = threading.Lock()  # a thread draws while another one hears
        self._live = Live(
            get_renderable=self._drawn, console=console, transient=True, refresh_per_second=FRAMES_PER_SECOND
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; the table vanishes, and the result's takes its place."""
        self._live.stop()

    def pause(self) -> None:
        """Take the table away."""
        self._live.stop()

    def refresh(self) -> None:
        """Draw now, without waiting for the next turn."""
        self._live.refresh()

    def on_found(self, submissions: int, at_a_time: int) -> None:
        """Draw how much there is to do."""
        with self._lock:
            self._pace.start(submissions, at_a_time)

    def on_event(self, event: Event) -> None:
        """Draw what happened."""
        with self._lock:
            self._pace.hear(event)

    def _drawn(self) -> Group:
        with self._lock:
            return live_table(
                self._pace, self._title, width=self._console.width, most_rows=self._console.height - OTHER_LINES
            )


def live_table(pace: Pace, title: str, *, width: int = 120, most_rows: int = MOST_ROWS) -> Group:
    """The whole batch in two lines, and a row for each submission that runs: those that have run the longest first."""
    bar = BAR_WIDTH if width >= NARROW else BAR_WIDTH // 2
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(12, width // 3))
    table.add_column(width=bar)
    table.add_column(justify="right", no_wrap=True, min_width=6)
    table.add_column(justify="right", no_wrap=True, min_width=6)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    left = pace.seconds_left() if pace.total else None
    told = f"{about(left)} left" if left is not None else "time left is not known yet" if pace.total else ""
    whole = ProgressBar(total=pace.total or None, completed=pace.done, width=bar, pulse=not pace.total)
    table.add_row(Text(title, "bold"), whole, f"{pace.done}/{pace.total}" if pace.total else "", "", Text(told, "bold"))
    rows = list(pace.running.items())
    shown = rows[: max(1, min(MOST_ROWS, most_rows))]
    for name, row in shown:
        cells = ProgressBar(total=row.total or None, completed=row.done, width=bar, pulse=not row.total)
        seconds = duration(pace.seconds_running(name))
        of = f"{row.done}/{row.total}" if row.total else ""
        table.add_row(Text(f"  {one_line(name, 60)}"), cells, of, seconds, _where(row))
    return Group(table, _counts(pace, len(rows) - len(shown)))


def _where(row: Running) -> Text:
    """How far a submission is, in words."""
    again = "" if row.attempt == 1 else f", run {row.attempt}"
    if not row.total:
        return Text(f"starts{again}", "dim")
    if row.done >= row.total:
        return Text(f"all cells have run{again}", "dim")
    return Text(f"after {one_line(row.cell or 'a cell without a name', 40)}{again}", "dim")


def _counts(pace: Pace, hidden: int) -> Text:
    """How many there are of each: running, done, waiting, failed."""
    if not pace.total:
        return Text("prepares", "dim")
    parts = [
        (f"{len(pace.running)} running", "cyan"),
        (f"{pace.done - pace.failed} done", "green"),
        (f"{pace.waiting} waiting", "dim"),
        (f"{pace.failed} failed", "magenta" if pace.failed else "dim"),
    ]
    line = Text(f"  … and {hidden} more that run\n" if hidden > 0 else "", "dim")
    for number, (told, style) in enumerate(parts):
        line.append(" · " if number else "", "dim").append(told, style)
    return line


def duration(seconds: float) -> str:
    """A time as people say it: `40 s`, `3 min 20 s`, `12 min`, `2 h 05 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def about(seconds: float) -> str:
    """An estimate, no finer than it can be."""
    step = 1 if seconds < 20 else 5 if seconds < 60 else 10
    return f"about {duration(step * round(seconds / step))}"


def _left(pace: Pace) -> str:
    count = f"{pace.total - pace.done} left"
    seconds = pace.seconds_left() if pace.done < pace.total else None
    return count if seconds is None else f"{count}, {about(seconds)}"


def _ending(outcome: Outcome) -> str:
    if outcome.value is None:
        told = f"not graded: {one_line(outcome.problem)}"
    else:
        told = clean(outcome.value).replace("_", " ") + ENDINGS[outcome.action]
    return f"{clean(outcome.name)}: {told} ({outcome.seconds:.0f} s)"
