"""This student measures boxes by counting pixels and adds one to every width and height, so boxes that touch overlap."""

EXPECTED = {"iou": "partial"}
RIGHT = False

# %% [iou]
def iou(a, b):
    result = np.zeros((len(a), len(b)))
    for i, (ax0, ay0, ax1, ay1) in enumerate(a):
        for j, (bx0, by0, bx1, by1) in enumerate(b):
            width = max(0, min(ax1, bx1) - max(ax0, bx0) + 1)
            height = max(0, min(ay1, by1) - max(ay0, by0) + 1)
            shared = width * height
            area_a, area_b = (ax1 - ax0 + 1) * (ay1 - ay0 + 1), (bx1 - bx0 + 1) * (by1 - by0 + 1)
            result[i, j] = shared / (area_a + area_b - shared)
    return result
