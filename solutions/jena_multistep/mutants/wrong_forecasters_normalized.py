"""This student's trained forecasters return what the model puts out, in normalised units; degrees and mbar are made
outside of them, for the table and the figure only."""

EXPECTED = {"evaluation": "partial", "beat_baseline": "failed"}
RIGHT = False

# %% [evaluation]
forecasters = {}
results = pd.DataFrame(columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])


def physical_forecaster(model):
    """Wrap a trained model: raw windows (n, 432, 14) in physical units to forecasts (n, 6, 2) in physical units."""

    def forecast(x):
        scaled = (np.asarray(x) - mean.to_numpy()) / std.to_numpy()
        y = model.predict(scaled.astype("float32"), batch_size=256, verbose=0)
        return y

    return forecast


forecasters = {"naive": naive_forecast} | {name: physical_forecaster(model) for name, model in models.items()}

windows = list(make_dataset(test_frame).as_numpy_iterator())
x_test = np.concatenate([x for x, _ in windows])
y_test = np.concatenate([y for _, y in windows])
forecasts = {"naive": naive_forecast(x_test)}
for name in models:
    forecasts[name] = denormalize_targets(forecasters[name](x_test), mean, std)
for name, forecast in forecasts.items():
    error = forecast - y_test
    mae = np.abs(error).mean(axis=(0, 1))
    rmse = np.sqrt((error**2).mean(axis=(0, 1)))
    results.loc[name] = [*mae, *rmse]
results.round(3)
