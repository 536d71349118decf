"""The page that shows a calibration to the instructor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.calibration.rates import Figures, Rate
from autograder.calibration.trials import Trials
from autograder.feedback import Distribution, render_distributions


def render_page(trials: Trials, figures: Sequence[Figures], *, title: str, date: str) -> str:
    """One self-contained page: for each measured check its results by model, the bar and its error rates."""
    facts = [("Profile", trials.profile), ("Data", trials.origin), ("Date", date), *_flat(trials.how)]
    return render_distributions(
        [_distribution(each) for each in figures], title=title, facts=facts, problems=trials.problems
    )


def _distribution(figures: Figures) -> Distribution:
    chosen = f"chosen, `{figures.setting}`" if figures.setting else "set by the hidden test"
    return Distribution(
        title=figures.check.removeprefix("test_").replace("_", " ").capitalize(),
        question=figures.question,
        honest=figures.honest,
        dishonest=figures.dishonest,
        bar=figures.bar,
        facts=(
            ("Bar", f"{figures.bar:.4g}, {chosen}"),
            ("False fails", _told(figures.false_fails)),
            ("False passes", _told(figures.false_passes)),
            (
                "From seed to seed",
                "unknown" if figures.spread is None else f"a standard deviation of {figures.spread:.3g}",
            ),
        ),
    )


def _told(rate: Rate | None) -> str:
    if rate is None:
        return "unknown: there is no such model"
    return f"{rate.rate:.1%} of {rate.n} (between {rate.low:.1%} and {rate.high:.1%})"


def _flat(how: Mapping[str, object]) -> list[tuple[str, str]]:
    rows = []
    for name, value in how.items():
        if isinstance(value, Mapping):
            told = ", ".join(f"{key} {each}" for key, each in value.items())
        elif isinstance(value, list | tuple):
            told = ", ".join(map(str, value))
        else:
            told = str(value)
        rows.append((name.replace("_", " ").capitalize(), told))
    return rows
