"""The frame of a panel is where matplotlib's constrained layout would put it. Takes about two seconds."""

import io

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from autograder.feedback.framing import DPI, frame
from autograder.feedback.plots import STYLE

GRID = {"colors": "#777777", "alpha": 0.3, "linewidths": 0.6}


def plain(axes):
    axes.plot(range(1, 7), [0.9, 0.5, 0.31, 0.22, 0.2, 0.19], label="loss")
    axes.set(xlabel="epoch", ylabel="loss", title="gru")
    axes.legend()


def large_numbers(axes):
    axes.plot([-170, 0, 60], [1_250_300.5, 1_250_301, 1_250_300.75])
    axes.set(xlabel="minutes from now", ylabel="p (mbar)")


def logarithmic(axes):
    axes.plot([1, 2, 3], [10_000, 30, 1])
    axes.set_yscale("log")
    axes.set(title="diverged", ylabel="loss")


def label_at_the_edge(axes):
    axes.plot([0, 1000], [0, 1])
    axes.set(xlim=(0, 1000), ylim=(0, 1))


def legend_below(axes):
    for name in ("past", "truth", "persistence", "mlp", "gru"):
        axes.plot([0, 1], [1, 2], label=name)
    axes.set(xlabel="minutes from now", ylabel="T (degC)")
    axes.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def text_above(axes):
    axes.plot([0.1, 0.4], [0, 1])
    axes.annotate("bar", (0.3, 1), xycoords=("data", "axes fraction"), xytext=(3, 3), textcoords="offset points")


def framed(fill, *, ours):
    """The axes of a figure after it was written, and the SVG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.2, 2.7), dpi=DPI, layout=None if ours else "constrained")
        axes = figure.add_subplot()
        fill(axes)
        if ours:
            frame(figure, GRID)
        file = io.StringIO()
        FigureCanvasSVG(figure).print_svg(file)
    return axes, file.getvalue()


@pytest.mark.parametrize(
    "fill", [plain, large_numbers, logarithmic, label_at_the_edge, legend_below, text_above], ids=lambda f: f.__name__
)
def test_axes_lie_where_the_constrained_layout_puts_them(fill):
    """Within half a point of it, which nobody sees."""
    (ours, svg), (theirs, expected) = framed(fill, ours=True), framed(fill, ours=False)
    assert ours.get_position().extents * [4.2, 2.7, 4.2, 2.7] * DPI == pytest.approx(
        theirs.get_position().extents * [4.2, 2.7, 4.2, 2.7] * DPI, abs=0.5
    )
    assert texts(svg) == texts(expected)


def texts(svg):
    """Everything that is written, in any order."""
    return sorted(part.partition("</text>")[0].rpartition(">")[2] for part in svg.split("<text")[1:])


def test_ticks_out_of_view_are_left_out():
    def narrow(axes):
        axes.plot([0, 10], [0.1, 0.2])
        axes.set_xticks([0, 3, 4, 9])
        axes.set(xlim=(2.5, 4.5))

    written = set(texts(framed(narrow, ours=True)[1]))
    assert {"3", "4"} <= written
    assert not {"0", "9"} & written


def test_a_power_of_ten_is_written_beside_its_axis():
    """Numbers without it would be wrong by it."""

    def huge(axes):
        axes.plot([0, 3e12], [0, 2e-9])

    written = texts(framed(huge, ours=True)[1])
    assert {"1e12", "1e\N{MINUS SIGN}9"} <= set(written)
    assert written == texts(framed(huge, ours=False)[1])
