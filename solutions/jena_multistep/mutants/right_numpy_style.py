"""This student thinks in NumPy: windows from sliding_window_view, means and deviations as plain arrays with the sample's
standard deviation, a 1D CNN instead of an MLP, forecasts as float64, and a results table made at once from a list."""

EXPECTED = {}
RIGHT = True
DEMO = True

# %% [load_data]
def load_data(path):
    raw = pd.read_csv(path, usecols=["Date Time"] + FEATURES)
    stamps = pd.to_datetime(raw.pop("Date Time"), dayfirst=True, format="%d.%m.%Y %H:%M:%S")
    first = ~stamps.duplicated().to_numpy()
    numbers, stamps = raw[FEATURES].to_numpy("float64")[first], stamps[first]
    order = np.argsort(stamps.to_numpy(), kind="stable")
    numbers = numbers[order]
    numbers[numbers <= -999] = np.nan
    for j in range(numbers.shape[1]):
        known = np.flatnonzero(~np.isnan(numbers[:, j]))
        if len(known) == 0:
            continue
        numbers[: known[0], j] = numbers[known[0], j]
        for i in np.flatnonzero(np.isnan(numbers[:, j])):
            numbers[i, j] = numbers[i - 1, j]
    index = pd.DatetimeIndex(stamps.to_numpy()[order])
    return pd.DataFrame(numbers.astype(np.float32), index=index, columns=FEATURES)

# %% [split_by_time]
def split_by_time(frame, train_fraction=TRAIN_FRACTION, validation_fraction=VALIDATION_FRACTION):
    n = len(frame)
    a = int(n * train_fraction + 0.5)
    b = int(n * (train_fraction + validation_fraction) + 0.5)
    return [frame[:a].copy(), frame[a:b].copy(), frame[b:].copy()]

# %% [normalization]
def fit_normalization(train):
    values = train.values.astype(float)
    mu, sigma = values.mean(0), values.std(0, ddof=1)
    sigma[sigma < 1e-6 * (1 + np.abs(mu))] = 1
    return mu, sigma


def normalize(frame, mean, std):
    out = frame.astype(float)
    out[:] = (frame.values - mean) / std
    return out


def denormalize_targets(y, mean, std):
    y = np.array(y, dtype=float)
    y[..., 0] = y[..., 0] * std[1] + mean[1]
    y[..., 1] = y[..., 1] * std[0] + mean[0]
    return y

# %% [windows]
from numpy.lib.stride_tricks import sliding_window_view


def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    values = frame[FEATURES].values.astype(np.float32)
    span = INPUT_LENGTH + HORIZON
    if len(values) < span:
        x = np.zeros((0, INPUT_LENGTH, len(FEATURES)), np.float32)
        y = np.zeros((0, HORIZON, len(TARGETS)), np.float32)
    else:
        windows = sliding_window_view(values, span, axis=0)[::stride].transpose(0, 2, 1)
        x = windows[:, :INPUT_LENGTH]
        y = windows[:, INPUT_LENGTH:, [1, 0]]
    dataset = tf.data.Dataset.from_tensor_slices((x, y))
    if shuffle and len(x) > 1:
        dataset = dataset.shuffle(len(x))
    return dataset.batch(batch_size)

# %% [naive_baseline]
def naive_forecast(x):
    x = np.array(x)
    return np.tile(x[:, INPUT_LENGTH - 1][:, None, [1, 0]], (1, HORIZON, 1)).astype(float)

# %% [models]
def build_mlp():
    """A 1D CNN on the last twelve hours."""
    inputs = keras.Input(shape=(INPUT_LENGTH, 14))
    h = keras.layers.Cropping1D((INPUT_LENGTH - 72, 0))(inputs)
    h = keras.layers.Conv1D(24, 6, strides=3, activation="relu")(h)
    h = keras.layers.Conv1D(24, 6, strides=3, activation="relu")(h)
    h = keras.layers.Flatten()(h)
    h = keras.layers.Dense(HORIZON * 2)(h)
    return keras.Model(inputs, keras.layers.Reshape((HORIZON, 2))(h))


def build_recurrent():
    model = keras.Sequential()
    model.add(keras.Input(shape=(INPUT_LENGTH, 14)))
    model.add(keras.layers.Cropping1D((INPUT_LENGTH - 36, 0)))
    model.add(keras.layers.LSTM(24))
    model.add(keras.layers.Dense(12))
    model.add(keras.layers.Reshape((6, 2)))
    model.compile(optimizer="adam", loss="mse", metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")])
    return model

# %% [training]
def train(model, train_dataset, validation_dataset):
    if not model.compiled:
        model.compile(
            optimizer=keras.optimizers.Adam(0.003),
            loss="mae",
            metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")],
            jit_compile=False,
        )
    return model.fit(train_dataset, validation_data=validation_dataset, epochs=EPOCHS, shuffle=False, verbose=2)


data = load_data(DATA_PATH)
part_1, part_2, part_3 = split_by_time(data)
mu, sigma = fit_normalization(part_1)
ds_1 = make_dataset(normalize(part_1, mu, sigma), shuffle=True)
ds_2 = make_dataset(normalize(part_2, mu, sigma))

nets = build_variants()
for net in nets.values():
    net.compile(
        optimizer=net.optimizer if net.compiled else keras.optimizers.Adam(0.003),
        loss="mae",
        metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")],
        jit_compile=False,
    )
nets["mlp"] = build_mlp()
nets["recurrent"] = build_recurrent()
histories = {}
for key in nets:
    histories[key] = train(nets[key], ds_1, ds_2).history

# %% [evaluation]
def make_forecaster(net):
    def run(x):
        z = (np.asarray(x, dtype=float) - mu) / sigma
        chunks = [net(z[i : i + 512].astype("float32"), training=False).numpy() for i in range(0, len(z), 512)]
        return denormalize_targets(np.concatenate(chunks), mu, sigma)

    return run


forecasters = {"naive": naive_forecast}
for key, net in nets.items():
    forecasters[key] = make_forecaster(net)

test_pairs = [(x.numpy(), y.numpy()) for x, y in make_dataset(part_3)]
X, Y = (np.concatenate(side) for side in zip(*test_pairs))
rows = []
for key, function in forecasters.items():
    d = function(X) - Y
    rows.append({
        "model": key,
        "mae_T": abs(d[..., 0]).mean(),
        "mae_p": abs(d[..., 1]).mean(),
        "rmse_T": (d[..., 0] ** 2).mean() ** 0.5,
        "rmse_p": (d[..., 1] ** 2).mean() ** 0.5,
        "windows": len(X),
    })
results = pd.DataFrame(rows).set_index("model")
print(results)

# %% [figures]
figure_curves = plt.figure()
for key, h in histories.items():
    plt.plot(h["loss"], label=key + " train")
    plt.plot(h["val_loss"], label=key + " validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()

figure_forecasts = plt.figure()
steps = 10 * np.arange(1, HORIZON + 1)
plt.plot(steps, Y[0, :, 0], label="truth")
plt.plot(steps, forecasters["recurrent"](X[:1])[0, :, 0], label="recurrent")
plt.xlabel("time from now (minutes)")
plt.ylabel("T (degC)")
plt.legend()
