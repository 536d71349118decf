"""This student builds on libraries: TensorFlow"s convolution, pooling and non-maximum suppression, float32 tensors as results, networks with dense heads, ordinary batches and Adam"s own rate."""

EXPECTED = {}
RIGHT = True

# %% [convolution]
def conv2d(image, kernels, stride=1, padding="valid"):
    padding = {"valid": "VALID", "same": "SAME"}.get(padding)
    if padding is None:
        raise ValueError("unknown padding")
    return tf.nn.conv2d(tf.cast(image, tf.float32)[None], tf.cast(kernels, tf.float32), strides=stride, padding=padding)[0]

# %% [pooling]
def max_pool2d(image, size=2, stride=2):
    return tf.nn.max_pool2d(tf.cast(image, tf.float32)[None], size, stride, "VALID")[0]

# %% [iou]
def iou(a, b):
    a, b = tf.cast(a, tf.float32), tf.cast(b, tf.float32)
    a, b = tf.reshape(a, (-1, 1, 4)), tf.reshape(b, (1, -1, 4))
    shared = tf.reduce_prod(tf.maximum(tf.minimum(a[..., 2:], b[..., 2:]) - tf.maximum(a[..., :2], b[..., :2]), 0.0), axis=-1)
    both = tf.reduce_prod(a[..., 2:] - a[..., :2], axis=-1) + tf.reduce_prod(b[..., 2:] - b[..., :2], axis=-1)
    return tf.math.divide_no_nan(shared, both - shared)

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    boxes, scores = tf.cast(boxes, tf.float32), tf.cast(scores, tf.float32)
    return tf.image.non_max_suppression(tf.reshape(boxes, (-1, 4)), scores, max_output_size=max(len(scores), 1), iou_threshold=iou_threshold)

# %% [models]
def trunk():
    return keras.Sequential(
        [
            keras.Input((64, 64, 1)),
            keras.layers.Rescaling(1.0 / 255),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(),
        ]
    )


def build_localizer():
    inputs = keras.Input(shape=(64, 64, 1))
    x = keras.layers.Flatten()(trunk()(inputs))
    x = keras.layers.Dense(128, activation="relu")(x)
    kind = keras.layers.Dense(10, activation="softmax", name="class")(x)
    box = keras.layers.Dense(4, name="box")(x)
    return keras.Model(inputs, outputs={"class": kind, "box": box})


def build_detector():
    inputs = keras.Input(shape=(64, 64, 1))
    x = keras.layers.Conv2D(64, 3, padding="same", activation="relu")(trunk()(inputs))
    return keras.Model(inputs, keras.layers.Conv2D(15, 1, activation="sigmoid")(x))

# %% [localization]
single_images, single_boxes, single_labels = single_object(*load_scenes(DATA_PATH, N_IMAGES))
localizer = build_localizer()
localizer.compile(
    optimizer="adam",
    loss={"class": "sparse_categorical_crossentropy", "box": "mse"},
    loss_weights={"class": 1.0, "box": 0.01},
    jit_compile=False,
)
localizer.fit(single_images, {"class": single_labels, "box": single_boxes}, batch_size=16, epochs=3 * EPOCHS, verbose=0)


def localize(images):
    out = localizer(tf.cast(images, tf.float32), training=False)
    return out["class"], out["box"]

# %% [detection]
scene_images, scene_boxes, scene_labels = load_scenes(DATA_PATH, N_IMAGES)
n_train = int(0.85 * len(scene_images))
targets = np.array([encode_grid(b, l) for b, l in zip(scene_boxes, scene_labels)], dtype="float32")


def yolo_loss(true, found):
    mask = true[..., 4:5]
    box = tf.reduce_sum(mask * tf.square(true[..., :4] - found[..., :4]), axis=[1, 2, 3])
    confidence = tf.reduce_sum(keras.losses.binary_crossentropy(mask, found[..., 4:5]), axis=[1, 2])
    kind = tf.reduce_sum(mask[..., 0] * 10 * keras.losses.binary_crossentropy(true[..., 5:], found[..., 5:]), axis=[1, 2])
    return 5 * box + confidence + kind


detector = build_detector()
detector.compile(optimizer="adam", loss=yolo_loss, jit_compile=False)
detector.fit(scene_images[:n_train], targets[:n_train], batch_size=16, epochs=EPOCHS, verbose=0)


def detect(images):
    detections = []
    for grid in detector(tf.cast(images, tf.float32), training=False).numpy():
        boxes, scores, labels = decode_grid(grid, 0.05)
        keep = tf.image.non_max_suppression(boxes.astype("float32"), scores.astype("float32"), 64, 0.5) if len(scores) else np.zeros(0, int)
        detections.append([tf.gather(boxes, keep), tf.gather(scores, keep), tf.gather(labels, keep)])
    return detections


def map_50(found, boxes, labels):
    values = []
    for kind in sorted(set(np.concatenate(labels))):
        rows, total = [], 0
        for (b, s, k), true_boxes, true_labels in zip(found, boxes, labels):
            b, s, k = b.numpy(), s.numpy(), k.numpy()
            truth = true_boxes[true_labels == kind]
            total += len(truth)
            used = np.zeros(len(truth), bool)
            for i in np.flatnonzero(k == kind)[np.argsort(-s[k == kind])]:
                overlap = iou(b[i : i + 1], truth).numpy()[0] if len(truth) else np.zeros(1)
                j = overlap.argmax()
                hit = overlap[j] >= 0.5 and not used[j]
                if hit:
                    used[j] = True
                rows.append((s[i], hit))
        rows.sort(key=lambda row: -row[0])
        hits = np.cumsum([hit for _, hit in rows]) if rows else np.zeros(1)
        precision = hits / np.arange(1, len(hits) + 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        values.append(np.sum(np.diff(hits / total, prepend=0) * precision))
    return np.mean(values)


test_found = detect(scene_images[n_train:])
results = {"map_50": map_50(test_found, scene_boxes[n_train:], scene_labels[n_train:])}

# %% [figure]
figure_detections = plt.figure(figsize=(6, 12))
for row in range(4):
    number = n_train + row
    for column, (title, boxes) in enumerate((("true", scene_boxes[number]), ("predicted", test_found[row][0].numpy()))):
        axes = figure_detections.add_subplot(4, 2, 2 * row + column + 1, title=title)
        axes.imshow(scene_images[number], cmap="gray")
        for box in boxes:
            axes.plot(box[[0, 2, 2, 0, 0]], box[[1, 1, 3, 3, 1]], color="yellow")
