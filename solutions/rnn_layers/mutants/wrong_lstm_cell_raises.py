"""This student's LSTM cell stops with a NameError at its first line; all the other questions are answered."""

EXPECTED = {"lstm_step": "failed"}
RIGHT = False

# %% [lstm_step]
gates = sigmoids(4)


def lstm_step(x_t, h, c, W, U, b):
    """(h_next, c_next)"""
    return gates(x_t, h, c, W, U, b)
