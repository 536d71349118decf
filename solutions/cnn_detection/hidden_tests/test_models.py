"""build_localizer and build_detector: shapes, probabilities, convolutions, size."""

import numpy as np
import pytest

from autograder.checks import Failure, Given, as_list, as_mapping, expect, expect_close, expect_shape, read_model

MOST_PARAMETERS = 3_000_000
IMAGES = 3
TOPIC = "Lecture on the architecture of CNNs:"


def given(rng):
    return Given(x=rng.integers(0, 256, size=(IMAGES, 64, 64, 1)).astype("float32"))


def probe(student, given):
    import _autograder_models
    import numpy as np

    def outputs(model, x):
        found = model(x, training=False)
        if isinstance(found, dict):
            return {str(name): np.asarray(each) for name, each in found.items()}
        return [np.asarray(each) for each in found] if isinstance(found, (list, tuple)) else np.asarray(found)

    def describe(build):
        build()
        model = build()  # a function may be called more than once
        facts = _autograder_models.describe(model, given.x)
        if "not_a_model" in facts:
            return facts
        return {**facts, "several": outputs(model, given.x), "single": outputs(model, given.x[:1])}

    return {
        "localizer": lambda: describe(student.build_localizer),
        "detector": lambda: describe(student.build_detector),
    }


def heads(value, what):
    """The two outputs of a localiser: `class` and `box`."""
    if isinstance(value, dict):
        named = as_mapping(value, what)
        missing = [name for name in ("class", "box") if name not in named]
        expect(not missing, f"{what} should be a dictionary with class and box.", received=sorted(named))
        return named["class"], named["box"]
    if not isinstance(value, (list, tuple)):
        raise Failure(
            f"{what} should be a dictionary, or a list, of class and box. Received: a single output",
            f"{TOPIC} `keras.Model(inputs, {{'class': ..., 'box': ...}})` has two heads.",
        )
    return tuple(as_list(value, what, length=2))


def check_size(value, name):
    model = read_model(value, f"{name}()")
    expect(
        model.parameters <= MOST_PARAMETERS,
        f"{name}: at most {MOST_PARAMETERS:,} parameters are allowed.",
        received=f"{model.parameters:,}",
        hint=f"{TOPIC} flattening a large feature map makes a weight for each number and each unit; pool first.",
    )


def check_convolutions(value, name):
    model = read_model(value, f"{name}()")
    found = [layer.bases[0] for layer in model.layers if layer.is_a("Conv") and not is_around_others(layer, model)]
    expect(
        len(found) >= 2,
        f"{name} should have at least two convolutions.",
        received=f"{len(found)}, among the layers {sorted({layer.bases[0] for layer in model.layers})}",
        hint=f"{TOPIC} `keras.layers.Conv2D(filters, 3, padding='same', activation='relu')`.",
    )


def is_around_others(layer, model):
    """Whether it only holds other layers: a block of the student's own that has "Conv" in its name."""
    return any(layer.bases[0] in other.inside for other in model.layers)


@pytest.mark.weight(3)
def test_localizer_heads(evidence):
    """build_localizer gives class (n, 10) and box (n, 4) for images (n, 64, 64, 1)."""
    value = evidence["localizer"]
    read_model(value, "build_localizer()")
    for n, key in ((IMAGES, "several"), (1, "single")):
        kind, box = heads(value[key], "The output of build_localizer()")
        expect_shape(kind, (n, 10), "build_localizer: class")
        expect_shape(box, (n, 4), "build_localizer: box")


def test_localizer_probabilities(evidence):
    """The classes of the localiser are probabilities: none is negative, and they sum to 1."""
    value = evidence["localizer"]
    read_model(value, "build_localizer()")
    kind, _ = heads(value["several"], "The output of build_localizer()")
    kind = expect_shape(kind, (IMAGES, 10), "build_localizer: class").astype(float)
    hint = f"{TOPIC} ten classes of which one is right: `activation='softmax'`."
    expect((kind >= 0).all(), "Probabilities are not negative.", received=f"{float(np.nanmin(kind)):.4g}", hint=hint)
    expect_close(kind.sum(axis=1), np.ones(IMAGES), what="The sum of the class probabilities", atol=1e-3, hint=hint)


@pytest.mark.weight(3)
def test_detector_grid(evidence):
    """build_detector gives a grid (n, 8, 8, 15) for images (n, 64, 64, 1)."""
    value = evidence["detector"]
    read_model(value, "build_detector()")
    hint = f"{TOPIC} three times pooling by 2 takes 64 to 8; a convolution with 15 filters gives the last dimension."
    for n, key in ((IMAGES, "several"), (1, "single")):
        expect(not isinstance(value[key], (dict, list)), "build_detector should have one output.", received="several")
        expect_shape(value[key], (n, 8, 8, 15), "build_detector: the output", hint=hint)


@pytest.mark.weight(2)
def test_localizer_convolutions(evidence):
    """build_localizer has at least two convolutions."""
    check_convolutions(evidence["localizer"], "build_localizer")


@pytest.mark.weight(2)
def test_detector_convolutions(evidence):
    """build_detector has at least two convolutions."""
    check_convolutions(evidence["detector"], "build_detector")


@pytest.mark.weight(2)
def test_localizer_size(evidence):
    """build_localizer has at most 3 million parameters."""
    check_size(evidence["localizer"], "build_localizer")


@pytest.mark.weight(2)
def test_detector_size(evidence):
    """build_detector has at most 3 million parameters."""
    check_size(evidence["detector"], "build_detector")
