"""The numbers behind a question's pictures, validated before anything is drawn.

A `records.Picture` is plain JSON from hidden tests, and parts of it (names of models, histories) are a student's. Each
kind has a model here; what does not fit it is told as one sentence in place of the picture.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from autograder.errors import ReportError
from autograder.feedback.sanitise import plain_text
from autograder.records import Picture

LARGEST_NUMBER = 1e12


def _finite_or_nan(value: object) -> object:
    """None, infinities and numbers that no axis can show become NaN: a gap in the curve."""
    if value is None or (isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER):
        return math.nan
    return value


def _one_line(text: str) -> str:
    return " ".join(plain_text(text).split())[:60] or "(no name)"


def _heading(text: str) -> str:
    return " ".join(plain_text(text).split())[:160]


def _unit(text: str) -> str:
    return " ".join(plain_text(text).split())[:20]


Number = Annotated[float, BeforeValidator(_finite_or_nan)]
Numbers = Annotated[list[Number], Field(max_length=5000)]
Name = Annotated[str, AfterValidator(_one_line)]
Title = Annotated[str, AfterValidator(_heading)]
Unit = Annotated[str, AfterValidator(_unit)]


class Range(BaseModel):
    """The reference's range, value by value."""

    low: Numbers
    high: Numbers

    @model_validator(mode="after")
    def _as_long(self) -> Range:
        if len(self.low) != len(self.high):
            raise ValueError(f"low and high differ in length: {len(self.low)} and {len(self.high)}")
        return self


class Curves(BaseModel):
    """Training curves: per model, per metric, one value per epoch."""

    title: Title = "Training curves"
    series: Annotated[dict[Name, dict[str, Numbers]], Field(min_length=1, max_length=12)]
    band: dict[str, Range] | None = None


class ForecastPanel(BaseModel):
    """One window of one target. Times in minutes from the last input; values in the target's unit."""

    target: Name
    unit: Unit = ""
    minutes: Numbers
    past: Numbers
    future_minutes: Numbers
    truth: Numbers
    persistence: Numbers
    forecasts: Annotated[dict[Name, Numbers], Field(max_length=12)]

    @model_validator(mode="after")
    def _as_long(self) -> ForecastPanel:
        if len(self.minutes) != len(self.past):
            raise ValueError(f"{len(self.minutes)} times for {len(self.past)} past values")
        future = {"truth": self.truth, "persistence": self.persistence, **self.forecasts}
        for name, values in future.items():
            if len(values) != len(self.future_minutes):
                raise ValueError(f"{len(self.future_minutes)} times for {len(values)} values of {name}")
        return self


class Forecast(BaseModel):
    """Forecasts against truth and persistence."""

    title: Title = "Forecasts"
    panels: Annotated[list[ForecastPanel], Field(min_length=1, max_length=8)]


class SkillRow(BaseModel):
    """One forecaster on one target: `skill` is 1 - mae / baseline_mae, `low` and `high` its confidence interval."""

    forecaster: Name
    target: Name
    mae: Number
    baseline_mae: Number
    skill: Number
    low: Number = math.nan
    high: Number = math.nan


class Skill(BaseModel):
    """Skill scores against a baseline."""

    title: Title = "Skill against the baseline"
    rows: Annotated[list[SkillRow], Field(min_length=1, max_length=60)]
    note: str = ""


class Bar(BaseModel):
    """One bar."""

    label: Name
    value: Number


class Bars(BaseModel):
    """Numbers to compare by length."""

    title: Title = "Comparison"
    unit: Unit = ""
    rows: Annotated[list[Bar], Field(min_length=1, max_length=40)]


PictureData = Curves | Forecast | Skill | Bars
KINDS: dict[str, type[Curves | Forecast | Skill | Bars]] = {
    "curves": Curves,
    "forecast": Forecast,
    "skill": Skill,
    "bars": Bars,
}


def read_picture(picture: Picture) -> PictureData:
    """The picture's numbers.

    Raises:
        ReportError: the kind is unknown, or the data do not have its shape.
    """
    kind = KINDS.get(picture.kind)
    if kind is None:
        raise ReportError(f"A picture must be one of {', '.join(KINDS)}. Received: {picture.kind[:60]!r}")
    try:
        return kind.model_validate(picture.data)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(part)[:60] for part in first["loc"]) or "data"
        message = first["msg"].removeprefix("Value error, ")[:200]
        raise ReportError(f"The picture {picture.kind!r} cannot be drawn: {place}: {message}") from error
