"""The frame of a small panel: its place in the figure, grid, ticks and labels, as few lines and texts.

Matplotlib's own axes and its constrained layout measure every tick label about eight times before a figure is drawn,
which is three quarters of what a panel costs, and a class has thousands of panels. Here locators, formatters, legend
and everything inside the frame are matplotlib's, each label is measured once and remembered, and the frame looks the
same: tests compare its place with that of the constrained layout.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform

DPI: Final = 72  # an SVG's own: all lengths here are points
_PAD: Final = 3.0  # around everything, as in matplotlib's constrained layout
_POWER_PAD: Final = 3.0  # between an axis and the power of ten that its numbers are multiples of
_EDGE: Final = 1e-9
_TICKS_CHANGE: Final = 2  # passes: other room can have other ticks, and they other labels
_X_LABELS: Final = {"ha": "center", "va": "top"}
_Y_LABELS: Final = {"ha": "right", "va": "center_baseline"}
_X_POWER: Final = {"ha": "right", "va": "top"}
_Y_POWER: Final = {"ha": "left", "va": "baseline"}
_X_NAME: Final = {"ha": "center", "va": "top", "rotation": 0}
_Y_NAME: Final = {"ha": "center", "va": "bottom", "rotation": 90, "rotation_mode": "anchor"}
_TITLE: Final = {"ha": "center", "va": "baseline"}


@dataclass(frozen=True)
class _Label:
    """A text and its anchor in points, from the lower left corner of the axes."""

    text: str
    x: float
    y: float
    size: float
    how: tuple[tuple[str, Any], ...]

    @classmethod
    def at(cls, x: float, y: float, text: str, size: float, how: dict[str, Any]) -> _Label:
        return cls(text, x, y, size, tuple(how.items()))

    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top."""
        left, bottom, right, top = _box(self.text, self.size, self.how)
        return self.x + left, self.y + bottom, self.x + right, self.y + top


