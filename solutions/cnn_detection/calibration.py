"""What `autograder calibrate cnn_detection` listens to, beside the solution and the right demo students."""

import numpy as np

from autograder.calibration import Answer, Bar
from reference_models.detection_metrics import mean_average_precision, mean_box

ONE_RATE = "keras.optimizers.schedules.CosineDecay(3e-3, one_steps, alpha=0.05)"
RATE = "keras.optimizers.schedules.CosineDecay(3e-3, steps, alpha=0.05)"
STYLES = {
    "a steady learning rate": {ONE_RATE: "1.5e-3", RATE: "1.5e-3"},
    "narrower networks": {"(8, 16, 32)": "(6, 12, 24)", "(12, 24, 48)": "(8, 16, 32)"},
    "a dense class head": {
        'keras.layers.Dense(64, activation="relu")(keras.layers.GlobalMaxPooling2D()(shapes))': (
            'keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(features))'
        ),
    },
    "batch normalisation and strides": {
        "features = keras.layers.MaxPooling2D()(features)": "features = keras.layers.BatchNormalization()(features)",
        "Conv2D(filters, 3, padding=": "Conv2D(filters, 3, strides=2, padding=",
    },
    "Adam's own rate, batches of 32": {ONE_RATE: "1e-3", RATE: "1e-3", "batch_size=16": "batch_size=32"},
}
ACCURACY, IOU = "test_accuracy_reaches_the_bar", "test_iou_reaches_the_bar"
PRECISION = "test_precision_reaches_the_bar"
BARS = {
    "localization": {ACCURACY: Bar("accuracy", least=0.2, most=0.8), IOU: Bar("iou", least=0.2, most=0.6)},
    "detection": {PRECISION: Bar("map_50", least=0.1, most=0.6)},
}


def answers(tests, materials, seed):
    """What can be had without learning to see: the frequent, the mean, the random, and the most similar scene."""
    rng = np.random.default_rng(seed)
    module = tests["localization"].module
    one, scenes = (tests[name].given(seed, materials) for name in ("localization", "detection"))
    n = len(one.labels)
    frequent = np.eye(10)[np.full(n, np.bincount(one.labels).argmax())]
    some = one.known[rng.integers(0, len(one.known), size=n)]
    blind = {
        "most frequent class, mean box": (frequent, mean_box(one.known, n)),
        "random classes and boxes": (rng.random((n, 10)), some),
    }
    for name, answer in blind.items():
        found = module.figures(one, *answer)
        yield Answer(name, "localization", ACCURACY, found["accuracy"])
        yield Answer(name, "localization", IOU, found["iou"])
    yield Answer("the most similar scene", "localization", ACCURACY, most_similar(module, one, materials.public))
    for k in (1, 3, 12):
        boxes = [
            (one.known[rng.integers(0, len(one.known), k)], rng.random(k), rng.integers(0, 10, k))
            for _ in scenes.images
        ]
        value = mean_average_precision(boxes, scenes.boxes, scenes.labels)
        yield Answer(f"{k} random boxes", "detection", PRECISION, value)


def most_similar(module, one, public):
    """The accuracy of naming what the most similar scene shows, pixel by pixel (which finds places rather well)."""
    images, _, labels = module.single_objects(public)
    known, asked = (each.reshape(len(each), -1).astype("float32") for each in (images, one.images))
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    return float((labels[(asked @ known.T).argmax(axis=1)] == one.labels).mean())
