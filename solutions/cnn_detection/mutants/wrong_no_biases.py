"""This student forgets the biases when counting the parameters of a convolution."""

EXPECTED = {"layer_arithmetic": "partial"}
RIGHT = False

# %% [layer_arithmetic]
def conv_output_size(n, kernel, stride, padding):
    """Places of a kernel along n pixels; padding "valid" or "same"."""
    if padding == "same":
        return -(-n // stride)
    return (n - kernel) // stride + 1


def conv_parameters(kernel, c_in, c_out):
    """Weights and biases of a convolutional layer with square kernels."""
    return kernel**2 * c_in * c_out
