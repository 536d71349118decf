"""The fleet's simulation against what is known without it; takes about 15 s."""

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import fleet
from benchmarks.fleet_costs import AS_IT_IS, HOUR, Arrivals, Coordinator, Fleet, RunTimes
from benchmarks.fleet_shown import plots, tables
from benchmarks.fleet_simulation import Course, Server, arrival_seconds, run_seconds, simulate

NEXT_TO_NOTHING = 1e-9
FREE = Coordinator(
    prepare=NEXT_TO_NOTHING,
    keep=0,
    judges=64,
    judge=0,
    report=NEXT_TO_NOTHING,
    scheduler=NEXT_TO_NOTHING,
    megabytes_out=0,
    megabytes_in=NEXT_TO_NOTHING,
    link=1,
    writer=NEXT_TO_NOTHING,
    writes_at_end=False,
)
AS_THEY_COME = replace(AS_IT_IS, writes_at_end=False)
EQUAL = RunTimes(median=100, spread=0, overhead=0, broken_share=0, endless_share=0)


def erlang_c(slots: int, load: float) -> float:
    """Probability that a customer of M/M/c waits, by the recursion of Erlang's B."""
    blocked = 1.0
    for number in range(1, slots + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / slots * (1 - blocked))


@pytest.mark.parametrize(("count", "devices", "kernels"), [(10, 10, 1), (1000, 7, 1), (1001, 10, 2)])
def test_equal_runs_take_whole_rounds(count, devices, kernels):
    outcome = simulate(count, Fleet(devices, kernels), FREE, seed=1, times=EQUAL)
    rounds = math.ceil(count / (devices * kernels))
    assert outcome.finished == pytest.approx(rounds * 100)
    assert outcome.use["devices"] == pytest.approx(count / (devices * kernels * rounds))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_end_lies_between_the_bounds_of_list_scheduling(seed):
    """Not before the work divided by the slots, nor before the longest run; after it by less than the longest run."""
    outcome = simulate(2000, Fleet(40), FREE, seed=seed)
    work, longest = outcome.runs.sum() / 40, outcome.runs.max()
    assert max(work, longest) <= outcome.finished <= work + longest
    assert outcome.finished * 40 * outcome.use["devices"] == pytest.approx(outcome.runs.sum())


def test_waiting_as_in_m_m_c():
    """Poisson arrivals, exponential run times, eight slots, 80 % busy: Erlang's C, within the error of 40,000 customers."""
    slots, service, busy = 8, 10.0, 0.8
    waits, use = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        arrived = np.cumsum(rng.exponential(service / (slots * busy), 40_000))
        outcome = Course(arrived, rng.exponential(service, 40_000), Fleet(slots), FREE, seed=seed).play()
        waits.append(np.mean(outcome.waits - outcome.runs))
        use.append(outcome.use["devices"])
    expected = erlang_c(slots, slots * busy) * service / (slots * (1 - busy))
    assert np.mean(waits) == pytest.approx(expected, rel=0.1)
    assert np.mean(use) == pytest.approx(busy, rel=0.02)


def test_littles_law():
    """Submissions in the system, counted by somebody who looks in now and then, are arrivals per second times their stay."""
    rng = np.random.default_rng(5)
    arrived = np.cumsum(rng.exponential(2.0, 20_000))
    course = Course(arrived, rng.exponential(18.0, 20_000), Fleet(12), AS_THEY_COME, seed=5)
    seen: list[int] = []

    def look_in():
        while True:
            yield course.env.timeout(rng.exponential(20.0))
            here = int(np.searchsorted(arrived, course.env.now))
            seen.append(here - (len(arrived) - course.left))

    course.env.process(look_in())
    outcome = course.play()
    rate = len(arrived) / (outcome.finished - arrived[0])
    assert np.mean(seen) == pytest.approx(rate * outcome.waits.mean(), rel=0.05)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("gradebook's writer", {"writer": 1.0}),
        ("judging and reporting", {"judges": 2, "judge": 1.0, "report": 0.8}),
        ("leading thread", {"prepare": 0.5, "keep": 0.4}),
        ("network", {"megabytes_out": 1.0, "megabytes_in": 3.0, "link": 3.0}),
        ("scheduler", {"scheduler": 1.0}),
    ],
)
def test_a_full_part_sets_the_pace(part, change):
    """With devices to spare, the end is the load of the slowest shared part, and `hourly` names it."""
    coordinator = replace(FREE, **change)
    slowest, per_hour = min(coordinator.hourly().items(), key=lambda item: item[1])
    outcome = simulate(2000, Fleet(2000), coordinator, seed=1, times=EQUAL)
    assert slowest == part
    assert outcome.finished == pytest.approx(2000 * HOUR / per_hour, rel=0.06)


def test_a_gradebook_written_at_the_end_adds_the_writers_time():
    as_they_come = simulate(500, Fleet(20), AS_THEY_COME, seed=1)
    at_the_end = simulate(500, Fleet(20), AS_IT_IS, seed=1)
    assert at_the_end.finished == pytest.approx(as_they_come.finished + 500 * AS_IT_IS.writer, rel=1e-3)
    assert len(set(at_the_end.marked.tolist())) == 500


def test_a_server_serves_in_order():
    server = Server(2)
    assert [server.serve(0, 10), server.serve(0, 10), server.serve(5, 10), server.serve(30, 1)] == [10, 10, 20, 31]
    server.pause(100)
    assert server.serve(50, 1) == 101
    assert server.busy == 32


