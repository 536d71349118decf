"""What is shown of a running batch, and how well its end is foreseen. Simulated clocks: less than two seconds."""

from __future__ import annotations

import heapq
import io
import json
import logging
import threading
import warnings

import pytest
from rich.console import Console

from autograder.events import CellDone, Outcome, Started
from autograder.pace import Pace
from autograder.progress import JsonDisplay, LiveDisplay, about, display, duration, live_table
from autograder.verdict_jobs import Change, QuestionChange

EVENTS = [
    Started("student-01", 1),
    CellDone("student-01", 1, 2, "windows\x1b[31m"),
    Started("student-02", 1),
    Started("student-02", 2),
    Outcome("student-01", "graded", seconds=3),
    CellDone("student-02", 1, 2, None),
    Outcome("student-02", None, "the worker process died [bold]twice"),
]
CHANGE = Change(
    student="student-01",
    before=2.0,
    after=3.0,
    questions=(QuestionChange(question="triple", before=1.0, after=2.0, checks=(("test_kind", "failed", "passed"),)),),
)


def terminal(width: int = 100, height: int = 40, *, force_terminal: bool = True) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=force_terminal,
        width=width,
        height=height,
        markup=False,
        emoji=False,
        color_system=None,
    )


def text_of(table: object, width: int = 100) -> str:
    console = terminal(width)
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_display_tells_who_runs_how_far_and_how_many_are_left(is_terminal):
    console = terminal(force_terminal=is_terminal)
    with display(console, "jena", usual_seconds=100) as shown:
        assert isinstance(shown, LiveDisplay) == is_terminal
        shown.on_found(2, 1)
        for event in EVENTS:
            shown.on_event(event)
            if isinstance(shown, LiveDisplay):
                shown.refresh()
    told = console.file.getvalue()
    assert "windows\x1b[31m" not in told
    expected = ["after windows", "1 waiting", "run 2", "about "] if is_terminal else ["again", "1 left", "[bold]twice"]
    for words in ["student-01", *expected]:
        assert words in told


def test_live_table_counts_running_done_waiting_and_failed():
    pace = Pace(clock=lambda: 0.0)
    pace.start(10, 2)
    for name in "ab":
        pace.hear(Started(name, 1))
    pace.hear(Outcome("c", "graded", action="nothing"))
    pace.hear(Outcome("d", "needs_attention", action="judge"))
    told = text_of(live_table(pace, "jena"))
    assert "2 running · 1 done · 6 waiting · 1 failed" in told
    assert "2/10" in told


@pytest.mark.parametrize("width", [40, 80, 200])
def test_live_table_fits_the_terminal_however_many_run_and_whatever_they_are_called(width):
    pace = Pace(clock=lambda: 0.0)
    pace.start(300, 64)
    for number in range(64):
        pace.hear(Started(f"student-{number:03d}-{'x' * 80}", 1))
        pace.hear(CellDone(f"student-{number:03d}-{'x' * 80}", 3, 20, "y" * 200))
    lines = text_of(live_table(pace, "jena", width=width, most_rows=10), width).splitlines()
    assert len(lines) <= 10 + 4
    assert max(map(len, lines)) <= width
    assert "54 more that run" in " ".join(lines)


def test_a_thread_may_draw_while_events_come():
    """Rows come and go while they are drawn; nothing of that may raise."""
    console = terminal()
    failures = []

    def draw() -> None:
        try:
            for _ in range(60):
                shown.refresh()
        except Exception as error:
            failures.append(error)

    with LiveDisplay(console, "jena") as shown:
        shown.on_found(500, 4)
        drawing = threading.Thread(target=draw)
        drawing.start()
        for number in range(500):
            shown.on_event(Started(str(number), 1))
            shown.on_event(Outcome(str(number), "graded"))
        drawing.join()
    assert failures == []


class Batch:
    """A batch on a simulated clock: each submission takes its seconds, so many at a time."""

    def __init__(self, seconds: list[float], places: int, **known: object) -> None:
        self.now = 0.0
        self.pace = Pace(clock=lambda: self.now, **known)
        self.pace.start(len(seconds), places)
        self._waiting = list(enumerate(seconds))[::-1]
        self._ends: list[tuple[float, int]] = []
        self._places = places
        self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._ends) < self._places:
            number, seconds = self._waiting.pop()
            heapq.heappush(self._ends, (self.now + seconds, number))
            self.pace.hear(Started(str(number), 1))

    def step(self) -> None:
        """Until the next one ends."""
        self.now, number = heapq.heappop(self._ends)
        self.pace.hear(Outcome(str(number), "graded"))
        self._fill()

    def truth(self) -> float:
        """How long it really takes from now on."""
        places = [end for end, _ in self._ends]
        for _, seconds in reversed(self._waiting):
            heapq.heapreplace(places, places[0] + seconds) if len(places) == self._places else heapq.heappush(
                places, self.now + seconds
            )
        return max(places, default=self.now) - self.now


@pytest.mark.parametrize(("submissions", "places"), [(24, 3), (5, 3), (100, 8), (7, 1)])
def test_for_equal_durations_the_estimate_is_right_from_the_second_wave_on(submissions, places):
    batch = Batch([40.0] * submissions, places)
    assert batch.pace.seconds_left() is None
    for _ in range(places):
        batch.step()
    assert batch.pace.seconds_left() == pytest.approx(batch.truth(), rel=0.1)
    while batch.truth():
        batch.step()  # others of a wave end in the same moment, and count as overdue until they are heard
        assert batch.pace.seconds_left() == pytest.approx(batch.truth(), rel=0.1, abs=4.0)


