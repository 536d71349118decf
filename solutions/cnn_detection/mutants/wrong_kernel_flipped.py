"""This student turns the kernels by 180 degrees before sliding them over the image, as mathematicians define convolution. The lecture's kernel is symmetric
and does not show it."""

EXPECTED = {"convolution": "partial"}
RIGHT = False
DEMO = True

# %% [convolution]
def conv2d(image, kernels, stride=1, padding="valid"):
    """Cross-correlate an image (H, W, C_in) with kernels (kh, kw, C_in, C_out); returns (H', W', C_out).

    padding: "valid" or "same" (zeros, split as Keras splits them); another one raises ValueError.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f'padding is "valid" or "same", not {padding!r}')
    image, kernels = np.asarray(image, dtype="float64"), np.flip(np.asarray(kernels, dtype="float64"), axis=(0, 1))
    kh, kw = kernels.shape[:2]
    if padding == "same":
        frame = []
        for n, k in zip(image.shape, (kh, kw)):
            missing = max((-(-n // stride) - 1) * stride + k - n, 0)
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
