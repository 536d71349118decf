"""Boxes by hand and by their properties, on random scenes too. Four seconds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.data.scene_drawing import draw_scenes
from autograder.errors import DataError
from reference_models import box_oracles as oracles
from reference_models import detection_metrics as metrics

calm = settings(deadline=None, derandomize=True, max_examples=100)
corner = st.floats(0, 64, width=32)
box = st.tuples(corner, corner, corner, corner).map(
    lambda c: [min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3])]
)
boxes = st.lists(box, max_size=8)
scored = st.lists(st.tuples(box, st.sampled_from([0.1, 0.4, 0.4, 0.8, 1.0])), max_size=8)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 2, 2], [1, 1, 3, 3], 1 / 7),
        ([0, 0, 4, 4], [1, 1, 3, 3], 4 / 16),
        ([0, 0, 2, 2], [0, 0, 2, 2], 1.0),
        ([0, 0, 2, 2], [2, 0, 4, 2], 0.0),
        ([0, 0, 2, 2], [5, 5, 6, 6], 0.0),
        ([1, 1, 1, 1], [1, 1, 1, 1], 0.0),
        ([1, 1, 1, 5], [0, 0, 4, 4], 0.0),
    ],
)
def test_iou_by_hand(a, b, expected):
    assert oracles.iou([a], [b])[0, 0] == pytest.approx(expected)


@calm
@given(a=boxes, b=boxes)
def test_iou_is_symmetric_and_a_share(a, b):
    overlaps = oracles.iou(a, b)
    assert overlaps.shape == (len(a), len(b))
    assert ((overlaps >= 0) & (overlaps <= 1)).all()
    np.testing.assert_array_equal(overlaps, oracles.iou(b, a).T)


@calm
@given(a=boxes)
def test_iou_of_a_box_with_itself(a):
    areas = np.array([(x[2] - x[0]) * (x[3] - x[1]) for x in a])
    np.testing.assert_allclose(np.diag(oracles.iou(a, a)), (areas > 0).astype(float))


def test_suppression_by_hand():
    """The second overlaps the first by 81/119, the third by 25/175 only; the fourth is of equal score and comes later."""
    found = [[0, 0, 10, 10], [1, 1, 11, 11], [5, 5, 15, 15], [0, 0, 10, 10]]
    assert oracles.non_max_suppression(found, [0.9, 0.95, 0.2, 0.9]).tolist() == [1, 2]
    assert oracles.non_max_suppression(found, [0.9, 0.8, 0.2, 0.9]).tolist() == [0, 2]
    assert oracles.non_max_suppression(found, [0.9, 0.8, 0.2, 0.9], 1.0).tolist() == [0, 3, 1, 2]
    assert oracles.non_max_suppression([], []).shape == (0,)


def test_suppression_needs_more_than_the_threshold():
    """An overlap of exactly one third stays at a threshold of one third."""
    halves = [[0, 0, 2, 1], [1, 0, 3, 1]]
    assert oracles.non_max_suppression(halves, [1.0, 0.5], 1 / 3).tolist() == [0, 1]
    assert oracles.non_max_suppression(halves, [1.0, 0.5], 0.33).tolist() == [0]


def test_what_is_gone_suppresses_nothing():
    """B goes because of A; C overlaps B alone and stays."""
    chain = [[0, 0, 10, 1], [3, 0, 13, 1], [6, 0, 16, 1]]
    assert oracles.non_max_suppression(chain, [0.9, 0.8, 0.7], 0.5).tolist() == [0, 2]


@calm
@given(found=scored, threshold=st.sampled_from([0.0, 0.3, 0.5, 0.9]))
def test_suppression_is_idempotent_and_falls(found, threshold):
    corners = np.array([each for each, _ in found]).reshape(-1, 4)
    scores = np.array([score for _, score in found])
    kept = oracles.non_max_suppression(corners, scores, threshold)
    again = oracles.non_max_suppression(corners[kept], scores[kept], threshold)
    assert again.tolist() == list(range(len(kept)))
    assert (np.diff(scores[kept]) <= 0).all()
    overlaps = oracles.iou(corners[kept], corners[kept])
    assert (overlaps[np.triu_indices(len(kept), 1)] <= threshold).all()


def test_cells_by_hand():
    """Centre (20, 12): row 1, column 2, offsets 0.5 and 0.5; 8 by 16 pixels are 1/8 and 1/4 of the image."""
    tensor = oracles.encode_grid([[16, 4, 24, 20]], [7])
    assert np.argwhere(tensor[..., 4]).tolist() == [[1, 2]]
    assert tensor[1, 2].tolist() == [0.5, 0.5, 0.125, 0.25, 1, *np.eye(10)[7]]
    assert tensor.shape == (8, 8, 15)


def test_edges_belong_to_the_last_cell_and_the_larger_box_stays():
    edge = oracles.encode_grid([[60, 62, 68, 66]], [1])
    assert edge[7, 7, :2].tolist() == [1.0, 1.0]
    for order in ([0, 1], [1, 0]):
        pair, labels = np.array([[10, 10, 12, 12], [9, 9, 14, 14]])[order], np.array([3, 5])[order]
        assert oracles.encode_grid(pair, labels)[1, 1, 5:].argmax() == 5
    same = oracles.encode_grid([[9, 9, 12, 12], [9, 9, 12, 12]], [2, 8])
    assert same[1, 1, 5:].argmax() == 2


@pytest.mark.parametrize("seed", range(3))
def test_scenes_come_back_from_the_grid(seed):
    scenes = draw_scenes(40, np.random.default_rng(seed), range(1797))
    for known, kinds in zip(scenes.boxes, scenes.labels, strict=True):
        found, scores, labels = oracles.decode_grid(oracles.encode_grid(known, kinds))
        order, wanted = np.lexsort(found.T), np.lexsort(known.T)
        np.testing.assert_allclose(found[order], known[wanted], atol=1e-9)
        assert labels[order].tolist() == kinds[wanted].tolist()
        assert scores.tolist() == [1.0] * len(known)


def test_decoding_multiplies_and_sorts():
    tensor = np.zeros((8, 8, 15))
    tensor[0, 0, 4:7] = [0.9, 0.2, 0.8]
    tensor[3, 3, 4:7] = [1.0, 0.9, 0.1]
    tensor[5, 5, 4:7] = [0.6, 0.8, 0.2]
    boxes_, scores, labels = oracles.decode_grid(tensor)
    assert (len(boxes_), labels.tolist()) == (2, [0, 1])
    assert scores.tolist() == pytest.approx([0.9, 0.72])
    assert len(oracles.decode_grid(tensor, 0.9)[0]) == 1  # at least the threshold
    assert oracles.decode_grid(np.zeros((8, 8, 15)))[0].shape == (0, 4)


def test_average_precision_by_hand():
    """Right, wrong, right of two: precision 1 up to half of the recall, then 2/3."""
    assert metrics.average_precision([0.9, 0.8, 0.7], [True, False, True], 2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert metrics.average_precision([0.7, 0.9, 0.8], [True, True, False], 2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert metrics.average_precision([0.9], [True], 4) == pytest.approx(0.25)
    assert metrics.average_precision([], [], 4) == 0.0


def test_average_precision_is_not_below_scikit_learns_and_near_it():
    """scikit-learn's takes no envelope; where all true boxes are found, ours is a little higher, never lower."""
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(0)
    right = rng.random(60) < 0.5
    scores = rng.random(60) + 0.5 * right
    plain = average_precision_score(right, scores)
    assert plain <= metrics.average_precision(scores, right, right.sum()) < plain + 0.05


