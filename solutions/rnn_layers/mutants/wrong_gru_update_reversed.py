"""This student mixes old state and candidate the other way round, as many textbooks have it."""

EXPECTED = {"gru_step": "partial"}
RIGHT = False
DEMO = True

# %% [gru_step]
def gru_step(x_t, h, W, U, b):
    """One step of a GRU: h_next (batch, units)."""
    n = h.shape[1]
    x_part = x_t @ W + b[0]
    h_part = h @ U + b[1]
    z = sigmoid(x_part[:, :n] + h_part[:, :n])
    r = sigmoid(x_part[:, n : 2 * n] + h_part[:, n : 2 * n])
    candidate = np.tanh(x_part[:, 2 * n :] + r * h_part[:, 2 * n :])
    return (1 - z) * h + z * candidate
