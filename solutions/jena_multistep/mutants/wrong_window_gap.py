"""This student's targets start one step too late: a step of ten minutes is lost between the input and the target."""

EXPECTED = {"windows": "partial"}
RIGHT = False
DEMO = True

# %% [windows]
def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    """Cut a frame into windows.

    Elements (x, y): x float32 (batch, 432, 14), y float32 (batch, 6, 2), columns of y as in TARGETS.
    """
    values = tf.constant(frame[FEATURES].to_numpy(dtype="float32"))
    targets = tf.constant(frame[TARGETS].to_numpy(dtype="float32"))
    starts = np.arange(0, len(frame) - INPUT_LENGTH - HORIZON, stride, dtype="int64")

    def cut(start):
        """Gather the windows of a whole batch at once; start: (batch,)."""
        x = tf.gather(values, start[:, None] + np.arange(INPUT_LENGTH))
        y = tf.gather(targets, start[:, None] + np.arange(INPUT_LENGTH + 1, INPUT_LENGTH + HORIZON + 1))
        return x, y

    dataset = tf.data.Dataset.from_tensor_slices(starts)
    if shuffle:
        dataset = dataset.shuffle(max(len(starts), 1), seed=SEED)
    return dataset.batch(batch_size).map(cut).prefetch(2)