def test_lost_nodes_cost_what_exponential_lives_predict():
    """A run of length t on nodes lost at rate r is lost exp(rt) - 1 times on average; everything is marked once."""
    lost, expected = 0, 0.0
    for seed in range(5):
        rows = Fleet(50, per_node=1, hours_between_losses=0.5, detection=0, replacement=0)
        outcome = simulate(4000, rows, FREE, seed=seed, times=replace(EQUAL, median=300))
        assert np.isfinite(outcome.marked).all()
        lost += outcome.lost_runs
        expected += 4000 * math.expm1(300 / (0.5 * HOUR))
    assert lost == pytest.approx(expected, rel=0.05)


def test_a_node_takes_all_its_slots_along_and_is_replaced():
    fleet_ = Fleet(8, kernels=2, per_node=4, hours_between_losses=2.0, detection=30, replacement=60)
    outcome = simulate(3000, fleet_, FREE, seed=3, times=EQUAL)
    assert outcome.lost_runs > 8
    assert outcome.lost_runs % 8 == 0  # the queue is never empty before the end, so all eight slots of a node were busy
    assert outcome.attempts_most > 1
    assert outcome.lost_seconds <= 100 * outcome.lost_runs
    assert outcome.finished > simulate(3000, replace(fleet_, hours_between_losses=math.inf), FREE, seed=3).runs.min()


def test_a_lost_coordinator_costs_its_outage_and_what_ran():
    """Equal runs, lost in the middle of a round: the outage and half a round later, never more."""
    plain = simulate(1000, Fleet(10), FREE, seed=1, times=EQUAL)
    lost = simulate(1000, Fleet(10), FREE, seed=1, times=EQUAL, coordinator_lost_at=5050.0, outage=600.0)
    assert lost.lost_runs == 10
    assert lost.lost_seconds == pytest.approx(500)
    assert lost.finished - plain.finished == pytest.approx(650)


def test_losses_of_both_kinds_at_once_end():
    """A node that is lost while the coordinator is away, and a submission that is lost more than once."""
    fleet_ = Fleet(20, hours_between_losses=0.2, detection=60, replacement=120)
    outcome = simulate(2000, fleet_, AS_IT_IS, seed=2, coordinator_lost_at=1000.0, outage=3000.0)
    assert np.isfinite(outcome.marked).all()
    assert outcome.attempts_most > 2


def test_run_times_have_the_mean_that_is_told():
    times = RunTimes()
    seconds = run_seconds(np.random.default_rng(1), 400_000, times)
    assert seconds.mean() == pytest.approx(times.mean, rel=0.01)
    assert np.median(seconds) == pytest.approx(times.median, rel=0.02)
    assert (seconds > times.cell_limit).mean() == pytest.approx(times.endless_share, rel=0.1)


def test_arrivals_end_at_the_deadline_and_grow_towards_it():
    arrived = arrival_seconds(np.random.default_rng(1), 50_000, Arrivals(days=7))
    assert (np.diff(arrived) >= 0).all()
    assert -7 * 24 * HOUR <= arrived[0] < arrived[-1] <= 0
    last_hours = [int(((-hours - 1) * HOUR < arrived).sum() - (-hours * HOUR < arrived).sum()) for hours in (0, 6, 48)]
    assert last_hours == sorted(last_hours, reverse=True)


def test_the_same_seed_makes_the_same_course():
    lossy = Fleet(20, hours_between_losses=1.0)
    first, again, other = (simulate(500, lossy, AS_IT_IS, seed=seed) for seed in (1, 1, 2))
    assert first.marked.tolist() == again.marked.tolist() != other.marked.tolist()


def test_a_thinned_course_is_loaded_like_the_whole(monkeypatch):
    monkeypatch.setattr(fleet, "SUBMISSIONS", 20_000)
    times = RunTimes(endless_share=0)  # their chance is what thinning makes heavier
    whole, thin = (fleet.play(500, AS_IT_IS, seed=1, by=by, times=times) for by in (1, 10))
    for part, share in whole.use.items():
        assert thin.use[part] == pytest.approx(share, rel=0.06), part


def test_devices_for_a_deadline_meet_it_and_fewer_do_not(monkeypatch):
    monkeypatch.setattr(fleet, "SUBMISSIONS", 20_000)
    times = RunTimes(endless_share=0)
    devices = fleet.devices_for(2, times, AS_IT_IS)
    assert devices % Fleet(1).per_node == 0
    assert fleet.play(devices, AS_IT_IS, seed=9, times=times).finished < 2.03 * HOUR
    assert fleet.play(devices * 9 // 10, AS_IT_IS, seed=9, times=times).finished > 2 * HOUR
    assert fleet.devices_for(0.25, times, AS_IT_IS) is None  # the writer alone needs 17 minutes


def test_interval_is_student_t():
    told = fleet.interval([1.0, 2.0, 3.0])
    assert told == {"mean": 2.0, "half": pytest.approx(4.302653 / math.sqrt(3), abs=1e-4)}


def test_tables_and_plots_come_from_the_data_alone(tmp_path, monkeypatch):
    """The same data make the same files, byte for byte."""
    monkeypatch.setattr(fleet, "SUBMISSIONS", 2_000)
    monkeypatch.setattr(fleet, "CURVE", (40, 80))
    monkeypatch.setattr(fleet, "ARRIVAL_DEVICES", (4, 8, 16))
    monkeypatch.setattr(fleet, "MEDIANS", (120,))
    monkeypatch.setattr(fleet, "DEADLINES", (1, 8, 24))
    found = fleet.simulate_all(2)
    told = tables(found)
    assert "| gradebook's writer |" in told
    assert told.count("\n## ") == 7
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        plots(found, tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == ["fleet_arrivals.svg", "fleet_devices.svg", "fleet_limits.svg", "fleet_losses.svg"]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
