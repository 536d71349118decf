"""This student gives the indices that are kept by rising index, not by falling score."""

EXPECTED = {"nms": "partial"}
RIGHT = False

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    """Indices of the boxes (N, 4) that stay, by falling score; overlaps greater than the threshold go."""
    boxes = np.asarray(boxes, dtype="float64").reshape(-1, 4)
    waiting = np.argsort(-np.asarray(scores, dtype="float64").reshape(-1), kind="stable")
    kept = []
    while waiting.size:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        overlap = np.asarray(iou(boxes[[best]], boxes[waiting])).reshape(-1)
        waiting = waiting[~(overlap > iou_threshold)]
    return np.sort(np.array(kept, dtype="int64"))
