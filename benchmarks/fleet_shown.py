"""The fleet's tables as Markdown and its plots as SVG, from the data of `benchmarks.fleet` alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.fleet_costs import HOUR, RunTimes

BLUE, ORANGE, GREEN, GREY, INK = "#2f6690", "#d9822b", "#4c9f70", "#9aa5b1", "#24405f"
COLOURS = {"as it is": BLUE, "changed": ORANGE, "ten sections": GREEN}


def _table(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    titles = list(headings)
    lines = [titles, ["---", *["--:"] * (len(titles) - 1)], *[[str(cell) for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _number(value: float | None) -> str:
    return "not at any number" if value is None else f"{value:,.0f}"


def _with_interval(value: dict[str, float], digits: int = 2) -> str:
    return f"{value['mean']:.{digits}f} ± {value['half']:.{digits}f}"


def tables(found: dict[str, Any]) -> str:
    """All tables, one under the other, each with a heading."""
    count, seeds = found["submissions"], found["seeds"]
    rows = found["deadlines"]
    kinds = [key for key in rows[0] if " h, " in key]
    parts = [
        f"# A course of {count:,} submissions on a fleet\n",
        f"Made by `python -m benchmarks.fleet`; ± is the 95 % confidence interval over {seeds} seeds.",
        "What follows from it: [docs/scale.md](../../docs/scale.md).\n",
        "## Devices for a deadline, everything handed in when grading starts\n",
        _table(
            ("training, median s", "mean on the slot, s", "device hours", *kinds),
            (
                (row["median"], row["mean"], _number(row["device_hours"]), *(_number(row[kind]) for kind in kinds))
                for row in rows
            ),
        ),
        "## Checked at full size (training 120 s)\n",
        _table(
            ("deadline, h", "coordinator", "devices", "thinned by", "finished, h", "work / devices, h", "devices busy"),
            (
                (
                    row["hours"],
                    row["coordinator"],
                    _number(row["devices"]),
                    row["thinned"],
                    _with_interval(row["finished"]),
                    _with_interval(row["bound"]),
                    f"{row['use']['devices']:.0%}",
                )
                for row in found["check"]
            ),
        ),
        "## Submissions that never end (training 120 s; 1 h with ten sections)\n",
        _table(
            ("share that never ends", "a cell's limit, s", "mean on the slot, s", "1 h", "8 h", "24 h"),
            (
                (
                    f"{row['share']:.0%}",
                    row["limit"],
                    row["mean"],
                    *(_number(row[f"{hours} h"]) for hours in (1, 8, 24)),
                )
                for row in found["endless"]
            ),
        ),
        "## What the shared parts carry: submissions per hour, and the devices that fill them (training 120 s)\n",
        _table(
            ("part", *(f"{name}" for name in COLOURS)),
            (
                (row["part"], *(f"{row[name]['per_hour']:,} ({row[name]['devices']:,})" for name in COLOURS))
                for row in found["limits"]
            ),
        ),
        f"## What a loss costs ({found['loss_devices']} devices, four to a node, coordinator as it is)\n",
        _table(
            ("what", "runs lost", "hours of a device lost", "most attempts of one submission", "later by, min"),
            (
                (
                    row["what"],
                    _with_interval(row["lost_runs"], 0),
                    _with_interval(row["lost_hours"], 1),
                    row["attempts_most"],
                    _with_interval(row["added_minutes"], 1),
                )
                for row in found["losses"]
            ),
        ),
        "## Graded as they come in, over a week\n",
        _table(
            (
                "devices",
                "median wait for the mark, min",
                "19 of 20 wait less than, h",
                "all done after the deadline, h",
            ),
            (
                (row["devices"], f"{row['median_wait'] * 60:.0f}", f"{row['late_wait']:.1f}", f"{row['finished']:.1f}")
                for row in found["arrivals"]["devices"]
            ),
        ),
        "## What the simulation is fed with\n",
        _table(("cost", "value", "source"), found["sources"]),
    ]
    return "\n".join(parts)


def plots(found: dict[str, Any], folder: Path) -> None:
    """Write the four plots into `folder`; the same data make the same files."""
    mpl.rcParams["svg.hashsalt"] = "fleet"
    mpl.rcParams["font.size"] = 9
    for name, draw, size in (
        ("devices", _draw_devices, (7.2, 4.0)),
        ("limits", _draw_limits, (7.2, 3.4)),
        ("losses", _draw_losses, (7.2, 2.4)),
        ("arrivals", _draw_arrivals, (7.2, 3.6)),
    ):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        draw(axes, found)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(folder / f"fleet_{name}.svg", metadata={"Date": None})


def _draw_devices(axes: Axes, found: dict[str, Any]) -> None:
    devices = found["curve"]["devices"]
    work = found["submissions"] * RunTimes().mean / HOUR
    axes.plot(devices, [work / each for each in devices], "--", color=GREY, label="work divided by devices")
    for (name, hours), colour in zip(found["curve"]["hours"].items(), COLOURS.values(), strict=True):
        axes.plot(devices, hours, "o-", color=colour, markersize=4, label=name)
    for hours in (1, 8, 24):
        axes.axhline(hours, color=INK, linewidth=0.7, alpha=0.5)
        axes.annotate(
            f"{hours} h", (1.0, hours), (-2, 3), ("axes fraction", "data"), "offset points", color=INK, ha="right"
        )
    axes.set(xscale="log", yscale="log", xlabel="devices", ylabel="hours until the last mark")
    ticks = (125, 250, 500, 1000, 2000, 4000, 8000)
    axes.set_xticks(ticks, labels=[f"{tick:,}" for tick in ticks])
    axes.set_yticks([0.5, 1, 2, 4, 8, 16, 32], labels=["0.5", "1", "2", "4", "8", "16", "32"])
    axes.minorticks_off()
    axes.legend(frameon=False, title="coordinator", alignment="left")
    axes.set_title(f"{found['submissions']:,} submissions, training 120 s, all at once", loc="left")


def _draw_limits(axes: Axes, found: dict[str, Any]) -> None:
    rows = found["limits"]
    for offset, (name, colour) in zip((0.26, 0.0, -0.26), COLOURS.items(), strict=True):
        places = [len(rows) - 1 - index + offset for index in range(len(rows))]
        axes.barh(places, [row[name]["per_hour"] for row in rows], height=0.24, color=colour, label=name)
        for place, row in zip(places, rows, strict=True):
            told, end = f"{row[name]['devices']:,} devices", (row[name]["per_hour"], place)
            axes.annotate(told, end, xytext=(4, -3), textcoords="offset points", fontsize=7.5, color=INK)
    for hours in (1, 8, 24):
        needed = found["submissions"] / hours
        axes.axvline(needed, color=INK, linewidth=0.8, linestyle=":")
        axes.annotate(f"{hours} h", (needed, len(rows) - 0.5), (3, 0), textcoords="offset points", color=INK)
    axes.set(xscale="log", xlabel="submissions per hour", xlim=(2500, 6e7), ylim=(-0.6, len(rows) - 0.2))
    axes.set_yticks(range(len(rows)), labels=[row["part"] for row in rows][::-1])
    axes.legend(frameon=False, title="coordinator", alignment="left", loc="upper right")
    axes.set_title("What the shared parts carry; dotted: what a deadline needs", loc="left")


def _draw_losses(axes: Axes, found: dict[str, Any]) -> None:
    rows = found["losses"][::-1]
    for place, row in enumerate(rows):
        colour = ORANGE if "coordinator" in row["what"] else BLUE
        axes.plot(row["added"], [place] * len(row["added"]), "o", color=colour, alpha=0.6, markeredgewidth=0)
        axes.plot(row["added_minutes"]["mean"], place, "|", color=INK, markersize=16, markeredgewidth=1.5)
    axes.set_yticks(range(len(rows)), labels=[row["what"] for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("minutes later than without the loss (dots: seeds; line: mean)")
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.5)
    axes.set_title(f"{found['loss_devices']} devices, a deadline of 8 h", loc="left")


def _draw_arrivals(axes: Axes, found: dict[str, Any]) -> None:
    told = found["arrivals"]
    grid = told["grid"]
    axes.plot(grid, [each / 1000 for each in told["handed_in"]], color=GREY, linewidth=4, label="handed in")
    for row, colour in zip(told["devices"], (ORANGE, GREEN, BLUE), strict=True):
        label = f"marked, {row['devices']} devices"
        axes.plot(grid, [each / 1000 for each in row["marked"]], color=colour, label=label)
    axes.axvline(0, color=INK, linewidth=0.8, linestyle=":")
    axes.annotate("deadline", (0, 3), xytext=(4, 0), textcoords="offset points", color=INK)
    axes.set(xlabel="hours from the deadline", ylabel="thousand submissions", xlim=(-36, 18))
    axes.set_ylim(0, found["submissions"] / 1000 * 1.03)
    axes.set_xticks(range(-36, 19, 6))
    axes.legend(frameon=False, loc="upper left")
    axes.set_title("Graded as they come in, over a week", loc="left")
