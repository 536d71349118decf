"""make_dataset: windows of three days and the hour that follows, all of them, in time order.

Frames hold `100 * row + column`, so that every number of a window says where it was taken from.
"""

import numpy as np
import pandas as pd
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_array,
    as_frame,
    as_list,
    as_number,
    change_after,
    expect,
    expect_close,
    expect_shape,
    expect_unchanged,
    expect_unmoved,
    has_moved,
)
from reference_models.jena_oracles import FEATURES, HORIZON, INPUT_LENGTH, TARGET_COLUMNS, oracle_windows

WINDOW = INPUT_LENGTH + HORIZON
STRIDE, BATCH = 7, 5
LATER = 560  # from this row on, the second frame is another
TOPIC = "Week 9, windows and horizons:"


def given(materials):
    full = numbered(WINDOW + STRIDE * 23)  # the last window ends with the last row
    default_stride = int(materials.parameters.get("STRIDE", 36))
    default_batch = int(materials.parameters.get("BATCH_SIZE", 64))
    rng = np.random.default_rng(11)
    return Given(
        full=full,
        loose=numbered(WINDOW + STRIDE * 4 + 3),  # three rows more than the windows need
        default=numbered(WINDOW + default_stride * 3 + 1),
        one=numbered(WINDOW),
        short=numbered(WINDOW - 1),
        other_future=change_after(full, LATER, rng),
        stride=STRIDE,
        batch=BATCH,
        most=40,
    ).keep(windows=oracle_windows(full, STRIDE), default_stride=default_stride, default_batch=default_batch)


def numbered(rows):
    index = pd.date_range("2012-05-01", periods=rows, freq="10min")
    values = np.arange(rows)[:, None] * 100.0 + np.arange(len(FEATURES))
    return pd.DataFrame(values.astype("float32"), index=index, columns=list(FEATURES))


def probe(student, given):
    import itertools

    import numpy as np
    import tensorflow as tf

    def batches(dataset):
        """At most `most` batches, so that an endless dataset ends here."""
        return [(np.asarray(x), np.asarray(y)) for x, y in itertools.islice(iter(dataset), given.most)]

    def windows(dataset):
        parts = batches(dataset)
        return {
            "x": np.concatenate([x for x, _ in parts]),
            "y": np.concatenate([y for _, y in parts]),
            "sizes": [len(x) for x, _ in parts],
        }

    def marks(dataset):
        """Per window: with which rows its input begins and ends, and with which its target."""
        parts = batches(dataset)
        return {
            "first": [float(row) for x, _ in parts for row in x[:, 0, 0]],
            "last": [float(row) for x, _ in parts for row in x[:, -1, 0]],
            "target": [[float(v) for v in y[i, [0, -1]].ravel()] for _, y in parts for i in range(len(y))],
            "sizes": [len(x) for x, _ in parts],
        }

    def make(frame, **options):
        return student.make_dataset(frame.copy(), stride=given.stride, batch_size=given.batch, **options)

    def after_use():
        frame = given.full.copy()
        batches(student.make_dataset(frame, stride=given.stride, batch_size=given.batch))
        return frame

    def twice():
        dataset = make(given.loose)
        return [sum(len(x) for x, _ in batches(dataset)) for _ in range(2)]

    def chain(frame):
        train = next(iter(student.split_by_time(frame.copy(), 0.9, 0.05)))
        mean, std = student.fit_normalization(train)
        scaled = student.normalize(train, mean, std)
        dataset = student.make_dataset(scaled, stride=given.stride, batch_size=given.batch)
        return {"train": train, "scaled": scaled, **windows(dataset)}

    double = given.full.astype("float64")
    return {
        "is_dataset": lambda: isinstance(make(given.full), tf.data.Dataset),
        "kind": lambda: type(make(given.full)).__name__,
        "windows": lambda: windows(make(given.full)),
        "dtypes": lambda: [str(np.asarray(part).dtype) for part in next(iter(make(double)))],
        "loose": lambda: marks(make(given.loose)),
        "default": lambda: marks(student.make_dataset(given.default.copy())),
        "one": lambda: marks(student.make_dataset(given.one.copy(), stride=1, batch_size=3)),
        "short": lambda: sum(len(x) for x, _ in batches(make(given.short))),
        "shuffled": lambda: marks(make(given.full, shuffle=True)),
        "other_future": lambda: windows(make(given.other_future)),
        "twice": twice,
        "after_use": after_use,
        "chain": lambda: chain(given.full),
        "chain_changed": lambda: chain(given.other_future),
    }


