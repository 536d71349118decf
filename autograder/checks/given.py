"""What a hidden test's `given` returns: inputs that travel to the student's kernel, and answers that stay here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.config import Parameter


class Given:
    """Inputs for a probe, and, beside them, answers that never leave the grader.

    >>> given = Given(x=[1, 2]).keep(total=3)
    >>> given.x, given.total, sorted(given.inputs)
    ([1, 2], 3, ['x'])
    """

    def __init__(self, **inputs: Any) -> None:
        self.inputs: dict[str, Any] = inputs
        self.answers: dict[str, Any] = {}
        self.later: list[dict[str, Any]] = []

    def keep(self, **answers: Any) -> Given:
        """Add answers; they can be read in tests like inputs, and do not travel."""
        self.answers.update(answers)
        return self

    def then(self, **inputs: Any) -> Given:
        """Add a round: the probe runs once more, with these inputs, when its answers so far are beyond its reach.

        For inputs that hold the answers to earlier ones, as the weather of today is the forecast of yesterday.
        """
        self.later.append(inputs)
        return self

    def __getattr__(self, name: str) -> Any:
        for values in (self.__dict__.get("answers", {}), self.__dict__.get("inputs", {})):
            if name in values:
                return values[name]
        raise AttributeError(f"`given` returned nothing named {name!r}")


@dataclass(frozen=True)
class Materials:
    """What the grader knows about a run beside its evidence.

    Attributes:
        profile: name of the profile under which the notebook ran.
        parameters: the values that were injected into the notebook.
        public: the data file that the notebook was given.
        withheld: the data that it never had, in the same format, beginning right after `public` ends.
        origin: where the data come from: "file", "download" or "generated".
        calibration: what `solutions/<assignment>/calibration.json` holds for this profile and origin.
    """

    profile: str
    parameters: Mapping[str, Parameter]
    public: Path | None = None
    withheld: Path | None = None
    origin: str = ""
    calibration: Mapping[str, Any] | None = None
