"""Questions answered by hand: right ones pass in every style, each mistake loses the checks that it should. Six seconds."""

import pytest

BY_HAND = ("convolution", "pooling", "layer_arithmetic", "iou", "nms", "grid_encoding")
OTHER_STYLE = """
def conv2d(image, kernels, stride=1, padding="valid"):
    if padding == "same":
        pads = []
        for n, k in zip(np.shape(image)[:2], np.shape(kernels)[:2]):
            p = max((int(np.ceil(n / stride)) - 1) * stride + k - n, 0)
            pads.append((p // 2, p - p // 2))
        image = np.pad(image, pads + [(0, 0)])
    elif padding != "valid":
        raise ValueError("padding")
    image, kernels = np.float32(image), np.float32(kernels)
    kh, kw, _, c_out = kernels.shape
    return [[[float((image[y:y + kh, x:x + kw] * kernels[..., o]).sum()) for o in range(c_out)]
             for x in range(0, image.shape[1] - kw + 1, stride)] for y in range(0, image.shape[0] - kh + 1, stride)]

def max_pool2d(image, size=2, stride=2):
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size), axis=(0, 1))
    return windows[::stride, ::stride].max((-1, -2)).tolist()

def conv_output_size(n, kernel, stride, padding):
    return len(range(0, n, stride)) if padding == "same" else np.int64((n - kernel) // stride + 1)

def conv_parameters(kernel, c_in, c_out):
    return int(np.prod([kernel, kernel, c_in, c_out])) + c_out

def iou(a, b):
    out = np.zeros((len(a), len(b)), "float32")
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            w, h = min(p[2], q[2]) - max(p[0], q[0]), min(p[3], q[3]) - max(p[1], q[1])
            if w > 0 and h > 0:
                out[i, j] = w * h / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - w * h)
    return out

def non_max_suppression(boxes, scores, iou_threshold=0.5):
    kept = []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        if all(iou(boxes[i:i + 1], boxes[j:j + 1])[0, 0] <= iou_threshold for j in kept):
            kept.append(i)
    return kept

def encode_grid(boxes, labels):
    out, area = np.zeros((8, 8, 15), "float32"), np.zeros((8, 8))
    for (a, b, c, d), k in zip(np.asarray(boxes, float), labels):
        x, y, w, h = (a + c) / 2, (b + d) / 2, c - a, d - b
        i, j = int(min(x // 8, 7)), int(min(y // 8, 7))
        if w * h > area[j, i]:
            area[j, i] = w * h
            out[j, i] = [x / 8 - i, y / 8 - j, w / 64, h / 64, 1] + [float(n == k) for n in range(10)]
    return out

def decode_grid(tensor, threshold=0.5):
    found = []
    for row in range(8):
        for column in range(8):
            cx, cy, w, h, conf, *classes = [float(v) for v in tensor[row, column]]
            if conf * max(classes) >= threshold:
                x, y = (column + cx) * 8, (row + cy) * 8
                box = [x - 32 * w, y - 32 * h, x + 32 * w, y + 32 * h]
                found.append((conf * max(classes), box, int(np.argmax(classes))))
    found.sort(key=lambda each: -each[0])
    return [f[1] for f in found], [f[0] for f in found], [f[2] for f in found]
"""
MISTAKES = [
    ("convolution", "kernel flipped", "return convolution_oracles.conv2d(image, np.asarray(kernels)[::-1, ::-1], stride, padding)",
     {"cross_correlation", "channels", "stride", "same_padding", "same_padding_with_stride"}),
    ("convolution", "no stride", "return convolution_oracles.conv2d(image, kernels, 1, padding)", {"stride", "same_padding_with_stride"}),
    ("convolution", "channels summed up", "return convolution_oracles.conv2d(image, np.asarray(kernels), stride, padding).sum(-1, keepdims=True)",
     {"channels", "stride", "same_padding"}),
    ("convolution", "same of stride 1", """
    k = np.shape(kernels)[:2]
    if padding == "same":
        image = np.pad(image, [((n - 1) // 2, n // 2) for n in k] + [(0, 0)])
    return convolution_oracles.conv2d(image, kernels, stride, "valid")""", {"same_padding_with_stride"}),
    ("convolution", "same with the extra zero on top", """
    if padding == "same":
        pads = [convolution_oracles._pad(n, k, stride, "same")[::-1] for n, k in zip(np.shape(image), np.shape(kernels)[:2])]
        image = np.pad(image, pads + [(0, 0)])
    return convolution_oracles.conv2d(image, kernels, stride, "valid")""", {"same_padding", "same_padding_with_stride"}),
    ("convolution", "changes the image", """
    out = convolution_oracles.conv2d(image, kernels, stride, padding)
    image *= 2
    return out""", {"inputs_are_left_alone"}),
]  # fmt: skip
REPLACED = [
    ("convolution", "any padding is valid", "return convolution_oracles.conv2d(image, kernels, stride, padding if padding == 'same' else 'valid')",
     "def conv2d(image, kernels, stride=1, padding='valid'):", {"other_paddings"}),
    ("pooling", "zeros to begin with", "return np.maximum(convolution_oracles.max_pool2d(image, size, stride), 0)",
     "def max_pool2d(image, size=2, stride=2):", {"negative_values"}),
    ("pooling", "mean", """
    view = np.lib.stride_tricks.sliding_window_view(image, (size, size), axis=(0, 1))[::stride, ::stride]
    return view.mean((-1, -2))""", "def max_pool2d(image, size=2, stride=2):",
     {"largest_of_each_window", "windows_that_do_not_fit", "size_and_stride_differ", "negative_values"}),
    ("pooling", "stride is size", "return convolution_oracles.max_pool2d(image, size, size)",
     "def max_pool2d(image, size=2, stride=2):", {"size_and_stride_differ"}),
    ("pooling", "rest padded", """
    image = np.pad(image, [(0, -image.shape[0] % size), (0, -image.shape[1] % size), (0, 0)], constant_values=-np.inf)
    return convolution_oracles.max_pool2d(image, size, stride)""", "def max_pool2d(image, size=2, stride=2):",
     {"windows_that_do_not_fit", "size_and_stride_differ"}),
    ("layer_arithmetic", "no biases", "return kernel * kernel * c_in * c_out", "def conv_parameters(kernel, c_in, c_out):", {"parameters"}),
    ("layer_arithmetic", "same forgets the stride", "return n if padding == 'same' else (n - kernel) // stride + 1",
     "def conv_output_size(n, kernel, stride, padding):", {"same"}),
    ("layer_arithmetic", "rounded up", "return -(-n // stride) if padding == 'same' else -(-(n - kernel) // stride) + 1",
     "def conv_output_size(n, kernel, stride, padding):", {"valid_with_stride"}),
    ("layer_arithmetic", "floats", "return (np.ceil(n / stride) if padding == 'same' else (n - kernel) // stride + 1.0)",
     "def conv_output_size(n, kernel, stride, padding):", {"whole_numbers"}),
    ("iou", "one pixel more", """
    a, b = np.asarray(a, float).reshape(-1, 4), np.asarray(b, float).reshape(-1, 4)
    return box_oracles.iou(a + [0, 0, 1, 1], b + [0, 0, 1, 1])""", "def iou(a, b):", {"values", "apart", "boxes_without_area"}),
    ("iou", "not cut at zero", """
    a, b = np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4)
    common = (np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])).prod(-1)
    both = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return common / np.maximum(both - common, 1e-9)""", "def iou(a, b):", {"values", "properties", "apart", "boxes_without_area"}),
    ("iou", "NaN", """
    a, b = np.asarray(a, float).reshape(-1, 1, 4), np.asarray(b, float).reshape(1, -1, 4)
    common = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0).prod(-1)
    both = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return common / (both - common)""", "def iou(a, b):", {"boxes_without_area"}),
    ("iou", "pairs", "return np.array([box_oracles.iou(p, q)[0, 0] for p, q in zip(a, b)])", "def iou(a, b):", None),
    ("nms", "greater or equal", """
    overlaps, kept = box_oracles.iou(boxes, boxes), []
    for i in np.argsort(-scores, kind="stable"):
        if not (overlaps[i, kept] >= iou_threshold).any():
            kept.append(int(i))
    return kept""", "def non_max_suppression(boxes, scores, iou_threshold=0.5):", {"exactly_at_the_threshold"}),
    ("nms", "suppressed ones suppress", """
    order = np.argsort(-scores, kind="stable")
    overlaps = box_oracles.iou(boxes, boxes)
    return [int(i) for n, i in enumerate(order) if not (overlaps[i, order[:n]] > iou_threshold).any()]""",
     "def non_max_suppression(boxes, scores, iou_threshold=0.5):", {"what_stays", "default_threshold", "suppressed_boxes_suppress_nobody"}),
    ("nms", "lowest first", "return box_oracles.non_max_suppression(boxes, -scores, iou_threshold)",
     "def non_max_suppression(boxes, scores, iou_threshold=0.5):", None),
    ("nms", "turned around", """
    kept = []
    for i in np.argsort(scores, kind="stable")[::-1].tolist():
        if not (box_oracles.iou(boxes[i:i + 1], boxes[kept]) > iou_threshold).any():
            kept.append(i)
    return np.array(kept)""", "def non_max_suppression(boxes, scores, iou_threshold=0.5):", {"equal_scores"}),
    ("nms", "fixed threshold", "return box_oracles.non_max_suppression(boxes, scores, 0.5)",
     "def non_max_suppression(boxes, scores, iou_threshold=0.5):", {"what_stays", "suppressed_boxes_suppress_nobody"}),
    ("nms", "boxes in place of indices", "return boxes[box_oracles.non_max_suppression(boxes, scores, iou_threshold)]",
     "def non_max_suppression(boxes, scores, iou_threshold=0.5):", None),
    ("nms", "by index", "return np.sort(box_oracles.non_max_suppression(boxes, scores, iou_threshold))",
     "def non_max_suppression(boxes, scores, iou_threshold=0.5):", {"by_falling_score", "equal_scores"}),
    ("grid_encoding", "rows by x", "return box_oracles.encode_grid(boxes, labels).swapaxes(0, 1)", "def encode_grid(boxes, labels):", None),
    ("grid_encoding", "centre in the image", """
    out = box_oracles.encode_grid(boxes, labels)
    rows, columns = np.nonzero(out[..., 4])
    out[rows, columns, :2] = (out[rows, columns, :2] + np.stack([columns, rows], 1)) / 8
    return out""", "def encode_grid(boxes, labels):", {"centre_and_size", "larger_box_stays", "last_cell", "there_and_back"}),
    ("grid_encoding", "smaller box stays", """
    out = np.zeros((8, 8, 15))
    areas = [-(b[2] - b[0]) * (b[3] - b[1]) for b in boxes]
    for i in np.argsort(areas):
        one = box_oracles.encode_grid(boxes[i:i + 1], labels[i:i + 1])
        out = np.where(one[..., 4:5] > 0, one, out)
    return out""", "def encode_grid(boxes, labels):", {"larger_box_stays"}),
    ("grid_encoding", "the last one stays", """
    out = np.zeros((8, 8, 15))
    for i in range(len(boxes)):
        one = box_oracles.encode_grid(boxes[i:i + 1], labels[i:i + 1])
        out = np.where(one[..., 4:5] > 0, one, out)
    return out""", "def encode_grid(boxes, labels):", {"larger_box_stays"}),
    ("grid_encoding", "confidence alone", """
    tensor = np.array(tensor, float)
    tensor[..., 5:] = tensor[..., 5:] >= tensor[..., 5:].max(-1, keepdims=True)
    return box_oracles.decode_grid(tensor, threshold)""", "def decode_grid(tensor, threshold=0.5):", {"scores"}),
    ("grid_encoding", "greater than the threshold", "return box_oracles.decode_grid(tensor, threshold + 1e-9)",
     "def decode_grid(tensor, threshold=0.5):", {"threshold"}),
    ("grid_encoding", "not sorted", """
    boxes, scores, labels = box_oracles.decode_grid(tensor, threshold)
    return boxes[::-1], scores[::-1], labels[::-1]""", "def decode_grid(tensor, threshold=0.5):", {"by_falling_score"}),
    ("grid_encoding", "corner for centre", """
    boxes, scores, labels = box_oracles.decode_grid(tensor, threshold)
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.concatenate([boxes[:, :2] + half, boxes[:, 2:] + half], 1), scores, labels""",
     "def decode_grid(tensor, threshold=0.5):", {"decoded_boxes", "there_and_back"}),
    ("grid_encoding", "x and y exchanged", """
    boxes, scores, labels = box_oracles.decode_grid(tensor, threshold)
    return boxes[:, [1, 0, 3, 2]], scores, labels""", "def decode_grid(tensor, threshold=0.5):", {"decoded_boxes", "there_and_back"}),
    ("grid_encoding", "labels from 1", """
    boxes, scores, labels = box_oracles.decode_grid(tensor, threshold)
    return boxes, scores, labels + 1""", "def decode_grid(tensor, threshold=0.5):", {"decoded_boxes", "there_and_back"}),
    ("grid_encoding", "an index error on the edge", """
    for box in boxes:
        np.zeros((8, 8))[int((box[1] + box[3]) / 2 // 8), int((box[0] + box[2]) / 2 // 8)]
    return box_oracles.encode_grid(boxes, labels)""", "def encode_grid(boxes, labels):", {"last_cell"}),
]  # fmt: skip


