"""This student writes everything without loops: sliding windows, einsum and broadcasting; the localiser gives a list, and the detector is one Sequential with
strided convolutions in place of pooling, trained with batch normalisation on a tf.data pipeline."""

EXPECTED = {}
RIGHT = True
DEMO = True

# %% [convolution]
from numpy.lib.stride_tricks import sliding_window_view


def conv2d(image, kernels, stride=1, padding="valid"):
    kernels = np.asarray(kernels, dtype="float32")
    match padding:
        case "valid":
            padded = np.asarray(image, dtype="float32")
        case "same":
            size, k = np.array(np.shape(image)[:2]), np.array(kernels.shape[:2])
            total = np.maximum((np.ceil(size / stride).astype(int) - 1) * stride + k - size, 0)
            padded = np.pad(np.asarray(image, dtype="float32"), [(p // 2, p - p // 2) for p in total] + [(0, 0)])
        case _:
            raise ValueError(f"unknown padding {padding}")
    windows = sliding_window_view(padded, kernels.shape[:2], axis=(0, 1))[::stride, ::stride]
    return np.einsum("hwcij,ijco->hwo", windows, kernels, optimize=True)

# %% [pooling]
def max_pool2d(image, size=2, stride=2):
    return sliding_window_view(image, (size, size), axis=(0, 1))[::stride, ::stride].max(axis=(3, 4))

# %% [layer_arithmetic]
def conv_output_size(n, kernel, stride, padding):
    return len(range(0, n if padding == "same" else n - kernel + 1, stride))


conv_parameters = lambda kernel, c_in, c_out: c_out * (c_in * kernel**2 + 1)

# %% [iou]
def iou(a, b):
    a, b = np.atleast_2d(a).astype("float32")[:, None, :], np.atleast_2d(b).astype("float32")[None, :, :]
    x0, y0, x1, y1 = np.maximum(a[..., 0], b[..., 0]), np.maximum(a[..., 1], b[..., 1]), np.minimum(a[..., 2], b[..., 2]), np.minimum(a[..., 3], b[..., 3])
    common = np.clip(x1 - x0, 0, None) * np.clip(y1 - y0, 0, None)
    union = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1) - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    order = np.argsort(np.negative(scores), kind="stable")
    overlaps = iou(boxes, boxes) > iou_threshold
    alive = np.ones(len(order), dtype=bool)
    for i in order:
        if alive[i]:
            alive &= ~overlaps[i]
            alive[i] = True
    return order[alive[order]]

# %% [grid_encoding]
def encode_grid(boxes, labels):
    boxes, labels = np.asarray(boxes, dtype="float32"), np.asarray(labels)
    order = np.argsort((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))  # assignment keeps the last one
    boxes, labels = boxes[order], labels[order]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / (IMAGE_SIZE / GRID)
    cells = np.clip(np.floor(centres), 0, GRID - 1).astype(int)
    rows = np.concatenate([centres - cells, (boxes[:, 2:] - boxes[:, :2]) / IMAGE_SIZE, np.ones((len(boxes), 1)), np.eye(N_CLASSES)[labels]], axis=1)
    out = np.zeros((GRID, GRID, 5 + N_CLASSES))
    for (column, row), values in zip(cells, rows):
        out[row, column] = values
    return out


def decode_grid(tensor, threshold=0.5):
    flat = np.asarray(tensor).reshape(GRID * GRID, -1)
    score = flat[:, 4] * flat[:, 5:].max(axis=1)
    chosen = np.argsort(score)[::-1]
    chosen = chosen[score[chosen] >= threshold]
    corner = np.stack([chosen % GRID, chosen // GRID], axis=1) / GRID
    centre, half = (corner + flat[chosen, :2] / GRID) * IMAGE_SIZE, flat[chosen, 2:4] * IMAGE_SIZE / 2
    return np.hstack([centre - half, centre + half]), score[chosen], flat[chosen, 5:].argmax(axis=1)

# %% [models]
from keras import layers


def convolution(x, filters, strides=1):
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def build_localizer():
    image = keras.Input((64, 64, 1))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    for filters in (8, 16, 32):
        x = convolution(x, filters, strides=2)
    what = layers.Dense(10, activation="softmax")(layers.GlobalMaxPooling2D()(convolution(x, 64)))
    where = layers.Dense(4)(layers.Dense(48, activation="relu")(layers.Flatten()(x)))
    return keras.Model(image, [what, where])


def build_detector():
    image = keras.Input((64, 64, 1))
    x = layers.Rescaling(1 / 255)(image)
    for filters in (12, 24, 48):
        x = layers.MaxPooling2D()(convolution(x, filters))
    return keras.Model(image, layers.Conv2D(15, 1)(convolution(x, 96)))

# %% [localization]
x, box, kind = single_object(*load_scenes(DATA_PATH, N_IMAGES))
localizer = build_localizer()
localizer.compile(keras.optimizers.Adam(3e-3), loss=["sparse_categorical_crossentropy", "mse"], loss_weights=[1.0, 0.002], jit_compile=False)
pairs = tf.data.Dataset.from_tensor_slices((x.astype("float32"), (kind, box.astype("float32")))).shuffle(2000, seed=SEED).batch(16)
localizer.fit(pairs, epochs=3 * EPOCHS, verbose=0)


def localize(images):
    what, where = localizer(tf.cast(images, tf.float32), training=False)
    return what, where

# %% [detection]
images, boxes, labels = load_scenes(DATA_PATH, N_IMAGES)
cut = int(0.8 * len(images))
targets = np.array([encode_grid(b, k) for b, k in zip(boxes, labels)], dtype="float32")


def loss(true, raw):
    """Raw network outputs: logits everywhere."""
    obj = true[..., 4]
    place = tf.reduce_sum((true[..., :4] - tf.sigmoid(raw[..., :4])) ** 2, -1)
    what = tf.nn.softmax_cross_entropy_with_logits(true[..., 5:], raw[..., 5:])
    there = tf.nn.sigmoid_cross_entropy_with_logits(obj, raw[..., 4])
    return tf.reduce_sum(obj * (8 * place + what) + there, axis=(1, 2))


detector = build_detector()
detector.compile(keras.optimizers.Adam(3e-3), loss=loss, jit_compile=False)
pairs = tf.data.Dataset.from_tensor_slices((images[:cut], targets[:cut])).shuffle(4000, seed=SEED).map(lambda a, b: (tf.cast(a, tf.float32), b)).batch(16)
detector.fit(pairs, epochs=EPOCHS, verbose=0)


def detect(images):
    result = []
    for raw in detector.predict(np.asarray(images).astype("float32"), batch_size=64, verbose=0):
        grid = np.concatenate([1 / (1 + np.exp(-raw[..., :5])), np.exp(raw[..., 5:]) / np.exp(raw[..., 5:]).sum(-1, keepdims=True)], axis=-1)
        b, s, k = decode_grid(grid, 0.15)
        keep = non_max_suppression(b, s, 0.3)
        result.append((b[keep], s[keep], k[keep]))
    return result


def map_50(found, boxes, labels):
    """All detections in one table, class by class."""
    table = pd.DataFrame(
        [(n, i, s, k) for n, (b, ss, kk) in enumerate(found) for i, (s, k) in enumerate(zip(ss, kk))], columns=["image", "place", "score", "kind"]
    ).sort_values("score", ascending=False)
    values = []
    for kind in np.unique(np.concatenate(labels)):
        seen, right = set(), []
        for row in table[table.kind == kind].itertuples():
            truth = np.flatnonzero(labels[row.image] == kind)
            overlap = iou(found[row.image][0][row.place : row.place + 1], boxes[row.image][truth])[0] if len(truth) else np.zeros(1)
            key = (row.image, truth[overlap.argmax()]) if len(truth) else None
            right.append(overlap.max() >= 0.5 and key not in seen)
            if right[-1]:
                seen.add(key)
        right = np.array(right, dtype=float)
        total = sum((each == kind).sum() for each in labels)
        precision = right.cumsum() / np.arange(1, len(right) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        values.append((best * right).sum() / total)
    return np.mean(values)


found = detect(images[cut:])
results = {"map_50": map_50(found, boxes[cut:], labels[cut:]), "scenes": len(found)}

# %% [figure]
figure_detections = plt.figure(figsize=(12, 3))
for n in range(4):
    axes = figure_detections.add_subplot(1, 4, n + 1)
    axes.imshow(images[cut + n], cmap="gray_r")
    for style, group in (("g-", boxes[cut + n]), ("r--", found[n][0])):
        for x0, y0, x1, y1 in group:
            axes.plot([x0, x1, x1, x0, x0], [y0, y0, y1, y1, y0], style)
