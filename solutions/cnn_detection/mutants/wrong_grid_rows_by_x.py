"""This student counts rows by x and columns by y, in encoding and in decoding, so that one makes up for the other and boxes come back;
but a convolution sees only its surroundings, and cannot learn to put what it sees in the mirrored cell."""

EXPECTED = {"grid_encoding": "partial", "detection": "partial", "figure": "partial"}
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
        tensor[column, row] = 0
        tensor[column, row, :5] = [x - column, y - row, (x_max - x_min) / IMAGE_SIZE, (y_max - y_min) / IMAGE_SIZE, 1]
        tensor[column, row, 5 + int(labels[i])] = 1
    return tensor


def decode_grid(tensor, threshold=0.5):
    """A grid (8, 8, 15) as (boxes (k, 4) in pixels, scores (k,), labels (k,)), by falling score."""
    tensor = np.asarray(tensor, dtype="float64")
    confidence = tensor[..., 4] * tensor[..., 5:].max(axis=-1)
    columns, rows = np.nonzero(confidence >= threshold)
    order = np.argsort(-confidence[columns, rows], kind="stable")
    rows, columns = rows[order], columns[order]
    cells = tensor[columns, rows]
    centres = (np.stack([columns, rows], axis=1) + cells[:, :2]) * (IMAGE_SIZE / GRID)
    sizes = cells[:, 2:4] * IMAGE_SIZE
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    return boxes, confidence[columns, rows], cells[:, 5:].argmax(axis=1)
