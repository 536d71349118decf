"""localize: accuracy and overlap on scenes with one digit that the notebook never had.

The grader computes two baselines that look at no image: the most frequent class, and the mean box of the public
scenes. Bars come from the calibration of the profile (`calibration.json`); where it has none, from DEFAULTS.
"""

import numpy as np
import pytest

from autograder.checks import (
    Given,
    NotAssessed,
    as_list,
    expect,
    expect_close,
    expect_finite,
    expect_shape,
    has_moved,
)
from autograder.data import read_scenes
from reference_models.detection_metrics import majority_share, mean_box, paired_iou

DEFAULTS = {
    "accuracy": 0.3,  # bars: the least accuracy and the least mean IoU on withheld scenes
    "iou": 0.35,
    "margin": 0.05,  # by how much the baselines must be beaten, which chance alone would not do
}
MOST_IMAGES = 300
FEW = 6
TOPIC = "Lecture on localisation with two heads:"


def settings_of(materials):
    return {**DEFAULTS, **dict((materials.calibration or {}).get("localization", {}))}


def single_objects(path):
    """Images `(m, 64, 64, 1)`, boxes `(m, 4)` and labels `(m,)` of the scenes with one object."""
    scenes = read_scenes(path)
    chosen = [i for i, labels in enumerate(scenes.labels) if len(labels) == 1]
    boxes = np.array([scenes.boxes[i][0] for i in chosen], dtype=np.float64).reshape(-1, 4)
    return scenes.images[chosen], boxes, np.array([scenes.labels[i][0] for i in chosen], dtype=np.int64)


def given(rng, materials):
    if materials.withheld is None or materials.public is None:
        return Given(images=np.zeros((0, 64, 64, 1), "uint8"), order=np.zeros(0, int))
    images, boxes, labels = (each[:MOST_IMAGES] for each in single_objects(materials.withheld))
    _, known, _ = single_objects(materials.public)
    order = rng.permutation(len(images))[:FEW]
    return Given(images=images, order=order).keep(boxes=boxes, labels=labels, known=known)


def probe(student, given):
    import numpy as np

    def call(images):
        return [np.asarray(part) for part in student.localize(images)]

    def after_use():
        images = given.images[given.order]
        student.localize(images)
        return images

    if not len(given.images):
        return {}
    return {
        "all": lambda: call(given.images.copy()),
        "few": lambda: call(given.images[given.order]),
        "one": lambda: call(given.images[:1].copy()),
        "after_use": after_use,
    }


def require_scenes(given):
    if not len(given.images) or not len(given.known):
        raise NotAssessed("No scenes with one object were withheld here.")


def answer(value, n):
    """Class probabilities `(n, 10)` and boxes `(n, 4)`."""
    kinds, boxes = as_list(value, f"localize of {n} images", length=2)
    hint = f"{TOPIC} `model.predict(images)` gives what each head gives, one row for each image."
    kinds = expect_shape(kinds, (n, 10), f"localize of {n} images: the class probabilities", hint=hint)
    boxes = expect_shape(boxes, (n, 4), f"localize of {n} images: the boxes", hint=hint)
    return (
        expect_finite(kinds, "The class probabilities").astype(np.float64),
        expect_finite(boxes, "The boxes").astype(np.float64),
    )


def performance(given, evidence):
    """Accuracy and mean IoU of the student, and of the baselines."""
    require_scenes(given)
    kinds, boxes = answer(evidence["all"], len(given.images))
    return figures(given, kinds, boxes)


def figures(given, kinds, boxes):
    """Accuracy and mean IoU of answers, and of the baselines."""
    n = len(given.labels)
    return {
        "accuracy": float((kinds.argmax(axis=1) == given.labels).mean()),
        "iou": float(paired_iou(boxes, given.boxes).mean()),
        "majority": majority_share(given.labels),
        "mean_box": float(paired_iou(mean_box(given.known, n), given.boxes).mean()),
    }


def fault_of(given, boxes):
    """What is wrong with boxes that overlap little, as a hint."""
    right = paired_iou(boxes, given.boxes).mean()
    others = {
        "these look like shares of the image: multiply them by IMAGE_SIZE.": boxes * 64,
        "x and y look exchanged: [x_min, y_min, x_max, y_max].": boxes[:, [1, 0, 3, 2]],
        "these look like [x, y, width, height].": np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1),
        "these look like [centre x, centre y, width, height].": np.concatenate(
            [boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1
        ),
    }
    overlaps = {hint: paired_iou(each, given.boxes).mean() for hint, each in others.items()}
    best = max(overlaps, key=overlaps.get)
    if overlaps[best] > right + 0.2:
        return f"{TOPIC} {best}"
    return f"{TOPIC} is the loss of the boxes drowned by that of the classes? Look at both while you train."


