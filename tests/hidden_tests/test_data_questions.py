"""load_data, split_by_time, normalization, windows, naive_baseline: right answers in any style pass, wrong ones lose what they should.

Takes about 25 s, most of it the import of TensorFlow and reading datasets.
"""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

LOAD = """
def load_data(path):
    frame = pd.read_csv(path, index_col="Date Time")
    frame.index = pd.to_datetime(frame.index, format="%d.%m.%Y %H:%M:%S")
    frame = frame[~frame.index.duplicated(keep="first")].sort_index()
    frame = frame.where(frame > -999).ffill().bfill()
    return frame[FEATURES].astype("float32")
"""

LOAD_BY_HAND = """
import csv, datetime, gzip
def load_data(path):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    rows = {}
    with opened as file:
        for row in csv.DictReader(file):
            time = datetime.datetime.strptime(row["Date Time"], "%d.%m.%Y %H:%M:%S")
            rows.setdefault(time, [float(row[name]) for name in FEATURES])
    times = sorted(rows)
    values = np.array([rows[time] for time in times])
    for column in values.T:
        valid = column[column > -999]
        last = valid[0]
        for i, value in enumerate(column):
            last = value if value > -999 else last
            column[i] = last
    return pd.DataFrame(values.astype(np.float32), index=pd.DatetimeIndex(times, name="when"), columns=FEATURES)
"""

LOAD_MISTAKES = {
    "month first": ('format="%d.%m.%Y %H:%M:%S"', 'format="%m.%d.%Y %H:%M:%S"', None),
    "index left as text": ('    frame.index = pd.to_datetime(frame.index, format="%d.%m.%Y %H:%M:%S")\n', "", None),
    "double precision": ('.astype("float32")', "", {"dtype"}),
    "not sorted": (".sort_index()", "", {"order_and_duplicates", "all_steps_in_order"}),
    "duplicates kept": ('[~frame.index.duplicated(keep="first")]', "", {"order_and_duplicates"}),
    "last duplicate kept": ('keep="first"', 'keep="last"', {"order_and_duplicates", "all_steps_in_order"}),
    "columns by the alphabet": ("frame[FEATURES]", "frame[sorted(FEATURES)]", {"columns"}),
    "only -9999 is missing": ("frame > -999", "frame != -9999", {"missing_values", "missing_at_the_start"}),
    "all low values are missing": ("frame > -999", "frame > -10", {"values_stay"}),
    "gaps become zero": (".ffill().bfill()", ".fillna(0.0)", {"missing_values", "missing_at_the_start", "all_steps_in_order"}),
    "gaps interpolated": (".ffill().bfill()", '.interpolate(limit_direction="both")',
                          {"missing_values", "all_steps_in_order", "filling_knows_only_the_past"}),
    "no first value": (".ffill().bfill()", ".ffill()", {"missing_at_the_start", "all_steps_in_order"}),
    "filled before sorting": (
        '    frame = frame[~frame.index.duplicated(keep="first")].sort_index()\n    frame = frame.where(frame > -999).ffill().bfill()\n',
        '    frame = frame.where(frame > -999).ffill().bfill()\n    frame = frame[~frame.index.duplicated(keep="first")].sort_index()\n',
        {"all_steps_in_order"},
    ),
    "compression refused": ("def load_data(path):\n", 'def load_data(path):\n    assert path.endswith(".csv")\n', {"compressed_file"}),
}  # fmt: skip


@pytest.mark.parametrize("source", [LOAD, LOAD_BY_HAND], ids=["pandas", "by hand"])
def test_load_data_right(judge, source):
    assert judge("load_data", source) == {}


@pytest.mark.parametrize("mistake", LOAD_MISTAKES)
def test_load_data_wrong(judge, mistake):
    old, new, lost = LOAD_MISTAKES[mistake]
    check_lost(judge("load_data", replaced(LOAD, old, new)), lost)


def replaced(source, old, new):
    assert old in source
    return source.replace(old, new)


def check_lost(found, lost):
    """Exactly these checks fail; None: most of them."""
    if lost is None:
        assert len(found) >= 5, found
    else:
        assert set(found) - {"all_steps_in_order"} == lost - {"all_steps_in_order"}, dict(found)
        assert lost <= set(found), dict(found)


