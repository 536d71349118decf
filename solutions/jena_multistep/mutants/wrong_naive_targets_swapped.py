"""This student takes the first two columns for the naive forecast, pressure before temperature, instead of the order
in TARGETS."""

EXPECTED = {"naive_baseline": "partial"}
RIGHT = False

# %% [naive_baseline]
def naive_forecast(x):
    """Persistence: x (n, 432, 14) -> (n, 6, 2), the last values of the targets six times."""
    last = np.asarray(x)[:, -1:, :2]
    return np.repeat(last, HORIZON, axis=1)
