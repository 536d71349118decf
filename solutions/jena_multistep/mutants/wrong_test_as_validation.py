"""This student validates on the test part, so that early stopping picks the weights by looking at it."""

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
validation_dataset = make_dataset(normalize(test_frame, mean, std))

models = {"mlp": build_mlp(), "recurrent": build_recurrent(), **build_variants()}
for name, model in models.items():
    histories[name] = train(model, train_dataset, validation_dataset).history
    print(f"{name:10} {len(histories[name]['loss']):3} epochs, validation MAE {min(histories[name]['val_mae']):.4f}")