def windows_of(value):
    x = expect_shape(
        value["x"],
        (None, INPUT_LENGTH, len(FEATURES)),
        "x of all batches together",
        hint=f"{TOPIC} x is (batch, 432, 14).",
    )
    y = expect_shape(value["y"], (None, HORIZON, 2), "y of all batches together", hint=f"{TOPIC} y is (batch, 6, 2).")
    expect(len(x) == len(y), "x and y should have as many windows.", received=f"{len(x)} and {len(y)}")
    return x.astype(np.float64), y.astype(np.float64)


def starts_of(values):
    """The rows at which windows begin, from the numbers in their first column."""
    array = as_array(values, "The first steps of the windows", ndim=1).astype(np.float64)
    return [round(value / 100.0) if np.isfinite(value) else -1 for value in array]


def expect_starts(received, rows, stride, what):
    wanted = list(range(0, rows - WINDOW + 1, stride))
    if received == wanted:
        return
    hint = f"{TOPIC} a window needs 432 + 6 rows, so n rows hold (n - 438) // stride + 1 of them."
    if len(received) != len(wanted):
        raise Failure(
            f"{what}: {len(wanted)} windows fit into {rows} rows at stride {stride}. Received: {len(received)} windows",
            hint,
        )
    raise Failure(
        f"{what}: windows should start at rows {wanted[:3]}... Received: windows that start at rows {received[:3]}...",
        hint,
    )


def test_is_a_dataset(evidence):
    """make_dataset returns a tf.data.Dataset."""
    expect(
        evidence["is_dataset"] is True,
        "make_dataset should return a tf.data.Dataset.",
        received=str(evidence["kind"]),
        hint="`tf.data.Dataset.from_tensor_slices(...)`, or `keras.utils.timeseries_dataset_from_array(...)`.",
    )


def test_shapes(evidence):
    """Elements are pairs (x, y) of shapes (batch, 432, 14) and (batch, 6, 2)."""
    x, _ = windows_of(evidence["windows"])
    expect(len(x), "The dataset should have elements.", received="none")


def test_dtypes(evidence):
    """x and y are float32, also when the frame is float64."""
    dtypes = as_list(
        evidence["dtypes"], "An element of the dataset", length=2, hint=f"{TOPIC} elements are pairs (x, y)."
    )
    expect(
        dtypes == ["float32", "float32"],
        "x and y should be float32.",
        received=dtypes,
        hint='`frame.to_numpy(dtype="float32")`',
    )


@pytest.mark.weight(3)
def test_inputs_are_whole(given, evidence):
    """x holds 432 rows of the frame one after the other, all columns in their order."""
    x, _ = windows_of(evidence["windows"])
    expect(len(x), "The dataset should have elements.", received="none")
    start = x[:, :1, :1]
    expected = start + np.arange(INPUT_LENGTH)[None, :, None] * 100.0 + np.arange(len(FEATURES))
    expect_close(
        x,
        expected,
        what="The steps of x, in a frame that counts its rows",
        rtol=1e-6,
        hint=f"{TOPIC} 432 steps in time order, columns as in FEATURES.",
    )


@pytest.mark.weight(4)
def test_target_follows_input(evidence):
    """The first step of y is the step right after the last of x, and its six steps follow each other."""
    x, y = windows_of(evidence["windows"])
    expect(len(x), "The dataset should have elements.", received="none")
    last_row = np.round(x[:, -1, 0] / 100.0)
    steps = np.floor(y / 100.0) - last_row[:, None, None]
    hint = f"{TOPIC} if x ends at row t, then y is rows t+1 to t+6: no gap, no overlap."
    expect_close(
        steps,
        np.broadcast_to(np.arange(1.0, 7.0)[None, :, None], steps.shape),
        what="Steps from the end of x to each step of y",
        hint=hint,
    )


@pytest.mark.weight(4)
def test_targets_in_order(evidence):
    """y has the temperature first and the pressure second."""
    _, y = windows_of(evidence["windows"])
    expect(len(y), "The dataset should have elements.", received="none")
    columns = np.mod(y, 100.0)
    expected = np.broadcast_to(np.array(TARGET_COLUMNS, dtype=float), y.shape)
    expect_close(
        columns,
        expected,
        what="The column from which each value of y comes",
        hint=f"{TOPIC} TARGETS are columns 1 and 0 of FEATURES.",
    )


@pytest.mark.weight(3)
def test_all_windows(given, evidence):
    """Windows start at rows 0, stride, 2 stride, ... and all that fit come, the last one too, in time order."""
    x, _ = windows_of(evidence["windows"])
    expect_starts(starts_of(x[:, 0, 0]), len(given.full), STRIDE, "A frame that ends with the last window")
    expect_starts(starts_of(evidence["loose"]["first"]), len(given.loose), STRIDE, "A frame with a few rows more")
    expect_starts(starts_of(evidence["one"]["first"]), len(given.one), 1, "A frame of 438 rows")


