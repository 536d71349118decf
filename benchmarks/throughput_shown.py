"""The throughput benchmark's tables as Markdown and its plot as SVG, from the data of `benchmarks.throughput` alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.throughput_phases import EACH, WHOLE
from benchmarks.throughput_ways import BARE, BARE_LOADED, NBGRADER, OURS

BLUE, GREY, INK = "#2f6690", "#9aa5b1", "#24405f"
AIMS = (("short", NBGRADER, 6.0), ("training", BARE, 1.0), ("training", BARE_LOADED, 1.0))
"""What our command should at least be: so many times as fast as another way, with this notebook."""


def tables(found: dict[str, Any]) -> str:
    """All tables, one under the other, each with a heading."""
    parts = [f"# A class of {found['count']} submissions\n"]
    for homework, what in found["homeworks"].items():
        parts += [f"## {homework}: {what}\n", _compared(found, homework)]
    parts += ["## What each way protects against\n", _protections(found), "## Aims\n", _aims(found)]
    if any(found["phases"].values()):
        parts += ["## Where our command's time goes\n", _whole(found), _each(found)]
    if found["beginning"]:
        rows = ((name, f"{seconds:.2f}") for name, seconds in found["beginning"].items())
        parts += ["Its beginning, measured by itself:\n", _table(("part", "s"), rows)]
    return "\n".join(parts)


def medians(found: dict[str, Any], homework: str) -> dict[str, dict[str, float]]:
    """Wall and processor seconds of each way's class, as medians over the rounds."""
    return {
        way: {kind: median(took[kind] for took in rounds) for kind in ("wall", "cpu")}
        for way, rounds in found["seconds"][homework].items()
        if rounds
    }


def _compared(found: dict[str, Any], homework: str) -> str:
    told, count = medians(found, homework), found["count"]
    rows: list[list[str]] = []
    for way, took in told.items():
        walls = [each["wall"] for each in found["seconds"][homework][way]]
        against = told[NBGRADER]["wall"] / took["wall"] if NBGRADER in told else None
        rows.append(
            [
                f"**{way}**" if way == OURS else way,
                f"{took['wall']:.1f}",
                f"{min(walls):.1f} to {max(walls):.1f}",
                f"{3600 * count / took['wall']:,.0f}",
                f"{took['cpu'] / count:.2f}",
                f"{took['cpu'] / took['wall']:.2f}",
                "" if against is None else f"{against:.1f}",
            ]
        )
    rows += [[way, why, *[""] * 5] for way, why in found["missing"].items()]
    headings = ("", f"s for {count}", "least to most", "submissions per hour", "CPU s each", "cores busy")
    return _table((*headings, f"times `{NBGRADER}`"), rows)


def _protections(found: dict[str, Any]) -> str:
    rows = ((name, f"`{way['typed']}`", way["protects"]) for name, way in found["ways"].items())
    return _table(("", "typed", "protects against"), rows, words=True)


def _aims(found: dict[str, Any]) -> str:
    rows = []
    for homework, other, least in AIMS:
        told = medians(found, homework) if homework in found["seconds"] else {}
        if OURS in told and other in told:
            times = told[other]["wall"] / told[OURS]["wall"]
            reached = "yes" if times >= least else "no"
            rows.append((f"{homework}: ours against {other}", f"{least:.1f} times", f"{times:.2f} times", reached))
    return _table(("", "at least", "measured", "reached"), rows)


def _whole(found: dict[str, Any]) -> str:
    rows = []
    for name, what in WHOLE.items():
        seconds = [median(each["whole"][name] for each in rounds) for rounds in found["phases"].values() if rounds]
        rows.append((f"{name}: {what}", *(f"{each:.2f}" for each in seconds)))
    for name, digits in (("slots", 0), ("slots_busy", 2)):
        told = [median(each[name] for each in rounds) for rounds in found["phases"].values() if rounds]
        rows.append((name.replace("_", " "), *(f"{each:.{digits}f}" for each in told)))
    return _table(("the whole command, s", *_measured(found)), rows)


def _each(found: dict[str, Any]) -> str:
    rows = []
    for name, what in EACH.items():
        seconds = [median(each["each"][name] for each in rounds) for rounds in found["phases"].values() if rounds]
        rows.append((f"{name}: {what}", *(f"{each:.3f}" for each in seconds)))
    return _table(("one submission, mean, s", *_measured(found)), rows)


def _measured(found: dict[str, Any]) -> list[str]:
    return [homework for homework, rounds in found["phases"].items() if rounds]


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]], *, words: bool = False) -> str:
    titles = list(headings)
    lines = [titles, ["---", *["---" if words else "--:"] * (len(titles) - 1)], *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def plot(found: dict[str, Any], path: Path) -> None:
    """A panel for each notebook: every round as a dot, the median as a bar. The same data make the same file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "throughput"
    mpl.rcParams["font.size"] = 9
    shown = found["homeworks"]
    figure = Figure(figsize=(7.2, 2.5 * len(shown)), layout="constrained")
    for axes, homework in zip(figure.subplots(len(shown), squeeze=False)[:, 0], shown, strict=True):
        told = medians(found, homework)
        names, count = list(told)[::-1], found["count"]
        walls = [told[name]["wall"] / count for name in names]
        axes.barh(names, walls, color=[BLUE if name == OURS else GREY for name in names])
        for place, name in enumerate(names):
            dots = [took["wall"] / count for took in found["seconds"][homework][name]]
            axes.plot(dots, [place] * len(dots), ".", color=INK, markersize=5)
            text = f"{walls[place]:.2f} s, {3600 / walls[place]:,.0f} per hour"
            axes.annotate(text, (max(dots), place), xytext=(6, -3), textcoords="offset points", color=INK)
        axes.set(xlim=(0, max(walls) * 1.35), xlabel="seconds of wall time per submission (bar: median)")
        axes.set_title(f"{homework}: {shown[homework]}", loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
