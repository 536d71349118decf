"""This student turns corners into widths and heights inside the arrays that come in."""

EXPECTED = {"iou": "partial"}
RIGHT = False

# %% [iou]
def iou(a, b):
    """Intersection over union of boxes a (N, 4) with boxes b (M, 4): (N, M), from 0 to 1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    a[:, 2:] -= a[:, :2]
    if b is not a:
        b[:, 2:] -= b[:, :2]
    areas = a[:, 2:].prod(axis=-1)[:, None] + b[:, 2:].prod(axis=-1)[None]
    return shared / np.maximum(areas - shared, 1e-12)

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    """Indices of the boxes (N, 4) that stay, by falling score; overlaps greater than the threshold go."""
    boxes = np.array(boxes, dtype="float64").reshape(-1, 4)
    waiting = np.argsort(-np.asarray(scores, dtype="float64").reshape(-1), kind="stable")
    kept = []
    while waiting.size:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        overlap = np.asarray(iou(boxes[[best]], boxes[waiting])).reshape(-1)
        waiting = waiting[~(overlap > iou_threshold)]
    return np.array(kept, dtype="int64")
