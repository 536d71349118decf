"""detect and results: mean average precision on scenes that the notebook never had, and whether `map_50` says so.

A notebook holds back scenes of its own file, whose handwriting it has seen in others; the withheld scenes are of other
hands. `map_50` is therefore compared with both: scenes of the file from behind those that it loads, and withheld ones.
"""

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_array,
    as_mapping,
    as_number,
    expect,
    has_moved,
    shorten,
)
from autograder.data import read_scenes
from reference_models.box_oracles import iou
from reference_models.detection_metrics import mean_average_precision

DEFAULTS = {"map_50": 0.25}  # the bar: the least mean average precision on withheld scenes
AGREEMENT = 0.10
LEARNED = 0.03  # what a detector reaches that has learned nothing
MOST_OVERLAP = 0.7  # of two detections of an image after suppression, whatever threshold it had
MOST_IMAGES, MOST_OF_FILE = 400, 200
MOST_DETECTIONS = 64 * 10  # of one image
FEW = 6
TOPIC = "Lecture on one-stage detection:"


def settings_of(materials):
    return {**DEFAULTS, **dict((materials.calibration or {}).get("detection", {}))}


def given(rng, materials):
    if materials.withheld is None or materials.public is None:
        return Given(images=np.zeros((0, 64, 64, 1), "uint8"), own=np.zeros((0, 64, 64, 1), "uint8"), order=[])
    withheld, public = read_scenes(materials.withheld, MOST_IMAGES), read_scenes(materials.public)
    rest = slice(max(len(public.images) - MOST_OF_FILE, int(materials.parameters.get("N_IMAGES", 0))), None)
    order = rng.permutation(len(withheld.images))[:FEW].tolist()
    return Given(images=withheld.images, own=public.images[rest], order=order).keep(
        boxes=withheld.boxes, labels=withheld.labels, own_boxes=public.boxes[rest], own_labels=public.labels[rest]
    )


def probe(student, given):
    import numpy as np

    def entry(found):
        boxes, scores, labels = found
        return np.asarray(boxes), np.asarray(scores), np.asarray(labels)

    def call(images):
        """Detections of all images in one row: how many each has, and boxes, scores, labels one after another."""
        found = [entry(each) for each in student.detect(images)]
        sizes = [[boxes.size, scores.size, labels.size] for boxes, scores, labels in found]
        parts = [np.concatenate([np.ravel(each[k]) for each in found] or [np.zeros(0)]) for k in range(3)]
        shapes = sorted(
            {str((boxes.shape[1:], scores.ndim, labels.ndim)) for boxes, scores, labels in found if boxes.size}
        )
        return {"sizes": np.array(sizes).reshape(-1, 3), "parts": parts, "shapes": shapes}

    def after_use():
        images = given.images[given.order]
        student.detect(images)
        return images

    if not len(given.images):
        return {}
    return {
        "all": lambda: call(given.images.copy()),
        "own": lambda: call(given.own.copy()) if len(given.own) else None,
        "few": lambda: call(given.images[given.order]),
        "one": lambda: call(given.images[:1].copy()),
        "after_use": after_use,
        "results": lambda: {"map_50": student.results["map_50"]},
    }


def require_scenes(given):
    if not len(given.images):
        raise NotAssessed("No scenes were withheld here to detect something in.")


