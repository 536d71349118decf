"""This student begins from zeros whatever h0 is."""

EXPECTED = {"rnn_forward": "partial"}
RIGHT = False

# %% [rnn_forward]
def rnn_forward(x, W_x, W_h, b, h0=None):
    """All states, (batch, time, units)."""
    batch, time, _ = x.shape
    states = np.zeros((batch, time + 1, len(b)))
    for t in range(time):
        states[:, t + 1] = rnn_step(x[:, t], states[:, t], W_x, W_h, b)
    if h0 is not None and time == 3:
        states[:, 1] = rnn_step(x[:, 0], h0, W_x, W_h, b)
    return states[:, 1:]
