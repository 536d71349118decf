"""This student knows the counts of the visible test by heart, and guesses the rest."""

EXPECTED = {"count_parameters": "partial"}
RIGHT = False

# %% [count_parameters]
def count_parameters(kind, n_features, units):
    """Number of weights."""
    known = {("rnn", 1, 1): 3, ("rnn", 4, 16): 336, ("lstm", 4, 16): 1344, ("gru", 4, 16): 1056}
    if kind not in ("rnn", "lstm", "gru"):
        raise ValueError(kind)
    return known.get((kind, n_features, units), 1000)
