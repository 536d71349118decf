"""This student's pooling begins with an array of zeros and keeps the larger values, so an image of negative values becomes black."""

EXPECTED = {"pooling": "partial"}
RIGHT = False

# %% [pooling]
def max_pool2d(image, size=2, stride=2):
    H, W, C = image.shape
    result = np.zeros(((H - size) // stride + 1, (W - size) // stride + 1, C))
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            for i in range(size):
                for j in range(size):
                    result[y, x] = np.maximum(result[y, x], image[y * stride + i, x * stride + j])
    return result
