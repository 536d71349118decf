"""non_max_suppression: greedy, strictly greater, by falling score; on made-up and on random boxes.

Whoever has a wrong `iou` has lost its points there: random boxes are judged with the student's own overlaps, too.
"""

import numpy as np
import pytest

from autograder.checks import Failure, Given, as_array, as_list, expect, has_moved, shorten
from reference_models.box_oracles import iou

TOPIC = "Lecture on detectors, non-maximum suppression:"
THRESHOLDS = (0.3, 0.5, 0.7)
CASES = {
    # Of a row of boxes each overlaps the next one: the second goes, and so cannot take the third with it.
    "chain": ([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], [0.9, 0.8, 0.7], 0.4),
    # Half of the larger box: an IoU of exactly 0.5.
    "at_the_threshold": ([[0, 0, 8, 4], [0, 0, 4, 4]], [0.9, 0.8], 0.5),
    "ties": ([[0, 0, 10, 10], [0, 0, 10, 10], [30, 30, 40, 40], [30, 30, 40, 40]], [0.5, 0.5, 0.5, 0.5], 0.5),
    "ties_behind": ([[0, 0, 4, 4], [20, 20, 24, 24], [40, 40, 44, 44]], [0.2, 0.7, 0.7], 0.5),
    "one": ([[3, 4, 9, 12]], [0.1], 0.5),
}


def suppressed(overlaps, scores, threshold):
    """Indices that stay, given all overlaps `(n, n)`."""
    kept = []
    for i in np.argsort(-np.asarray(scores), kind="stable").tolist():
        if not (np.asarray(overlaps)[i, kept] > threshold).any():
            kept.append(i)
    return kept


def given(rng):
    centres = rng.uniform(10, 50, size=(5, 2))
    middles = centres[rng.integers(0, 5, size=40)] + rng.normal(scale=3, size=(40, 2))
    sides = rng.uniform(8, 20, size=(40, 2))
    boxes = np.concatenate([middles - sides / 2, middles + sides / 2], axis=1).round(2)
    scores = (rng.permutation(40) + 1) / 41.0
    cases = {name: list(case) for name, case in CASES.items()}
    return Given(cases=cases, boxes=boxes, scores=scores, thresholds=list(THRESHOLDS))


def probe(student, given):
    import numpy as np

    def call(boxes, scores, threshold):
        return np.asarray(student.non_max_suppression(np.array(boxes, float), np.array(scores, float), threshold))

    def overlaps(boxes):
        try:
            return np.asarray(student.iou(np.array(boxes, float), np.array(boxes, float)), dtype=float)
        except Exception:
            return None

    def again():
        kept = call(given.boxes, given.scores, 0.5).astype(int)
        return [kept, call(given.boxes[kept], given.scores[kept], 0.5)]

    def after_use():
        boxes, scores = given.boxes.copy(), given.scores.copy()
        student.non_max_suppression(boxes, scores)
        return [boxes, scores]

    return {
        **{name: lambda case=case: call(*case) for name, case in given.cases.items()},
        **{f"own {name}": overlaps(case[0]) for name, case in given.cases.items()},
        "random": lambda: [call(given.boxes, given.scores, threshold) for threshold in given.thresholds],
        "by_default": lambda: np.asarray(student.non_max_suppression(given.boxes.copy(), given.scores.copy())),
        "by_name": lambda: np.asarray(
            student.non_max_suppression(boxes=given.boxes.copy(), scores=given.scores.copy(), iou_threshold=0.3)
        ),
        "own random": overlaps(given.boxes),
        "none": lambda: np.asarray(student.non_max_suppression(np.zeros((0, 4)), np.zeros(0))),
        "again": again,
        "after_use": after_use,
    }


def accepted(evidence, name, boxes, scores, threshold):
    """What may stay: with true overlaps, and with the student's own."""
    right = [suppressed(iou(boxes, boxes), scores, threshold)]
    own = evidence[f"own {name}"]
    if isinstance(own, np.ndarray) and own.shape == (len(boxes), len(boxes)):
        right.append(suppressed(own, scores, threshold))
    return right


def indices(value, what):
    array = as_array(value, what)
    if array.ndim != 1 or (array.size and (array != np.round(array)).any()) or array.dtype == bool:
        raise Failure(f"{what} should be a one-dimensional array of indices. Received: {shorten(value)}")
    return array.astype(int).tolist()


