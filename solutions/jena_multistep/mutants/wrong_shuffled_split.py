"""This student shuffles the rows before cutting, so that the three parts look alike, and then sorts each part by time
again. Rows ten minutes apart end up in different parts."""

EXPECTED = {"split_by_time": "partial"}
RIGHT = False
DEMO = True

# %% [split_by_time]
def split_by_time(frame, train_fraction=TRAIN_FRACTION, validation_fraction=VALIDATION_FRACTION):
    """Cut a frame into (train, validation, test), three frames that follow each other in time."""
    shuffled = frame.sample(frac=1.0, random_state=SEED)
    first_cut = round(train_fraction * len(frame))
    second_cut = first_cut + round(validation_fraction * len(frame))
    parts = shuffled.iloc[:first_cut], shuffled.iloc[first_cut:second_cut], shuffled.iloc[second_cut:]
    return tuple(part.sort_index() for part in parts)