def test_batches(given, evidence):
    """Batches have batch_size windows; the last may be smaller, none is dropped."""
    sizes = as_list(evidence["windows"]["sizes"], "The batches")
    expect(
        sizes == [5, 5, 5, 5, 4],
        "24 windows in batches of 5 should come as 5, 5, 5, 5 and 4.",
        received=sizes,
        hint="`dataset.batch(batch_size)`; `drop_remainder=True` loses the last windows.",
    )


def test_default_arguments(given, evidence):
    """Without other arguments the notebook's STRIDE and BATCH_SIZE are used, and nothing is shuffled."""
    expect_starts(
        starts_of(evidence["default"]["first"]), len(given.default), given.default_stride, "The notebook's STRIDE"
    )
    sizes = as_list(evidence["default"]["sizes"], "The batches")
    expect(
        sizes[0] == min(given.default_batch, 4),
        f"The first batch should have {min(given.default_batch, 4)} windows.",
        received=sizes,
    )


def test_too_short(evidence):
    """A frame too short for one window gives an empty dataset."""
    count = as_number(evidence["short"], "The number of windows of a frame of 437 rows")
    expect(
        count == 0,
        "437 rows hold no window of 432 + 6 rows; an empty dataset is expected.",
        received=f"{count:.0f} windows",
        hint=f"{TOPIC} windows begin at rows 0 to n - 438; where that is below 0, there are none.",
    )


def test_shuffled(given, evidence):
    """With shuffle=True the same windows come in another order, each with its own target."""
    received = evidence["shuffled"]
    starts = starts_of(received["first"])
    wanted = given.windows.starts.tolist()
    expect(
        sorted(starts) == wanted,
        "Shuffled, each window should still come once.",
        received=f"{len(set(starts))} different of {len(wanted)}",
    )
    expect(
        starts != wanted,
        "With shuffle=True windows should come in another order.",
        received="time order",
        hint="`dataset.shuffle(buffer_size)` before `batch`.",
    )
    targets = as_array(received["target"], "The targets", ndim=2)
    expect(targets.shape[1] == 4, "y should have two columns.", received=f"{targets.shape[1] / 2:.0f}")
    rows = np.round(np.asarray(received["last"], dtype=float) / 100.0) + 1
    aligned = np.floor(targets[:, 0] / 100.0) - rows
    expect(
        len(set(aligned.tolist())) == 1 and abs(aligned[0]) <= HORIZON,
        "Shuffled, each x should keep its own y.",
        received="targets of other windows",
        hint="Shuffle pairs, not x and y apart.",
    )


def test_windows_ignore_the_future(given, evidence):
    """Windows that end before a moment are the same, whatever comes after it."""
    before, after = (windows_that_end_before_the_change(evidence[key]) for key in ("windows", "other_future"))
    hint = "Week 9, data leakage: make_dataset cuts; it does not normalise, smooth or fill."
    for name, one, other in zip("xy", before, after, strict=True):
        expect_unmoved(one, other, f"{name} of windows that end before the change", hint=hint)


def windows_that_end_before_the_change(value):
    """In time order, so that a shuffled dataset, which is judged above, is not judged here again."""
    x, y = in_time_order(*windows_of(value))
    ended = x[:, 0, 0] <= (LATER - WINDOW) * 100.0
    return x[ended], y[ended]


def in_time_order(x, y):
    order = np.argsort(x[:, 0, 0], kind="stable")
    return x[order], y[order]


def test_training_windows_ignore_the_future(evidence):
    """From the record to the training windows, nothing changes when only the rows after the training part do."""
    judged_elsewhere = (
        "This needs `split_by_time`, `fit_normalization` and `normalize`, which are judged by themselves."
    )
    try:
        chains = [evidence[key] for key in ("chain", "chain_changed")]
        frames = [[as_frame(chain[key], key) for chain in chains] for key in ("train", "scaled")]
        moved = any(has_moved(*pair) for pair in frames)
    except (Failure, TypeError) as failure:
        raise NotAssessed(judged_elsewhere) from failure
    if moved:
        raise NotAssessed(judged_elsewhere)
    (x, y), (other_x, other_y) = (in_time_order(*windows_of(chain)) for chain in chains)
    expect_unmoved(x, other_x, "x of the training windows")
    expect_unmoved(y, other_y, "y of the training windows")


def test_can_be_read_again(evidence):
    """Reading the dataset a second time gives the windows again, as every epoch of training does."""
    first, second = as_list(evidence["twice"], "The numbers of windows", length=2)
    expect(
        first == second,
        f"A second reading should give {first} windows again.",
        received=f"{second}",
        hint="A generator is used up after one epoch; give `from_generator` a function.",
    )


def test_frame_is_left_alone(given, evidence):
    """The frame that is cut is not changed."""
    expect_unchanged(evidence["after_use"], given.full, "The frame")
