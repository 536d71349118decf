"""localize, detect, results and the figure, by one who looks the answers up and by those who go wrong. Eight seconds."""

import dataclasses

import pytest

LOCALIZERS = {
    "always the same": ("return np.tile(np.eye(10)[3], (len(images), 1)), np.tile([20.0, 20.0, 40.0, 44.0], (len(images), 1))",
                        {"each_image_by_itself", "accuracy_beats_majority", "boxes_beat_mean_box", "accuracy_reaches_the_bar", "iou_reaches_the_bar"}),
    "shares of the image": ("return kinds, boxes / 64", {"boxes_beat_mean_box", "iou_reaches_the_bar"}),
    "x and y exchanged": ("return kinds, boxes[:, [1, 0, 3, 2]]", {"boxes_beat_mean_box", "iou_reaches_the_bar"}),
    "width and height": ("return kinds, np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)",
                         {"boxes_beat_mean_box", "iou_reaches_the_bar"}),
    "labels": ("return kinds.argmax(axis=1), boxes",
               {"shapes", "each_image_by_itself", "accuracy_beats_majority", "boxes_beat_mean_box", "accuracy_reaches_the_bar", "iou_reaches_the_bar"}),
    "wrong classes": ("return np.roll(kinds, 1, axis=1), boxes", {"accuracy_beats_majority", "accuracy_reaches_the_bar"}),
    "bound to places": ("return kinds[::-1], boxes[::-1]",
                        {"each_image_by_itself", "accuracy_beats_majority", "boxes_beat_mean_box", "accuracy_reaches_the_bar", "iou_reaches_the_bar"}),
    "logits": ("return 5 * kinds, boxes", {"shapes"}),
    "changes its input": ("images *= 0\n    return kinds, boxes", {"each_image_by_itself"}),
    "NaN": ("return kinds, boxes * np.nan",
            {"shapes", "each_image_by_itself", "accuracy_beats_majority", "boxes_beat_mean_box", "accuracy_reaches_the_bar", "iou_reaches_the_bar"}),
}  # fmt: skip
DETECTORS = {
    "nothing": ("return [(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int)) for _ in images]",
                {"each_image_by_itself", "suppression", "precision_reaches_the_bar", "results_agree"}),
    "no suppression": ("return [(np.repeat(b, 2, 0) + [[0], [1]] * len(b), np.repeat(s, 2), np.repeat(k, 2)) for b, s, k in found]", {"suppression", "results_agree"}),
    "suppression by class": ("return [(np.concatenate([b, b + 1]), np.concatenate([s, s / 2]), np.concatenate([k, (k + 1) % 10])) for b, s, k in found]",
                             {"suppression"}),
    "shares of the image": ("return [(b / 64, s, k) for b, s, k in found]", {"precision_reaches_the_bar", "results_agree"}),
    "wrong classes": ("return [(b, s, (k + 1) % 10) for b, s, k in found]", {"precision_reaches_the_bar", "results_agree"}),
    "labels first": ("return [(k, b, s) for b, s, k in found]",
                     {"form", "each_image_by_itself", "suppression", "precision_reaches_the_bar", "results_agree"}),
    "one image missing": ("return found[:-1]", {"form", "each_image_by_itself", "suppression", "precision_reaches_the_bar", "results_agree"}),
    "one-hot labels": ("return [(b, s, np.eye(10)[k]) for b, s, k in found]",
                       {"form", "each_image_by_itself", "suppression", "precision_reaches_the_bar", "results_agree"}),
    "dictionaries": ('return [{"boxes": b} for b, s, k in found]',
                     {"form", "each_image_by_itself", "suppression", "precision_reaches_the_bar", "results_agree"}),
    "bound to places": ("return found[::-1]", {"each_image_by_itself", "precision_reaches_the_bar", "results_agree"}),
    "changes its input": ("images *= 0\n    return found", {"each_image_by_itself"}),
}  # fmt: skip
FIGURE = """
figure_detections = Figure()
for number in range(4):
    panel = figure_detections.add_subplot(2, 2, number + 1)
    image, boxes = scenes.images[number], scenes.boxes[number]
    panel.imshow(image[:, :, 0], cmap="gray")
    for a, b, c, d in boxes:
        panel.add_patch(Rectangle((a, b), c - a, d - b, fill=False, edgecolor="c"))
        panel.add_patch(Rectangle((a + 1, b + 2), c - a, d - b, fill=False, edgecolor="r"))
"""
IN_ANOTHER_STYLE = """
from matplotlib.collections import LineCollection, PatchCollection
figure_detections = Figure()
axes = figure_detections.subplots(1, 5)
for number, panel in enumerate(axes):
    panel.imshow(255 - np.repeat(scenes.images[number], 3, axis=2), extent=(0, 64, 64, 0))
    boxes = scenes.boxes[number]
    for a, b, c, d in boxes:
        panel.plot([a, c, c, a, a], [b, b, d, d, b], "g-")
    panel.add_collection(PatchCollection([Rectangle((a, b), 5, 6) for a, b, c, d in boxes], facecolor="none", edgecolor="b"))
    panel.add_collection(LineCollection([[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes], colors="r"))
"""
MONTAGE = """
figure_detections = Figure()
panel = figure_detections.add_subplot()
panel.imshow(np.concatenate([np.concatenate(scenes.images[i:i + 2], axis=1) for i in (0, 2)])[:, :, 0])
for a, b, c, d in scenes.boxes[0]:
    panel.add_patch(Rectangle((a, b), c - a, d - b, fill=False, color="c"))
    panel.add_patch(Rectangle((a, b), c - a, d - b, fill=False, color="c", linestyle="--"))
"""
SIDE_BY_SIDE = """
figure_detections = Figure()
for number, pair in enumerate(figure_detections.subplots(4, 2)):
    for panel, shift in zip(pair, (0, 12)):  # predicted boxes may be anywhere
        panel.imshow(scenes.images[number], cmap="gray")
        for a, b, c, d in scenes.boxes[number]:
            panel.add_patch(Rectangle((a + shift, b), c - a, d - b, fill=False))
"""
PAINTED = """
figure_detections = Figure()
for number, panel in enumerate(figure_detections.subplots(2, 2).flat):
    image = np.repeat(scenes.images[number], 3, axis=2)
    for shift, colour in ((0, (0, 255, 0)), (1, (255, 0, 0))):
        for a, b, c, d in scenes.boxes[number].astype(int) + shift:
            image[b:d, [a, min(c, 63)]] = image[[b, min(d, 63)], a:c] = colour
    panel.imshow(image)
"""
SIDES = """
figure_detections = Figure()
for number, panel in enumerate(figure_detections.subplots(2, 2).flat):
    panel.imshow(scenes.images[number])
    for a, b, c, d in scenes.boxes[number]:
        panel.hlines([b, d], a, c, colors="w")
        panel.vlines([a, c], b, d, colors="w")
        for x, y in (([a, c], [b, b]), ([a, c], [d, d]), ([a, a], [b, d]), ([c, c], [b, d])):
            panel.plot(x, y, "r--")
"""
FIGURES = {
    "one scene four times": (FIGURE.replace("[number]", "[0]"), {"four_scenes"}),
    "painted in one colour": (PAINTED.replace("(255, 0, 0)", "(0, 255, 0)"), {"true_and_predicted"}),
    "three scenes": (FIGURE.replace("range(4)", "range(3)"), {"four_scenes"}),
    "no boxes": (FIGURE.replace("in boxes:", "in []:"), {"four_scenes", "true_and_predicted", "boxes_lie_where_they_belong"}),
    "all alike": (FIGURE.replace('"r"', '"c"'), {"true_and_predicted"}),
    "corners for sides": (FIGURE.replace("c - a, d - b", "c, d"), {"boxes_lie_where_they_belong"}),
    "x and y exchanged": (FIGURE.replace("a, b, c, d in boxes", "b, a, d, c in boxes"), {"boxes_lie_where_they_belong"}),
    "an axes": (FIGURE + "figure_detections = panel\n", {"four_scenes", "true_and_predicted", "boxes_lie_where_they_belong"}),
    "no image": (FIGURE.replace("panel.imshow", "(lambda *a, **b: None)"), {"four_scenes", "true_and_predicted", "boxes_lie_where_they_belong"}),
    "nothing": ("figure_detections = None", {"four_scenes", "true_and_predicted", "boxes_lie_where_they_belong"}),
    "not defined": ("", {"four_scenes", "true_and_predicted", "boxes_lie_where_they_belong"}),
}  # fmt: skip