TRUTH = [[[0, 0, 10, 10], [20, 20, 40, 40]], [[5, 5, 25, 25]]]
LABELS = [[1, 2], [2]]


def test_perfect_detections():
    perfect = [(boxes_, [0.9] * len(boxes_), labels) for boxes_, labels in zip(TRUTH, LABELS, strict=True)]
    assert metrics.mean_average_precision(perfect, TRUTH, LABELS) == 1.0
    assert metrics.mean_average_precision([([], [], [])] * 2, TRUTH, LABELS) == 0.0


def test_wrong_class_wrong_place_and_found_twice():
    wrong_class = [(TRUTH[0], [0.9, 0.9], [2, 1]), (TRUTH[1], [0.9], [1])]
    assert metrics.mean_average_precision(wrong_class, TRUTH, LABELS) == 0.0
    elsewhere = [(TRUTH[0], [0.9, 0.9], [1, 2]), ([[30, 30, 50, 50]], [0.9], [2])]
    assert metrics.mean_average_precision(elsewhere, TRUTH, LABELS) == pytest.approx((1.0 + 0.5) / 2)
    twice = [([*TRUTH[0], TRUTH[0][1]], [0.9, 0.9, 0.8], [1, 2, 2]), (TRUTH[1], [0.7], [2])]
    assert metrics.mean_average_precision(twice, TRUTH, LABELS) == pytest.approx((1 + 0.5 + 0.5 * 2 / 3) / 2)


def test_overlap_of_exactly_the_threshold_is_enough():
    truth = [[[0, 0, 10, 10]]]
    half = [([[0, 0, 10, 5]], [0.9], [0])]
    assert metrics.mean_average_precision(half, truth, [[0]]) == 1.0
    assert metrics.mean_average_precision(half, truth, [[0]], iou_threshold=0.51) == 0.0


def test_classes_that_are_absent_do_not_count():
    detections = [(TRUTH[0], [0.9, 0.9], [1, 2]), ([*TRUTH[1], [50, 50, 60, 60]], [0.9, 1.0], [2, 7])]
    assert metrics.mean_average_precision(detections, TRUTH, LABELS) == 1.0


def test_precision_refuses_what_cannot_be_measured():
    with pytest.raises(DataError, match="received: 1, 2, 2"):
        metrics.mean_average_precision([([], [], [])], TRUTH, LABELS)
    with pytest.raises(DataError, match="received: none"):
        metrics.mean_average_precision([([], [], [])], [[]], [[]])
    with pytest.raises(DataError, match="received: none"):
        metrics.mean_average_precision([], [], [])


def test_baselines():
    known = np.array([[0, 0, 10, 10], [10, 10, 30, 30]])
    assert metrics.mean_box(known, 3).tolist() == [[5, 5, 20, 20]] * 3
    assert metrics.paired_iou(known, [[0, 0, 10, 10], [0, 0, 10, 10]]).tolist() == [1.0, 0.0]
    assert metrics.majority_share([1, 1, 2, 3]) == 0.5
