"""This student divides by the union without a guard: two boxes without an area give 0 / 0."""

EXPECTED = {"iou": "partial"}
RIGHT = False

# %% [iou]
def iou(a, b):
    """Intersection over union of boxes a (N, 4) with boxes b (M, 4): (N, M), from 0 to 1."""
    a = np.asarray(a, dtype="float64").reshape(-1, 1, 4)
    b = np.asarray(b, dtype="float64").reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1)
    return shared / (areas - shared)
