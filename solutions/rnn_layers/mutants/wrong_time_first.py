"""This student stacks the states along the first axis: time comes before batch."""

EXPECTED = {"rnn_forward": "partial", "sequence_tasks": "partial"}
RIGHT = False

# %% [rnn_forward]
def rnn_forward(x, W_x, W_h, b, h0=None):
    """All states of a simple RNN: x (batch, time, features) -> (batch, time, units)."""
    h = np.zeros((x.shape[0], W_h.shape[0])) if h0 is None else h0
    states = []
    for t in range(x.shape[1]):
        h = rnn_step(x[:, t], h, W_x, W_h, b)
        states.append(h)
    return np.array(states)
