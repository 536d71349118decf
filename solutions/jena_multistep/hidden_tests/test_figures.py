"""figure_curves and figure_forecasts: lines, labelled axes with units, a legend."""

import numpy as np

from autograder.checks import Given, as_mapping, expect, has_unit, read_figure

TOPIC = "Week 9, showing forecasts:"


def given():
    return Given()


def probe(student, given):
    import numpy as np
    from matplotlib.figure import Figure

    def numbers(line):
        """The line's values over x, at most 400 of them."""
        try:
            return np.asarray(line.get_ydata(orig=False), dtype=float).ravel()[:400].tolist()
        except Exception:
            return []

    def texts(legend):
        return None if legend is None else [text.get_text() for text in legend.get_texts()]

    def axes_facts(axes):
        marks = [artist for artist in [*axes.collections, *axes.patches] if is_mark(artist)]
        legend = texts(axes.get_legend())
        return {
            "lines": [numbers(line) for line in axes.get_lines()[:60]],
            "other_marks": len(marks),
            "xlabel": axes.get_xlabel(),
            "ylabel": axes.get_ylabel(),
            "title": axes.get_title(),
            "legend": legend,
        }

    def is_mark(artist):
        return type(artist).__name__ in ("PathCollection", "LineCollection", "StepPatch")

    def describe(figure):
        if not isinstance(figure, Figure):
            return {"not_a_figure": type(figure).__name__}
        legends = [text for legend in figure.legends for text in texts(legend)]
        for part in getattr(figure, "subfigs", ()):
            legends += [text for legend in part.legends for text in texts(legend)]
        return {
            "axes": [axes_facts(axes) for axes in figure.axes[:30]],
            "xlabel": figure.get_supxlabel(),
            "ylabel": figure.get_supylabel(),
            "legend": legends or None,
        }

    return {
        "curves": lambda: describe(student.figure_curves),
        "forecasts": lambda: describe(student.figure_forecasts),
        "histories": lambda: dict(student.histories),
    }


def check_lines(value, name):
    figure = read_figure(value, name)
    expect(figure.curves >= 2, f"{name} should show at least two lines.", received=f"{figure.curves}")
    return figure


def check_labels(value, name):
    figure = check_lines(value, name)
    expect(
        figure.xlabels,
        f"{name} should say what runs along its x axis.",
        received="no label",
        hint=f'{TOPIC} `axes.set_xlabel("...")`.',
    )
    expect(
        figure.ylabels,
        f"{name} should say what its y axis shows.",
        received="no label",
        hint=f'{TOPIC} `axes.set_ylabel("...")`.',
    )
    return figure


def check_legend(value, name):
    figure = check_lines(value, name)
    hint = f'{TOPIC} `axes.plot(..., label="...")`, then `axes.legend()`.'
    expect(figure.legend_texts, f"{name} should have a legend.", received="none", hint=hint)


def matches(line, numbers):
    try:
        values = np.asarray(numbers, dtype=float)
    except (TypeError, ValueError):
        return False
    return (
        values.ndim == 1
        and len(values) == len(line) > 0
        and np.allclose(values, line, rtol=1e-3, atol=1e-6, equal_nan=True)
    )


def lines_of_histories(figure, histories):
    """How many of the figure's lines are lists in histories: of training, of validation."""
    drawn = [line for axes in figure.drawn for line in axes.lines]
    lists = {
        (str(model), str(key)): numbers
        for model, history in histories.items()
        if isinstance(history, dict)
        for key, numbers in history.items()
    }
    validation = [numbers for (_, key), numbers in lists.items() if key.startswith("val_")]
    training = [numbers for (_, key), numbers in lists.items() if not key.startswith("val_")]
    return [sum(any(matches(line, numbers) for numbers in group) for line in drawn) for group in (training, validation)]


def test_curves_lines(evidence):
    """figure_curves shows training and validation curves: at least two lines."""
    figure = check_lines(evidence["curves"], "figure_curves")
    if evidence.get_raised("histories") is not None:
        return
    training, validation = lines_of_histories(figure, as_mapping(evidence["histories"], "histories"))
    words = " ".join([*figure.legend_texts, *figure.ylabels, *(axes.title for axes in figure.axes)]).lower()
    hint = "Week 10, training and validation: only the two curves together show overfitting."
    if training >= 2 and not validation:
        expect(
            "val" in words,
            "figure_curves should show validation curves, too.",
            received=f"{training} training curves and no validation curve",
            hint=hint,
        )
    if validation >= 2 and not training:
        expect(
            "train" in words or "fit" in words,
            "figure_curves should show training curves, too.",
            received=f"{validation} validation curves and no training curve",
            hint=hint,
        )


def test_curves_labels(evidence):
    """The axes of figure_curves are labelled."""
    check_labels(evidence["curves"], "figure_curves")


def test_curves_legend(evidence):
    """figure_curves has a legend."""
    check_legend(evidence["curves"], "figure_curves")


def test_forecasts_lines(evidence):
    """figure_forecasts shows the truth and a forecast: at least two lines."""
    check_lines(evidence["forecasts"], "figure_forecasts")


def test_forecasts_labels(evidence):
    """The axes of figure_forecasts are labelled, with units."""
    figure = check_labels(evidence["forecasts"], "figure_forecasts")
    hint = f"{TOPIC} forecasts are in degrees and mbar; the label says so: `temperature (°C)`."
    expect(
        has_unit(figure.ylabels),
        "The y axis of figure_forecasts should have a unit.",
        received=f"the label {figure.ylabels[0]!r}",
        hint=hint,
    )


def test_forecasts_legend(evidence):
    """figure_forecasts has a legend."""
    check_legend(evidence["forecasts"], "figure_forecasts")
