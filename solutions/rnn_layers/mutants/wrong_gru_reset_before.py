"""This student applies the reset gate to the state before the product, as the first paper on GRUs has it."""

EXPECTED = {"gru_step": "partial"}
RIGHT = False

# %% [gru_step]
def gru_step(x_t, h, W, U, b):
    """One step of a GRU: h_next (batch, units)."""
    n = h.shape[1]
    x_part = x_t @ W + b[0]
    z = sigmoid(x_part[:, :n] + h @ U[:, :n] + b[1, :n])
    r = sigmoid(x_part[:, n : 2 * n] + h @ U[:, n : 2 * n] + b[1, n : 2 * n])
    candidate = np.tanh(x_part[:, 2 * n :] + (r * h) @ U[:, 2 * n :] + b[1, 2 * n :])
    return z * h + (1 - z) * candidate
