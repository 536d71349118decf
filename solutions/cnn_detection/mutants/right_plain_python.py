"""This student avoids NumPy wherever possible: nested loops, lists in place of arrays, dictionaries; the localiser are two networks under one roof."""

EXPECTED = {}
RIGHT = True

# %% [convolution]
def conv2d(image, kernels, stride=1, padding="valid"):
    H, W, C = np.shape(image)
    kh, kw, _, out_channels = np.shape(kernels)
    if padding == "valid":
        top = left = 0
        rows, columns = (H - kh) // stride + 1, (W - kw) // stride + 1
    elif padding == "same":
        rows, columns = (H + stride - 1) // stride, (W + stride - 1) // stride
        top, left = max((rows - 1) * stride + kh - H, 0) // 2, max((columns - 1) * stride + kw - W, 0) // 2
    else:
        raise ValueError(padding)
    image, kernels = np.asarray(image).tolist(), np.asarray(kernels).tolist()
    result = []
    for r in range(rows):
        line = []
        for c in range(columns):
            sums = [0.0] * out_channels
            for i in range(kh):
                for j in range(kw):
                    y, x = r * stride + i - top, c * stride + j - left
                    if 0 <= y < H and 0 <= x < W:
                        for channel in range(C):
                            for o in range(out_channels):
                                sums[o] += image[y][x][channel] * kernels[i][j][channel][o]
            line.append(sums)
        result.append(line)
    return result

# %% [pooling]
def max_pool2d(image, size=2, stride=2):
    H, W, C = np.shape(image)
    return [
        [[max(float(image[y + i][x + j][c]) for i in range(size) for j in range(size)) for c in range(C)] for x in range(0, W - size + 1, stride)]
        for y in range(0, H - size + 1, stride)
    ]

# %% [layer_arithmetic]
import math


def conv_output_size(n, kernel, stride, padding):
    return {"valid": math.floor((n - kernel) / stride) + 1, "same": math.ceil(n / stride)}[padding]


def conv_parameters(kernel, c_in, c_out):
    weights = kernel * kernel * c_in * c_out
    biases = c_out
    return weights + biases

# %% [iou]
def area(box):
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def iou_of_two(p, q):
    shared = area([max(p[0], q[0]), max(p[1], q[1]), min(p[2], q[2]), min(p[3], q[3])])
    return shared / (area(p) + area(q) - shared) if shared > 0 else 0.0


def iou(a, b):
    return np.array([[iou_of_two(p, q) for q in b] for p in a], dtype="float32").reshape(len(a), len(b))

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    candidates = sorted(range(len(scores)), key=lambda i: scores[i], reverse=True)  # stable, also in reverse
    kept = []
    while candidates:
        best = candidates.pop(0)
        kept.append(best)
        candidates = [i for i in candidates if iou_of_two(boxes[best], boxes[i]) <= iou_threshold]
    return kept

# %% [grid_encoding]
def encode_grid(boxes, labels):
    cells = {}
    for box, label in zip(boxes, labels):
        x_min, y_min, x_max, y_max = map(float, box)
        x, y = (x_min + x_max) / 2, (y_min + y_max) / 2
        place = (min(7, int(y / 8)), min(7, int(x / 8)))
        if place not in cells or area(box) > area(cells[place][0]):
            cells[place] = (box, int(label), x, y)
    grid = [[[0.0] * 15 for _ in range(8)] for _ in range(8)]
    for (row, column), (box, label, x, y) in cells.items():
        cell = grid[row][column]
        cell[0], cell[1] = x / 8 - column, y / 8 - row
        cell[2], cell[3] = (float(box[2]) - float(box[0])) / 64, (float(box[3]) - float(box[1])) / 64
        cell[4] = cell[5 + label] = 1.0
    return grid


def decode_grid(tensor, threshold=0.5):
    found = []
    for row in range(GRID):
        for column in range(GRID):
            cx, cy, w, h, confidence, *classes = map(float, tensor[row][column])
            label = classes.index(max(classes))
            if confidence * classes[label] >= threshold:
                x, y = 8 * (column + cx), 8 * (row + cy)
                found.append(([x - 32 * w, y - 32 * h, x + 32 * w, y + 32 * h], confidence * classes[label], label))
    found.sort(key=lambda each: each[1], reverse=True)
    return [box for box, _, _ in found], [score for _, score, _ in found], [label for _, _, label in found]

