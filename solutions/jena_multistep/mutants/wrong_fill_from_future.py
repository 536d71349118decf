"""This student repairs missing values by linear interpolation, which looks at the values after the gap as well as
before it."""

EXPECTED = {"load_data": "partial"}
RIGHT = False

# %% [load_data]
def load_data(path):
    """Read a Jena Climate file.

    path: a CSV file, perhaps compressed (.gz).
    Returns a float32 DataFrame, columns FEATURES, strictly increasing DatetimeIndex, no missing values.
    """
    table = pd.read_csv(path)
    frame = table[FEATURES]
    frame.index = pd.DatetimeIndex(pd.to_datetime(table["Date Time"], format="%d.%m.%Y %H:%M:%S"))
    frame = frame[~frame.index.duplicated(keep="first")].sort_index()
    frame = frame.mask(frame <= -999).interpolate(limit_direction="both")
    return frame.astype("float32")
