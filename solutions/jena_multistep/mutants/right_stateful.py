"""This student's functions are right and keep state all over the place: call counters, a cache of loaded files, the dataset
made last in a global, weights drawn with NumPy's global generator, options of pandas, and figures drawn on whatever
figure is current. Later cells rely on that state, so whoever calls the functions in between must leave no trace."""

EXPECTED = {}
RIGHT = True

# %% [load_data]
CALLS = {}
LOADED = {}


def count(name):
    CALLS[name] = CALLS.get(name, 0) + 1
    return CALLS[name]


def load_data(path):
    import os

    count("load_data")
    key = (str(path), os.path.getmtime(path), os.path.getsize(path))
    if key not in LOADED:
        df = pd.read_csv(path)
        df["Date Time"] = pd.to_datetime(df["Date Time"], format="%d.%m.%Y %H:%M:%S")
        df = df.drop_duplicates(subset="Date Time", keep="first").set_index("Date Time").sort_index()[FEATURES]
        df[df <= -999] = np.nan
        LOADED[key] = df.ffill().bfill().astype("float32")
    return LOADED[key].copy()

# %% [split_by_time]
def split_by_time(frame, train_fraction=TRAIN_FRACTION, validation_fraction=VALIDATION_FRACTION):
    global parts
    count("split_by_time")
    cuts = np.cumsum([round(train_fraction * len(frame)), round(validation_fraction * len(frame))])
    parts = tuple(frame.iloc[a:b] for a, b in zip([0, *cuts], [*cuts, len(frame)]))
    return parts

# %% [windows]
last_made = None


def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    global last_made
    count("make_dataset")
    starts = np.arange(0, max(len(frame) - INPUT_LENGTH - HORIZON + 1, 0), stride)
    if shuffle:
        np.random.shuffle(starts)
    values = np.ascontiguousarray(frame[FEATURES].to_numpy("float32"))
    x = np.empty((len(starts), INPUT_LENGTH, len(FEATURES)), "float32")
    y = np.empty((len(starts), HORIZON, len(TARGETS)), "float32")
    for row, start in enumerate(starts):
        x[row] = values[start : start + INPUT_LENGTH]
        y[row] = values[start + INPUT_LENGTH : start + INPUT_LENGTH + HORIZON][:, [1, 0]]
    last_made = (x, y)
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)

# %% [naive_baseline]
persistence_seen = []


def naive_forecast(x):
    persistence_seen.append(np.shape(x))
    last = np.asarray(x)[:, -1]
    return np.stack([last[:, [1, 0]]] * HORIZON, axis=1)

# %% [models]
def drawn(shape, dtype=None):
    """Weights from NumPy's global generator."""
    return np.random.normal(0.0, 0.5 / np.sqrt(shape[0]), size=shape)


def redraw(model):
    """Replace the kernels that Keras drew by kernels that NumPy draws."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense) and layer.units != HORIZON * len(TARGETS):
            kernel, bias = layer.get_weights()
            layer.set_weights([drawn(kernel.shape), bias])
    return model


def build_mlp():
    count("build_mlp")
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    recent = keras.layers.Flatten()(keras.layers.Rescaling(5.0)(inputs[:, -18:, :] - inputs[:, -1:, :]))
    h = keras.layers.Dense(48, activation="tanh")(recent)
    h = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(h)
    h = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(h))
    return redraw(keras.Model(inputs, keras.layers.Add()([h, keras.ops.take(inputs[:, -1:, :], [1, 0], axis=2)])))


def build_recurrent():
    number = count("build_recurrent")
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    h = keras.layers.LSTM(24, name=f"memory_{number}")(keras.layers.AveragePooling1D(6)(inputs[:, -144:, :]))
    h = keras.layers.Dense(24, activation="relu")(h)
    h = keras.layers.Dense(HORIZON * len(TARGETS))(h)
    return redraw(keras.Model(inputs, keras.layers.Reshape((HORIZON, len(TARGETS)))(h), name=f"recurrent_{number}"))

# %% [training]
def train(model, train_dataset, validation_dataset):
    global last_history
    count("train")
    optimizer = model.optimizer if model.compiled else keras.optimizers.Adam(2e-3 + 1e-3 * np.random.rand())
    rmse = keras.metrics.RootMeanSquaredError(name="rmse")
    model.compile(optimizer, loss="mae", metrics=["mae", rmse], jit_compile=False)
    last_history = model.fit(
        train_dataset.shuffle(64),
        validation_data=validation_dataset,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
    )
    return last_history


np.random.seed(SEED)
pd.set_option("display.precision", 3)
split_by_time(load_data(DATA_PATH))
mean, std = fit_normalization(parts[0])
training, checking = (make_dataset(normalize(part, mean, std), shuffle=k == 0) for k, part in enumerate(parts[:2]))
models = {"mlp": build_mlp(), "recurrent": build_recurrent()}
models.update(build_variants())
histories = {}
for name in models:
    train(models[name], training, checking)
    histories[name] = last_history.history
make_dataset(parts[2])  # leaves the test windows in last_made, for the next cell
calls_after_training = dict(CALLS)

# %% [evaluation]
# The state must be as this student left it: nobody else calls these functions.
assert CALLS == calls_after_training, (CALLS, calls_after_training)
persistence_seen.clear()
x_test, y_test = last_made


def physical(name):
    def forecast(x):
        count("forecast " + name)
        scaled = (np.asarray(x) - np.asarray(mean)) / np.asarray(std)
        return denormalize_targets(models[name].predict(scaled.astype("float32"), verbose=0), mean, std)

    return forecast


forecasters = {name: physical(name) for name in models}
forecasters["naive"] = naive_forecast
results = pd.DataFrame(index=list(forecasters), columns=["mae_T", "mae_p", "rmse_T", "rmse_p"], dtype=float)
forecasts = {}
for name in forecasters:
    forecasts[name] = np.asarray(forecasters[name](x_test))
    error = (forecasts[name] - y_test).astype("float64")
    results.loc[name, ["mae_T", "mae_p"]] = np.abs(error).mean((0, 1))
    results.loc[name, ["rmse_T", "rmse_p"]] = np.sqrt((error**2).mean((0, 1)))
calls_after_evaluation = dict(CALLS)
plt.figure("forecasts")

# %% [figures]
assert CALLS == calls_after_evaluation and len(persistence_seen) == 1, (CALLS, calls_after_evaluation)
plt.figure("curves")
for name in histories:
    plt.plot(histories[name]["loss"], "--", label=name + ", training")
    plt.plot(histories[name]["val_loss"], label=name + ", validation")
plt.xlabel("epoch")
plt.ylabel("mean absolute error (normalised)")
plt.legend()
figure_curves = plt.gcf()

plt.figure("forecasts")
plt.plot(y_test[-1, :, 0], "k", label="truth")
for name in forecasts:
    plt.plot(forecasts[name][-1, :, 0], label=name)
plt.xlabel("step of 10 minutes")
plt.ylabel("T (degC)")
plt.legend()
figure_forecasts = plt.gcf()
