"""One door to all data sources: what an assignment's configuration asks for, as a `DataSet`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from autograder.config import DataSettings, JenaData, ReviewsData, ScenesData
from autograder.data.dataset import DataSet
from autograder.data.jena import provide_jena
from autograder.data.review_grammar import DEFAULT_ROWS as DEFAULT_REVIEWS
from autograder.data.review_grammar import write_generated_reviews
from autograder.data.reviews import provide_reviews
from autograder.data.scene_drawing import DEFAULT_ROWS as DEFAULT_SCENES
from autograder.data.scene_drawing import write_generated_scenes
from autograder.data.scenes import provide_scenes
from autograder.data.weather import YEAR_ROWS, write_generated_station


@dataclass(frozen=True)
class Generator:
    """A source's stand-in: `write(destination, rows, seed)` writes so many rows of `what` to a file, as `file_name`."""

    what: str
    file_name: str
    rows: int
    write: Callable[[Path, int, int], Path]


GENERATORS: Mapping[str, Generator] = {
    "jena": Generator(
        "rows of generated weather",
        "jena_climate.csv",
        YEAR_ROWS,
        lambda destination, rows, seed: write_generated_station(destination, rows=rows, seed=seed),
    ),
    "reviews": Generator(
        "generated reviews",
        "reviews.jsonl",
        DEFAULT_REVIEWS,
        lambda destination, rows, seed: write_generated_reviews(destination, rows=rows, seed=seed),
    ),
    "scenes": Generator(
        "drawn scenes",
        "scenes.npz",
        DEFAULT_SCENES,
        lambda destination, rows, seed: write_generated_scenes(destination, rows=rows, seed=seed),
    ),
}
"""By source; `rows` are those that a grading takes when nobody says how many."""


def provide_data(settings: DataSettings, *, rows: int | None, course_folder: Path, cache: Path) -> DataSet:
    """The data set of an assignment, in two parts, under `cache`; a path in `settings` is seen from the course folder.

    `rows` are those of both parts together (None: all there are). Raises `DataError` as the source does.
    """
    path = None if settings.path is None else course_folder / settings.path
    fraction, seed = settings.withheld_fraction, settings.seed
    match settings:
        case JenaData():
            return provide_jena(
                path=path,
                download=settings.download,
                rows=rows,
                withheld_fraction=fraction,
                seed=seed,
                cache=cache,
            )
        case ReviewsData():
            return provide_reviews(
                path=path,
                download=settings.download,
                rows=rows,
                withheld_fraction=fraction,
                seed=seed,
                cache=cache,
            )
        case ScenesData():
            return provide_scenes(path=path, rows=rows, withheld_fraction=fraction, seed=seed, cache=cache)
        case _:
            assert_never(settings)
