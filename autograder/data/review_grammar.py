"""Film reviews from a small grammar in which word order matters: a stand-in for the IMDB reviews, seeded.

Every opinion is a template with places for praise, `{g}`, and for blame, `{b}`; a negative opinion is the same template
with the two exchanged. *Plain* templates name praise alone, *negated* ones deny blame ("not bad"), and *weighing* ones
hold both, so that their two readings have the very same words: "good, not bad at all" and "bad, not good at all". A
bag of words sees plain opinions, is misled by negated ones and learns nothing from weighing ones; who reads in order
understands all three. Most opinions of a review agree with its label, and between them stand sentences that say
nothing.

Like the real reviews these have HTML line breaks, capitals, accents, apostrophes, words that come once, and now and
then a review that stands twice.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from autograder.data.dataset import check_seed
from autograder.data.review_schema import NEGATIVE, POSITIVE, Review, write_reviews
from autograder.errors import DataError

GENERATOR_VERSION = 1  # raise it whenever the same seed would give other reviews
DEFAULT_ROWS = 8_000
MOST_ROWS = 200_000

_AGREEMENT = 0.85  # the share of opinions that agree with the label, before the majority is made to
_OPINIONS = (3, 8)  # from, below
_REPEATED = 0.008  # as in the 50,000 real ones

_PLAIN = (
    "{Aspect} is {g}.", "{Aspect} is really {g}.", "I found {aspect} {g}.", "What a {g} film!",
    "{Aspect} felt {g} to me.", "{Aspect} stays {g} until the end.", "Simply {g}!",
    "My friends called {aspect} {g}, and so do I.",
)  # fmt: skip
_NEGATED = (
    "{Aspect} is not {b}.", "{Aspect} isn't {b}.", "I would not call {aspect} {b}.", "{Aspect} is never {b}.",
    "Nothing about {aspect} is {b}.", "I didn't find {aspect} {b} for a minute.", "NOT {b}, whatever they say.",
)  # fmt: skip
_WEIGHING = (
    "{Aspect} is {g}, not {b} at all.", "{Aspect} isn't {b}, it's {g}.", "{Aspect} is more {g} than {b}.",
    "I expected something {b} and got something {g}.", "It starts {b} and ends {g}.",
    "Far from {b}: {aspect} is {g}.", "What seems {b} at first turns out {g}.", "They said {b}; I say {g}.",
    "{Aspect}: not {b} but {g}.", "{Aspect} was {b} in the book, here it is {g}.",
    "From {b} to {g} within {number} minutes!",
)  # fmt: skip
_FILLERS = (
    "I saw it {place} {when}.", "The story is set in {town} in {year}.", "It runs for {number} minutes.",
    "{Role} meets {role} {place}.", "{Role} has lost {thing}, and {role} knows where it is.",
    "Then {role} finds {thing} {place}.", "It is called {title}.", "{Role} comes from {town}.",
    "It was filmed near {town}.", "The director also made {title} in {year}.", "{Title} was shown {when}, too.",
    "There is a scene {place} with {role} and {thing}.", "My fiancée had read the book {when}.",
    "We had coffee in a café and talked about {role}.", "I've seen {title} twice.", "It's in black and white.",
    "{Role} doesn't say a word for {number} minutes.", "In the end {role} leaves with {role}.",
    "The music is by the composer of {title}.", "{Role} is played by someone whom I know from {title}.",
)  # fmt: skip
_PRAISE = (
    "good", "great", "wonderful", "clever", "moving", "funny", "charming", "brilliant", "beautiful", "gripping",
    "fresh", "honest", "touching", "witty", "superb", "thrilling", "elegant", "subtle", "inspired",
    "delightful",
)  # fmt: skip
_BLAME = (
    "bad", "boring", "awful", "silly", "dull", "stupid", "slow", "terrible", "ugly", "predictable", "stale",
    "fake", "clumsy", "lame", "dreadful", "tedious", "crude", "shallow", "tired", "annoying",
)  # fmt: skip
_ASPECTS = (
    "the acting", "the plot", "the story", "the ending", "the script", "the dialogue", "the music",
    "the camera work", "the pacing", "the cast", "the humour", "the first half", "the second half", "the lead",
    "the editing", "the score", "the atmosphere", "the villain", "the twist", "the soundtrack", "the direction",
    "the love story", "the décor",
)  # fmt: skip
_ROLES = (
    "the detective", "a young nurse", "the pilot", "an old sailor", "the twins", "a naïve student", "the baker",
    "her brother", "the judge", "a stranger", "the mayor", "his neighbour", "the pianist", "a spy",
    "the farmer's wife", "the robot",
)  # fmt: skip
_PLACES = (
    "in a small town", "on a train", "at the harbour", "in the desert", "under the bridge", "in the library",
    "on an island", "at night", "in a hotel", "in the kitchen", "on the roof", "in space", "at the station",
    "in the rain", "in a museum",
)  # fmt: skip
_THINGS = (
    "a letter", "the key", "an old photograph", "the money", "a violin", "the map", "a suitcase", "the diary",
    "a red coat", "the dog", "a ring", "the last ticket", "a telescope", "the recipe", "a broken clock",
    "the painting",
)  # fmt: skip
_WHEN = ("last night", "years ago", "on Sunday", "as a child", "at a festival", "on TV", "yesterday", "twice")
_TITLE_FIRST = (
    "Silent", "Crimson", "Last", "Hidden", "Northern", "Paper", "Electric", "Borrowed", "Golden", "Winter",
    "Second", "Glass", "Distant", "Hollow", "Burning", "Velvet", "Broken", "Midnight", "Salt", "Wandering",
    "Invisible", "Twelfth",
)  # fmt: skip
_TITLE_SECOND = (
    "Harbour", "Orchard", "Letters", "Sky", "Bridge", "Garden", "Signal", "Hours", "Machine", "River",
    "Witness", "Island", "Promise", "Station", "Mirror", "Summer", "Shadows", "Voyage", "Theatre", "Lighthouse",
    "Carnival", "Frontier",
)  # fmt: skip
_TOWN = (
    ("Var", "Bel", "Os", "Kar", "Lin", "Mor", "Tre", "Ash", "Hal", "Nor", "Pel", "Gra", "Sand", "Win", "El", "Dun"),
    ("a", "en", "i", "o", "er", "u", "al", "in", "or", "an"),
    ("holm", "bury", "ford", "stead", "dale", "mouth", "wick", "haven", "berg", "ville", "ton", "by"),
)
_WORDS = {"aspect": _ASPECTS, "role": _ROLES, "place": _PLACES, "thing": _THINGS, "when": _WHEN}
_NUMBERS = {"number": (3, 200), "year": (1920, 2010)}  # from, below
_PLACE = re.compile(r"\{(\w+)\}")
_OPINION_KINDS = (_PLAIN, _NEGATED, _WEIGHING)
_KIND_SHARES = (0.48, 0.13, 0.39)

_Choice = TypeVar("_Choice")


def write_generated_reviews(destination: Path, *, rows: int, seed: int) -> Path:
    """Write `rows` generated reviews as JSON lines (`text`, `label`), atomically, and return `destination`.

    The same rows and seed give the same file. Raises `DataError` for fewer reviews than one or too many, a negative
    seed, or a folder that cannot be written.
    """
    return write_reviews(destination, generate_reviews(rows, seed))


def generate_reviews(rows: int, seed: int) -> list[Review]:
    """`rows` reviews of 20 to 130 words, about half of them positive, some of them repeated."""
    if not 1 <= rows <= MOST_ROWS:
        raise DataError(f"The grammar writes 1 to {MOST_ROWS:,} reviews; received: {rows}")
    check_seed(seed)
    author = _Author(np.random.default_rng(seed))
    reviews: list[Review] = []
    for _ in range(rows):
        repeated = bool(reviews) and author.chance(_REPEATED)
        reviews.append(author.one_of(reviews) if repeated else author.review())
    return reviews


class _Author:
    """Writes one review after another from a random generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        frequency = 1.0 / np.arange(1, len(_PRAISE) + 1) ** 0.7  # few words are common and many rare
        self._frequency = frequency / frequency.sum()

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self._rng.random() < probability)

    def one_of(self, choices: Sequence[_Choice]) -> _Choice:
        """One of them, all equally likely."""
        return choices[int(self._rng.integers(len(choices)))]

    def review(self) -> Review:
        """A positive or a negative review; most of its opinions say which."""
        label = POSITIVE if self.chance(0.5) else NEGATIVE
        opinions = int(self._rng.integers(*_OPINIONS))
        agreeing = 0
        while 2 * agreeing <= opinions:
            agreeing = int(self._rng.binomial(opinions, _AGREEMENT))
        sentences = [self._opinion(positive=(label == POSITIVE) == (i < agreeing)) for i in range(opinions)]
        sentences += [self._filled(self.one_of(_FILLERS)) for _ in range(int(self._rng.integers(2, 8)))]
        order = self._rng.permutation(len(sentences))
        text = " ".join(sentences[i] for i in order)
        return Review(text=self._typeset(text), label=label)

    def _opinion(self, *, positive: bool) -> str:
        kind = self._rng.choice(len(_OPINION_KINDS), p=_KIND_SHARES)
        good, bad = self._adjective(_PRAISE), self._adjective(_BLAME)
        praise, blame = (good, bad) if positive else (bad, good)
        return self._filled(self.one_of(_OPINION_KINDS[kind]), g=praise, b=blame)

    def _adjective(self, words: Sequence[str]) -> str:
        return words[int(self._rng.choice(len(words), p=self._frequency))]

    def _filled(self, template: str, **adjectives: str) -> str:
        """Each place of the template filled anew; a place in a capital letter starts a sentence."""
        return _PLACE.sub(lambda found: self._word_for(found.group(1), adjectives), template)

    def _word_for(self, place: str, adjectives: Mapping[str, str]) -> str:
        if place in adjectives:
            return adjectives[place]
        if place.lower() == "title":
            return f"'{self.one_of(_TITLE_FIRST)} {self.one_of(_TITLE_SECOND)}'"
        if place == "town":  # of many, so that most come once or twice
            return "".join(self.one_of(part) for part in _TOWN)
        if place in _NUMBERS:
            return str(self._rng.integers(*_NUMBERS[place]))
        word = self.one_of(_WORDS[place.lower()])
        return word if place.islower() else word[0].upper() + word[1:]

    def _typeset(self, text: str) -> str:
        """Paragraphs and exclamations, as people write them on the web."""
        if self.chance(0.5):
            text = text.replace(". ", ".<br /><br />", 1)
        return text.replace("!", "!!!") if self.chance(0.1) else text
