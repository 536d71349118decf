"""The right answers of `cnn_detection` about convolution and pooling, in NumPy alone.

Images are `(height, width, channels)`, kernels `(kernel height, kernel width, channels in, channels out)`, as in Keras.
What deep learning calls convolution is cross-correlation: the kernel is not turned (Y. LeCun and others,
"Gradient-based learning applied to document recognition", 1998; V. Dumoulin and F. Visin, "A guide to convolution
arithmetic for deep learning", 2016). Computed in double precision.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autograder.errors import DataError

LECTURE_IMAGE = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
LECTURE_KERNEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
LECTURE_FEATURE_MAP = np.array([[4, 3, 4], [2, 4, 3], [2, 3, 4]])

Floats = NDArray[np.float64]


def conv2d(image: ArrayLike, kernels: ArrayLike, stride: int = 1, padding: str = "valid") -> Floats:
    """`(H, W, C_in)` and `(kh, kw, C_in, C_out)` to `(H', W', C_out)`.

    `"same"` pads with zeros as Keras does: what is odd goes to the bottom and the right. Raises `DataError` for another
    padding and for shapes that do not fit.
    """
    pixels, weights = np.asarray(image, dtype=np.float64), np.asarray(kernels, dtype=np.float64)
    if pixels.ndim != 3 or weights.ndim != 4 or pixels.shape[2] != weights.shape[2]:
        raise DataError(
            f"Images are (H, W, C_in), kernels (kh, kw, C_in, C_out); received: {pixels.shape}, {weights.shape}"
        )
    pads = [_pad(n, k, stride, padding) for n, k in zip(pixels.shape[:2], weights.shape[:2], strict=True)]
    windows = _windows(np.pad(pixels, [*pads, (0, 0)]), weights.shape[:2], stride)
    return np.einsum("xycij,ijco->xyo", windows, weights)


def max_pool2d(image: ArrayLike, size: int = 2, stride: int = 2) -> Floats:
    """`(H, W, C)` to `(H', W', C)`: the largest of each window; windows that do not fit are dropped."""
    return _windows(np.asarray(image, dtype=np.float64), (size, size), stride).max(axis=(3, 4))


def conv_output_size(n: int, kernel: int, stride: int, padding: str) -> int:
    """Places of a kernel along `n` pixels; 0 where it does not fit. Raises `DataError` for another padding."""
    before, after = _pad(n, kernel, stride, padding)
    return max((n + before + after - kernel) // stride + 1, 0)


def conv_parameters(kernel: int, c_in: int, c_out: int) -> int:
    """Weights and biases of a convolution with square kernels."""
    return (kernel * kernel * c_in + 1) * c_out


def _pad(n: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    if padding == "valid":
        return 0, 0
    if padding == "same":
        missing = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        return missing // 2, missing - missing // 2
    raise DataError(f'The paddings are "valid" and "same"; received: {padding!r}')


def _windows(pixels: Floats, size: tuple[int, ...], stride: int) -> Floats:
    """`(H', W', C, kh, kw)`, a view."""
    if pixels.shape[0] < size[0] or pixels.shape[1] < size[1]:
        sides = (max((n - k) // stride + 1, 0) for n, k in zip(pixels.shape, size, strict=False))
        return np.empty((*sides, pixels.shape[2], *size))
    return np.lib.stride_tricks.sliding_window_view(pixels, size, axis=(0, 1))[::stride, ::stride]