def function(signature, body):
    return signature + "\n    " + body.strip("\n").removeprefix("    ") + "\n"


@pytest.mark.parametrize("question", BY_HAND)
def test_right_answers(judge, oracles, question):
    assert judge(question, oracles) == {}
    assert judge(question, OTHER_STYLE) == {}


@pytest.mark.parametrize(("question", "mistake", "body", "lost"), MISTAKES, ids=[each[1] for each in MISTAKES])
def test_convolution_wrong(judge, oracles, question, mistake, body, lost):
    """The mistake is made in a conv2d that refuses other paddings."""
    source = 'if padding not in ("valid", "same"):\n        raise ValueError(padding)\n    ' + body.strip(
        "\n"
    ).removeprefix("    ")
    found = judge(question, oracles, function("def conv2d(image, kernels, stride=1, padding='valid'):", source))
    assert set(found) == lost, (mistake, dict(found))


@pytest.mark.parametrize(
    ("question", "mistake", "body", "signature", "lost"), REPLACED, ids=[f"{each[0]}: {each[1]}" for each in REPLACED]
)
def test_wrong(judge, oracles, question, mistake, body, signature, lost):
    found = judge(question, oracles, function(signature, body))
    assert found and (lost is None or set(found) == lost), (mistake, dict(found))