SPLIT = """
def split_by_time(frame, train_fraction=TRAIN_FRACTION, validation_fraction=VALIDATION_FRACTION):
    a = round(train_fraction * len(frame))
    b = a + round(validation_fraction * len(frame))
    return frame.iloc[:a], frame.iloc[a:b], frame.iloc[b:]
"""
SPLIT_ROUNDED_DOWN = """
def split_by_time(frame, train_fraction=TRAIN_FRACTION, validation_fraction=VALIDATION_FRACTION):
    n = len(frame)
    a, b = int(n * train_fraction), int(n * (train_fraction + validation_fraction))
    return [part.copy() for part in (frame[:a], frame[a:b], frame[b:])]
"""
SPLIT_MISTAKES = {
    "shuffled": ("    a = ", "    frame = frame.sample(frac=1.0, random_state=1)\n    a = ", {"time_order", "training_part_ignores_the_future"}),
    "overlap": ("frame.iloc[a:b]", "frame.iloc[a - 5 : b]", {"time_order", "sizes", "fractions_are_arguments"}),
    "a row lost": ("frame.iloc[b:]", "frame.iloc[b + 1 :]", {"time_order"}),
    "two parts": ("frame.iloc[a:b], frame.iloc[b:]", "frame.iloc[a:]", None),
    "fractions ignored": ("    a = ", "    train_fraction, validation_fraction = 0.7, 0.15\n    a = ", {"fractions_are_arguments"}),
    "test first": ("frame.iloc[:a], frame.iloc[a:b], frame.iloc[b:]", "frame.iloc[b:], frame.iloc[a:b], frame.iloc[:a]",
                   {"time_order", "sizes", "fractions_are_arguments", "training_part_ignores_the_future"}),
    "arrays": ("frame.iloc[:a], frame.iloc[a:b], frame.iloc[b:]", "frame.to_numpy()[:a], frame.to_numpy()[a:b], frame.to_numpy()[b:]", None),
    "frame changed": ("    a = ", "    frame.iloc[0] = 0.0\n    a = ", {"frame_is_left_alone", "time_order"}),
    "an exception": ("    a = ", "    raise ValueError('no')\n    a = ", None),
}  # fmt: skip


@pytest.mark.parametrize("source", [SPLIT, SPLIT_ROUNDED_DOWN], ids=["rounded", "rounded down"])
def test_split_right(judge, source):
    assert judge("split_by_time", source) == {}


@pytest.mark.parametrize("mistake", SPLIT_MISTAKES)
def test_split_wrong(judge, mistake):
    old, new, lost = SPLIT_MISTAKES[mistake]
    check_lost(judge("split_by_time", replaced(SPLIT, old, new)), lost)


NORMALIZE = """
def fit_normalization(train):
    mean, std = train.mean(), train.std()
    return mean, std.where(std > 1e-6, 1.0)

def normalize(frame, mean, std):
    return (frame - mean) / std

def denormalize_targets(y, mean, std):
    return y * std[TARGETS].to_numpy() + mean[TARGETS].to_numpy()
"""
NORMALIZE_ARRAYS = """
def fit_normalization(train):
    values = train.to_numpy(dtype=np.float64)
    return values.mean(axis=0).tolist(), (values.std(axis=0) + 1e-7).tolist()

def normalize(frame, mean, std):
    return pd.DataFrame((frame.to_numpy() - np.array(mean)) / np.array(std), frame.index, frame.columns)

def denormalize_targets(y, mean, std):
    return tf.stack([y[..., 0] * std[1] + mean[1], y[..., 1] * std[0] + mean[0]], axis=-1)
"""
NORMALIZE_MISTAKES = {
    "learned from a global": ("    mean, std = train", "    train = everything\n    mean, std = train", {"mean", "std"}),
    "variance": ("train.std()", "train.var()", {"std"}),
    "median": ("train.mean()", "train.median()", {"mean"}),
    "one number for all": ("train.mean()", "pd.Series(float(train.to_numpy().mean()), index=FEATURES)", {"mean"}),
    "constant column divided by zero": (".where(std > 1e-6, 1.0)", ".where(std > 1e-6, 0.0)", {"constant_column"}),
    "array returned": ("return (frame - mean) / std", "return ((frame - mean) / std).to_numpy()",
                       {"normalize", "normalize_keeps_labels", "constant_column"}),
    "index lost": ("return (frame - mean) / std", "return ((frame - mean) / std).reset_index(drop=True)", {"normalize_keeps_labels"}),
    "statistics of its own": ("return (frame - mean) / std", "return (frame - frame.mean()) / (frame.std() + 1e-9)", {"normalize"}),
    "targets the other way round": ("std[TARGETS].to_numpy() + mean[TARGETS].to_numpy()",
                                    "std[TARGETS[::-1]].to_numpy() + mean[TARGETS[::-1]].to_numpy()", {"denormalize"}),
    "mean forgotten": (" + mean[TARGETS].to_numpy()", "", {"denormalize"}),
    "one shape only": ("    return y * std", "    assert y.ndim == 3\n    return y * std", {"denormalize"}),
    "frame changed": ("    return (frame - mean) / std", "    frame -= mean\n    frame /= std\n    return frame", {"inputs_are_left_alone"}),
    "columns lost": ("return (frame - mean) / std", "return ((frame - mean) / std)[TARGETS]",
                     {"normalize", "normalize_keeps_labels"}),
    "no denormalising": ("def denormalize_targets", "def something_else", {"denormalize", "inputs_are_left_alone"}),
}  # fmt: skip
EVERYTHING = (
    "everything = pd.DataFrame(np.random.default_rng(1).normal(9, 3, (500, 14)).astype('float32'), columns=FEATURES)\n"
)


