"""This student takes the gates in the order i, f, o, g, as some other libraries have them."""

EXPECTED = {"lstm_step": "partial"}
RIGHT = False

# %% [lstm_step]
def lstm_step(x_t, h, c, W, U, b):
    """One step of an LSTM: (h_next, c_next), each (batch, units)."""
    units = h.shape[-1]
    z = x_t @ W + h @ U + b
    i, f, o = (sigmoid(z[:, k * units : (k + 1) * units]) for k in range(3))
    g = np.tanh(z[:, 3 * units :])
    c_next = f * c + i * g
    return o * np.tanh(c_next), c_next
