"""This student returns the cell state before the hidden state."""

EXPECTED = {"lstm_step": "partial"}
RIGHT = False

# %% [lstm_step]
def lstm_step(x_t, h, c, W, U, b):
    """One step of an LSTM: (h_next, c_next), each (batch, units)."""
    units = h.shape[-1]
    z = x_t @ W + h @ U + b
    i, f, o = (sigmoid(z[:, k * units : (k + 1) * units]) for k in (0, 1, 3))
    g = np.tanh(z[:, 2 * units : 3 * units])
    c_next = f * c + i * g
    return c_next, o * np.tanh(c_next)
