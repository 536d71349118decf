"""Scenes drawn from scikit-learn's handwritten digits: one to three of them on a noisy canvas of 64 x 64 pixels.

The digits are the 1,797 images of 8 x 8 pixels that scikit-learn brings along (E. Alpaydin and C. Kaynak, "Optical
Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998). Each is scaled to 16 to 28 pixels height,
its width along with it; its box is what it was scaled to. Boxes do not overlap, and none is so small that the
centres of two could share a cell of 8 x 8 pixels.

All drawing is done with whole numbers, so that a seed gives the same bytes on every machine.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autograder.data.dataset import check_seed
from autograder.data.scene_schema import IMAGE_SIZE, MOST_OBJECTS, Scenes, write_scenes
from autograder.errors import DataError

GENERATOR_VERSION = 1  # raise it whenever the same seed would give other scenes
DEFAULT_ROWS = 4_000
MOST_SCENES = 50_000

_HEIGHTS = (16, 29)  # pixels; from, below
_NARROWEST = 4  # columns of 8, so that no box is narrower than 8 pixels
_INK = (160, 256)  # brightness of a digit's darkest stroke; from, below
_NOISE = 48  # brightness of the background, below
_TRIES = 40

Pixels = NDArray[np.int64]
Box = tuple[int, int, int, int]


def write_generated_scenes(destination: Path, *, rows: int, seed: int) -> Path:
    """Write `rows` scenes with all digits as an `.npz`, atomically, and return `destination`.

    The same rows and seed give the same bytes. Raises `DataError` for fewer scenes than one or too many, a negative
    seed, or a folder that cannot be written.
    """
    check_seed(seed)
    return write_scenes(destination, draw_scenes(rows, np.random.default_rng(seed), range(len(digit_labels()))))


def draw_scenes(count: int, rng: np.random.Generator, digits: Sequence[int]) -> Scenes:
    """`count` scenes with digits of these numbers in scikit-learn's order, one, two or three with equal probability."""
    if not 1 <= count <= MOST_SCENES:
        raise DataError(f"Between 1 and {MOST_SCENES:,} scenes can be drawn; received: {count}")
    images = rng.integers(0, _NOISE, size=(count, IMAGE_SIZE, IMAGE_SIZE))
    boxes, labels = [], []
    for canvas in images:
        chosen = [int(i) for i in rng.choice(digits, size=rng.integers(1, MOST_OBJECTS + 1), replace=False)]
        placed = _placed(chosen, rng)
        for digit, box in zip(chosen, placed, strict=True):
            _draw(canvas, _digits()[digit], box, ink=int(rng.integers(*_INK)))
        boxes.append(np.array(placed, dtype=np.float32))
        labels.append(digit_labels()[chosen])
    return Scenes(images[..., None].astype(np.uint8), boxes, labels)


@cache
def digit_labels() -> NDArray[np.int64]:
    """What the digits are, `(1797,)`."""
    from sklearn.datasets import load_digits

    return np.asarray(load_digits().target, dtype=np.int64)


@cache
def _digits() -> list[Pixels]:
    """The digits, 0 to 16, without the empty columns beside them: each `(8, 4 to 8)`."""
    from sklearn.datasets import load_digits

    return [_trimmed(image.astype(np.int64)) for image in load_digits().images]


def _trimmed(image: Pixels) -> Pixels:
    inked = np.flatnonzero(image.any(axis=0))
    first, last = int(inked[0]), int(inked[-1]) + 1
    while last - first < _NARROWEST:
        first, last = max(first - 1, 0), min(last + 1, image.shape[1])
    return image[:, first:last]


def _placed(chosen: Sequence[int], rng: np.random.Generator) -> list[Box]:
    """Boxes for these digits that do not overlap; all anew where one finds no room."""
    while True:
        boxes: list[Box] = []
        for digit in chosen:
            free = (box for box in _candidates(digit, rng) if not any(_overlap(box, other) for other in boxes))
            if (box := next(free, None)) is None:
                break
            boxes.append(box)
        else:
            return boxes


def _candidates(digit: int, rng: np.random.Generator) -> Iterator[Box]:
    rows, columns = _digits()[digit].shape
    height = int(rng.integers(*_HEIGHTS))
    width = height * columns // rows
    for _ in range(_TRIES):
        x, y = (int(rng.integers(0, IMAGE_SIZE - side + 1)) for side in (width, height))
        yield x, y, x + width, y + height


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _draw(canvas: Pixels, digit: Pixels, box: Box, *, ink: int) -> None:
    """The digit's strokes over what is there: the brighter pixel wins."""
    x_min, y_min, x_max, y_max = box
    height, width = y_max - y_min, x_max - x_min
    rows, columns = _interpolation(digit.shape[0], height), _interpolation(digit.shape[1], width)
    strokes = rows @ digit @ columns.T * ink // (16 * 2 * height * 2 * width)
    place = canvas[y_min:y_max, x_min:x_max]
    np.maximum(place, strokes, out=place)


@cache
def _interpolation(source: int, target: int) -> Pixels:
    """Interpolation from `source` to `target` pixels, `(target, source)`, in whole numbers; rows sum to 2 target."""
    unit = 2 * target
    middles = np.clip((2 * np.arange(target) + 1) * source - target, 0, (source - 1) * unit)
    left, rest = middles // unit, middles % unit
    weights = np.zeros((target, source), dtype=np.int64)
    weights[np.arange(target), left] += unit - rest
    weights[np.arange(target), np.minimum(left + 1, source - 1)] += rest
    return weights
