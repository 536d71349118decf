"""This student ran out of time after the localiser: detection and figure are as they were released."""

EXPECTED = {"detection": "failed", "figure": "failed"}
RIGHT = False

# %% [detection]


# %% [figure]