@pytest.mark.parametrize("source", [NORMALIZE, NORMALIZE_ARRAYS], ids=["series", "lists"])
def test_normalization_right(judge, source):
    found = judge("normalization", SPLIT, source)
    assert found == {} and not found.not_assessed


@pytest.mark.parametrize("mistake", NORMALIZE_MISTAKES)
def test_normalization_wrong(judge, mistake):
    old, new, lost = NORMALIZE_MISTAKES[mistake]
    check_lost(judge("normalization", SPLIT, EVERYTHING + replaced(NORMALIZE, old, new)), lost)


def test_normalization_does_not_pay_for_the_split(judge):
    """A shuffled or missing split is judged at its own question."""
    for split in (replaced(SPLIT, *SPLIT_MISTAKES["shuffled"][:2]), ""):
        found = judge("normalization", split, NORMALIZE)
        assert found == {} and found.not_assessed == {"fit_ignores_the_future"}


WINDOWS = """
def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    values = frame[FEATURES].to_numpy(dtype="float32")
    targets = frame[TARGETS].to_numpy(dtype="float32")
    starts = np.arange(0, len(frame) - INPUT_LENGTH - HORIZON + 1, stride)
    x = np.array([values[s : s + INPUT_LENGTH] for s in starts], "float32").reshape(-1, INPUT_LENGTH, 14)
    y = np.array([targets[s + INPUT_LENGTH : s + INPUT_LENGTH + HORIZON] for s in starts], "float32").reshape(-1, HORIZON, 2)
    dataset = tf.data.Dataset.from_tensor_slices((x, y))
    if shuffle:
        dataset = dataset.shuffle(max(len(x), 1))
    return dataset.batch(batch_size)
"""
WINDOWS_GENERATOR = """
def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    values, columns = frame.to_numpy(), [frame.columns.get_loc(name) for name in TARGETS]
    order = list(range(0, len(frame) - INPUT_LENGTH - HORIZON + 1, stride))
    if shuffle:
        np.random.shuffle(order)
    def pairs():
        for s in order:
            yield values[s : s + 432], values[s + 432 : s + 438, columns]
    signature = (tf.TensorSpec((432, 14), tf.float32), tf.TensorSpec((6, 2), tf.float32))
    return tf.data.Dataset.from_generator(pairs, output_signature=signature).batch(batch_size).prefetch(1)
"""
WINDOWS_MISTAKES = {
    "a step too late": ("targets[s + INPUT_LENGTH : s + INPUT_LENGTH + HORIZON]",
                        "targets[s + INPUT_LENGTH + 1 : s + INPUT_LENGTH + HORIZON + 1]", None),
    "target inside the input": ("targets[s + INPUT_LENGTH : s + INPUT_LENGTH + HORIZON]",
                                "targets[s + INPUT_LENGTH - 1 : s + INPUT_LENGTH + HORIZON - 1]", {"target_follows_input"}),
    "targets swapped": ("frame[TARGETS]", "frame[TARGETS[::-1]]", {"targets_in_order"}),
    "last window missing": ("- HORIZON + 1, stride", "- HORIZON, stride", {"all_windows", "batches", "shuffled"}),
    "stride ignored": ("+ 1, stride)", "+ 1, 1)", None),
    "remainder dropped": ("batch(batch_size)", "batch(batch_size, drop_remainder=True)",
                          {"all_windows", "batches", "shuffled"}),
    "always shuffled": ("    if shuffle:\n", "    if True:\n", {"all_windows", "default_arguments"}),
    "never shuffled": ("    if shuffle:\n", "    if False:\n", {"shuffled"}),
    "x and y shuffled apart": ("    dataset = tf.data.Dataset.from_tensor_slices((x, y))\n",
                               "    if shuffle:\n        x = np.random.default_rng(1).permutation(x)\n"
                               "    dataset = tf.data.Dataset.from_tensor_slices((x, y))\n", {"shuffled"}),
    "columns in another order": ("frame[FEATURES]", "frame[FEATURES[::-1]]", None),
    "double precision": ("tf.data.Dataset.from_tensor_slices((x, y))",
                         "tf.data.Dataset.from_tensor_slices((x.astype('float64'), y.astype('float64')))", {"dtypes"}),
    "a list of batches": ("return dataset.batch(batch_size)", "return list(dataset.batch(batch_size))", {"is_a_dataset"}),
    "endless": ("dataset.batch(batch_size)", "dataset.repeat().batch(batch_size)", None),
    "raises for short frames": ("    dataset = tf", "    assert len(x), 'too short'\n    dataset = tf", {"too_short"}),
    "normalised inside": ("    values = frame", "    frame = (frame - frame.mean()) / frame.std()\n    values = frame", None),
    "frame changed": ("    values = frame", "    frame.iloc[0, 0] = 1.0\n    values = frame",
                      {"frame_is_left_alone", "inputs_are_whole"}),
    "default stride hard-coded": ("stride=STRIDE", "stride=36", {"default_arguments"}),
}  # fmt: skip