def test_in_the_middle_of_a_wave_the_time_that_runs_have_taken_counts():
    batch = Batch([40.0] * 6, 3)
    for _ in range(3):
        batch.step()
    batch.now += 30
    assert batch.pace.seconds_left() == pytest.approx(10.0)


def test_unequal_durations_are_foreseen_within_a_quarter_when_a_third_is_done():
    seconds = [20.0 + 7.0 * (number * 5 % 11) for number in range(60)]
    batch = Batch(seconds, 4)
    for _ in range(20):
        batch.step()
    assert batch.pace.seconds_left() == pytest.approx(batch.truth(), rel=0.25)


def test_before_the_first_has_ended_an_earlier_batch_tells():
    batch = Batch([40.0] * 6, 3, usual_seconds=50.0)
    assert batch.pace.seconds_left() == 100.0


def test_a_run_that_takes_longer_than_all_before_corrects_the_mean():
    batch = Batch([10.0, 10.0, 1000.0, 1000.0], 1)
    batch.step()
    batch.step()
    batch.now += 100
    assert batch.pace.seconds_left() > 40  # not 10: the mean is (10 + 10 + 100) / 3 by now


def test_what_is_unchanged_does_not_make_the_rest_look_short():
    """An interrupted batch goes on: those with a report are done at once, the others have to run."""
    now = 0.0
    reported = {str(number) for number in range(100)}
    pace = Pace(reported, 60.0, clock=lambda: now)
    pace.start(300, 2)
    for name in sorted(reported):
        pace.hear(Outcome(name, "graded", action="nothing"))
    for number in (100, 101):
        pace.hear(Started(str(number), 1))
    assert pace.seconds_left() == pytest.approx(200 / 2 * 60, rel=0.02)


def test_of_those_with_a_report_as_many_are_expected_to_run_as_had_to_so_far():
    reported = {str(number) for number in range(200)}
    pace = Pace(reported, 60.0, clock=lambda: 0.0)
    pace.start(200, 1)
    for number in range(99):
        pace.hear(Outcome(str(number), "graded", action="nothing"))
    pace.hear(Started("99", 1))
    assert pace.seconds_left() == pytest.approx(60 * (1 + 100 * 2 / 101), rel=0.1)


def test_where_nothing_runs_the_rate_tells():
    now = [0.0]
    pace = Pace({"a"}, None, clock=lambda: now[0])
    pace.start(100, 2)
    now[0] = 10.0
    for number in range(25):
        pace.hear(Outcome(str(number), "graded", action="judge"))
    assert pace.seconds_left() == pytest.approx(30.0)


def test_a_submission_that_is_run_again_starts_anew_and_failures_teach_nothing():
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    pace.start(2, 1)
    pace.hear(Started("a", 1))
    now[0] = 50.0
    pace.hear(Started("a", 2))
    assert (pace.seconds_running("a"), pace.running["a"].attempt) == (0.0, 2)
    pace.hear(Outcome("a", None, "the worker died"))
    pace.hear(Started("b", 1))
    assert (pace.failed, pace.seconds_left()) == (1, None)
    pace.hear(CellDone("nobody", 1, 2, None))  # a late word of one that has ended


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (599, "9 min 59 s"), (3599, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations_are_told_as_people_say_them(seconds, words):
    assert duration(seconds) == words


def test_estimates_are_no_finer_than_they_can_be():
    assert [about(seconds) for seconds in (7, 33, 287)] == ["about 7 s", "about 35 s", "about 4 min 50 s"]


def test_every_json_line_is_an_event_logs_and_warnings_included():
    console = terminal(width=40, force_terminal=False)
    with JsonDisplay(console, "jena") as shown:
        shown.on_found(2, 1)
        for event in EVENTS:
            shown.on_event(event)
        shown.on_changes([CHANGE])
        logging.getLogger("autograder.store").warning("the disk is nearly full\n%s", "x" * 200)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old format", stacklevel=1)
        shown.on_done({"graded": 1})
    events = [json.loads(line) for line in console.file.getvalue().splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds == [
        "found",
        "started",
        "cell",
        "started",
        "started",
        "ended",
        "cell",
        "ended",
        "change",
        "note",
        "note",
        "done",
    ]
    assert {event["assignment"] for event in events} == {"jena"}
    assert events[2]["cell"] == "windows\x1b[31m"
    assert events[8]["questions"][0]["checks"] == [["test_kind", "failed", "passed"]]
    assert "nearly full" in events[9]["text"]
    assert "old format" in events[10]["text"]
    assert events[-1]["graded"] == 1
    assert not [
        handler for handler in logging.getLogger().handlers if type(handler).__module__ == "autograder.progress"
    ]


def test_plain_lines_tell_notes_and_changes():
    console = terminal(force_terminal=False)
    with display(console, "jena") as shown:
        shown.on_note("Note: kernels start cold [bold]")
        shown.on_changes([CHANGE])
        shown.on_done({})
    told = console.file.getvalue()
    assert "Note: kernels start cold [bold]" in told
    assert "2.00 → 3.00" in told
    assert "failed → passed" in told
