"""This student compares every box with all better ones, also with those that have been thrown away already."""

EXPECTED = {"nms": "partial"}
RIGHT = False

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    order = np.argsort(-np.asarray(scores), kind="stable")
    if not len(order):
        return order
    overlaps = iou(np.asarray(boxes)[order], np.asarray(boxes)[order])
    better = np.tril(overlaps, -1)  # row: a box; columns: all boxes with better scores
    return order[better.max(axis=1) <= iou_threshold]
