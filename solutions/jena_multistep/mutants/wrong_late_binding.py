"""This student makes the forecasters with lambdas in a loop. While the loop runs they are right, and so is the table;
afterwards all of them use the last model."""

EXPECTED = {"evaluation": "partial"}
RIGHT = False

# %% [evaluation]
def predict_physical(model, x):
    scaled = ((np.asarray(x) - mean.to_numpy()) / std.to_numpy()).astype("float32")
    return denormalize_targets(model.predict(scaled, batch_size=256, verbose=0), mean, std)


windows = list(make_dataset(test_frame).as_numpy_iterator())
x_test = np.concatenate([x for x, _ in windows])
y_test = np.concatenate([y for _, y in windows])

forecasters = {"naive": naive_forecast}
forecasts = {"naive": naive_forecast(x_test)}
for name, model in models.items():
    forecasters[name] = lambda x: predict_physical(model, x)
    forecasts[name] = forecasters[name](x_test)

results = pd.DataFrame(columns=["mae_T", "mae_p", "rmse_T", "rmse_p"])
for name, forecast in forecasts.items():
    error = forecast - y_test
    results.loc[name] = [*np.abs(error).mean(axis=(0, 1)), *np.sqrt((error**2).mean(axis=(0, 1)))]
results