def localizer(body):
    return f"right_localize = localize\ndef localize(images):\n    kinds, boxes = right_localize(images)\n    {body}\n"


def detector(body):
    return f"right_detect = detect\ndef detect(images):\n    found = right_detect(images)\n    {body}\n"


def counted(found):
    """Without the checks that count nothing."""
    return set(found) - {"can_be_drawn"}


def test_right(judge, detective):
    for question in ("localization", "detection"):
        found = judge(question, detective)
        assert found == {} and [kind for kind, _ in found.pictures] == ["bars"]


def test_right_as_lists(judge, detective):
    """Lists in place of arrays, a list in place of a tuple, empty results without a shape, whole numbers as scores."""
    lists = localizer("return [kinds.tolist(), boxes.astype('float32').tolist()]")
    lists += detector(
        "return [[b.tolist(), s.round().astype(int).tolist(), k.tolist()] if image.sum() % 9 else ([], [], []) for image, (b, s, k) in zip(images, found)]"
    )
    assert judge("localization", detective, lists) == {}
    assert judge("detection", detective, lists) == {}


@pytest.mark.parametrize("mistake", LOCALIZERS)
def test_localizer_wrong(judge, detective, mistake):
    body, lost = LOCALIZERS[mistake]
    found = judge("localization", detective, localizer(body))
    assert counted(found) == lost, dict(found)


