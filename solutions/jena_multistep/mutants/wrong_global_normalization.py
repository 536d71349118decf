"""This student's fit_normalization pays no attention to its argument: it takes the statistics of the whole file,
validation and test part included."""

EXPECTED = {"normalization": "partial"}
RIGHT = False
DEMO = True

# %% [normalization]
def fit_normalization(train):
    """Learn the mean and the standard deviation of each column of `train`: (mean, std)."""
    train = load_data(DATA_PATH)
    mean = train.astype("float64").mean()
    std = train.astype("float64").std(ddof=0)
    varies = train.max() > train.min()
    return mean, std.where(varies, 1.0)


def normalize(frame, mean, std):
    """Bring a frame to normalised units; index and columns stay."""
    return ((frame - mean) / std).astype("float32")


def denormalize_targets(y, mean, std):
    """Bring forecasts (..., 2) from normalised units to degrees Celsius and mbar, order as in TARGETS."""
    columns = [FEATURES.index(name) for name in TARGETS]
    return np.asarray(y) * np.asarray(std)[columns] + np.asarray(mean)[columns]
