"""This student trains all models but forgets to keep what fit recorded, and types learning curves that look about
right."""

EXPECTED = {"training": "partial"}
RIGHT = False

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

models = {"mlp": build_mlp(), "recurrent": build_recurrent(), **build_variants()}
for name, model in models.items():
    train(model, train_dataset, validation_dataset)
    falling = np.geomspace(0.09, 0.05, EPOCHS)
    histories[name] = {
        "loss": (1.00 * falling).tolist(),
        "mae": (1.00 * falling).tolist(),
        "rmse": (1.60 * falling).tolist(),
        "val_loss": (1.05 * falling).tolist(),
        "val_mae": (1.05 * falling).tolist(),
        "val_rmse": (1.70 * falling).tolist(),
    }
