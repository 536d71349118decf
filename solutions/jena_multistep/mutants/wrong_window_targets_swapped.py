"""This student works with pressure first and temperature second, in the order of the columns of the file, builds all
models for that order, and turns it round at the very end, in the forecasters. The results are right; the datasets are
not what was asked for."""

EXPECTED = {"windows": "partial"}
RIGHT = False

# %% [windows]
def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    """Cut a frame into windows.

    Elements (x, y): x float32 (batch, 432, 14), y float32 (batch, 6, 2), columns of y as in TARGETS.
    """
    values = tf.constant(frame[FEATURES].to_numpy(dtype="float32"))
    targets = tf.constant(frame[["p (mbar)", "T (degC)"]].to_numpy(dtype="float32"))
    starts = np.arange(0, len(frame) - INPUT_LENGTH - HORIZON + 1, stride, dtype="int64")

    def cut(start):
        """Gather the windows of a whole batch at once; start: (batch,)."""
        x = tf.gather(values, start[:, None] + np.arange(INPUT_LENGTH))
        y = tf.gather(targets, start[:, None] + np.arange(INPUT_LENGTH, INPUT_LENGTH + HORIZON))
        return x, y

    dataset = tf.data.Dataset.from_tensor_slices(starts)
    if shuffle:
        dataset = dataset.shuffle(max(len(starts), 1), seed=SEED)
    return dataset.batch(batch_size).map(cut).prefetch(2)

# %% [models]
def build_mlp():
    """An MLP or a 1D CNN: (None, 432, 14) -> (None, 6, 2), normalised units."""
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    now = inputs[:, -1:, :]
    recent = keras.layers.Rescaling(5.0)(inputs[:, -36:, :] - now)  # six hours, seen from now
    hidden = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(recent))
    change = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(hidden)
    change = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(change))
    targets_now = keras.ops.take(now, [0, 1], axis=-1)
    return keras.Model(inputs, keras.layers.Add()([targets_now, change]), name="mlp")


def build_recurrent():
    """A model with an LSTM or a GRU layer: (None, 432, 14) -> (None, 6, 2), normalised units."""
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    hours = keras.layers.AveragePooling1D(6)(inputs)  # 72 means of an hour
    hidden = keras.layers.GRU(32)(hours)
    outputs = keras.layers.Dense(HORIZON * len(TARGETS))(hidden)
    return keras.Model(inputs, keras.layers.Reshape((HORIZON, len(TARGETS)))(outputs), name="recurrent")

# %% [variants]
def build_variants():
    """At least two improved recurrent models by name, each (None, 432, 14) -> (None, 6, 2), normalised units."""

    def forecast_change(name, encode):
        """Encode twelve hours, in means of half an hour, seen from now; forecast how far the targets move from now."""
        inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
        now = inputs[:, -1:, :]
        recent = keras.layers.AveragePooling1D(3)(inputs[:, -72:, :] - now)
        recent = keras.layers.Rescaling(5.0)(recent)
        change = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(encode(recent))
        change = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(change))
        targets_now = keras.ops.take(now, [0, 1], axis=-1)
        return keras.Model(inputs, keras.layers.Add()([targets_now, change]), name=name)

    def stacked(sequence):
        sequence = keras.layers.GRU(32, return_sequences=True)(sequence)
        return keras.layers.GRU(32)(keras.layers.LayerNormalization()(sequence))

    def with_dropout(sequence):
        return keras.layers.GRU(32, recurrent_dropout=0.1)(sequence)

    variants = {
        "stacked": forecast_change("stacked", stacked),
        "clipped": forecast_change("clipped", with_dropout),
    }
    variants["clipped"].compile(keras.optimizers.Adam(3e-3, clipnorm=1.0), loss="mae")
    return variants

# %% [evaluation]
forecasters = {}
results = pd.DataFrame(columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])


def physical_forecaster(model):
    """Wrap a trained model: raw windows (n, 432, 14) in physical units to forecasts (n, 6, 2) in physical units."""

    def forecast(x):
        scaled = (np.asarray(x) - mean.to_numpy()) / std.to_numpy()
        y = model.predict(scaled.astype("float32"), batch_size=256, verbose=0)
        return denormalize_targets(y[..., ::-1], mean, std)  # back to temperature, pressure

    return forecast


forecasters = {"naive": naive_forecast} | {name: physical_forecaster(model) for name, model in models.items()}

windows = list(make_dataset(test_frame).as_numpy_iterator())
x_test = np.concatenate([x for x, _ in windows])
y_test = np.concatenate([y for _, y in windows])[..., ::-1]
forecasts = {name: np.asarray(forecast(x_test), dtype="float64") for name, forecast in forecasters.items()}
for name, forecast in forecasts.items():
    error = forecast - y_test
    mae = np.abs(error).mean(axis=(0, 1))
    rmse = np.sqrt((error**2).mean(axis=(0, 1)))
    results.loc[name] = [*mae, *rmse]
results.round(3)
