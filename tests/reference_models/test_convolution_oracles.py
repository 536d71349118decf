"""Convolution and pooling against Keras on random inputs, and by hand. TensorFlow; 5 seconds.

Tolerance against Keras: 1e-4 absolute for float32 sums of up to 75 products of values near 1 (measured: 9e-6 at most).
"""

import itertools

import numpy as np
import pytest

from autograder.errors import DataError
from reference_models import convolution_oracles as oracles

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently


@pytest.fixture(scope="module")
def layers():
    import keras

    yield keras.layers
    keras.backend.clear_session()


def test_the_lecture_example():
    received = oracles.conv2d(oracles.LECTURE_IMAGE[..., None], oracles.LECTURE_KERNEL[..., None, None])
    np.testing.assert_array_equal(received[..., 0], [[4, 3, 4], [2, 4, 3], [2, 3, 4]])
    np.testing.assert_array_equal(oracles.LECTURE_FEATURE_MAP, received[..., 0])


CASES = list(
    itertools.product([(9, 7, 3), (8, 8, 1), (5, 6, 2)], [(3, 3), (2, 4), (1, 1), (5, 5)], [1, 2, 3], ["valid", "same"])
)


@pytest.mark.parametrize(("shape", "size", "stride", "padding"), CASES)
def test_convolution_of_keras(layers, shape, size, stride, padding):
    rng = np.random.default_rng(0)
    image = rng.normal(size=shape).astype(np.float32)
    layer = layers.Conv2D(4, size, strides=stride, padding=padding, use_bias=False)
    layer.build((None, *shape))
    kernels = rng.normal(size=(*size, shape[2], 4)).astype(np.float32)
    layer.set_weights([kernels])
    expected = np.asarray(layer(image[None]))[0]
    received = oracles.conv2d(image, kernels, stride, padding)
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, rtol=0, atol=1e-4)
    sides = [oracles.conv_output_size(n, k, stride, padding) for n, k in zip(shape[:2], size, strict=True)]
    assert tuple(sides) == expected.shape[:2]


@pytest.mark.parametrize(("shape", "size", "stride"), [((8, 8, 3), 2, 2), ((7, 9, 2), 2, 2), ((7, 9, 1), 3, 2), ((6, 6, 1), 3, 1), ((9, 9, 1), 2, 3)])  # fmt: skip
def test_pooling_of_keras(layers, shape, size, stride):
    image = np.random.default_rng(1).normal(-5, 1, size=shape).astype(np.float32)
    expected = np.asarray(layers.MaxPooling2D(size, strides=stride)(image[None]))[0]
    np.testing.assert_array_equal(oracles.max_pool2d(image, size, stride), expected)


def test_pooling_of_negative_values_and_of_too_small_images():
    assert oracles.max_pool2d(-np.ones((3, 3, 1))).tolist() == [[[-1.0]]]
    assert oracles.max_pool2d(np.ones((1, 4, 2))).shape == (0, 2, 2)
    assert oracles.conv2d(np.ones((2, 5, 1)), np.ones((3, 3, 1, 4))).shape == (0, 3, 4)
    assert oracles.conv_output_size(2, 3, 1, "valid") == 0


@pytest.mark.parametrize(("kernel", "c_in", "c_out"), [(3, 1, 16), (5, 16, 32), (1, 4, 4)])
def test_parameters_of_keras(layers, kernel, c_in, c_out):
    layer = layers.Conv2D(c_out, kernel)
    layer.build((None, 8, 8, c_in))
    assert oracles.conv_parameters(kernel, c_in, c_out) == layer.count_params()


def test_other_paddings_and_shapes_are_refused():
    with pytest.raises(DataError, match="received: 'causal'"):
        oracles.conv2d(np.ones((4, 4, 1)), np.ones((3, 3, 1, 1)), padding="causal")
    with pytest.raises(DataError, match="received: 'full'"):
        oracles.conv_output_size(4, 3, 1, "full")
    with pytest.raises(DataError, match=r"\(4, 4, 2\), \(3, 3, 1, 1\)"):
        oracles.conv2d(np.ones((4, 4, 2)), np.ones((3, 3, 1, 1)))
