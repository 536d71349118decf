"""This student keeps the running state in the caller's array h0."""

EXPECTED = {"rnn_forward": "partial"}
RIGHT = False

# %% [rnn_forward]
def rnn_forward(x, W_x, W_h, b, h0=None):
    """All states, (batch, time, units)."""
    h = h0 if h0 is not None else np.zeros((len(x), len(b)))
    states = []
    for t in range(x.shape[1]):
        h[...] = rnn_step(x[:, t], h, W_x, W_h, b)
        states.append(h.copy())
    return np.stack(states, axis=1)
