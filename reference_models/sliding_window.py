"""The detector before learned detectors: a classifier of patches, tried at every place of the image.

Patches have the size of a mean box, 24 pixels by 18, and so has every detection: small and large objects are overlapped
badly, and each image costs as many predictions as it has places.
"""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from reference_models.box_oracles import IMAGE_SIZE, N_CLASSES, iou
from reference_models.vision_models import Detections, suppressed

HEIGHT, WIDTH = 24, 18
BACKGROUND = N_CLASSES
_APART = 0.2  # a patch with less overlap than this shows background

Classifier = Callable[[NDArray[np.float32]], ArrayLike]


def build_patch_classifier(filters: int = 16) -> keras.Model:
    """Patches `(None, 24, 18, 1)`, 0 to 255, to probabilities `(None, 11)`: ten digits, and the background last."""
    inputs = keras.Input((HEIGHT, WIDTH, 1))
    features = layers.Rescaling(1 / 255)(inputs)
    for width in (filters, 2 * filters):
        features = layers.MaxPooling2D()(layers.Conv2D(width, 3, padding="same", activation="relu")(features))
    hidden = layers.Dense(64, activation="relu")(layers.Flatten()(features))
    outputs = layers.Dense(N_CLASSES + 1, activation="softmax")(hidden)
    return keras.Model(inputs, outputs, name="patch_classifier")


def compile_patch_classifier(model: keras.Model, learning_rate: float = 2e-3) -> None:
    """Adam on the cross entropy with integer labels, 10 for background; metric `accuracy`."""
    model.compile(
        keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )


def training_patches(
    images: ArrayLike, boxes: Sequence[ArrayLike], labels: Sequence[ArrayLike], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Patches `(m, 24, 18, 1)` and classes `(m,)`: one around each object, up to four of each image's background.

    `images` are `(n, 64, 64, 1)`, of each `boxes` `(k, 4)` and `labels` `(k,)`. What lies half on an object is in
    neither.
    """
    places, patches, classes = _places(1), [], []
    for image, corners, kinds in zip(np.asarray(images, dtype=np.float32), boxes, labels, strict=True):
        middles = (np.asarray(corners)[:, :2] + np.asarray(corners)[:, 2:] - np.array([WIDTH, HEIGHT])) // 2
        objects = np.clip(middles.astype(int), 0, (IMAGE_SIZE - WIDTH, IMAGE_SIZE - HEIGHT))
        some = rng.choice(places, size=40, replace=False)
        empty = some[(iou(_boxes(some), corners) < _APART).all(axis=1)][:4]
        patches += [_patch(image, place) for place in [*objects, *empty]]
        classes += [*np.asarray(kinds).tolist(), *[BACKGROUND] * len(empty)]
    return np.stack(patches), np.array(classes, dtype=np.int64)


def detect(
    images: ArrayLike,
    classify: Classifier,
    *,
    stride: int = 3,
    threshold: float = 0.5,
    iou_threshold: float = 0.2,
) -> list[Detections]:
    """Boxes `(k, 4)`, scores `(k,)` and labels `(k,)` of each of the images `(n, 64, 64, 1)`.

    `classify` maps patches `(m, 24, 18, 1)` to probabilities `(m, 11)`; places are `stride` pixels apart.
    """
    places = _places(stride)
    boxes = _boxes(places)
    found = []
    for image in np.asarray(images, dtype=np.float32):
        patches = np.stack([_patch(image, place) for place in places])
        probabilities = np.asarray(classify(patches), dtype=np.float64)[:, :BACKGROUND]
        scores, labels = probabilities.max(axis=1), probabilities.argmax(axis=1)
        sure = scores >= threshold
        found.append(suppressed(boxes[sure], scores[sure], labels[sure], iou_threshold))
    return found


def _places(stride: int) -> NDArray[np.int64]:
    """Upper left corners, `(m, 2)`: x and y."""
    xs, ys = np.arange(0, IMAGE_SIZE - WIDTH + 1, stride), np.arange(0, IMAGE_SIZE - HEIGHT + 1, stride)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def _boxes(places: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.concatenate([places, places + np.array([WIDTH, HEIGHT])], axis=1).astype(np.float64)


def _patch(image: NDArray[np.float32], place: NDArray[np.int64]) -> NDArray[np.float32]:
    x, y = place
    return image[y : y + HEIGHT, x : x + WIDTH]
