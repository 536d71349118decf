"""Pictures as inline SVG, each with a text alternative that states its numbers.

Panels are small and many rather than one and crowded: on a phone they stand below each other at full size. Text and
axes take the page's colour (`currentColor`), series differ by colour, line and marker, and colours have a contrast of
at least 3:1 on the page's light and dark grounds. Equal data give equal bytes.
"""

from __future__ import annotations

import io
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MultipleLocator, NullFormatter

from autograder.feedback.framing import DPI, frame
from autograder.feedback.pictures import Bars, Curves, Forecast, ForecastPanel, PictureData, Skill, SkillRow

INK: Final = "#010203"  # stands for the page's text colour until the SVG is written
TRUTH: Final = "#0072b2"
PERSISTENCE: Final = "#7d7d7d"
LOWEST_SKILL: Final = -1.0  # that is drawn: twice the baseline's error
COLOURS: Final = ("#d55e00", "#00916a", "#b65f92", "#8a7400", "#5272d8", "#c0504d")
DASHES: Final = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (3, 1)), (0, (8, 2)))
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
STYLE: Final = {
    "svg.hashsalt": "autograder feedback",  # ids come from this and the content, not from a random number
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",  # alone: matplotlib looks for every family of a list, for every text
    "font.size": 9.5,
    "text.parse_math": False,  # names of models are a student's: a `$` in them is a dollar
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.7,
    "lines.markersize": 4,
}
_METRIC_NAMES: Final = {
    "loss": "Loss",
    "val_loss": "Validation loss",
    "mae": "MAE",
    "val_mae": "Validation MAE",
    "rmse": "RMSE",
    "val_rmse": "Validation RMSE",
}
_NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


NO_NUMBER: Final = "\N{EN DASH}"


