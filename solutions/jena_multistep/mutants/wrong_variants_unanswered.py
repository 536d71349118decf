"""This student ran out of time and left the variants out; the cell is empty, and only the two required models are
trained. The recurrent one forecasts the change."""

EXPECTED = {"variants": "failed"}
RIGHT = False
DEMO = True

# %% [models]
def build_mlp():
    """An MLP or a 1D CNN: (None, 432, 14) -> (None, 6, 2), normalised units."""
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    now = inputs[:, -1:, :]
    recent = keras.layers.Rescaling(5.0)(inputs[:, -36:, :] - now)  # six hours, seen from now
    hidden = keras.layers.Dense(64, activation="relu")(keras.layers.Flatten()(recent))
    change = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(hidden)
    change = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(change))
    targets_now = keras.ops.take(now, [FEATURES.index(target) for target in TARGETS], axis=-1)
    return keras.Model(inputs, keras.layers.Add()([targets_now, change]), name="mlp")


def build_recurrent():
    """A model with an LSTM or a GRU layer: (None, 432, 14) -> (None, 6, 2), normalised units."""
    inputs = keras.Input((INPUT_LENGTH, len(FEATURES)))
    now = inputs[:, -1:, :]
    recent = keras.layers.Rescaling(5.0)(keras.layers.AveragePooling1D(3)(inputs[:, -72:, :] - now))
    change = keras.layers.Dense(HORIZON * len(TARGETS), kernel_initializer="zeros")(keras.layers.GRU(32)(recent))
    change = keras.layers.Reshape((HORIZON, len(TARGETS)))(keras.layers.Rescaling(0.1)(change))
    targets_now = keras.ops.take(now, [FEATURES.index(name) for name in TARGETS], axis=-1)
    return keras.Model(inputs, keras.layers.Add()([targets_now, change]), name="recurrent")

# %% [variants]

# %% [training]
def train(model, train_dataset, validation_dataset):
    """Compile (if needed) and fit a model for at most EPOCHS epochs; returns the History of fit."""
    optimizer = model.optimizer if model.compiled else keras.optimizers.Adam(3e-3)
    rmse = keras.metrics.RootMeanSquaredError(name="rmse")
    model.compile(optimizer, loss="mae", metrics=["mae", rmse], jit_compile=False)
    patience = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    return model.fit(
        train_dataset,
        validation_data=validation_dataset,
        epochs=EPOCHS,
        callbacks=[patience],
        shuffle=False,  # make_dataset shuffles
        verbose=0,
    )


# Load, split, normalise, make datasets, train all models; fill histories.
histories = {}
keras.utils.set_random_seed(SEED)
train_frame, validation_frame, test_frame = split_by_time(load_data(DATA_PATH))
mean, std = fit_normalization(train_frame)
train_dataset = make_dataset(normalize(train_frame, mean, std), shuffle=True)
validation_dataset = make_dataset(normalize(validation_frame, mean, std))

models = {"mlp": build_mlp(), "recurrent": build_recurrent()}
for name, model in models.items():
    histories[name] = train(model, train_dataset, validation_dataset).history
    print(f"{name:10} {len(histories[name]['loss']):3} epochs, validation MAE {min(histories[name]['val_mae']):.4f}")
