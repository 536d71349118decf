"""`calibration.json`: what hidden tests read, by profile, origin of the data and question.

{"<profile>": {"<origin>": {"<question>": {
    "<setting>": 0.45,                       the bars that were chosen
    "spread": {"<check>": 0.03},             from seed to seed; near a bar, a notebook is run again
    "band": {"val_loss": {...}},             range of the solution's training curves
    "checks": {"<check>": {"bar", "honest", "dishonest", "false_fails", "false_passes"}},
    "how": {...}}}}}                         seeds, notebooks, parameters, data, versions, date
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder import atomic
from autograder.calibration.rates import Figures
from autograder.calibration.trials import Trials
from autograder.errors import CalibrationError

DIGITS = 4


def write_calibration(path: Path, trials: Trials, figures: Sequence[Figures], *, date: str) -> None:
    """Put the entry of this profile and origin into the file; other entries stay as they are.

    Raises:
        CalibrationError: the file that is there cannot be read.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise CalibrationError(f"{path.name} is not JSON; mend or remove it: {error}. Received: {path}") from error
    origins = whole.setdefault(trials.profile, {})
    entry = origins.setdefault(trials.origin, {})
    for question, fresh in entries_of(trials, figures, date=date).items():
        entry[question] = fresh
    atomic.write(path, _compact(json.dumps(whole, indent=1, sort_keys=True)) + "\n")


def entries_of(trials: Trials, figures: Sequence[Figures], *, date: str) -> dict[str, dict[str, Any]]:
    """The entry of each question that is measured, or whose curves are shown."""
    found: dict[str, dict[str, Any]] = {}
    how = {**trials.how, "date": date}
    for each in figures:
        entry = found.setdefault(each.question, {"spread": {}, "checks": {}, "how": how})
        if each.setting:
            entry[each.setting] = each.bar
        if each.spread is not None:
            entry["spread"][each.check] = each.spread
        entry["checks"][each.check] = {
            "bar": each.bar,
            "honest": _rounded(each.honest),
            "dishonest": _rounded(each.dishonest),
            "false_fails": asdict(each.false_fails) if each.false_fails else None,
            "false_passes": asdict(each.false_passes) if each.false_passes else None,
        }
    for question, curves in trials.curves.items():
        found.setdefault(question, {"how": how})["band"] = {"val_loss": band_of(curves)}
    return found


def band_of(curves: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Lowest and highest value of curves, epoch by epoch; a training that stopped early keeps its last value."""
    epochs = max(map(len, curves))
    filled = [[*curve, *[curve[-1]] * (epochs - len(curve))] for curve in curves]
    columns = list(zip(*filled, strict=True))
    return {"low": [round(min(each), 5) for each in columns], "high": [round(max(each), 5) for each in columns]}


def _rounded(values: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    return {model: [round(value, DIGITS) for value in each] for model, each in values.items()}


def _compact(text: str) -> str:
    """Lists of numbers and short texts on one line each, so that a person can read the file."""
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda found: "[" + re.sub(r",\s+", ", ", found[1]) + "]", text)
