"""figure_detections: at least four scenes, each with its image, and boxes drawn in two ways where they belong."""

import numpy as np
import pytest

from autograder.checks import Failure, Given, NotAssessed, as_array, as_list, expect, shorten
from autograder.data import read_scenes
from reference_models.box_oracles import iou

SCENES = 4
MOST_PANELS = 40
NEAR = 0.6  # IoU of a drawn box with the true one: half a pixel and the width of a line make no difference
TOPIC = "Lecture on looking at detections:"


def given():
    return Given(most=MOST_PANELS)


def probe(student, given):  # noqa: C901 - one function, since only its own text travels
    import numpy as np
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    def extent(points):
        points = np.asarray(points, dtype=float).reshape(-1, 2)
        points = points[np.isfinite(points).all(axis=1)]
        if len(points) < 2:
            return None
        low, high = points.min(axis=0), points.max(axis=0)
        return [*low.tolist(), *high.tolist()] if (high > low).all() else None

    def style(artist, colour):
        return f"{to_hex(colour)} {artist.get_linestyle()}"

    def shapes(axes):
        """Boxes drawn on an axes: their extents, and how they are drawn."""
        found = []
        for patch in axes.patches:
            corners = patch.get_patch_transform().transform(patch.get_path().vertices)
            edge = patch.get_edgecolor()
            found.append((extent(corners), style(patch, edge if edge[-1] else patch.get_facecolor())))
        sides = {}  # of boxes whose four sides are lines of their own, by how they are drawn
        for line in axes.get_lines():
            points, how = line.get_xydata(), style(line, line.get_color())
            if len(points) >= 4:
                found.append((extent(points), how))
            else:
                sides.setdefault(how, []).append(points)
        for collection in axes.collections:
            colours = np.asarray(collection.get_edgecolor(), dtype=float).reshape(-1, 4)
            paths = [] if type(collection).__name__ in ("QuadMesh", "PolyQuadMesh") else collection.get_paths()
            for number, path in enumerate(paths):
                tint = colours[number % len(colours)] if len(colours) else np.zeros(4)
                if len(path.vertices) >= 4:
                    found.append((extent(path.vertices), to_hex(tint)))
                else:
                    sides.setdefault(to_hex(tint), []).append(path.vertices)
        for how, some in sides.items():
            found += [(extent(np.concatenate(some[k : k + 4])), how) for k in range(0, len(some) - 3, 4)]
        return [(box, how) for box, how in found if box is not None]

    def pixels(axes):
        """The image as it was given, where it is of one scene's size, and whether the axes count its pixels."""
        for image in axes.images:
            array = np.ma.filled(np.ma.asarray(image.get_array()).astype(float), np.nan)
            if array.shape[:2] == (64, 64):
                grey = array.reshape(64, 64, -1)[..., :3].mean(axis=-1)
                edges = np.sort(np.asarray(image.get_extent(), dtype=float).reshape(2, 2), axis=1)
                counts = bool((np.abs(edges - [[0, 64]]) <= 1).all() and image.origin == "upper")
                return grey.astype("float32") if counts else None
        return None

    def painted(axes):
        """Colours in the grey images themselves, of whoever draws boxes as pixels."""
        colours = set()
        for image in axes.images:
            array = np.ma.filled(np.ma.asarray(image.get_array()).astype(float), 0.0)
            if array.ndim == 3 and array.shape[2] >= 3 and array.max() > 0:
                rgb = array[..., :3] / array.max()
                found, counts = np.unique(rgb[np.ptp(rgb, axis=2) > 0.4].round(1), axis=0, return_counts=True)
                colours |= {str(colour.tolist()) for colour, n in zip(found, counts, strict=True) if n >= 16}
        return sorted(colours)[:20]

    def panel(axes):
        found = shapes(axes)[:200]
        sizes = [np.shape(image.get_array())[:2] for image in axes.images]
        sizes += [(64, 64) for each in axes.collections if type(each).__name__ in ("QuadMesh", "PolyQuadMesh")]
        return {
            "images": [list(map(int, size)) for size in sizes],
            "boxes": [box for box, _ in found],
            "styles": [how for _, how in found],
            "painted": painted(axes),
            "pixels": pixels(axes),
        }

    def describe(figure):
        if not isinstance(figure, Figure):
            return {"not_a_figure": type(figure).__name__}
        return {"panels": [panel(axes) for axes in figure.axes[: given.most]]}

    return {"figure": lambda: describe(student.figure_detections)}


