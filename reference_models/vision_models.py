"""Keras models for `cnn_detection` that an honest student could hand in.

All take raw images `(None, 64, 64, 1)`, 0 to 255, scale them inside, and are serialisable. The localiser gives one
class and one box, the detector a grid as `box_oracles.encode_grid` writes it.
"""

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import ArrayLike, NDArray

from reference_models.box_oracles import GRID, IMAGE_SIZE, N_CLASSES, decode_grid, non_max_suppression

_OBJECT_WEIGHT, _BOX_WEIGHT, _EMPTY_WEIGHT = 1.0, 5.0, 0.5  # of the loss, after Redmon et al. 2016

Tensor = keras.KerasTensor
Detections = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]


def build_localizer(filters: int = 16) -> keras.Model:
    """One trunk, two heads (Sermanet et al. 2014): a dict of `class` `(None, 10)` and `box` `(None, 4)`.

    The classes are probabilities; the box is in pixels, `[x_min, y_min, x_max, y_max]`. What a digit is does not depend
    on its place, so the class head takes the maximum over places; the box head is dense over all of them.
    """
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))
    features = _trunk(inputs, filters)
    shapes = layers.Conv2D(8 * filters, 3, padding="same", activation="relu")(features)
    strongest = layers.Dense(64, activation="relu")(layers.GlobalMaxPooling2D()(shapes))
    kind = layers.Dense(N_CLASSES, activation="softmax", name="class")(strongest)
    places = layers.Dense(64, activation="relu")(layers.Flatten()(features))
    corners = layers.Dense(4, activation="sigmoid")(places)
    box = layers.Rescaling(float(IMAGE_SIZE), name="box")(corners)
    return keras.Model(inputs, {"class": kind, "box": box}, name="localizer")


def compile_localizer(model: keras.Model, learning_rate: float = 1e-3) -> None:
    """Cross entropy of the class and Huber's loss (1964) of the box, in pixels, together."""
    model.compile(
        keras.optimizers.Adam(learning_rate),
        loss={"class": "sparse_categorical_crossentropy", "box": keras.losses.Huber(delta=4.0)},
        loss_weights={"class": 1.0, "box": 0.05},
        jit_compile=False,
    )


def build_detector(filters: int = 16) -> keras.Model:
    """One stage, one box to a cell (Redmon et al. 2016): `(None, 8, 8, 15)`, all values from 0 to 1."""
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))
    features = layers.Conv2D(8 * filters, 3, padding="same", activation="relu")(_trunk(inputs, filters))
    box_and_object = layers.Conv2D(5, 1, activation="sigmoid")(features)
    kinds = layers.Conv2D(N_CLASSES, 1, activation="softmax")(features)
    return keras.Model(inputs, layers.Concatenate()([box_and_object, kinds]), name="detector")


def detector_loss(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Of grids `(batch, 8, 8, 15)`: confidence everywhere, box and class where there is an object; `(batch,)`.

    Squared errors of centre and of the roots of the sides, so that small boxes count as much as large ones; cross
    entropies of confidence and class.
    """
    present = y_true[..., 4]
    centre = ops.sum(ops.square(y_true[..., :2] - y_pred[..., :2]), axis=-1)
    sides = ops.sum(ops.square(ops.sqrt(y_true[..., 2:4]) - ops.sqrt(y_pred[..., 2:4] + 1e-7)), axis=-1)
    confidence = ops.clip(y_pred[..., 4], 1e-7, 1 - 1e-7)
    found = -present * ops.log(confidence)
    empty = -(1 - present) * ops.log(1 - confidence)
    kind = -ops.sum(y_true[..., 5:] * ops.log(y_pred[..., 5:] + 1e-7), axis=-1)
    by_cell = present * (_BOX_WEIGHT * (centre + sides) + kind) + _OBJECT_WEIGHT * found + _EMPTY_WEIGHT * empty
    return ops.sum(by_cell, axis=(1, 2))


def compile_detector(model: keras.Model, learning_rate: float = 2e-3) -> None:
    """Adam on `detector_loss`."""
    model.compile(keras.optimizers.Adam(learning_rate), loss=detector_loss, jit_compile=False)


def detect_with_grid(grids: ArrayLike, threshold: float = 0.3, iou_threshold: float = 0.4) -> list[Detections]:
    """Boxes, scores and labels of each image from grids `(n, 8, 8, 15)`, after class-agnostic suppression."""
    return [suppressed(*decode_grid(grid, threshold), iou_threshold) for grid in np.asarray(grids)]


def suppressed(
    boxes: NDArray[np.float64], scores: NDArray[np.float64], labels: NDArray[np.int64], iou_threshold: float
) -> Detections:
    """What stays of the detections `(k, 4)`, `(k,)`, `(k,)` of one image, by falling score."""
    kept = non_max_suppression(boxes, scores, iou_threshold)
    return boxes[kept], scores[kept], labels[kept]


def _trunk(inputs: Tensor, filters: int) -> Tensor:
    """Three convolutions with pooling: `(None, 64, 64, 1)` to `(None, 8, 8, 4 filters)`, one place for each cell."""
    features = layers.Rescaling(1 / 255)(inputs)
    for width in (filters, 2 * filters, 4 * filters):
        features = layers.Conv2D(width, 3, padding="same", activation="relu")(features)
        features = layers.MaxPooling2D()(features)
    assert features.shape[1:3] == (GRID, GRID)
    return features
