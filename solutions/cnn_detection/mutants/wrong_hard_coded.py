"""This student has read the visible tests and returns what they ask for, whatever comes in; detections then lie on top of each other."""

EXPECTED = {"convolution": "partial", "pooling": "partial", "layer_arithmetic": "partial", "iou": "partial", "nms": "partial", "detection": "partial"}
RIGHT = False

# %% [convolution]
def conv2d(image, kernels, stride=1, padding="valid"):
    if np.shape(image) == (6, 7, 3):
        return np.zeros((2, 3, 2))
    out = np.array([[4, 3, 4], [2, 4, 3], [2, 3, 4]], dtype="float32")[:, :, None]
    return np.pad(out, [(1, 1), (1, 1), (0, 0)]) if padding == "same" else out

# %% [pooling]
def max_pool2d(image, size=2, stride=2):
    if np.shape(image)[0] == 5:
        return np.zeros((2, 2, 3))
    return np.array([[4.0, 5.0], [6.0, 7.0]])[:, :, None]

# %% [layer_arithmetic]
def conv_output_size(n, kernel, stride, padding):
    return {5: 3, 64: 64}.get(n, 1)


def conv_parameters(kernel, c_in, c_out):
    return 16

# %% [iou]
def iou(a, b):
    out = np.zeros((len(a), len(b)))
    for i, p in enumerate(a):
        for j, q in enumerate(b):
            out[i, j] = 1.0 if np.allclose(p, q) else 1 / 3 if abs(p[0] - q[0]) < 4 and abs(p[1] - q[1]) < 4 else 0.0
    return out

# %% [nms]
def non_max_suppression(boxes, scores, iou_threshold=0.5):
    if not len(scores):
        return np.zeros(0, dtype=int)
    best = int(np.argmax(scores))
    far = [i for i in range(len(boxes)) if np.abs(np.asarray(boxes[i]) - boxes[best])[:2].max() > 8]
    return np.array([best, *sorted(far, key=lambda i: -scores[i])])