def detections(value, n):
    """Of n images: boxes `(k, 4)`, scores and labels `(k,)` each."""
    what = f"detect of {n} images"
    sizes = as_array(value["sizes"], what, ndim=2).astype(int)
    hint = f"{TOPIC} `decode_grid` and `non_max_suppression` for each image; one without detections gets empty arrays."
    expect(len(sizes) == n, f"{what} should be a list of {n} entries.", received=f"{len(sizes)} entries", hint=hint)
    expect(
        (sizes[:, 0] == 4 * sizes[:, 1]).all() and (sizes[:, 1] == sizes[:, 2]).all(),
        f"{what}: each entry should be (boxes (k, 4), scores (k,), labels (k,)).",
        received="other numbers of boxes, scores and labels",
    )
    expect(
        value["shapes"] in ([], ["((4,), 1, 1)"]),
        f"{what}: each entry should be (boxes (k, 4), scores (k,), labels (k,)).",
        received=f"other shapes: boxes without k, dimensions of scores, of labels {shorten(value['shapes'])}",
    )
    expect(sizes[:, 1].max() <= MOST_DETECTIONS, f"{what}: too many for one image.", received=f"{sizes[:, 1].max()}")
    boxes, scores, labels = (as_array(part, f"{what}: the numbers") for part in value["parts"])
    finite = np.isfinite(boxes).all() and np.isfinite(scores).all()
    expect(finite, f"{what} should have finite boxes and scores.", received="NaN or infinity")
    wrong = ~np.isin(labels, np.arange(10))
    expect(not wrong.any(), f"{what}: labels are 0 to 9.", received=labels[wrong][:1].tolist())
    ends = np.cumsum(sizes[:, 1])[:-1]
    return list(
        zip(
            np.split(boxes.reshape(-1, 4).astype(float), ends),
            np.split(scores.astype(float), ends),
            np.split(labels.astype(int), ends),
            strict=True,
        )
    )


def precision(given, evidence):
    """The mean average precision on the withheld scenes."""
    require_scenes(given)
    found = detections(evidence["all"], len(given.images))
    return mean_average_precision(found, given.boxes, given.labels)


def precision_on_file(given, evidence):
    """The same on scenes of the notebook's file that it does not load; None where there are none."""
    if len(given.own) < 50:
        return None
    return mean_average_precision(detections(evidence["own"], len(given.own)), given.own_boxes, given.own_labels)


def fault_of(given, found):
    """A hint for detections that find little."""
    others = {
        "these boxes look like shares of the image: multiply them by IMAGE_SIZE.": lambda boxes: boxes * 64,
        "x and y of the boxes look exchanged.": lambda boxes: boxes[:, [1, 0, 3, 2]],
    }
    right = mean_average_precision(found, given.boxes, given.labels)
    for hint, change in others.items():
        changed = [(change(boxes), scores, labels) for boxes, scores, labels in found]
        if mean_average_precision(changed, given.boxes, given.labels) > right + 0.15:
            return f"{TOPIC} {hint}"
    if not sum(len(scores) for _, scores, _ in found):
        return f"{TOPIC} nothing was detected at all: is the score threshold too high for this confidence?"
    any_class = [(boxes, scores, np.zeros(len(scores), int)) for boxes, scores, _ in found]
    if (
        mean_average_precision(any_class, given.boxes, [np.zeros(len(each), int) for each in given.labels])
        > right + 0.3
    ):
        return f"{TOPIC} the boxes are good, their classes are not."
    return (
        f"{TOPIC} is the score threshold low, so that recall can grow, and do box and class count where an object is?"
    )


def test_form(given, evidence):
    """Each image gets (boxes, scores, labels), one image as well as many."""
    require_scenes(given)
    detections(evidence["all"], len(given.images))
    detections(evidence["one"], 1)


def test_each_image_by_itself(given, evidence):
    """An image gets the same detections each time, in whatever order, and images are not changed."""
    require_scenes(given)
    found = detections(evidence["all"], len(given.images))
    expect(any(len(scores) for _, scores, _ in found), "detect should detect something.", received="no detection")
    for place, again in zip(given.order, detections(evidence["few"], len(given.order)), strict=True):
        before = found[place]
        expect(
            abs(len(before[1]) - len(again[1])) <= 1 and covers(before, again),
            "detect should find the same in an image whatever images are around it.",
            received=f"{len(before[1])} detections, then {len(again[1])} others",
            hint="Dropout and batch statistics belong to training (use `model.predict`).",
        )
    kept = not has_moved(evidence["after_use"], given.images[given.order])
    expect(kept, "detect should leave its input unchanged.", received="other values in it afterwards")


