"""This student reports errors in normalised units: the forecasters are right, the table is not."""

EXPECTED = {"evaluation": "partial"}
RIGHT = False

# %% [evaluation]
forecasters = {}
results = pd.DataFrame(columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])


def physical_forecaster(model):
    """Wrap a trained model: raw windows (n, 432, 14) in physical units to forecasts (n, 6, 2) in physical units."""

    def forecast(x):
        scaled = (np.asarray(x) - mean.to_numpy()) / std.to_numpy()
        y = model.predict(scaled.astype("float32"), batch_size=256, verbose=0)
        return denormalize_targets(y, mean, std)

    return forecast


forecasters = {"naive": naive_forecast} | {name: physical_forecaster(model) for name, model in models.items()}

windows = list(make_dataset(test_frame).as_numpy_iterator())
x_test = np.concatenate([x for x, _ in windows])
y_test = np.concatenate([y for _, y in windows])
forecasts = {name: np.asarray(forecast(x_test), dtype="float64") for name, forecast in forecasters.items()}
for name, forecast in forecasts.items():
    error = (forecast - y_test) / std[TARGETS].to_numpy()  # the same units as in the learning curves
    mae = np.abs(error).mean(axis=(0, 1))
    rmse = np.sqrt((error**2).mean(axis=(0, 1)))
    results.loc[name] = [*mae, *rmse]
results.round(3)