@lru_cache(maxsize=4096)
def _box(text: str, size: float, how: tuple[tuple[str, Any], ...]) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a text, in points from its anchor."""
    artist = Text(0, 0, text, fontsize=size, figure=_nowhere(), **dict(how))
    artist.set_transform(IdentityTransform())
    extent = artist.get_window_extent(_measuring())
    return float(extent.x0), float(extent.y0), float(extent.x1), float(extent.y1)


@cache
def _nowhere() -> Figure:
    return Figure(dpi=DPI)


@cache
def _measuring() -> RendererSVG:
    """Knows how large texts are, as the one that writes the file; it remembers them, as that one cannot."""
    return RendererSVG(1, 1, io.StringIO())


def frame(figure: Figure, grid: dict[str, Any]) -> None:
    """Place the figure's only axes, and draw its frame in place of matplotlib's own.

    Args:
        figure: of `DPI`; whatever is inside the axes is drawn already, its labels and title are set.
        grid: colour and width of grid lines, as `LineCollection` takes them.
    """
    (axes,) = figure.axes
    width, height = (DPI * inches for inches in figure.get_size_inches())
    for _ in range(_TICKS_CHANGE):
        left, bottom, right, top = _room(axes, figure, list(_labels(axes)))
        axes.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))
    _draw(axes, list(_labels(axes)), grid)


def _labels(axes: Any) -> Iterator[_Label]:
    """Tick labels, powers of ten, axis labels and title."""
    reach = mpl.rcParams["xtick.major.size"] + mpl.rcParams["xtick.major.pad"]
    wide, high = axes.bbox.width, axes.bbox.height
    usual = mpl.rcParams["xtick.labelsize"]
    x_size, y_size = (_points(axis.get_tick_params().get("labelsize", usual)) for axis in (axes.xaxis, axes.yaxis))
    x = [_Label.at(place, -reach, text, x_size, _X_LABELS) for place, text in _ticks(axes, axes.xaxis)]
    y = [_Label.at(-reach, place, text, y_size, _Y_LABELS) for place, text in _ticks(axes, axes.yaxis)]
    yield from (*x, *y)
    below = min([-reach, *(label.box()[1] for label in x)])
    beside = min([-reach, *(label.box()[0] for label in y)])
    if power := axes.xaxis.get_major_formatter().get_offset():
        yield _Label.at(wide, below - _POWER_PAD, power, x_size, _X_POWER)
    if power := axes.yaxis.get_major_formatter().get_offset():
        yield _Label.at(0, high + _POWER_PAD, power, y_size, _Y_POWER)
    gap, size = mpl.rcParams["axes.labelpad"], _points(mpl.rcParams["axes.labelsize"])
    if name := axes.get_xlabel():
        yield _Label.at(wide / 2, below - gap, name, size, _X_NAME)
    if name := axes.get_ylabel():
        yield _Label.at(beside - gap, high / 2, name, size, _Y_NAME)
    if title := axes.get_title():
        above = high + mpl.rcParams["axes.titlepad"]
        yield _Label.at(wide / 2, above, title, _points(mpl.rcParams["axes.titlesize"]), _TITLE)


def _points(size: Any) -> float:
    """A size of the style sheet in points."""
    return float(Text(fontsize=size).get_fontsize())


def _ticks(axes: Any, axis: Any) -> Iterator[tuple[float, str]]:
    """Where on the axis, in points, and what is written there."""
    places = axis.get_majorticklocs()
    texts = axis.get_major_formatter().format_ticks(places)
    for place, text in zip(_on_axis(axes, axis, places), texts, strict=True):
        if place is not None:
            yield place, text


def _on_axis(axes: Any, axis: Any, values: Iterable[float]) -> list[float | None]:
    """Values as points along the axis; None for those out of view."""
    values = np.asarray(list(values), dtype=float)
    nought = np.zeros(len(values))
    if axis is axes.xaxis:
        along = axes.get_xaxis_transform().transform(np.column_stack([values, nought]))[:, 0] - axes.bbox.x0
        length = axes.bbox.width
    else:
        along = axes.get_yaxis_transform().transform(np.column_stack([nought, values]))[:, 1] - axes.bbox.y0
        length = axes.bbox.height
    return [float(each) if -_EDGE * length <= each <= length * (1 + _EDGE) else None for each in along]


def _room(axes: Any, figure: Figure, labels: Iterable[_Label]) -> tuple[float, float, float, float]:
    """What has to be left free at the left, bottom, right and top, in points."""
    wide, high = axes.bbox.width, axes.bbox.height
    boxes = [(0.0, 0.0, wide, high)]
    for label in labels:
        left, bottom, right, top = label.box()
        # As the constrained layout has it: titles and names of axes may be longer than the axes without moving them.
        if label.how in {tuple(_TITLE.items()), tuple(_X_NAME.items())}:
            left = right = wide / 2
        if label.how == tuple(_Y_NAME.items()):
            bottom = top = high / 2
        boxes.append((left, bottom, right, top))
    origin = axes.bbox.x0, axes.bbox.y0
    for text in axes.texts:
        extent = text.get_window_extent(_measuring()).translated(-origin[0], -origin[1])
        boxes.append((extent.x0, extent.y0, extent.x1, extent.y1))
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    below = sum(legend.get_window_extent(_measuring()).height + 2 * _PAD for legend in figure.legends)
    return _PAD - min(lefts), _PAD - min(bottoms) + below, _PAD + max(rights) - wide, _PAD + max(tops) - high


def _draw(axes: Any, labels: Iterable[_Label], grid: dict[str, Any]) -> None:
    """Grid, spines, ticks and labels, in points of the figure."""
    box: Bbox = axes.bbox
    x = [box.x0 + place for place, _ in _ticks(axes, axes.xaxis)]
    y = [box.y0 + place for place, _ in _ticks(axes, axes.yaxis)]
    minor_x = [box.x0 + place for place in _on_axis(axes, axes.xaxis, axes.xaxis.get_minorticklocs()) if place]
    minor_y = [box.y0 + place for place in _on_axis(axes, axes.yaxis, axes.yaxis.get_minorticklocs()) if place]
    major, minor = mpl.rcParams["xtick.major.size"], mpl.rcParams["xtick.minor.size"]
    ink, weight = mpl.rcParams["axes.edgecolor"], mpl.rcParams["axes.linewidth"]

    def lines(segments: list[Any], zorder: float, **how: Any) -> None:
        made = LineCollection(segments, transform=IdentityTransform(), zorder=zorder, clip_on=False, **how)
        axes.add_collection(made, autolim=False)

    across = [[(place, box.y0), (place, box.y1)] for place in x]
    lines([*across, *([(box.x0, place), (box.x1, place)] for place in y)], 0.5, **grid)
    ticks = [[(place, box.y0), (place, box.y0 - major)] for place in x]
    ticks += [[(box.x0, place), (box.x0 - major, place)] for place in y]
    ticks += [[(place, box.y0), (place, box.y0 - minor)] for place in minor_x]
    ticks += [[(box.x0, place), (box.x0 - minor, place)] for place in minor_y]
    spines = [[(box.x0, box.y0), (box.x0, box.y1)], [(box.x0, box.y0), (box.x1, box.y0)]]
    lines([*ticks, *spines], 2.5, colors=ink, linewidths=weight)
    for label in labels:
        place = box.x0 + label.x, box.y0 + label.y
        axes.text(*place, label.text, fontsize=label.size, transform=IdentityTransform(), **dict(label.how))
    axes.set_title("", y=1.0)  # with a place of its own, nobody looks for one
    axes.set_axis_off()