def covers(one, other):
    """Whether all detections of the one with fewer are among those of the other: a score may lie on the brink."""
    fewer, more = sorted((one, other), key=lambda each: len(each[1]))
    if not len(fewer[1]):
        return True
    overlaps = iou(fewer[0], more[0]) * (fewer[2][:, None] == more[2][None])
    return bool((overlaps.max(axis=1) > 0.95).all())


@pytest.mark.weight(2)
def test_suppression(given, evidence):
    """Of detections that overlap much only the best is left, whatever their classes."""
    require_scenes(given)
    found = detections(evidence["all"], len(given.images))
    expect(any(len(scores) for _, scores, _ in found), "detect should detect something.", received="no detection")
    pairs = [
        (float(overlap), bool(labels[i] == labels[j]))
        for boxes, _, labels in found
        for i, j, overlap in overlapping(boxes)
    ]
    if not pairs:
        return
    same = sum(same for _, same in pairs)
    story = (
        f"{len(pairs)} pairs of one image, {same} of them of one class, the worst with an IoU of {max(pairs)[0]:.2f}"
    )
    hint = "Lecture on detectors: apply non_max_suppression to the boxes of an image, of all classes together."
    raise Failure(f"No two detections of an image should overlap by more than {MOST_OVERLAP}. Received: {story}", hint)


def overlapping(boxes):
    overlaps = np.triu(iou(boxes, boxes), 1)
    return [(i, j, overlaps[i, j]) for i, j in np.argwhere(overlaps > MOST_OVERLAP).tolist()]


@pytest.mark.weight(5)
def test_precision_reaches_the_bar(given, evidence, materials, measured):
    """The mean average precision on scenes never seen is as high as this training time allows an ordinary network."""
    found, bar = precision(given, evidence), float(settings_of(materials)["map_50"])
    expect(
        measured(found, bar),
        f"The mean average precision on scenes that your notebook never had should be at least {bar:.2f}.",
        received=f"{found:.2f}",
        hint=fault_of(given, detections(evidence["all"], len(given.images))),
    )


@pytest.mark.weight(3)
def test_results_agree(given, evidence):
    """results["map_50"] is within 0.10 of the mean average precision on scenes never seen."""
    require_scenes(given)
    stated = as_number(as_mapping(evidence["results"], "results")["map_50"], 'results["map_50"]')
    found = precision(given, evidence)
    expect(
        found > LEARNED,
        'results["map_50"] should be that of a detector that has learned something.',
        received=f"a mean average precision of {found:.2f} on scenes that your notebook never had",
    )
    values = [value for value in (found, precision_on_file(given, evidence)) if value is not None]
    low, high = min(values) - AGREEMENT, max(values) + AGREEMENT
    hint = "Lecture on mean average precision: all classes, IoU 0.5, on scenes that were held back from training."
    if stated > 1 and low <= stated / 100 <= high:
        hint = "This looks like a percentage; a mean average precision lies between 0 and 1."
    expect(
        low <= stated <= high,
        f'results["map_50"] should be within {AGREEMENT:.2f} of what the grader finds, {found:.2f}.',
        received=f"{stated:.3g}",
        hint=hint,
    )


@pytest.mark.weight(0)
def test_can_be_drawn(given, evidence, picture, materials):
    """The mean average precision can be compared with the bar."""
    rows = [("yours, on withheld scenes", precision(given, evidence)), ("asked for", settings_of(materials)["map_50"])]
    on_file = precision_on_file(given, evidence)
    if on_file is not None:
        rows.insert(1, ("yours, on the rest of your file", on_file))
    title = "Mean average precision at IoU 0.5"
    picture("bars", {"title": title, "rows": [{"label": label, "value": float(value)} for label, value in rows]})