def check(evidence, name, hint):
    boxes, scores, threshold = CASES[name]
    what = f"non_max_suppression of the boxes {boxes} with scores {scores} and threshold {threshold}"
    found, right = indices(evidence[name], what), accepted(evidence, name, boxes, scores, threshold)
    expect(found in right, f"{what} should keep {right[0]}.", received=found, hint=hint)


def check_random(evidence, given, value, threshold):
    what = f"non_max_suppression of 40 boxes with threshold {threshold}"
    found, right = indices(value, what), accepted(evidence, "random", given.boxes, given.scores, threshold)
    hint = f"{TOPIC} the best one stays, all that overlap it by more than the threshold go; then the best of the rest."
    expect(
        sorted(found) in [sorted(each) for each in right],
        f"{what} should keep {len(right[0])} of them.",
        received=f"{len(found)} indices, {len(set(found) ^ set(right[0]))} of which are wrong or missing",
        hint=hint,
    )


@pytest.mark.weight(4)
def test_what_stays(given, evidence):
    """The best box stays, those that overlap it more than the threshold go, and so on, for any threshold."""
    values = as_list(evidence["random"], "The results for three thresholds", length=len(THRESHOLDS))
    for value, threshold in zip(values, THRESHOLDS, strict=True):
        check_random(evidence, given, value, threshold)
    check_random(evidence, given, evidence["by_name"], 0.3)
    check(evidence, "one", "")


def test_default_threshold(given, evidence):
    """Without a threshold it is 0.5."""
    check_random(evidence, given, evidence["by_default"], 0.5)


@pytest.mark.weight(2)
def test_by_falling_score(given, evidence):
    """The indices come by falling score."""
    kept = indices(evidence["by_default"], "non_max_suppression(boxes, scores)")
    inside = kept and all(0 <= i < len(given.scores) for i in kept)
    expect(inside, "The result should hold indices of the boxes.", received=kept)
    expect(
        (np.diff(given.scores[kept]) <= 0).all(),
        "The indices should come by falling score.",
        received=f"scores {given.scores[kept].round(2).tolist()[:6]}",
        hint=f"{TOPIC} go through the boxes by falling score, and append the index of each that stays.",
    )


@pytest.mark.weight(2)
def test_suppressed_boxes_suppress_nobody(evidence):
    """A box that has gone takes no other box with it."""
    check(evidence, "chain", f"{TOPIC} compare each box with those that are kept, not with all that are better.")


def test_exactly_at_the_threshold(evidence):
    """A box whose overlap is exactly the threshold stays."""
    check(evidence, "at_the_threshold", f"{TOPIC} a box goes when its IoU is greater than the threshold.")


def test_equal_scores(evidence):
    """Of equal scores the lower index comes first."""
    hint = 'A stable sort of the negative scores, `np.argsort(-scores, kind="stable")`, keeps their order.'
    check(evidence, "ties", hint)
    check(evidence, "ties_behind", hint)


def test_no_boxes(evidence):
    """No boxes give an empty result."""
    found = as_array(evidence["none"], "non_max_suppression of no boxes")
    hint = "Begin with an empty list of what is kept; a loop over no boxes leaves it empty."
    expect(found.size == 0, "non_max_suppression of no boxes should be empty.", received=found.tolist(), hint=hint)


def test_again(evidence):
    """What stays, stays when it is asked again."""
    kept, again = as_list(evidence["again"], "The two results", length=2)
    number = len(indices(kept, "non_max_suppression(boxes, scores)"))
    second = indices(again, "non_max_suppression of what has stayed")
    expect(
        number and second == list(range(number)),
        f"Of the {number} boxes that have stayed, all should stay, in that order.",
        received=second,
        hint=f"{TOPIC} no two boxes that stay overlap by more than the threshold, so none of them can go later.",
    )


def test_inputs_are_left_alone(given, evidence):
    """Boxes and scores are not changed."""
    boxes, scores = evidence["after_use"]
    expect(
        not has_moved(boxes, given.boxes) and not has_moved(scores, given.scores),
        "non_max_suppression should leave its inputs unchanged.",
        received="other values in them afterwards",
        hint="Note what has gone in an array of your own, instead of setting its score to 0.",
    )
