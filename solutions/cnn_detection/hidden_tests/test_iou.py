"""iou: every box of one set against every box of another, its properties, and its edge cases."""

import numpy as np
import pytest

from autograder.checks import Given, expect, expect_close, expect_finite, expect_shape, has_moved
from reference_models.box_oracles import iou

TOPIC = "Lecture on measuring overlap:"


def given(rng):
    def some(n):
        corners = rng.uniform(0, 40, size=(n, 2))
        return np.concatenate([corners, corners + rng.uniform(4, 24, size=(n, 2))], axis=1).round(2)

    a, b = some(6), some(9)
    box = some(1)[0]
    width, height = box[2] - box[0], box[3] - box[1]
    apart = np.array([
        [box[2] + 3, box[1], box[2] + 9, box[3]],  # to the right
        [box[0], box[3] + 3, box[2], box[3] + 7],  # below
        [box[2] + 3, box[3] + 3, box[2] + 9, box[3] + 9],  # in both directions
        [box[0] - 20, box[1] - 20, box[0] - 5, box[1] - 5],
        [box[2], box[1], box[2] + width, box[3]],  # they touch
        [box[0], box[3], box[2], box[3] + height],
        [box[2], box[3], box[2] + 5, box[3] + 5],  # at a corner
    ])  # fmt: skip
    empty = np.array([[5, 5, 5, 5], [box[0] + 1, box[1] + 1, box[0] + 1, box[3] - 1], [5, 9, 30, 9]])
    inside = np.array([[box[0] + width / 4, box[1] + height / 4, box[0] + width / 2, box[1] + height / 2]])
    return Given(a=a, b=b, box=box[None], apart=apart, empty=empty, inside=inside).keep(
        expected=iou(a, b), expected_inside=iou(box, inside)
    )


def probe(student, given):
    import numpy as np

    def call(a, b):
        return np.asarray(student.iou(a.copy(), b.copy()))

    def after_use():
        a, b = given.a.copy(), given.b.copy()
        student.iou(a, b)
        return [a, b]

    none = np.zeros((0, 4))
    return {
        "random": lambda: call(given.a, given.b),
        "turned": lambda: call(given.b, given.a),
        "itself": lambda: call(given.a, given.a),
        "inside": lambda: call(given.box, given.inside),
        "apart": lambda: call(given.box, given.apart),
        "apart_turned": lambda: call(given.apart, given.box),
        "empty": lambda: call(given.empty, np.concatenate([given.box, given.empty])),
        "no_a": lambda: call(none, given.b),
        "no_b": lambda: call(given.a, none),
        "after_use": after_use,
    }


@pytest.mark.weight(2)
def test_shape(given, evidence):
    """Boxes (N, 4) and (M, 4) give (N, M)."""
    n, m = len(given.a), len(given.b)
    hint = f"{TOPIC} `a[:, None]` against `b[None, :]`: each with each, not the first with the first."
    expect_shape(evidence["random"], (n, m), f"iou of {n} boxes with {m} boxes", hint=hint)


@pytest.mark.weight(4)
def test_values(given, evidence):
    """The shared area divided by the area of both together."""
    hint = f"{TOPIC} the areas of both minus the shared one, and nothing added to widths or heights."
    expect_close(evidence["random"], given.expected, what="iou(a, b)", hint=hint)
    expect_close(evidence["inside"], given.expected_inside, what="iou of a box with one inside it", hint=hint)


def test_properties(given, evidence):
    """A box and itself have 1, a and b have what b and a have, and all values lie between 0 and 1."""
    itself = expect_shape(evidence["itself"], (len(given.a), len(given.a)), "iou(a, a)")
    expect_close(np.diag(itself), np.ones(len(given.a)), what="iou of a box with itself")
    one, other = (expect_finite(evidence[name], "iou") for name in ("random", "turned"))
    expect_close(other, one.T, what="iou(b, a)", hint=f"{TOPIC} it does not matter which box comes first.")
    expect(
        ((one >= 0) & (one <= 1 + 1e-6)).all(),
        "iou should lie between 0 and 1.",
        received=f"values from {float(one.min()):.4g} to {float(one.max()):.4g}",
    )


@pytest.mark.weight(2)
def test_apart(given, evidence):
    """Boxes that are apart, in one direction or in both, or only touch, have 0."""
    hint = f"{TOPIC} a negative width times a negative height is a positive area: cut both at 0 before you multiply."
    expect_close(evidence["apart"], np.zeros((1, len(given.apart))), what="iou of boxes that are apart", hint=hint)
    zeros = np.zeros((len(given.apart), 1))
    expect_close(evidence["apart_turned"], zeros, what="iou of boxes that are apart", hint=hint)


@pytest.mark.weight(2)
def test_boxes_without_area(given, evidence):
    """A box without an area has 0 with every other and with itself, and there is no NaN."""
    zeros = np.zeros((len(given.empty), 1 + len(given.empty)))
    hint = f"{TOPIC} 0 divided by 0: keep the union from being 0, for instance with `np.maximum(union, 1e-12)`."
    expect_finite(evidence["empty"], "iou of boxes without an area", hint=hint)
    expect_close(evidence["empty"], zeros, what="iou of boxes without an area", hint=hint)


def test_no_boxes(given, evidence):
    """No boxes on one side give an array of shape (0, M) or (N, 0)."""
    hint = f"{TOPIC} with broadcasting, `a[:, None]` against `b[None]`, empty arrays need no case of their own."
    expect_shape(evidence["no_a"], (0, len(given.b)), "iou of no boxes with some", hint=hint)
    expect_shape(evidence["no_b"], (len(given.a), 0), "iou of some boxes with none", hint=hint)


def test_inputs_are_left_alone(given, evidence):
    """The boxes are not changed."""
    a, b = evidence["after_use"]
    expect(
        not has_moved(a, given.a) and not has_moved(b, given.b),
        "iou should leave its inputs unchanged.",
        received="other values in them afterwards",
        hint="Compute widths and heights into arrays of their own; `a[:, 2:] -= a[:, :2]` changes the boxes.",
    )
