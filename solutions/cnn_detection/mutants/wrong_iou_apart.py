"""This student multiplies a negative width by a negative height: boxes that are apart in both directions share a positive area."""

EXPECTED = {"iou": "partial"}
RIGHT = False

# %% [iou]
def iou(a, b):
    """Intersection over union of boxes a (N, 4) with boxes b (M, 4): (N, M), from 0 to 1."""
    a, b = np.asarray(a, dtype="float64").reshape(-1, 1, 4), np.asarray(b, dtype="float64").reshape(1, -1, 4)
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = width * height
    areas = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1]) + (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return np.clip(shared / np.maximum(areas - shared, 1e-12), 0, 1)