def test_hint_about_a_flipped_kernel(judge, oracles):
    body = "return convolution_oracles.conv2d(image, np.asarray(kernels)[::-1, ::-1], stride, padding)"
    found = judge("convolution", oracles, function("def conv2d(image, kernels, stride=1, padding='valid'):", body))
    assert "flip" in found.hints["cross_correlation"]


def test_a_wrong_iou_does_not_cost_suppression(judge, oracles):
    """Who adds a pixel to each side has lost that at `iou`, and suppresses rightly with what there is."""
    added = function(
        "def iou(a, b):", "return box_oracles.iou(np.asarray(a) + [0, 0, 1, 1], np.asarray(b) + [0, 0, 1, 1])"
    )
    greedy = """
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    kept = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if not kept or not (iou(boxes[[i]], boxes[kept]) > iou_threshold).any():
            kept.append(i)
    return kept
"""
    assert judge("iou", oracles, added)
    assert judge("nms", oracles, added, greedy) == {}


@pytest.mark.parametrize("question", BY_HAND)
@pytest.mark.parametrize("value", ["None", "3", "'text'", "[]", "{}", "np.zeros(3)", "np.full((8, 8, 15), np.nan)", "object()", "(1, 'a', None)",
                                   "[[1], [2, 3]]", "1 / 0", "np.array(['a'])", "(np.zeros((2, 4)), np.zeros(3), np.zeros(2))"])  # fmt: skip
def test_odd_values(judge, question, value):
    """Every exception that is neither a Failure nor a NotAssessed comes through, and would be the grader's error."""
    names = (
        "conv2d",
        "max_pool2d",
        "conv_output_size",
        "conv_parameters",
        "iou",
        "non_max_suppression",
        "encode_grid",
        "decode_grid",
    )
    assert judge(question, "".join(f"def {name}(*a, **b):\n    return {value}\n" for name in names))


@pytest.mark.parametrize("question", BY_HAND)
def test_unanswered(judge, questions, question):
    """Nothing is earned by what raises NotImplementedError."""
    names = (
        "conv2d",
        "max_pool2d",
        "conv_output_size",
        "conv_parameters",
        "iou",
        "non_max_suppression",
        "encode_grid",
        "decode_grid",
    )
    found = judge(question, "".join(f"def {name}(*a, **b):\n    raise NotImplementedError()\n" for name in names))
    tests = {name.removeprefix("test_") for name in vars(questions[question].module) if name.startswith("test_")}
    assert set(found) == tests
