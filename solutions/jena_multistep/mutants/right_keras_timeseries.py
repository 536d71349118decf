"""This student uses what Keras and tf.data bring along: timeseries_dataset_from_array for the windows, a dict of settings,
Sequential and functional models, a tf.function as the naive forecast, and a bidirectional and a clipped variant."""

EXPECTED = {}
RIGHT = True

# %% [load_data]
def load_data(path):
    frame = pd.read_csv(path, index_col="Date Time")[FEATURES]
    frame.index = pd.to_datetime(frame.index, format="%d.%m.%Y %H:%M:%S")
    frame = frame.loc[~frame.index.duplicated()].sort_index()
    frame.index.name = None
    return frame.where(frame > -999.0).ffill().bfill().astype(np.float32)

# %% [windows]
def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    length = INPUT_LENGTH + HORIZON
    where = [list(frame.columns).index(name) for name in TARGETS]

    def halves(window):
        x = tf.ensure_shape(window[:, :INPUT_LENGTH, :], (None, INPUT_LENGTH, len(FEATURES)))
        y = tf.gather(window[:, INPUT_LENGTH:length, :], where, axis=2)
        return x, tf.ensure_shape(y, (None, HORIZON, len(TARGETS)))

    array = frame.to_numpy().astype("float32")
    if len(array) < length:
        return tf.data.Dataset.from_tensor_slices(np.zeros((0, length, len(FEATURES)), "float32")).batch(1).map(halves)
    windows = keras.utils.timeseries_dataset_from_array(
        array, None, sequence_length=length, sequence_stride=stride, batch_size=batch_size, shuffle=shuffle, seed=SEED
    )
    return windows.map(halves)

# %% [naive_baseline]
@tf.function(reduce_retracing=True)
def last_value(x):
    return tf.repeat(tf.gather(x[:, -1:, :], [1, 0], axis=2), HORIZON, axis=1)


def naive_forecast(x):
    return last_value(tf.convert_to_tensor(x))

# %% [models]
def build_mlp():
    return keras.Sequential(
        [
            keras.layers.Input((INPUT_LENGTH, 14)),
            keras.layers.AveragePooling1D(6),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(HORIZON * len(TARGETS)),
            keras.layers.Reshape((HORIZON, len(TARGETS))),
        ],
        name="mlp",
    )


def build_recurrent():
    inputs = keras.Input((INPUT_LENGTH, 14))
    x = keras.layers.Cropping1D((INPUT_LENGTH - 72, 0))(inputs)
    x = keras.layers.GRU(32)(keras.layers.AveragePooling1D(3)(x))
    x = keras.layers.Dense(HORIZON * len(TARGETS), activation="linear")(x)
    return keras.Model(inputs, keras.layers.Reshape((HORIZON, len(TARGETS)))(x))

# %% [variants]
SETTINGS = {"both_ways": {"layer": "bidirectional", "clip": None}, "careful": {"layer": "gru", "clip": 0.5}}


def build_variants():
    def one(layer, clip):
        inputs = keras.Input((INPUT_LENGTH, 14))
        now = keras.layers.Cropping1D((INPUT_LENGTH - 1, 0))(inputs)
        recent = keras.layers.Cropping1D((INPUT_LENGTH - 36, 0))(inputs)
        x = keras.layers.Rescaling(4.0)(keras.layers.Subtract()([recent, keras.ops.repeat(now, 36, axis=1)]))
        x = keras.layers.AveragePooling1D(2)(x)
        x = keras.layers.Bidirectional(keras.layers.GRU(16))(x) if layer == "bidirectional" else keras.layers.GRU(32)(x)
        x = keras.layers.Dense(HORIZON * 2, kernel_initializer=keras.initializers.RandomNormal(stddev=1e-3))(x)
        x = keras.layers.Reshape((HORIZON, 2))(keras.layers.Rescaling(0.2)(x))
        start = keras.ops.repeat(keras.ops.flip(now[:, :, :2], axis=2), HORIZON, axis=1)
        model = keras.Model(inputs, keras.layers.Add()([x, start]))
        optimizer = keras.optimizers.Adam(3e-3, clipvalue=clip)
        model.compile(
            optimizer, "mae", metrics=["mae", keras.metrics.RootMeanSquaredError(name="rmse")], jit_compile=False
        )
        return model

    return {name: one(**options) for name, options in SETTINGS.items()}

# %% [training]
class Progress(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f"{self.model.name} {epoch + 1}/{EPOCHS}: {logs['val_mae']:.4f}")


def train(model, train_dataset, validation_dataset):
    if not getattr(model, "compiled", False):
        rmse = keras.metrics.RootMeanSquaredError(name="rmse")
        model.compile(keras.optimizers.Nadam(2e-3), keras.losses.Huber(), metrics=["mae", rmse], jit_compile=False)
    return model.fit(
        train_dataset, epochs=EPOCHS, validation_data=validation_dataset, callbacks=[Progress()], shuffle=False, verbose=0
    )


parts = dict(zip(["train", "validation", "test"], split_by_time(load_data(DATA_PATH))))
statistics = fit_normalization(parts["train"])
datasets = {k: make_dataset(normalize(v, *statistics), shuffle=k == "train").cache() for k, v in parts.items() if k != "test"}
trained = dict(mlp=build_mlp(), recurrent=build_recurrent(), **build_variants())
recorded = {name: train(model, datasets["train"], datasets["validation"]) for name, model in trained.items()}
histories = {name: history.history for name, history in recorded.items()}

# %% [evaluation]
def in_physical_units(model):
    inner = keras.Sequential([keras.Input((INPUT_LENGTH, 14)), model])

    def forecast(x):
        mean, std = (np.asarray(s, "float32") for s in statistics)
        return denormalize_targets(inner.predict((tf.cast(x, tf.float32) - mean) / std, verbose=0), *statistics)

    return forecast


forecasters = {"naive": naive_forecast, **{name: in_physical_units(model) for name, model in trained.items()}}
table, examples = {}, {}
for name, forecast in forecasters.items():
    mae, rmse = [keras.metrics.MeanAbsoluteError() for _ in TARGETS], [keras.metrics.RootMeanSquaredError() for _ in TARGETS]
    for x, y in make_dataset(parts["test"]):
        guess = np.asarray(forecast(x))
        examples.setdefault(name, guess[0])
        examples.setdefault("truth", y.numpy()[0])
        for j in range(len(TARGETS)):
            mae[j].update_state(y[..., j], guess[..., j])
            rmse[j].update_state(y[..., j], guess[..., j])
    table[name] = [float(metric.result()) for metric in mae + rmse]
results = pd.DataFrame.from_dict(table, orient="index", columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])

# %% [figures]
figure_curves, panels = plt.subplots(1, len(histories), figsize=(14, 3))
for panel, (name, history) in zip(panels, histories.items()):
    pd.DataFrame(history)[["loss", "val_loss"]].plot(ax=panel, title=name, xlabel="epoch", ylabel="loss")

figure_forecasts, panel = plt.subplots()
for name, values in examples.items():
    panel.plot(range(10, 70, 10), values[:, 1], marker="o", label=name)
panel.set_xlabel("minutes from now")
panel.set_ylabel("pressure (mbar)")
panel.legend()
