"""This student begins every step from the initial state, so that the network has no memory."""

EXPECTED = {"rnn_forward": "partial", "sequence_tasks": "partial"}
RIGHT = False

# %% [rnn_forward]
def rnn_forward(x, W_x, W_h, b, h0=None):
    """All states of a simple RNN: x (batch, time, features) -> (batch, time, units)."""
    if h0 is None:
        h0 = np.zeros((x.shape[0], W_h.shape[0]))
    return np.stack([rnn_step(x[:, t], h0, W_x, W_h, b) for t in range(x.shape[1])], axis=1)
