"""This student pads for "same" as if the stride were 1, as the usual formula (k - 1) / 2 has it."""

EXPECTED = {"convolution": "partial"}
RIGHT = False

# %% [convolution]
def conv2d(image, kernels, stride=1, padding="valid"):
    """Cross-correlate an image (H, W, C_in) with kernels (kh, kw, C_in, C_out); returns (H', W', C_out).

    padding: "valid" or "same" (zeros, split as Keras splits them); another one raises ValueError.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f'padding is "valid" or "same", not {padding!r}')
    image, kernels = np.asarray(image, dtype="float64"), np.asarray(kernels, dtype="float64")
    kh, kw = kernels.shape[:2]
    if padding == "same":
        frame = []
        for n, k in zip(image.shape, (kh, kw)):
            missing = k - 1
            frame.append((missing // 2, missing - missing // 2))
        image = np.pad(image, [*frame, (0, 0)])
    rows = (image.shape[0] - kh) // stride + 1
    columns = (image.shape[1] - kw) // stride + 1
    out = np.zeros((rows, columns, kernels.shape[3]))
    for y in range(rows):
        for x in range(columns):
            window = image[y * stride : y * stride + kh, x * stride : x * stride + kw]
            out[y, x] = np.tensordot(window, kernels, axes=3)
    return out
