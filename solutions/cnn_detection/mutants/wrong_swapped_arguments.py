"""This student's `conv_output_size` takes the stride for the kernel, and pooling uses its size for the stride: both are only right when the two are equal."""

EXPECTED = {"layer_arithmetic": "partial", "pooling": "partial"}
RIGHT = False

# %% [layer_arithmetic]
def conv_output_size(n, kernel, stride, padding):
    """Places of a kernel along n pixels; padding "valid" or "same"."""
    if padding == "same":
        return -(-n // stride)
    return (n - stride) // kernel + 1 if stride > 1 else n - kernel + 1


def conv_parameters(kernel, c_in, c_out):
    """Weights and biases of a convolutional layer with square kernels."""
    return (kernel * kernel * c_in + 1) * c_out

# %% [pooling]
def max_pool2d(image, size=2, stride=2):
    """The largest value of each window: (H, W, C) to (H', W', C)."""
    image = np.asarray(image)
    rows = image.shape[0] // size
    columns = image.shape[1] // size
    out = np.empty((rows, columns, image.shape[2]), dtype=image.dtype)
    for y in range(rows):
        for x in range(columns):
            out[y, x] = image[y * size : (y + 1) * size, x * size : (x + 1) * size].max(axis=(0, 1))
    return out
