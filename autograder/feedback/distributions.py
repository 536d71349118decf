"""Results of many models as dots on a line, those that deserve to pass above the others, with the bar between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl

from autograder.feedback.pages import environment
from autograder.feedback.plots import COLOURS, INK, STYLE, TRUTH, Panel, new_figure, number, shown_text, svg_of


@dataclass(frozen=True)
class Distribution:
    """Results of one measured check: values by model, the bar, and what is known of it as pairs of name and text."""

    title: str
    question: str
    honest: Mapping[str, Sequence[float]]
    dishonest: Mapping[str, Sequence[float]]
    bar: float
    facts: Sequence[tuple[str, str]]


def render_distributions(
    distributions: Sequence[Distribution], *, title: str, facts: Sequence[tuple[str, str]], problems: Sequence[str] = ()
) -> str:
    """One self-contained page for the instructor: a drawing and a table for each measured check."""
    drawn = [(each, draw_distribution(each, f"d{index}")) for index, each in enumerate(distributions, 1)]
    template = environment().get_template("distributions.html.j2")
    return template.render(title=title, drawn=drawn, facts=facts, problems=problems, number=number)


def draw_distribution(data: Distribution, prefix: str) -> Panel:
    """A row of dots for each model; filled above for honest ones, open below for the others."""
    rows = [(name, values, True) for name, values in data.honest.items()]
    rows += [(name, values, False) for name, values in data.dishonest.items()]
    with mpl.rc_context(STYLE):
        figure, axes = new_figure(height=0.9 + 0.24 * max(len(rows), 2))
        for place, (_, values, honest) in enumerate(rows):
            style = {"color": TRUTH} if honest else {"color": COLOURS[0], "markerfacecolor": "none"}
            axes.plot(
                values, [place] * len(values), marker="o" if honest else "s", linestyle="none", alpha=0.8, **style
            )
        axes.set_yticks(range(len(rows)), [shown_text(name, 36) for name, _, _ in rows])
        axes.tick_params(axis="y", labelsize=8)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.axvline(data.bar, color=INK, lw=1.4)
        axes.annotate(
            f"bar {number(data.bar)}", (data.bar, 1), xycoords=("data", "axes fraction"), xytext=(3, 3),
            textcoords="offset points", fontsize=8.5,
        )  # fmt: skip
        told = "; ".join(f"{name}: {_span(values)}" for name, values, _ in rows)
        description = f"Results by model, and the bar at {number(data.bar)}. {told}."
        return Panel(
            svg_of(figure, data.title, description, prefix), "Filled dots deserve to pass, open squares do not."
        )


def _span(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))}" if values else "no result"
