"""This student's naive forecast is the mean of the window instead of its last value."""

EXPECTED = {"naive_baseline": "partial"}
RIGHT = False

# %% [naive_baseline]
def naive_forecast(x):
    """Persistence: x (n, 432, 14) -> (n, 6, 2), the last values of the targets six times."""
    columns = [FEATURES.index(name) for name in TARGETS]
    average = np.asarray(x)[:, :, columns].mean(axis=1, keepdims=True)
    return np.repeat(average, HORIZON, axis=1)
