"""Where the scenes of digits come from, and which of them the notebook never gets: a local file, else drawn."""

from pathlib import Path

import numpy as np

from autograder.data.dataset import DataSet, Place, check_fraction, check_seed, digest_of_file, local_file, place_of
from autograder.data.scene_drawing import DEFAULT_ROWS, GENERATOR_VERSION, digit_labels, draw_scenes
from autograder.data.scene_schema import Scenes, read_scenes, write_scenes
from autograder.errors import DataError

SCENES_VARIABLE = "AUTOGRADER_SCENES_NPZ"
FEWEST_PUBLIC, FEWEST_WITHHELD = 20, 10
_FILE_NAME = "scenes.npz"


def provide_scenes(*, path: Path | None, rows: int | None, withheld_fraction: float, seed: int, cache: Path) -> DataSet:
    """Scenes in two parts: from `path` or the file named by AUTOGRADER_SCENES_NPZ, else drawn with the seed.

    Both files are as `scene_schema` says. `rows` counts the scenes of both (None: all of a file, 4,000 drawn ones); the
    last `withheld_fraction` of them is withheld. Drawn ones share no handwriting: `withheld_fraction` of each digit's
    images are kept for the withheld scenes. Who knows the seed can draw them, so no
    description tells it.

    The files lie under `cache` by everything that determines them: later calls hash them and parse nothing, and calls
    from several processes at once are safe. Raises `DataError` for a file that holds no scenes, and for too few.
    """
    check_fraction(withheld_fraction)
    check_seed(seed)
    share = {"rows": rows, "withheld_fraction": withheld_fraction}
    if local := local_file(path, SCENES_VARIABLE):
        digest = digest_of_file(local, "scene file")
        place = place_of("scenes", "file", cache, _FILE_NAME, **share, name=local.name, digest=digest)
        return place.stored() or _cut(local, rows, withheld_fraction, place)
    share["rows"] = count = DEFAULT_ROWS if rows is None else rows
    withheld = round(count * withheld_fraction)
    _check_lengths(count - withheld, withheld, f"rows={count}")
    place = place_of("scenes", "generated", cache, _FILE_NAME, **share, seed=seed, version=GENERATOR_VERSION)
    return place.stored() or _drawn(count - withheld, withheld, withheld_fraction, seed, place)


def _cut(path: Path, rows: int | None, withheld_fraction: float, place: Place) -> DataSet:
    scenes = read_scenes(path, rows)
    kept = len(scenes.images) - round(len(scenes.images) * withheld_fraction)
    _check_lengths(kept, len(scenes.images) - kept, path.name)
    public = Scenes(scenes.images[:kept], scenes.boxes[:kept], scenes.labels[:kept])
    withheld = Scenes(scenes.images[kept:], scenes.boxes[kept:], scenes.labels[kept:])
    return _kept(public, withheld, f"the file {path.name}", place)


def _drawn(public: int, withheld: int, withheld_fraction: float, seed: int, place: Place) -> DataSet:
    rng = np.random.default_rng(seed)
    known, unknown = [], []
    for digit in np.unique(digit_labels()):
        images = rng.permutation(np.flatnonzero(digit_labels() == digit)).tolist()
        cut = min(max(round(len(images) * withheld_fraction), 1), len(images) - 1)
        unknown += images[:cut]
        known += images[cut:]
    drawn = draw_scenes(public, rng, known), draw_scenes(withheld, rng, unknown)
    return _kept(*drawn, "drawn from scikit-learn's handwritten digits", place)


def _kept(public: Scenes, withheld: Scenes, name: str, place: Place) -> DataSet:
    write_scenes(place.public, public)
    write_scenes(place.withheld, withheld)
    return place.vouch(
        f"Scenes of 1 to 3 digits on 64 x 64 pixels, {name}: {len(public.images):,} for the notebook, "
        f"{len(withheld.images):,} others withheld from it."
    )


def _check_lengths(public: int, withheld: int, what: str) -> None:
    if public < FEWEST_PUBLIC or withheld < FEWEST_WITHHELD:
        raise DataError(
            f"Too few scenes: the notebook needs {FEWEST_PUBLIC} and the judge {FEWEST_WITHHELD}; "
            f"{what} gives: {public:,} and {withheld:,}"
        )