def test_shapes(given, evidence):
    """Any number of images gives class probabilities (n, 10), which sum to 1, and boxes (n, 4)."""
    require_scenes(given)
    kinds, _ = answer(evidence["all"], len(given.images))
    answer(evidence["one"], 1)
    expect((kinds >= -1e-6).all(), "Probabilities are not negative.", received=f"{float(kinds.min()):.4g}")
    expect_close(kinds.sum(axis=1), np.ones(len(kinds)), what="The sum of the class probabilities", atol=1e-3)


def test_each_image_by_itself(given, evidence):
    """An image gets the same answer each time, in whatever order, and images are not changed."""
    require_scenes(given)
    kinds, boxes = answer(evidence["all"], len(given.images))
    again_kinds, again_boxes = answer(evidence["few"], len(given.order))
    hint = "Dropout and batch statistics belong to training (use `model.predict`)."
    expect_close(again_kinds, kinds[given.order], what="The probabilities of some images", atol=2e-3, hint=hint)
    expect_close(again_boxes, boxes[given.order], what="The boxes of some images", atol=0.1, hint=hint)
    expect(
        len(boxes) < 3 or np.ptp(boxes, axis=0).max() > 1e-3 or np.ptp(kinds, axis=0).max() > 1e-4,
        "localize should look at the images that it is given.",
        received="the same answer for all images",
    )
    kept = not has_moved(evidence["after_use"], given.images[given.order])
    expect(kept, "localize should leave its input unchanged.", received="other values in it afterwards")


@pytest.mark.weight(2)
def test_accuracy_beats_majority(given, evidence, materials, measured):
    """On scenes never seen, the classes are right clearly more often than the most frequent class would be."""
    found, margin = performance(given, evidence), float(settings_of(materials)["margin"])
    expect(
        measured(found["accuracy"], found["majority"] + margin),
        f"The accuracy should be clearly above that of always naming the most frequent class, {found['majority']:.2f}.",
        received=f"{found['accuracy']:.2f}",
        hint=f"{TOPIC} are the pixels scaled in the same way in training and in `localize`?",
    )


@pytest.mark.weight(2)
def test_boxes_beat_mean_box(given, evidence, materials, measured):
    """On scenes never seen, the boxes overlap the true ones clearly better than the mean box would."""
    found, margin = performance(given, evidence), float(settings_of(materials)["margin"])
    _, boxes = answer(evidence["all"], len(given.images))
    expect(
        measured(found["iou"], found["mean_box"] + margin),
        f"The mean IoU should be clearly above that of always giving the mean box, {found['mean_box']:.2f}.",
        received=f"{found['iou']:.2f}",
        hint=fault_of(given, boxes),
    )


@pytest.mark.weight(3)
def test_accuracy_reaches_the_bar(given, evidence, materials, measured):
    """The accuracy on scenes never seen is as high as this training time allows an ordinary network."""
    found, bar = performance(given, evidence), float(settings_of(materials)["accuracy"])
    expect(
        measured(found["accuracy"], bar),
        f"The accuracy on scenes that your notebook never had should be at least {bar:.2f}.",
        received=f"{found['accuracy']:.2f}",
        hint=f"{TOPIC} what a digit is does not depend on where it is: try GlobalMaxPooling2D in the class head.",
    )


@pytest.mark.weight(3)
def test_iou_reaches_the_bar(given, evidence, materials, measured):
    """The mean IoU on scenes never seen is as high as this training time allows an ordinary network."""
    found, bar = performance(given, evidence), float(settings_of(materials)["iou"])
    _, boxes = answer(evidence["all"], len(given.images))
    expect(
        measured(found["iou"], bar),
        f"The mean IoU on scenes that your notebook never had should be at least {bar:.2f}.",
        received=f"{found['iou']:.2f}",
        hint=fault_of(given, boxes),
    )


@pytest.mark.weight(0)
def test_can_be_drawn(given, evidence, picture):
    """Accuracy and overlap can be compared with baselines that look at no image."""
    found = performance(given, evidence)
    rows = [
        ("your accuracy", found["accuracy"]),
        ("most frequent class", found["majority"]),
        ("your mean IoU", found["iou"]),
        ("mean box", found["mean_box"]),
    ]
    title = "One digit, on scenes that your notebook never had"
    picture("bars", {"title": title, "rows": [{"label": label, "value": value} for label, value in rows]})
