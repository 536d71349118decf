"""How each outcome is told: a word, an icon and a tone, so that colour is never the only sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Mark:
    """`icon` names a drawing in icons.html.j2, `tone` a colour in style.css."""

    word: str
    icon: str
    tone: str
    meaning: str


MARKS: Final = {
    "passed": Mark("Passed", "check", "good", "The check passed."),
    "partial": Mark("Partly passed", "half", "warn", "Some checks passed; points are shared by their weights."),
    "failed": Mark("Not yet", "cross", "bad", "The check found something to mend."),
    "limit_exceeded": Mark("Limit exceeded", "clock", "bad", "More time, memory, disk or output than is allowed."),
    "not_assessed": Mark("Not assessed", "dash", "calm", "It could not be assessed here: neither given nor lost."),
    "error": Mark("Needs a person", "flag", "warn", "The grader went wrong. It costs no points; a person looks."),
    "manual": Mark("Hand graded", "pen", "calm", "A person read this and gave the points."),
    "waiting": Mark("Waits for a person", "pen", "calm", "A person reads this; its points come later."),
}
"""Outcomes of questions and checks (see `records`) as readers see them; `waiting` is `manual` without points yet."""
