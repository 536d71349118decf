"""The right answers of `cnn_detection` about boxes, in NumPy alone: overlap, suppression, and the detector's grid.

A box is `[x_min, y_min, x_max, y_max]` in pixels, x to the right and y down; n boxes are `(n, 4)`. The grid has 8 x 8
cells of 8 pixels, rows by y and columns by x; a cell holds `[cx, cy, w, h, confidence, 10 class scores]`, the centre's
place in the cell from 0 to 1 and the size as a share of the image (J. Redmon and others, "You only look once", 2016,
with one box to a cell).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

IMAGE_SIZE = 64
GRID = 8
N_CLASSES = 10
CELL = IMAGE_SIZE // GRID

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Intersection over union of each box of `a` `(N, 4)` with each of `b` `(M, 4)`: `(N, M)`, from 0 to 1.

    0 for boxes that only touch and for boxes without an area.
    """
    first, second = _boxes(a)[:, None], _boxes(b)[None]
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    common = np.clip(sides, 0, None).prod(axis=-1)
    union = _area(first) + _area(second) - common
    return np.divide(common, union, out=np.zeros_like(common), where=common > 0)


def non_max_suppression(boxes: ArrayLike, scores: ArrayLike, iou_threshold: float = 0.5) -> Integers:
    """Indices of the boxes that stay, by falling score and of equal ones by index; `(kept,)`.

    One after another, a box goes when its overlap with one that has stayed is greater than the threshold.
    """
    corners, values = _boxes(boxes), np.asarray(scores, dtype=np.float64).reshape(-1)
    overlaps = iou(corners, corners)
    kept: list[int] = []
    for i in np.argsort(-values, kind="stable").tolist():
        if not (overlaps[i, kept] > iou_threshold).any():
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def encode_grid(boxes: ArrayLike, labels: ArrayLike) -> Floats:
    """Boxes `(k, 4)` and labels `(k,)` as the detector's target, `(8, 8, 15)`.

    The cell with a box's centre holds it; centres on the right or bottom edge belong to the last cell. Of two boxes in
    one cell the larger stays, of equal ones the first.
    """
    tensor = np.zeros((GRID, GRID, 5 + N_CLASSES))
    corners, classes = _boxes(boxes), np.asarray(labels, dtype=np.int64).reshape(-1)
    order = np.argsort(-_area(corners), kind="stable")
    for box, label in zip(corners[order], classes[order], strict=True):
        centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        column, row = np.clip(centre // CELL, 0, GRID - 1).astype(int)
        if tensor[row, column, 4] == 0:
            offset = centre / CELL - (column, row)
            tensor[row, column] = [*offset, *size / IMAGE_SIZE, 1.0, *np.eye(N_CLASSES)[label]]
    return tensor


def decode_grid(tensor: ArrayLike, threshold: float = 0.5) -> tuple[Floats, Floats, Integers]:
    """Boxes `(k, 4)` in pixels, scores `(k,)` and labels `(k,)` of the cells whose score reaches the threshold.

    The score is confidence times the best class score; by falling score, equal ones row by row.
    """
    grid = np.asarray(tensor, dtype=np.float64)
    scores = grid[..., 4] * grid[..., 5:].max(axis=-1)
    rows, columns = np.nonzero(scores >= threshold)
    order = np.argsort(-scores[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    cells = grid[rows, columns]
    centres = (cells[:, :2] + np.stack([columns, rows], axis=1)) * CELL
    halves = cells[:, 2:4] * IMAGE_SIZE / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    return boxes, scores[rows, columns], cells[:, 5:].argmax(axis=1)


def _boxes(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1, 4)


def _area(boxes: Floats) -> Floats:
    return np.clip(boxes[..., 2:] - boxes[..., :2], 0, None).prod(axis=-1)
