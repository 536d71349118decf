"""This student forgot the bias of the recurrence; the questions that use the step inherit it."""

EXPECTED = {"rnn_step": "partial", "rnn_forward": "partial", "sequence_tasks": "partial"}
RIGHT = False

# %% [rnn_step]
def rnn_step(x_t, h, W_x, W_h, b):
    """One step of a simple RNN: x_t (batch, features), h (batch, units) -> h_next (batch, units)."""
    return np.tanh(np.dot(x_t, W_x) + np.dot(h, W_h))