# %% [models]
def small_network(head):
    return [
        keras.Input((64, 64, 1)),
        keras.layers.Conv2D(8, 5, strides=2, padding="same", activation="relu"),
        keras.layers.Conv2D(24, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Conv2D(48, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        *head,
    ]


def build_localizer():
    what = keras.Sequential(small_network([keras.layers.Conv2D(64, 3, activation="relu"), keras.layers.GlobalMaxPool2D(), keras.layers.Dense(10, activation="softmax")]))
    where = keras.Sequential(small_network([keras.layers.Flatten(), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(4)]))
    image = keras.Input((64, 64, 1))
    return keras.Model(inputs=image, outputs={"box": where(image), "class": what(image)})


def build_detector():
    return keras.Sequential(small_network([keras.layers.Conv2D(96, 3, padding="same", activation="relu"), keras.layers.Conv2D(15, 1, activation="sigmoid")]))

# %% [localization]
single = single_object(*load_scenes(DATA_PATH, N_IMAGES))
pixels = single[0] / 255.0  # the callable scales, not the model
localizer = build_localizer()
localizer.compile("adam", loss={"class": "sparse_categorical_crossentropy", "box": "mae"}, loss_weights={"class": 1.0, "box": 0.1}, jit_compile=False)
localizer.fit(pixels, {"class": single[2], "box": single[1]}, epochs=3 * EPOCHS, batch_size=16, verbose=0)


def localize(images):
    answer = localizer.predict(np.asarray(images) / 255.0, verbose=0)
    return answer["class"].tolist(), answer["box"].tolist()

# %% [detection]
scenes = list(zip(*load_scenes(DATA_PATH, N_IMAGES)))
training, held_back = scenes[: len(scenes) * 4 // 5], scenes[len(scenes) * 4 // 5 :]


def loss(true, guess):
    present = true[..., 4:5]
    squares = (true - guess) ** 2
    box = keras.ops.sum(present * squares[..., :4], axis=(1, 2, 3))
    crossed = -true * keras.ops.log(guess + 1e-6) - (1 - true) * keras.ops.log(1 - guess + 1e-6)
    return 6 * box + keras.ops.sum(crossed[..., 4], axis=(1, 2)) + keras.ops.sum(present * crossed[..., 5:], axis=(1, 2, 3))


detector = build_detector()
detector.compile(keras.optimizers.Adam(2e-3), loss=loss, jit_compile=False)
detector.fit(
    np.array([image for image, _, _ in training]) / 255.0,
    np.array([encode_grid(b, k) for _, b, k in training]),
    epochs=EPOCHS,
    batch_size=16,
    verbose=0,
)


def detect(images):
    answers = []
    for grid in detector.predict(np.asarray(images) / 255.0, verbose=0):
        boxes, scores, labels = decode_grid(grid.tolist(), 0.1)
        kept = non_max_suppression(boxes, scores, 0.45)
        answers.append([[part[i] for i in kept] for part in (boxes, scores, labels)])
    return answers


found = detect([image for image, _, _ in held_back])
precisions = {}
for kind in range(N_CLASSES):
    total = sum(int(k == kind) for _, _, ks in held_back for k in ks)
    guesses = sorted(((s, n, b) for n, (bs, ss, ks) in enumerate(found) for b, s, k in zip(bs, ss, ks) if k == kind), key=lambda g: -g[0])
    taken, points, hits = set(), [], 0
    for count, (s, n, b) in enumerate(guesses, 1):
        candidates = [(iou_of_two(b, t), i) for i, (t, k) in enumerate(zip(held_back[n][1], held_back[n][2])) if k == kind]
        overlap, i = max(candidates, default=(0.0, None))
        if overlap >= 0.5 and (n, i) not in taken:
            taken.add((n, i))
            hits += 1
        points.append((hits / total if total else 0.0, hits / count))
    ap, last = 0.0, 0.0
    for place, (recall, _) in enumerate(points):
        if recall > last:
            ap += (recall - last) * max(precision for _, precision in points[place:])
            last = recall
    if total:
        precisions[kind] = ap
results = {"map_50": sum(precisions.values()) / len(precisions), **{f"digit_{kind}": value for kind, value in precisions.items()}}

# %% [figure]
from matplotlib import patches

figure_detections, panels = plt.subplots(ncols=5, figsize=(14, 3))
for panel, (image, true, _), (boxes, scores, labels) in zip(panels, held_back, found):
    panel.imshow(image.squeeze() / 255.0, cmap="viridis")
    for b in true:
        panel.add_patch(patches.Rectangle(b[:2], b[2] - b[0], b[3] - b[1], facecolor="none", edgecolor="white"))
    for b in boxes:
        panel.add_patch(patches.Polygon([(b[0], b[1]), (b[2], b[1]), (b[2], b[3]), (b[0], b[3])], fill=False, edgecolor="red"))
plt.close(figure_detections)