@dataclass(frozen=True)
class Panel:
    """One drawing: the SVG (its `<desc>` states the numbers) and the line below it."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Table:
    """The numbers of a picture for readers who want them exact."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    """How many columns from the left are words; the others are numbers and stand right-aligned."""


@dataclass(frozen=True)
class Drawing:
    """A picture, drawn."""

    title: str
    panels: tuple[Panel, ...]
    table: Table | None = None
    note: str = ""


def draw(data: PictureData, prefix: str) -> Drawing:
    """Draw a picture. `prefix` keeps the ids of its parts apart from those of other pictures on the page."""
    with mpl.rc_context(STYLE):
        match data:
            case Curves():
                return _curves(data, prefix)
            case Forecast():
                return _forecast(data, prefix)
            case Skill():
                return _skill(data, prefix)
            case Bars():
                return _bars(data, prefix)


def number(value: float) -> str:
    """Three significant digits, or a dash where there is none."""
    return f"{value:.3g}" if math.isfinite(value) else NO_NUMBER


# --- training curves ---------------------------------------------------------------------------------------------


def _curves(data: Curves, prefix: str) -> Drawing:
    bands = [*data.band["val_loss"].low, *data.band["val_loss"].high] if data.band and "val_loss" in data.band else []
    shown = [history.get(key, []) for history in data.series.values() for key in ("loss", "val_loss")]
    limits = _limits([*itertools.chain(*shown), *bands])
    panels = [
        _curve_panel(name, history, data, limits, f"{prefix}-{index}")
        for index, (name, history) in enumerate(data.series.items())
    ]
    metrics = [key for key in _METRIC_NAMES if any(history.get(key) for history in data.series.values())]
    rows = [
        (name, str(max(map(len, history.values()), default=0)), *(_last(history.get(key, [])) for key in metrics))
        for name, history in data.series.items()
    ]
    columns = ("Model", "Epochs", *(_METRIC_NAMES[key] for key in metrics))
    return Drawing(data.title, tuple(panels), Table(columns, tuple(rows)), "The table shows the last epoch's values.")


def _curve_panel(
    name: str, history: Mapping[str, Sequence[float]], data: Curves, limits: tuple[float, float], prefix: str
) -> Panel:
    figure, axes = new_figure()
    band = data.band.get("val_loss") if data.band else None
    if band:
        epochs = range(1, len(band.low) + 1)
        axes.fill_between(epochs, band.low, band.high, color=PERSISTENCE, alpha=0.3, lw=0, label="reference")
    loss, validation = history.get("loss", []), history.get("val_loss", [])
    for values, label, colour, dash, marker in (
        (loss, "training", COLOURS[0], DASHES[1], "s"),
        (validation, "validation", TRUTH, "-", "o"),
    ):
        axes.plot(range(1, len(values) + 1), values, color=colour, ls=dash, marker=marker, label=label)
    axes.set(xlabel="epoch", ylabel="loss", title=shown_text(name), ylim=limits)
    if limits[0] > 0 and limits[1] / limits[0] > 50:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.get_major_locator().set_params(integer=True)
    _legend(axes)
    reference = ""
    if band and band.low:
        reference = f" The reference's validation loss ends between {number(band.low[-1])} and {number(band.high[-1])}."
    seen = _course("validation loss", validation) if validation else _course("training loss", loss)
    alternative = f"{name}: {_course('training loss', loss)}; {_course('validation loss', validation)}.{reference}"
    return Panel(svg_of(figure, f"Training curves of {name}", alternative, prefix), f"{name}: {seen}.{reference}")


def _course(label: str, values: Sequence[float]) -> str:
    finite = [(value, epoch) for epoch, value in enumerate(values, start=1) if math.isfinite(value)]
    if not finite:
        return f"no finite {label}" if values else f"no {label}"
    least, epoch = min(finite)
    gaps = f", {len(values) - len(finite)} of them not finite" if len(finite) < len(values) else ""
    return (
        f"{label} from {number(values[0])} to {number(values[-1])} over {len(values)} epochs{gaps}, "
        f"lowest {number(least)} in epoch {epoch}"
    )


def _last(values: Sequence[float]) -> str:
    return number(values[-1]) if values else NO_NUMBER


# --- forecasts ---------------------------------------------------------------------------------------------------


def _forecast(data: Forecast, prefix: str) -> Drawing:
    panels = tuple(_forecast_panel(panel, f"{prefix}-{index}") for index, panel in enumerate(data.panels))
    return Drawing(data.title, panels)


def _forecast_panel(panel: ForecastPanel, prefix: str) -> Panel:
    figure, axes = new_figure(height=3.2)
    future = panel.future_minutes
    axes.plot(panel.minutes, panel.past, color=INK, lw=1.3, label="past")
    axes.plot(future, panel.truth, color=TRUTH, marker="o", label="truth")
    axes.plot(future, panel.persistence, color=PERSISTENCE, ls=DASHES[1], label="persistence")
    for index, (name, values) in enumerate(panel.forecasts.items()):
        style = {"color": _pick(COLOURS, index), "ls": _pick(DASHES[2:], index), "marker": _pick(MARKERS[1:], index)}
        axes.plot(future, values, label=shown_text(name, 14), **style)
    axes.axvline(0, color=INK, lw=0.8, ls=":")
    unit = f" ({panel.unit})" if panel.unit and f"({panel.unit})" not in panel.target else ""
    if max(map(abs, panel.minutes), default=0) <= 240:
        axes.xaxis.set_major_locator(MultipleLocator(60))
    axes.set(xlabel="minutes from now", ylabel=shown_text(f"{panel.target}{unit}"))
    _legend(axes, below=True)
    shown = {"truth": panel.truth, "persistence": panel.persistence, **panel.forecasts}
    numbers = "; ".join(f"{name} {', '.join(number(value) for value in values[:12])}" for name, values in shown.items())
    steps = ", ".join(number(minute) for minute in future[:12])
    alternative = f"Forecasts of {panel.target}{unit} for {steps} minutes ahead: {numbers}."
    errors = [f"{name} {number(_mae(values, panel.truth))}" for name, values in shown.items() if name != "truth"]
    caption = f"{panel.target}{unit}, mean absolute error in this window: {', '.join(errors)}."
    return Panel(svg_of(figure, f"Forecast of {panel.target}", alternative, prefix), caption)


def _mae(values: Sequence[float], truth: Sequence[float]) -> float:
    return math.fsum(abs(a - b) for a, b in zip(values, truth, strict=True)) / len(truth) if truth else math.nan


# --- skill and bars ----------------------------------------------------------------------------------------------


def _skill(data: Skill, prefix: str) -> Drawing:
    targets = list(dict.fromkeys(row.target for row in data.rows))
    panels = tuple(
        _skill_panel(target, [row for row in data.rows if row.target == target], f"{prefix}-{index}")
        for index, target in enumerate(targets[:8])
    )
    rows = tuple(
        (row.forecaster, row.target, number(row.mae), number(row.baseline_mae), _signed(row.skill), _interval(row))
        for row in data.rows
    )
    columns = ("Forecaster", "Target", "MAE", "Baseline's MAE", "Skill", "Confidence interval")
    return Drawing(data.title, panels, Table(columns, rows, names=2), data.note)


def _skill_panel(target: str, rows: Sequence[SkillRow], prefix: str) -> Panel:
    figure, axes = new_figure(height=1.15 + 0.34 * len(rows))
    axes.axvline(0, color=PERSISTENCE, ls=DASHES[1], lw=1.3)
    for place, row in enumerate(rows):
        better = math.isfinite(row.low) and row.low > 0
        colour = TRUTH if better else COLOURS[0]
        axes.plot([row.low, row.high], [place, place], color=colour, lw=2.2, marker="|", markersize=8)
        # Filled: better than the baseline with confidence. Hollow: not shown to be.
        inside = colour if better else "none"
        if row.skill < LOWEST_SKILL:
            # So far off that the others would lie on top of each other: an arrow at the edge, and the number.
            axes.plot([LOWEST_SKILL], [place], color=colour, marker="<", markersize=8, mfc="none", mew=1.6)
            axes.annotate(_signed(row.skill), (LOWEST_SKILL, place), (9, -3.5), textcoords="offset points", fontsize=9)
        else:
            axes.plot([row.skill], [place], color=colour, marker="o", markersize=7, mfc=inside, mew=1.6)
    _name_rows(axes, [shown_text(row.forecaster, 16) for row in rows])
    if any(row.skill < LOWEST_SKILL or row.low < LOWEST_SKILL for row in rows):
        axes.set_xlim(left=LOWEST_SKILL - 0.08)
    axes.set(
        xlabel="skill (right of 0: better than the baseline)", title=shown_text(target), ylim=(len(rows) - 0.4, -0.6)
    )
    parts = [f"{row.forecaster} {_signed(row.skill)}, interval {_interval(row)}" for row in rows]
    caption = "Filled: better than the baseline, with confidence. Hollow: not shown to be better."
    if any(row.skill < LOWEST_SKILL for row in rows):
        caption += " Arrow: further to the left than is drawn."
    alternative = f"Skill on {target}: {'; '.join(parts)}."
    return Panel(svg_of(figure, f"Skill on {target}", alternative, prefix), f"{target}. {caption}")


def _interval(row: SkillRow) -> str:
    if not (math.isfinite(row.low) and math.isfinite(row.high)):
        return NO_NUMBER
    return f"{_signed(row.low)} to {_signed(row.high)}"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else NO_NUMBER


def _bars(data: Bars, prefix: str) -> Drawing:
    figure, axes = new_figure(height=0.9 + 0.3 * len(data.rows))
    places = range(len(data.rows))
    axes.barh(places, [row.value for row in data.rows], color=TRUTH, height=0.62)
    _name_rows(axes, [shown_text(row.label, 16) for row in data.rows])
    axes.set(xlabel=shown_text(data.unit), ylim=(len(data.rows) - 0.4, -0.6))
    axes.axvline(0, color=INK, lw=0.8)
    unit = f" {data.unit}" if data.unit else ""
    caption = "; ".join(f"{row.label}: {number(row.value)}{unit * math.isfinite(row.value)}" for row in data.rows)
    return Drawing(data.title, (Panel(svg_of(figure, data.title, f"{caption}.", prefix), f"{caption}."),))


# --- shared ------------------------------------------------------------------------------------------------------


def new_figure(*, height: float = 2.7) -> tuple[Figure, Any]:
    """A figure of a panel's width, in inches, and its axes."""
    figure = Figure(figsize=(4.2, height), dpi=DPI)
    figure.patch.set_alpha(0)
    return figure, figure.add_subplot()


