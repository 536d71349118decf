"""The reference models of vision keep the contract of `models`, and their losses fall. TensorFlow; 6 seconds."""

import numpy as np
import pytest

from autograder.data.scene_drawing import draw_scenes
from reference_models.box_oracles import encode_grid
from reference_models.convolution_oracles import conv_parameters

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently


@pytest.fixture(scope="module")
def models():
    import keras

    from reference_models import vision_models

    keras.utils.set_random_seed(3)
    yield vision_models
    keras.backend.clear_session()


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(96, np.random.default_rng(0), range(500))


@pytest.fixture(scope="module")
def grids(scenes):
    return np.stack([encode_grid(*pair) for pair in zip(scenes.boxes, scenes.labels, strict=True)]).astype(np.float32)


def _copied(model):
    import keras

    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    return copy


def test_localizer(models, scenes):
    model = models.build_localizer()
    found = {name: np.asarray(values) for name, values in model(scenes.images).items()}
    assert model.input_shape == (None, 64, 64, 1)
    assert {name: values.shape for name, values in found.items()} == {"class": (96, 10), "box": (96, 4)}
    np.testing.assert_allclose(found["class"].sum(axis=1), 1, rtol=1e-5)
    assert 0 <= found["box"].min() < found["box"].max() <= 64
    assert model.count_params() <= 3_000_000
    np.testing.assert_allclose(_copied(model)(scenes.images)["box"], found["box"], rtol=1e-4)


def test_detector(models, scenes):
    import keras

    model = models.build_detector()
    found = np.asarray(model(scenes.images))
    assert found.shape == (96, 8, 8, 15)
    assert 0 <= found.min() < found.max() <= 1
    assert model.count_params() <= 3_000_000
    first, *_ = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert first.count_params() == conv_parameters(3, 1, 16)
    np.testing.assert_allclose(_copied(model)(scenes.images), found, rtol=1e-4, atol=1e-6)


def test_loss_is_small_for_the_truth_and_large_for_every_fault(models, grids):
    def loss(changed):
        return float(np.mean(models.detector_loss(grids, changed.astype(np.float32))))

    best = loss(grids)
    assert best < 1e-3
    present = grids[..., 4] == 1
    for place, value in ((0, 0.1), (2, 0.9), (4, 0.5)):
        changed = grids.copy()
        changed[present, place] = value
        assert loss(changed) > best + 0.1, place
    for changed in (np.roll(grids, 1, axis=-1), np.where(present[..., None], grids, grids + 0.3)):
        assert loss(np.clip(changed, 0, 1)) > best + 0.1


def test_decoded_truth_is_the_scene(models, scenes, grids):
    for found, known, kinds in zip(models.detect_with_grid(grids), scenes.boxes, scenes.labels, strict=True):
        boxes, scores, labels = found
        np.testing.assert_allclose(boxes[np.lexsort(boxes.T)], known[np.lexsort(known.T)], atol=1e-3)
        assert sorted(labels) == sorted(kinds)
        assert (scores == 1).all()


def test_training_lowers_the_losses(models, scenes, grids):
    """Three short passes; good models take minutes and are for the calibration."""
    detector = models.build_detector(8)
    models.compile_detector(detector)
    losses = detector.fit(scenes.images, grids, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    localizer = models.build_localizer(8)
    models.compile_localizer(localizer)
    first = {
        "class": np.array([labels[0] for labels in scenes.labels]),
        "box": np.array([boxes[0] for boxes in scenes.boxes]),
    }
    losses = localizer.fit(scenes.images, first, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_sliding_window_finds_the_only_patch(models):
    """A classifier that knows only brightness: the window over the bright patch wins, the rest is background."""
    from reference_models import sliding_window

    images = np.zeros((2, 64, 64, 1), np.uint8)
    images[0, 21:45, 12:30] = 200

    def classify(patches):
        bright = patches.mean(axis=(1, 2, 3)) / 200
        out = np.zeros((len(patches), 11))
        out[:, 3], out[:, 10] = bright, 1 - bright
        return out

    found, nothing = sliding_window.detect(images, classify, threshold=0.9)
    assert found[0].tolist() == [[12, 21, 30, 45]]
    assert found[1] == pytest.approx([1.0])
    assert found[2].tolist() == [3]
    assert nothing[0].shape == (0, 4)


def test_patches_to_learn_from(models, scenes):
    """One for each object, with its ink; the background is dark."""
    from reference_models import sliding_window

    patches, classes = sliding_window.training_patches(*scenes, np.random.default_rng(0))
    assert patches.shape == (len(classes), 24, 18, 1)
    digits = classes[classes < 10]
    assert sorted(digits) == sorted(np.concatenate(scenes.labels))
    assert patches[classes < 10].max(axis=(1, 2, 3)).min() > 120
    assert 96 < (classes == 10).sum() <= 4 * 96
    assert patches[classes == 10].mean() < 50 < patches[classes < 10].mean()
    model = sliding_window.build_patch_classifier()
    sliding_window.compile_patch_classifier(model)
    np.testing.assert_allclose(np.asarray(model(patches[:3])).sum(axis=1), 1, rtol=1e-5)
    losses = model.fit(patches, classes, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
