"""This student counts one bias for each gate of a GRU, and returns 0 for a kind that does not exist."""

EXPECTED = {"count_parameters": "partial"}
RIGHT = False

# %% [count_parameters]
def count_parameters(kind, n_features, units):
    """Number of weights of a layer: gates times kernel, recurrent kernel and bias."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}.get(kind, 0)
    return gates * (n_features * units + units * units + units)
