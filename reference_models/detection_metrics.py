"""How good detections are, and what can be had without learning to see, in NumPy alone.

Mean average precision as in the PASCAL VOC challenge from 2010 on (M. Everingham and others, "The PASCAL visual object
classes challenge", 2010): all-point interpolation, mean over the classes that are present.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograder.errors import DataError
from reference_models.box_oracles import Floats, iou

Detection = tuple[ArrayLike, ArrayLike, ArrayLike]  # of one image: boxes (k, 4), scores (k,), labels (k,)


def mean_average_precision(
    detections: Sequence[Detection],
    boxes: Sequence[ArrayLike],
    labels: Sequence[ArrayLike],
    iou_threshold: float = 0.5,
) -> float:
    """Of the detections of n images against their true boxes `(k, 4)` and labels `(k,)`; from 0 to 1.

    Class by class, detections of all images are taken by falling score (equal ones in the order given). One is right
    when the true box of its class and image that it overlaps most has an IoU of at least the threshold and was not
    found before. Raises `DataError` where the numbers of images differ or there is no true box.
    """
    if not len(detections) == len(boxes) == len(labels):
        raise DataError(
            f"Detections, boxes and labels are of the same images; received: {len(detections)}, {len(boxes)}, "
            f"{len(labels)}"
        )
    present = np.unique(np.concatenate([np.asarray(found, dtype=np.int64).reshape(-1) for found in [*labels, []]]))
    if not present.size:
        raise DataError("Precision needs at least one true box; received: none")
    by_class = [_class_precision(int(label), detections, boxes, labels, iou_threshold) for label in present]
    return float(np.mean(by_class))


def average_precision(scores: ArrayLike, right: ArrayLike, n_true: int) -> float:
    """The area under the precision-recall curve, precision made to fall: detections `(n,)`, of `n_true` true boxes."""
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    hits = np.cumsum(np.asarray(right, dtype=bool)[order])
    precision = hits / np.arange(1, len(hits) + 1)
    recall = np.concatenate([[0.0], hits / n_true])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * envelope).sum())


def paired_iou(a: ArrayLike, b: ArrayLike) -> Floats:
    """Overlap of the first box of `a` with the first of `b`, and so on: `(n, 4)` twice to `(n,)`."""
    pairs = zip(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64), strict=True)
    return np.array([iou(first, second)[0, 0] for first, second in pairs])


def mean_box(boxes: ArrayLike, n: int) -> Floats:
    """The baseline that looks at no image: the mean of the known boxes `(k, 4)`, n times, `(n, 4)`."""
    return np.tile(np.asarray(boxes, dtype=np.float64).mean(axis=0), (n, 1))


def majority_share(labels: ArrayLike) -> float:
    """The accuracy of naming the most frequent label always."""
    _, counts = np.unique(np.asarray(labels), return_counts=True)
    return float(counts.max() / counts.sum())


def _class_precision(
    label: int,
    detections: Sequence[Detection],
    boxes: Sequence[ArrayLike],
    labels: Sequence[ArrayLike],
    iou_threshold: float,
) -> float:
    truths = [
        np.asarray(corners, dtype=np.float64).reshape(-1, 4)[np.asarray(classes).reshape(-1) == label]
        for corners, classes in zip(boxes, labels, strict=True)
    ]
    scores, right = [], []
    for found, truth in zip(detections, truths, strict=True):
        corners, values = _of_class(found, label)
        order = np.argsort(-values, kind="stable")
        scores += values[order].tolist()
        right += _right(iou(corners[order], truth), iou_threshold)
    return average_precision(scores, right, sum(len(truth) for truth in truths))


def _of_class(detection: Detection, label: int) -> tuple[Floats, Floats]:
    boxes, scores, labels = detection
    mine = np.asarray(labels).reshape(-1) == label
    return (
        np.asarray(boxes, dtype=np.float64).reshape(-1, 4)[mine],
        np.asarray(scores, dtype=np.float64).reshape(-1)[mine],
    )


def _right(overlaps: NDArray[np.float64], iou_threshold: float) -> list[bool]:
    """Whether each detection, by falling score, is the first to find its box; overlaps `(detections, true boxes)`."""
    found: set[int] = set()
    right = []
    for row in overlaps:
        best = int(row.argmax()) if row.size else -1
        first = best >= 0 and row[best] >= iou_threshold and best not in found
        right.append(first)
        if first:
            found.add(best)
    return right