@pytest.mark.parametrize(
    ("mistake", "hint"), [("shares of the image", "IMAGE_SIZE"), ("x and y exchanged", "exchanged"), ("width and height", "width, height")]
)  # fmt: skip
def test_localizer_hints(judge, detective, mistake, hint):
    assert hint in judge("localization", detective, localizer(LOCALIZERS[mistake][0])).hints["iou_reaches_the_bar"]


@pytest.mark.parametrize("mistake", DETECTORS)
def test_detector_wrong(judge, detective, mistake):
    body, lost = DETECTORS[mistake]
    found = judge("detection", detective, detector(body))
    assert counted(found) == lost, dict(found)


@pytest.mark.parametrize(
    ("stated", "message"),
    [('{"map_50": 0.85}', "within 0.10"), ('{"map_50": 99.0}', "within"), ('{"map": 1.0}', "exception"), ('{"map_50": "1"}', "finite"),
     ("None", "exception"), ('{"map_50": float("nan")}', "finite")],
)  # fmt: skip
def test_results_wrong(judge, detective, stated, message):
    found = judge("detection", detective, f"results = {stated}\n")
    assert set(found) == {"results_agree"}
    assert message in found["results_agree"]


@pytest.mark.parametrize("stated", ["0.93", "np.float32(0.95)", "np.array(1.0)", "1"])
def test_results_right(judge, detective, stated):
    assert judge("detection", detective, f'results = {{"map_50": {stated}, "other": None}}\n') == {}


def test_bars_come_from_the_calibration(judge, detective, materials):
    """A bar that nobody reaches is read from there, and named in the message."""
    strict = dataclasses.replace(materials, calibration={"detection": {"map_50": 1.5}, "localization": {"iou": 1.5}})
    assert "1.50" in judge("detection", detective, materials=strict)["precision_reaches_the_bar"]
    assert set(judge("localization", detective, materials=strict)) == {"iou_reaches_the_bar"}


def test_without_withheld_scenes(judge, detective, materials):
    nothing = dataclasses.replace(materials, withheld=None)
    for question in ("localization", "detection"):
        found = judge(question, detective, materials=nothing)
        assert not found and found.not_assessed


@pytest.mark.parametrize("question", ["localization", "detection"])
@pytest.mark.parametrize("value", ["None", "3", "[]", "{}", "(1, 2)", "'text'", "object()", "[None] * len(images)", "np.zeros((len(images), 4))",
                                   "[(1, 2, 3)] * len(images)", "[([[1, 2]], [1], [1])] * len(images)", "(i for i in range(3))", "1 / 0",
                                   "[([[0, 0, 1, 1]], ['a'], [1])] * len(images)", "[([[0, 0, 1, 1]], [1], [None])] * len(images)"])  # fmt: skip
def test_odd_values(judge, question, value):
    source = f"def localize(images):\n    return {value}\ndetect = localize\nresults = {{}}\n"
    assert judge(question, source)


def test_unanswered(judge, questions):
    """Nothing is earned where nothing was defined."""
    for question in ("localization", "detection", "figure"):
        tests = {name.removeprefix("test_") for name in vars(questions[question].module) if name.startswith("test_")}
        assert set(judge(question)) == tests


@pytest.mark.parametrize("style", [FIGURE, IN_ANOTHER_STYLE, SIDE_BY_SIDE, PAINTED, SIDES],
                         ids=["rectangles", "lines and collections", "side by side", "painted", "four lines"])  # fmt: skip
def test_figure_right(judge, detective, style):
    loaded = "scenes = read_scenes(Path(DATA_PATH), 20)\n"
    assert judge("figure", detective, loaded, style) == {}


def test_figure_as_a_montage(judge, detective):
    """Four scenes put together into one image cannot be found in the file, and count as four."""
    assert judge("figure", detective, "scenes = read_scenes(Path(DATA_PATH), 20)\n", MONTAGE) == {}


@pytest.mark.parametrize("mistake", FIGURES)
def test_figure_wrong(judge, detective, mistake):
    source, lost = FIGURES[mistake]
    found = judge("figure", detective, "scenes = read_scenes(Path(DATA_PATH), 20)\n", source)
    assert set(found) == lost, dict(found)
