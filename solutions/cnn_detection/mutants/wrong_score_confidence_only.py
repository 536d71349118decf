"""This student's decoding takes the confidence alone for the score and forgets the class."""

EXPECTED = {"grid_encoding": "partial"}
RIGHT = False

# %% [grid_encoding]
def encode_grid(boxes, labels):
    """One scene as the detector's target: boxes (k, 4) in pixels and labels (k,) to (8, 8, 15)."""
    cell = IMAGE_SIZE / GRID
    tensor = np.zeros((GRID, GRID, 5 + N_CLASSES), dtype="float32")
    boxes = np.asarray(boxes, dtype="float64").reshape(-1, 4)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for i in np.argsort(areas, kind="stable"):  # the larger ones later, on top of the smaller ones
        x_min, y_min, x_max, y_max = boxes[i]
        x, y = (x_min + x_max) / 2 / cell, (y_min + y_max) / 2 / cell
        column, row = min(int(x), GRID - 1), min(int(y), GRID - 1)
        tensor[row, column] = 0
        tensor[row, column, :5] = [x - column, y - row, (x_max - x_min) / IMAGE_SIZE, (y_max - y_min) / IMAGE_SIZE, 1]
        tensor[row, column, 5 + int(labels[i])] = 1
    return tensor


def decode_grid(tensor, threshold=0.5):
    """A grid (8, 8, 15) as (boxes (k, 4) in pixels, scores (k,), labels (k,)), by falling score."""
    tensor = np.asarray(tensor, dtype="float64")
    confidence = tensor[..., 4]
    rows, columns = np.nonzero(confidence >= threshold)
    order = np.argsort(-confidence[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    cells = tensor[rows, columns]
    centres = (np.stack([columns, rows], axis=1) + cells[:, :2]) * (IMAGE_SIZE / GRID)
    sizes = cells[:, 2:4] * IMAGE_SIZE
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return boxes, confidence[rows, columns], cells[:, 5:].argmax(axis=1)
