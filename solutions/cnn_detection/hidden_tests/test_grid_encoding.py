"""encode_grid and decode_grid: random scenes and grids, shared cells, edges, and back again."""

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    Given,
    as_array,
    as_list,
    expect,
    expect_close,
    expect_finite,
    expect_shape,
    has_moved,
)
from reference_models.box_oracles import CELL, GRID, N_CLASSES, decode_grid, encode_grid

TOPIC = "Lecture on one-stage detection, the grid:"
SHAPE = (GRID, GRID, 5 + N_CLASSES)
PIXELS = 2e-3  # float32 work; the way back is asked to be as exact as the contract says


def boxes_around(centres, sides):
    return np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)


def random_scene(rng, objects):
    """Boxes whose centres lie in cells of their own, well inside them, and their labels."""
    cells = rng.permutation(GRID * GRID)[:objects]
    centres = (np.stack([cells % GRID, cells // GRID], axis=1) + rng.uniform(0.1, 0.9, size=(objects, 2))) * CELL
    boxes = boxes_around(centres, rng.uniform(6, 26, size=(objects, 2))).round(3)
    return {"boxes": boxes.astype("float32"), "labels": rng.integers(0, N_CLASSES, size=objects)}


def random_grid(rng):
    """A grid as a network might give it, scores all different and far from 0.5 and 0.2."""
    grid = rng.uniform(0.05, 0.95, size=SHAPE)
    grid[..., 5:] /= grid[..., 5:].sum(axis=-1, keepdims=True)
    grid[..., 5:] = grid[..., 5:] ** 4 / (grid[..., 5:] ** 4).sum(axis=-1, keepdims=True)
    scores = rng.permutation(np.linspace(0.005, 0.995, GRID * GRID)).reshape(GRID, GRID)
    best = grid[..., 5:].max(axis=-1)
    grid[..., 4] = np.minimum(scores / best, 0.99)
    product = grid[..., 4] * best
    unsure = (np.abs(product - 0.5) < 0.01) | (np.abs(product - 0.2) < 0.01)
    grid[unsure, 4] *= 0.9
    return grid


def given(rng):
    scenes = [random_scene(rng, objects) for objects in (1, 2, 3, 3)]
    centre, label = (rng.integers(1, 7, size=2) + 0.5) * CELL, int(rng.integers(0, N_CLASSES))
    # The smaller box lies further to the right and below; then it is wider, then taller than the larger one.
    shared = [
        np.concatenate(
            [boxes_around(centre[None] + 1, np.array([small])), boxes_around(centre[None] - 1, np.array([large]))]
        )
        for small, large in (((10, 8), (16, 12)), ((20, 4), (9, 12)), ((4, 20), (12, 9)))
    ]
    labels = np.array([label, (label + 3) % N_CLASSES])
    edges = boxes_around(
        np.array([[64.0, 20.0], [28.0, 64.0], [64.0, 64.0]]), np.array([[8.0, 12.0], [10.0, 6.0], [4.0, 6.0]])
    )
    edge = {"boxes": edges, "labels": rng.integers(0, N_CLASSES, size=3)}
    borderline = np.zeros(SHAPE)
    borderline[2, 3, :5], borderline[2, 3, 5 + label] = (0.5, 0.5, 0.25, 0.25, 1.0), 0.5
    return Given(
        scenes=scenes,
        shared=[{"boxes": pair, "labels": labels} for pair in shared],
        shared_turned=[{"boxes": pair[::-1].copy(), "labels": labels[::-1].copy()} for pair in shared],
        edge=edge,
        grid=random_grid(rng),
        borderline=borderline,
    ).keep(
        grids=[encode_grid(**scene) for scene in scenes],
        shared_grids=[encode_grid(pair, labels) for pair in shared],
        edge_grid=encode_grid(**edge),
    )  # fmt: skip


def probe(student, given):
    import numpy as np

    def encode(scene):
        return np.asarray(student.encode_grid(scene["boxes"].copy(), scene["labels"].copy()))

    def decode(tensor, *threshold):
        found = student.decode_grid(tensor.copy(), *threshold)
        return [np.asarray(part) for part in found]

    def by_name():
        return [np.asarray(part) for part in student.decode_grid(tensor=given.grid.copy(), threshold=0.2)]

    def after_use():
        scene, grid = given.scenes[2], given.grid.copy()
        boxes, labels = scene["boxes"].copy(), scene["labels"].copy()
        student.encode_grid(boxes, labels)
        student.decode_grid(grid, 0.2)
        return [boxes, labels, grid]

    return {
        "scenes": lambda: [encode(scene) for scene in given.scenes],
        "shared": lambda: [encode(scene) for scene in given.shared],
        "shared_turned": lambda: [encode(scene) for scene in given.shared_turned],
        "edge": lambda: encode(given.edge),
        "decoded": lambda: decode(given.grid),
        "decoded_low": by_name,
        "decoded_zero": lambda: decode(np.zeros((8, 8, 15))),
        "borderline": lambda: decode(given.borderline, 0.5),
        "there_and_back": lambda: [decode(encode(scene), 0.5) for scene in given.scenes],
        "after_use": after_use,
    }


def encoded(evidence, given):
    """The student's grids beside the right ones."""
    found = as_list(evidence["scenes"], "The grids of four scenes", length=len(given.scenes))
    return [
        (expect_shape(each, SHAPE, "encode_grid(boxes, labels)").astype(float), right)
        for each, right in zip(found, given.grids, strict=True)
    ]


def objects_of(evidence, given):
    """The cells of the student's grids in which objects belong, beside the right ones, `(n, 15)` each."""
    return [(found[right[..., 4] == 1], right[right[..., 4] == 1]) for found, right in encoded(evidence, given)]


def detections(value, what):
    """Boxes `(k, 4)`, scores and labels `(k,)`; empty ones may have any shape."""
    boxes, scores, labels = (as_array(part, what) for part in as_list(value, what, length=3))
    if not boxes.size and not scores.size and not labels.size:
        return np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)
    k = scores.size
    return (
        expect_shape(boxes, (k, 4), f"{what}, boxes").astype(float),
        expect_shape(scores, (k,), f"{what}, scores").astype(float),
        expect_shape(labels, (k,), f"{what}, labels"),
    )


def check_boxes(boxes, right, what, hint, atol=PIXELS):
    """The same boxes, in whatever order."""
    expect(len(boxes) == len(right), f"{what} should be {len(right)}.", received=str(len(boxes)), hint=hint)
    expect_finite(boxes, what)
    order, right_order = (np.lexsort(each.round(1).T) for each in (boxes, right))
    far = np.abs(boxes[order] - right[right_order]).max(initial=0)
    if far <= atol:
        return
    swapped = np.lexsort(boxes[:, [1, 0, 3, 2]].round(1).T)
    if np.abs(boxes[swapped][:, [1, 0, 3, 2]] - right[right_order]).max() <= atol:
        raise Failure(f"{what} should be [x_min, y_min, x_max, y_max]. Received: x and y exchanged", hint)
    nearest = np.abs(boxes[:, None] - right[None]).max(axis=-1).min(axis=0)
    worst = int(nearest.argmax())
    if nearest[worst] > atol:
        raise Failure(
            f"{what} should have {right[worst].round(2).tolist()} among them. Received: the nearest is "
            f"{nearest[worst]:.3g} pixels off",
            hint,
        )


@pytest.mark.weight(2)
def test_cell_of_the_centre(given, evidence):
    """The cell that holds a box's centre, row by y and column by x, has confidence 1."""
    for found, right in encoded(evidence, given):
        rows, columns = np.nonzero(right[..., 4])
        hint = f"{TOPIC} row = y // 8, column = x // 8 of the centre: `tensor[row, column]`."
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            expect(
                np.isclose(found[row, column, 4], 1.0, atol=1e-5),
                f"encode_grid: a box with its centre in row {row}, column {column} should give a 1 at place 4 there.",
                received=f"{found[row, column, 4]:.4g}; 1 is at {np.argwhere(found[..., 4] == 1).tolist()}",
                hint=hint,
            )


@pytest.mark.weight(2)
def test_centre_and_size(given, evidence):
    """The first two numbers are the centre's place in its cell, 0 to 1, the next two width and height divided by 64."""
    for found, right in objects_of(evidence, given):
        hint = f"{TOPIC} cx = x / 8 - column: 0 at the left edge of the cell, 1 at its right edge."
        expect_close(found[:, :2], right[:, :2], what="encode_grid, [cx, cy] of each object", atol=1e-4, hint=hint)
        hint = f"{TOPIC} the width comes first, and both are shares of the image, not of the cell."
        expect_close(found[:, 2:4], right[:, 2:4], what="encode_grid, [w, h] of each object", atol=1e-4, hint=hint)


@pytest.mark.weight(2)
def test_class_and_empty_cells(given, evidence):
    """Places 5 to 14 are the class, one-hot, and all cells without a centre are zero."""
    for found, right in encoded(evidence, given):
        cells = right[..., 4] == 1
        hint = f"{TOPIC} class k has its 1 at place 5 + k."
        expect_close(
            found[cells][:, 5:], right[cells][:, 5:], what="encode_grid, the classes of each object", hint=hint
        )
        count = int((np.abs(found).max(axis=-1) > 1e-6).sum())
        expect(
            count == int(cells.sum()),
            f"encode_grid of {int(cells.sum())} objects should fill as many cells, and leave the others at zero.",
            received=f"{count} cells with numbers",
            hint=f"{TOPIC} only the cell with the centre describes a box, however far the box reaches.",
        )


def test_larger_box_stays(given, evidence):
    """Of two boxes with their centres in one cell the larger stays, whichever comes first."""
    hint = f"{TOPIC} compare the areas, or write the boxes from the smallest to the largest; clear the cell first."
    for name in ("shared", "shared_turned"):
        what = "encode_grid of two boxes in one cell"
        grids = as_list(evidence[name], "The grids of three scenes", length=len(given.shared_grids))
        for grid, right in zip(grids, given.shared_grids, strict=True):
            expect_close(expect_shape(grid, SHAPE, what), right, what=what, atol=1e-4, hint=hint)


def test_last_cell(given, evidence):
    """A centre on the right or bottom edge of the image belongs to the last cell."""
    hint = f"{TOPIC} 64 // 8 is 8, and there is no such cell: `min(..., GRID - 1)`; the place in the cell is then 1."
    what = "encode_grid of boxes with their centres on the edge"
    found = expect_shape(evidence["edge"], SHAPE, what)
    expect_close(found, given.edge_grid, what=what, atol=1e-4, hint=hint)


@pytest.mark.weight(2)
def test_scores(given, evidence):
    """A cell's score is its confidence times its best class score; cells below the threshold are left out."""
    hint = f"{TOPIC} score = tensor[row, column, 4] * tensor[row, column, 5:].max()."
    for name, threshold in (("decoded", 0.5), ("decoded_low", 0.2)):
        _, scores, _ = detections(evidence[name], "decode_grid")
        _, right, _ = decode_grid(given.grid, threshold)
        what = f"decode_grid with threshold {threshold}: the number of detections"
        expect(len(scores) == len(right), f"{what} should be {len(right)}.", received=str(len(scores)), hint=hint)
        expect_close(np.sort(scores), np.sort(right), what="decode_grid, the scores", hint=hint)


@pytest.mark.weight(2)
def test_decoded_boxes(given, evidence):
    """Boxes come back in pixels, with the label of the best class."""
    boxes, scores, labels = detections(evidence["decoded_low"], "decode_grid")
    every, all_scores, all_labels = decode_grid(given.grid, 0.0)
    expect(len(boxes), "decode_grid with threshold 0.2 should give detections.", received="none")
    hint = f"{TOPIC} centre = (column + cx, row + cy) * 8; half of the width to each side."
    far = np.abs(boxes[:, None] - every[None]).max(axis=-1)
    nearest = far.argmin(axis=1)
    worst = int(far.min(axis=1).argmax())
    if far[worst].min() > PIXELS:
        turned = np.abs(boxes[:, None][..., [1, 0, 3, 2]] - every[None]).max(axis=-1).min(axis=1).max() <= PIXELS
        story = "x and y exchanged" if turned else f"{boxes[worst].round(2).tolist()}, which no cell describes"
        raise Failure(f"decode_grid should give boxes [x_min, y_min, x_max, y_max] in pixels. Received: {story}", hint)
    off = labels != all_labels[nearest]
    expect(
        not off.any(),
        "decode_grid should label a box with its cell's most likely class, 0 to 9.",
        received=f"other labels for {int(off.sum())} of {len(labels)} boxes",
        hint=f"{TOPIC} the classes are places 5 to 14: `tensor[row, column, 5:].argmax()`.",
    )
    mixed = (
        len(scores) == len(boxes) and np.corrcoef(scores, all_scores[nearest])[0, 1] < 0.5 if len(boxes) > 3 else False
    )
    expect(
        not mixed, "decode_grid: each box should have the score of its own cell.", received="scores in another order"
    )


def test_by_falling_score(evidence):
    """Detections come by falling score."""
    _, scores, _ = detections(evidence["decoded_low"], "decode_grid")
    expect(len(scores) > 1, "decode_grid with threshold 0.2 should give several detections.", received=str(len(scores)))
    expect(
        (np.diff(scores) <= 1e-9).all(),
        "decode_grid should give detections by falling score.",
        received=f"scores {scores[:5].round(3).tolist()}",
        hint="`np.argsort(-scores)` gives the order for boxes, scores and labels alike.",
    )


def test_threshold(evidence):
    """A score of exactly the threshold counts, and an empty grid gives nothing."""
    _, scores, _ = detections(evidence["borderline"], "decode_grid")
    hint = f"{TOPIC} at least the threshold: `>=`."
    what = "decode_grid of a grid with one cell, whose score is exactly the threshold,"
    expect(len(scores) == 1, f"{what} should give one detection.", received=str(len(scores)), hint=hint)
    nothing, _, _ = detections(evidence["decoded_zero"], "decode_grid of an empty grid")
    expect(not len(nothing), "decode_grid of an empty grid should give no boxes.", received=f"{len(nothing)} boxes")


@pytest.mark.weight(2)
def test_there_and_back(given, evidence):
    """Decoding an encoded scene gives its boxes back to 1e-4 pixels, with its labels and scores of 1."""
    found = as_list(evidence["there_and_back"], "Four decoded scenes", length=len(given.scenes))
    for scene, value in zip(given.scenes, found, strict=True):
        boxes, scores, labels = detections(value, "decode_grid(encode_grid(boxes, labels))")
        check_boxes(boxes, scene["boxes"].astype(float), "Boxes of an encoded and decoded scene", "", atol=1.5e-4)
        expect(
            sorted(labels.tolist()) == sorted(scene["labels"].tolist()),
            f"Labels of an encoded and decoded scene should be {sorted(scene['labels'].tolist())}.",
            received=sorted(labels.tolist()),
        )
        expect_close(scores, np.ones(len(boxes)), what="Scores of an encoded and decoded scene")


def test_inputs_are_left_alone(given, evidence):
    """Boxes, labels and grids are not changed."""
    boxes, labels, grid = evidence["after_use"]
    scene = given.scenes[2]
    kept = [has_moved(boxes, scene["boxes"]), has_moved(labels, scene["labels"]), has_moved(grid, given.grid)]
    expect(
        not any(kept),
        "encode_grid and decode_grid should leave their inputs unchanged.",
        received="other values in them afterwards",
        hint="`boxes / 8` gives a new array, `boxes /= 8` changes the one that was handed over.",
    )