def _legend(axes: Any, *, below: bool = False) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if below:
        axes.figure.legend(handles, labels, loc="outside lower center", ncols=3, handlelength=2.6)
    else:
        axes.legend(handles, labels, handlelength=2.6)


def _name_rows(axes: Any, names: Sequence[str]) -> None:
    """Names beside rows 0, 1, ...; `set_yticks` would make ticks that are never drawn."""
    axes.yaxis.set_major_locator(FixedLocator(range(len(names))))
    axes.yaxis.set_major_formatter(FixedFormatter(names))


def _limits(values: Sequence[float]) -> tuple[float, float]:
    """Common limits of all panels, so that models can be compared by eye; 5 % of room above and below."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if low > 0 and high / low > 50:
        return low / 1.3, high * 1.3
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return low - room, high + room


def _pick(choices: Sequence[Any], index: int) -> Any:
    return choices[index % len(choices)]


def shown_text(text: str, limit: int = 40) -> str:
    """Text for a drawing: only what the font has, no '_' in front (matplotlib would hide it), not too long."""
    text = "".join(character if character.isprintable() and character <= "\u04ff" else "?" for character in text)
    text = f" {text}" if text.startswith("_") else text
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def svg_of(figure: Figure, title: str, description: str, prefix: str) -> Markup:
    """The figure as an `<svg>` element for a page: ids of its own, the page's text colour, a text alternative."""
    file = io.StringIO()
    frame(figure, {"colors": PERSISTENCE, "alpha": 0.3, "linewidths": 0.6})
    FigureCanvasSVG(figure).print_svg(file, metadata=_NO_METADATA)
    markup = file.getvalue()
    body = markup[markup.index("<defs") : markup.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>{prefix}-", body)
    body = re.sub(r"font-family: 'DejaVu Sans'[^;]*", "font-family: inherit", body)
    body = re.sub(r"\s*\n\s*", "\n", body).replace(INK, "currentColor")
    width, height = (round(72 * inches) for inches in figure.get_size_inches())
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        'viewBox="0 0 {w} {h}" aria-labelledby="{p}-title {p}-desc">'
        '<title id="{p}-title">{t}</title><desc id="{p}-desc">{d}</desc>'
    ).format(w=width, h=height, p=prefix, t=title, d=description)
    return head + Markup(body) + Markup("</svg>")  # noqa: S704 - matplotlib escapes the text that it draws