def panels_of(evidence):
    """The axes that show an image."""
    value = evidence["figure"]
    if isinstance(value, dict) and "not_a_figure" in value:
        raise Failure(
            f"figure_detections should be a matplotlib Figure. Received: {shorten(str(value['not_a_figure']))}",
            "`figure, axes = plt.subplots(2, 2)` gives the figure; from an axes it is `axes.figure`.",
        )
    panels = [each for each in as_list(value["panels"], "The axes of figure_detections") if each["images"]]
    expect(panels, "figure_detections should show images.", received="no image")
    return panels


def scenes_on(panel):
    """How many scenes an axes shows: several where their images were put together into a large one."""
    return max(max(1, (height // 64) * (width // 64)) for height, width in panel["images"])


def image_of(panel):
    """What tells a scene from others: its pixels, where they could be read."""
    return None if panel["pixels"] is None else as_array(panel["pixels"], "An image").tobytes()


def count_scenes(panels):
    """How many different scenes there are on panels; of a single large image, how many fit into it."""
    known = {image_of(panel) for panel in panels} - {None}
    others = [panel for panel in panels if panel["pixels"] is None]
    return len(known) + (sum(map(scenes_on, others)) if len(panels) < SCENES else len(others))


def side_by_side(panels):
    """Whether scenes are shown twice, their true boxes on one panel and the predicted ones on the other."""
    images = [image_of(panel) for panel in panels if panel["pixels"] is not None and panel["boxes"]]
    return len(images) >= 2 * max(len(set(images)), 1)


@pytest.mark.weight(2)
def test_four_scenes(evidence):
    """At least four scenes are shown, each with boxes on it."""
    panels = panels_of(evidence)
    shown = count_scenes(panels)
    hint = f"{TOPIC} `figure, panels = plt.subplots(2, 2)`, then one scene on each of `panels.flat`."
    expect(shown >= SCENES, f"figure_detections should show at least {SCENES} scenes.", received=str(shown), hint=hint)
    with_boxes = count_scenes([panel for panel in panels if panel["boxes"] or panel["painted"]])
    expect(
        with_boxes >= SCENES,
        f"At least {SCENES} scenes of figure_detections should have boxes drawn on them.",
        received=f"boxes on {with_boxes}",
        hint=f"{TOPIC} `axes.add_patch(plt.Rectangle((x, y), width, height, fill=False))`.",
    )


@pytest.mark.weight(2)
def test_true_and_predicted(evidence):
    """True and predicted boxes can be told from each other, by colour, by line, or side by side."""
    panels = panels_of(evidence)
    count = sum(len(panel["boxes"]) + len(panel["painted"]) for panel in panels)
    styles = {style for panel in panels for style in [*panel["styles"], *panel["painted"]]}
    expect(count >= 2, "figure_detections should show true and predicted boxes.", received=f"{count} boxes")
    expect(
        len(styles) >= 2 or side_by_side(panels),
        "True and predicted boxes of figure_detections should be drawn in two ways.",
        received=f"{count} boxes, all alike",
        hint=f"{TOPIC} another colour or `linestyle` for each kind.",
    )


@pytest.mark.weight(2)
def test_boxes_lie_where_they_belong(evidence, materials):
    """The true boxes of the scenes that are shown are drawn around their digits."""
    panels = panels_of(evidence)
    expect(
        any(panel["boxes"] or panel["painted"] for panel in panels),
        "figure_detections should show boxes.",
        received="none",
    )
    if materials.public is None:
        raise NotAssessed("The scenes that the notebook had are not at hand.")
    found = [panel for panel in panels if panel["pixels"] is not None and panel["boxes"]]
    wrong = drawn = 0
    for boxes, truth in located(found, read_scenes(materials.public)):
        best = iou(truth, boxes).max(axis=1)
        wrong, drawn = wrong + int((best < NEAR).sum()), drawn + len(truth)
    expect(
        wrong <= drawn // 4,
        "Each true box of a scene in figure_detections should be drawn around its digit.",
        received=f"{wrong} of {drawn} true boxes have no drawn box near them",
        hint=f"{TOPIC} `plt.Rectangle` wants a corner, a width and a height, and x before y.",
    )


def located(panels, scenes):
    """Scenes that are shown: boxes drawn on any of their panels, and true ones; what is in no file is not judged."""
    every = normalised(scenes.images.reshape(len(scenes.images), -1).astype(np.float64))
    drawn = {}
    for panel in panels:
        image = as_array(panel["pixels"], "An image").reshape(1, -1).astype(np.float64)
        if not np.isfinite(image).all():
            continue
        likeness = np.abs(every @ normalised(image)[0])  # a scene may be shown inverted
        if likeness.max() > 0.995:
            boxes = as_array(panel["boxes"], "The boxes that are drawn", ndim=2)
            drawn.setdefault(int(likeness.argmax()), []).append(boxes)
    return [(np.concatenate(boxes), scenes.boxes[number]) for number, boxes in drawn.items()]


def normalised(rows):
    centred = rows - rows.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
