"""A course of 100,000 submissions on a fleet of GPU runners: devices for a deadline, what a loss costs, what limits it.

    python -m benchmarks.fleet [--seeds 5] [--out benchmarks/results]

Simulates (`fleet_simulation`) with measured and assumed costs (`fleet_costs`) and writes fleet.json, fleet.md and four
plots; `docs/scale.md` says what follows. One core, under two minutes.

Where a table needs many simulations, courses are thinned: a tenth (or a third) of the submissions and devices, and
shared parts that take ten (or three) times as long for each. Loads and the last run's length stay as they are, and the
row "thinned" of the check shows how little it changes; chance weighs more, so what is told is on the careful side.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.fleet_costs import AS_IT_IS, CHANGED, HOUR, SOURCES, Arrivals, Coordinator, Fleet, RunTimes
from benchmarks.fleet_simulation import Outcome, simulate

SUBMISSIONS = 100_000
DEADLINES = (1, 8, 24)
MEDIANS = (30, 120, 300)
CURVE = (120, 180, 260, 380, 520, 760, 1100, 1600, 2400, 3600, 5600, 8000)
LOSSES_HOURS = (1000, 100, 10)
ARRIVAL_DEVICES = (120, 240, 480)


def thinned(coordinator: Coordinator, by: float) -> Coordinator:
    """Shared parts that carry one part in `by` of the load: everything takes `by` times as long."""
    names = ("prepare", "keep", "judge", "report", "scheduler", "megabytes_out", "megabytes_in", "writer")
    return replace(coordinator, **{name: getattr(coordinator, name) * by for name in names})


# Ten sections with a coordinator and a gradebook each carry ten times as much as one.
COORDINATORS = {"as it is": AS_IT_IS, "changed": CHANGED, "ten sections": thinned(AS_IT_IS, 0.1)}


def play(devices: int, coordinator: Coordinator, *, seed: int, by: int = 1, **more: Any) -> Outcome:
    """One course, thinned `by`."""
    fleet = Fleet(round(devices / by), hours_between_losses=more.pop("hours_between_losses", math.inf))
    return simulate(SUBMISSIONS // by, fleet, thinned(coordinator, by), seed=seed, **more)


def interval(values: Iterable[float]) -> dict[str, float]:
    """Mean and 95 % confidence interval (Student's t) over seeds."""
    array = np.array(list(values), dtype=float)
    half = float(stats.t.ppf(0.975, len(array) - 1) * stats.sem(array)) if len(array) > 1 else math.nan
    return {"mean": round(float(array.mean()), 4), "half": round(half, 4)}


def devices_for(hours: float, times: RunTimes, coordinator: Coordinator) -> int | None:
    """The least devices, in whole nodes, that finish in time; None where four times as many would not either.

    The end is the work divided by the devices, and a rest that hardly depends on their number while no shared part is
    full: what the last runs take beyond their share. So each try is the number that the rest of the one before asks
    for; where a shared part is full that does not hold, and the number is found by halving.
    """
    if SUBMISSIONS / min(coordinator.hourly().values()) > hours:
        return None
    work, wanted = SUBMISSIONS * times.mean, hours * HOUR
    devices = work / wanted
    by = 10 if devices > 300 else 3

    def finished(devices: float, seed: int) -> tuple[float, float]:
        outcome = play(round(devices), coordinator, seed=seed, by=by, times=times)
        had = SUBMISSIONS * float(outcome.runs.mean())
        return outcome.finished, outcome.finished - had / (round(devices / by) * by)

    for seed in (1, 2, 3):
        rest = finished(devices, seed)[1]
        if rest >= wanted:
            break
        devices = work / (wanted - rest)
    if finished(devices, 4)[0] > wanted * 1.02:  # chance weighs more in a thinned course: about one per cent
        low, high = work / wanted, 4 * work / wanted
        if finished(high, 4)[0] > wanted:
            return None
        while high / low > 1.02:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if finished(middle, 4)[0] <= wanted else (middle, high)
        devices = high
    per_node = Fleet(1).per_node
    return math.ceil(devices / per_node) * per_node


def deadlines() -> list[dict[str, Any]]:
    """Devices for each deadline, training time and coordinator."""
    found = []
    for median in MEDIANS:
        times = RunTimes(median=median)
        row: dict[str, Any] = {"median": median, "mean": round(times.mean, 1)}
        row["device_hours"] = round(SUBMISSIONS * times.mean / HOUR)
        for hours, name in ((1, "as it is"), (1, "changed"), (1, "ten sections"), (8, "as it is"), (24, "as it is")):
            row[f"{hours} h, {name}"] = devices_for(hours, times, COORDINATORS[name])
        found.append(row)
    return found


def endless_cells() -> list[dict[str, Any]]:
    """The same for other limits of a cell, and more submissions that run into them."""
    found = []
    for share, limit in ((0.0, 1800), (0.01, 600), (0.01, 1800), (0.03, 600), (0.03, 1800)):
        times = RunTimes(endless_share=share, cell_limit=limit)
        row: dict[str, Any] = {"share": share, "limit": limit, "mean": round(times.mean, 1)}
        for hours in DEADLINES:
            row[f"{hours} h"] = devices_for(hours, times, COORDINATORS["ten sections"] if hours == 1 else AS_IT_IS)
        found.append(row)
    return found


def check(rows: Sequence[dict[str, Any]], plain: list[Outcome]) -> list[dict[str, Any]]:
    """The devices found for the middle training time, over seeds; `plain` is the one for 8 h at full size."""
    row = next(row for row in rows if row["median"] == 120)
    found = []
    known = {(8, "as it is", 1): plain}
    for case in ((1, "changed", 1), (1, "ten sections", 10), *known, (8, "as it is", 10), (24, "as it is", 1)):
        hours, name, by = case
        devices = row[f"{hours} h, {name}"]
        if devices is None:  # nothing to check: no number of devices was found
            continue
        outcomes = known.get(case) or [
            play(devices, COORDINATORS[name], seed=seed, by=by) for seed in range(len(plain))
        ]
        bound = [SUBMISSIONS * float(o.runs.mean()) / devices / HOUR for o in outcomes]
        found.append(
            {
                "hours": hours,
                "coordinator": name,
                "devices": devices,
                "thinned": by,
                "finished": interval(o.finished / HOUR for o in outcomes),
                "bound": interval(bound),
                "use": {part: interval(o.use[part] for o in outcomes)["mean"] for part in outcomes[0].use},
            }
        )
    return found


def curve() -> dict[str, list[float]]:
    """Hours until the last mark, for numbers of devices."""
    ways = {
        "as it is": (AS_IT_IS, RunTimes()),
        "changed": (CHANGED, RunTimes()),
        "changed, cells limited to 600 s": (CHANGED, RunTimes(cell_limit=600)),
    }
    return {
        name: [round(play(devices, coordinator, seed=1, by=10, times=times).finished / HOUR, 4) for devices in CURVE]
        for name, (coordinator, times) in ways.items()
    }


def limits() -> list[dict[str, Any]]:
    """What each shared part carries, as submissions per hour and as devices of the middle training time."""
    hourly = {name: coordinator.hourly() for name, coordinator in COORDINATORS.items()}
    found = []
    for part in AS_IT_IS.hourly():
        row: dict[str, Any] = {"part": part}
        for name, carried in hourly.items():
            row[name] = {"per_hour": round(carried[part]), "devices": round(carried[part] * RunTimes().mean / HOUR)}
        found.append(row)
    return found


def losses(devices: int, plain: list[Outcome]) -> list[dict[str, Any]]:
    """What lost nodes, and a lost coordinator, add to the same courses without them."""
    ways: dict[str, dict[str, Any]] = {
        f"a node lives {hours} h on average": {"hours_between_losses": hours} for hours in LOSSES_HOURS
    }
    ways["the coordinator is gone for 10 min, half-way"] = {"coordinator_lost_at": 4 * HOUR, "outage": 600}
    found = []
    for name, way in ways.items():
        outcomes = [play(devices, AS_IT_IS, seed=seed, **way) for seed in range(len(plain))]
        added = [(o.finished - p.finished) / 60 for o, p in zip(outcomes, plain, strict=True)]
        found.append(
            {
                "what": name,
                "lost_runs": interval(o.lost_runs for o in outcomes),
                "lost_hours": interval(o.lost_seconds / HOUR for o in outcomes),
                "attempts_most": max(o.attempts_most for o in outcomes),
                "added_minutes": interval(added),
                "added": [round(minutes, 2) for minutes in added],
            }
        )
    return found


def arrivals() -> dict[str, Any]:
    """Grading as submissions come in over a week: hours from handing in to the mark, and the curves of both."""
    as_they_come = replace(AS_IT_IS, writes_at_end=False)  # a gradebook that is written once an hour does
    grid = np.arange(-36.0, 24.01, 0.5)
    found: dict[str, Any] = {"grid": grid.tolist(), "devices": []}
    for devices in ARRIVAL_DEVICES:
        outcome = play(devices, as_they_come, seed=1, arrivals=Arrivals(days=7.0))
        waits = outcome.waits / HOUR
        marked = np.searchsorted(np.sort(outcome.marked) / HOUR, grid)
        found["handed_in"] = np.searchsorted(outcome.arrived / HOUR, grid).tolist()
        found["devices"].append(
            {
                "devices": devices,
                "median_wait": round(float(np.median(waits)), 3),
                "late_wait": round(float(np.quantile(waits, 0.95)), 2),
                "finished": round(outcome.finished / HOUR, 2),
                "use": round(outcome.use["devices"], 3),
                "marked": marked.tolist(),
            }
        )
    return found


def simulate_all(seeds: int) -> dict[str, Any]:
    """Every table and curve, as data."""
    rows = deadlines()
    devices = next(row for row in rows if row["median"] == 120)["8 h, as it is"]
    plain = [play(devices, AS_IT_IS, seed=seed) for seed in range(seeds)]
    return {
        "submissions": SUBMISSIONS,
        "seeds": seeds,
        "deadlines": rows,
        "endless": endless_cells(),
        "check": check(rows, plain),
        "curve": {"devices": list(CURVE), "hours": curve()},
        "limits": limits(),
        "losses": losses(devices, plain),
        "loss_devices": devices,
        "arrivals": arrivals(),
        "sources": [list(line) for line in SOURCES],
    }


def main() -> None:
    from benchmarks.fleet_shown import plots, tables

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    found = simulate_all(options.seeds)
    (options.out / "fleet.json").write_text(json.dumps(found, indent=1) + "\n")
    (options.out / "fleet.md").write_text(tables(found))
    plots(found, options.out)
    print(tables(found))


if __name__ == "__main__":
    main()