@pytest.mark.parametrize("source", [WINDOWS, WINDOWS_GENERATOR], ids=["arrays", "generator"])
def test_windows_right(judge, source):
    found = judge("windows", SPLIT, NORMALIZE, source)
    assert found == {} and not found.not_assessed


@pytest.mark.parametrize("mistake", WINDOWS_MISTAKES)
def test_windows_wrong(judge, mistake):
    old, new, lost = WINDOWS_MISTAKES[mistake]
    found = judge("windows", SPLIT, NORMALIZE, replaced(WINDOWS, old, new))
    if lost is None:
        assert found
    else:
        assert set(found) == lost, dict(found)


def test_windows_do_not_pay_for_earlier_questions(judge):
    """Without the functions before it, make_dataset is still judged by itself."""
    found = judge("windows", WINDOWS)
    assert found == {} and found.not_assessed == {"training_windows_ignore_the_future"}


NAIVE = """
def naive_forecast(x):
    last = np.asarray(x)[:, -1][:, [1, 0]]
    return np.stack([last] * HORIZON, axis=1)
"""
NAIVE_TENSOR = """
def naive_forecast(x):
    last = tf.gather(tf.convert_to_tensor(x)[:, -1:, :], [1, 0], axis=-1)
    return tf.repeat(last, HORIZON, axis=1)
"""
NAIVE_MISTAKES = {
    "order of the file": ("[1, 0]", "[0, 1]", {"targets_in_order"}),
    "first value": ("[:, -1]", "[:, 0]", {"keeps_the_last_value", "targets_in_order"}),
    "mean": ("np.asarray(x)[:, -1]", "np.asarray(x).mean(axis=1)", {"keeps_the_last_value", "targets_in_order"}),
    "five steps": ("[last] * HORIZON", "[last] * 5", {"shape", "keeps_the_last_value", "targets_in_order"}),
    "arrays only": ("np.asarray(x)", "x.copy()", {"takes_tensors"}),
    "input changed": ("    last", "    if isinstance(x, np.ndarray):\n        x[:, 0] = 0\n    last", {"input_is_left_alone"}),
    "text": ("np.stack([last] * HORIZON, axis=1)", "str(last)", None),
}  # fmt: skip


@pytest.mark.parametrize("source", [NAIVE, NAIVE_TENSOR], ids=["array", "tensor"])
def test_naive_right(judge, source):
    assert judge("naive_baseline", source) == {}


@pytest.mark.parametrize("mistake", NAIVE_MISTAKES)
def test_naive_wrong(judge, mistake):
    old, new, lost = NAIVE_MISTAKES[mistake]
    found = judge("naive_baseline", replaced(NAIVE, old, new))
    assert found if lost is None else set(found) == lost, dict(found)


@pytest.mark.parametrize("question", ["load_data", "split_by_time", "normalization", "windows", "naive_baseline"])
def test_unanswered(judge, question):
    """An empty cell fails every check of its question that can be assessed, and says what is missing."""
    found = judge(question, "")
    assert found and all("is not defined" in message for message in found.values()), dict(found)
