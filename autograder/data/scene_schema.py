"""The layout of scene files, and a reader that takes nothing else.

An `.npz` without pickles holds, for n scenes with k objects in all: `images` uint8 `(n, 64, 64, 1)`, `counts` int64
`(n,)`, objects of each scene, from 1 to 3, and scene after scene `boxes` float32 `(k, 4)` and `labels` int64 `(k,)`,
0 to 9. A box is `[x_min, y_min, x_max, y_max]` in pixels, x to the right and y down; its edges lie between pixels, so
that `image[y_min:y_max, x_min:x_max]` is what it holds.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograder.data.files import replacing
from autograder.errors import DataError

IMAGE_SIZE = 64
MOST_OBJECTS = 3
N_CLASSES = 10
_LARGEST_FILE = 1 << 30  # bytes of one array
_EPOCH = (1980, 1, 1, 0, 0, 0)  # no time of writing: equal scenes are equal files
_ARRAYS = {"images": (np.uint8, 4), "counts": (np.int64, 1), "boxes": (np.float32, 2), "labels": (np.int64, 1)}


class Scenes(NamedTuple):
    """Images `(n, 64, 64, 1)` uint8, and by scene the boxes `(k, 4)` in pixels and the labels `(k,)` of its objects."""

    images: NDArray[np.uint8]
    boxes: list[NDArray[np.float32]]
    labels: list[NDArray[np.int64]]


def read_scenes(path: Path, most: int | None = None) -> Scenes:
    """The file's scenes, or its first `most`.

    Raises `DataError` for whatever is no scene file: absent, no zip, other arrays, other shapes or types, boxes that
    leave the image or have no area, labels that are no digits.
    """
    arrays = _arrays(path)
    images, counts, boxes, labels = (arrays[name] for name in _ARRAYS)
    _check_values(images, counts, boxes, labels, path)
    ends = np.cumsum(counts)[:-1]
    by_scene = np.split(boxes, ends), np.split(labels, ends)
    return Scenes(images[:most], by_scene[0][:most], by_scene[1][:most])


def write_scenes(destination: Path, scenes: Scenes) -> Path:
    """Write scenes atomically, equal ones to equal bytes; returns `destination`.

    Raises `DataError` where the folder cannot be written.
    """
    arrays = {
        "images": scenes.images,
        "counts": np.array([len(labels) for labels in scenes.labels]),
        "boxes": np.concatenate(scenes.boxes),
        "labels": np.concatenate(scenes.labels),
    }
    with replacing(destination) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, (kind, _) in _ARRAYS.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", _EPOCH), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(arrays[name], kind), allow_pickle=False)
    return destination


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if set(sizes) < {f"{name}.npy" for name in _ARRAYS} or max(sizes.values()) > _LARGEST_FILE:
                raise DataError(f"{path} should hold the arrays {', '.join(_ARRAYS)}; it holds: {sorted(sizes)[:6]}")
            arrays = {name: _array(archive, name) for name in _ARRAYS}
    except FileNotFoundError as error:
        raise DataError(f"No scene file here; give the path of an .npz with scenes: {path}") from error
    except IsADirectoryError as error:
        raise DataError(f"A directory instead of a scene file; name the .npz inside it: {path}") from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, MemoryError) as error:
        raise DataError(f"{path} cannot be read as an .npz without pickles; generate it again: {error}") from error
    for name, (kind, dimensions) in _ARRAYS.items():
        if arrays[name].dtype != kind or arrays[name].ndim != dimensions:
            raise DataError(
                f"{path}: `{name}` is {np.dtype(kind)} with {dimensions} dimensions; received: {arrays[name].dtype} "
                f"{arrays[name].shape}"
            )
    return arrays


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
    return array


def _check_values(
    images: NDArray[Any], counts: NDArray[Any], boxes: NDArray[Any], labels: NDArray[Any], path: Path
) -> None:
    total = int(counts.sum())
    shapes = images.shape, counts.shape, boxes.shape, labels.shape
    n = len(images)
    if shapes != ((n, IMAGE_SIZE, IMAGE_SIZE, 1), (n,), (total, 4), (total,)) or not n:
        raise DataError(
            f"{path}: images are (n, 64, 64, 1), and counts, boxes and labels those of n scenes; received: {shapes}"
        )
    inside = (boxes[:, :2] >= 0).all(axis=1) & (boxes[:, 2:] <= IMAGE_SIZE).all(axis=1)
    faults = {
        "1 to 3 objects": (counts < 1) | (counts > MOST_OBJECTS),
        "boxes inside the image, with an area": ~(inside & (boxes[:, :2] < boxes[:, 2:]).all(axis=1)),
        "labels from 0 to 9": (labels < 0) | (labels >= N_CLASSES),
    }
    for rule, broken in faults.items():
        if broken.any():
            raise DataError(f"{path}: scenes have {rule}; received another at place: {int(broken.argmax())}")
