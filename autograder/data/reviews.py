"""Where the film reviews come from, and which of them the notebook never gets.

In this order: a local file of JSON lines, the official download, generated reviews. The real ones are those of A. L.
Maas and others, "Learning Word Vectors for Sentiment Analysis", ACL 2011: 25,000 for training and 25,000 for testing,
of other films (https://ai.stanford.edu/~amaas/data/sentiment/).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from autograder.data.dataset import (
    DataSet,
    Origin,
    Place,
    check_fraction,
    check_seed,
    digest_of_file,
    local_file,
    place_of,
)
from autograder.data.review_archive import OFFICIAL, ReviewArchive, fetch_reviews
from autograder.data.review_grammar import DEFAULT_ROWS, GENERATOR_VERSION, generate_reviews
from autograder.data.review_schema import NEGATIVE, POSITIVE, TEST, TRAIN, Review, read_reviews, write_reviews
from autograder.errors import DataError

REVIEWS_VARIABLE = "AUTOGRADER_REVIEWS_JSONL"
FEWEST_PUBLIC, FEWEST_WITHHELD = 100, 40
_FILE_NAME = "reviews.jsonl"
_BLOCK = 50  # reviews within which the labels are balanced as in the whole


@dataclass(frozen=True)
class _Share:
    """How many reviews are used (None: all of them), which fraction of that is withheld, and the seed of the order."""

    rows: int | None
    withheld_fraction: float
    seed: int


def provide_reviews(
    *,
    path: Path | None,
    download: bool,
    rows: int | None,
    withheld_fraction: float,
    seed: int,
    cache: Path,
    archive: ReviewArchive = OFFICIAL,
) -> DataSet:
    """Reviews in two parts: from `path` or the file named by AUTOGRADER_REVIEWS_JSONL, else the download, else made.

    Both files are JSON lines with `text` and `label` (1 for positive), shuffled with the seed; every beginning of them
    is about as balanced as the whole. `rows` counts both parts (None: all there are; of generated reviews 8,000), and
    `withheld_fraction` of them is withheld. Where every review of a file says its official part, the public ones are of
    the training part and the withheld ones of the test part; then, without `rows`, both parts are used whole. No
    withheld text is public; repeated ones are left out there, so that a few less may be withheld.

    The files lie under `cache` by everything that determines them: later calls hash them and parse nothing, and calls
    from several processes at once are safe. Who knows the seed can generate the withheld part of generated reviews, so
    no description tells it.

    Raises `DataError` for a file that holds no reviews, a download that fails, and too few reviews or but one label.
    """
    check_fraction(withheld_fraction)
    check_seed(seed)
    share = _Share(rows, withheld_fraction, seed)
    if rows is not None:
        _check_lengths(rows - round(rows * withheld_fraction), round(rows * withheld_fraction), f"rows={rows}")
    if local := local_file(path, REVIEWS_VARIABLE):
        return _from_file(local, "file", f"the file {local.name}", share, cache)
    if download:
        fetched = fetch_reviews(archive, cache / "downloads")
        return _from_file(fetched, "download", f"the official archive {archive.name}", share, cache)
    share = _Share(DEFAULT_ROWS if rows is None else rows, withheld_fraction, seed)
    place = place_of("reviews", "generated", cache, _FILE_NAME, **asdict(share), version=GENERATOR_VERSION)
    return place.stored() or _cut(
        generate_reviews(share.rows or DEFAULT_ROWS, seed), "generated from a grammar", share, place
    )


def _from_file(path: Path, origin: Origin, name: str, share: _Share, cache: Path) -> DataSet:
    digest = digest_of_file(path, "review file")
    place = place_of("reviews", origin, cache, _FILE_NAME, **asdict(share), name=path.name, digest=digest)
    return place.stored() or _cut(read_reviews(path), name, share, place)


def _cut(reviews: Sequence[Review], name: str, share: _Share, place: Place) -> DataSet:
    rng = np.random.default_rng(share.seed)
    parts = {part: [review for review in reviews if review.split == part] for part in (TRAIN, TEST)}
    official = all(parts.values()) and sum(map(len, parts.values())) == len(reviews)
    if official:
        public, candidates = _mixed(parts[TRAIN], rng), _mixed(parts[TEST], rng)
        if share.rows is not None:
            wanted = round(share.rows * share.withheld_fraction)
            public, candidates = public[: share.rows - wanted], candidates[:wanted]
    else:
        mixed = _mixed(reviews, rng)[: share.rows]
        kept = len(mixed) - round(len(mixed) * share.withheld_fraction)
        public, candidates = mixed[:kept], mixed[kept:]
    withheld = _unseen(candidates, public)
    _check_lengths(len(public), len(withheld), name)
    _check_labels(public, withheld, name)
    write_reviews(place.public, public)
    write_reviews(place.withheld, withheld)
    of_what = " of the official test part" if official else ""
    return place.vouch(
        f"Film reviews, {name}: {len(public):,} for the notebook ({_positive(public):,} positive), "
        f"{len(withheld):,} others{of_what} ({_positive(withheld):,} positive) withheld from it."
    )


def _mixed(reviews: Sequence[Review], rng: np.random.Generator) -> list[Review]:
    """All reviews in a random order, in which every block has the labels in the shares of the whole."""
    places = np.empty(len(reviews))
    labels = np.array([review.label for review in reviews])
    for label in (NEGATIVE, POSITIVE):
        of_label = rng.permutation(np.flatnonzero(labels == label))
        places[of_label] = (np.arange(len(of_label)) + 0.5) / max(len(of_label), 1)
    spread = np.argsort(places, kind="stable")
    blocks = [rng.permutation(spread[start : start + _BLOCK]) for start in range(0, len(spread), _BLOCK)]
    return [reviews[i] for block in blocks for i in block]


def _unseen(candidates: Sequence[Review], public: Sequence[Review]) -> list[Review]:
    """The candidates whose text is not public, each text once."""
    known = {review.text for review in public}
    unseen = {review.text: review for review in candidates if review.text not in known}
    return list(unseen.values())


def _positive(reviews: Sequence[Review]) -> int:
    return sum(review.label for review in reviews)


def _check_lengths(public: int, withheld: int, what: str) -> None:
    if public < FEWEST_PUBLIC or withheld < FEWEST_WITHHELD:
        raise DataError(
            f"Too few reviews: the notebook needs {FEWEST_PUBLIC} and the judge {FEWEST_WITHHELD} that it has "
            f"not seen; {what} gives: {public:,} and {withheld:,}"
        )


def _check_labels(public: Sequence[Review], withheld: Sequence[Review], what: str) -> None:
    for part, reviews in (("public", public), ("withheld", withheld)):
        if _positive(reviews) in {0, len(reviews)}:
            raise DataError(
                f"The {part} reviews have but one label, so that nothing can be learned or judged; {what} gives: "
                f"{_positive(reviews):,} positive of {len(reviews):,}"
            )
