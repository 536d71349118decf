"""This student takes the logistic function for tanh in the simple RNN."""

EXPECTED = {"rnn_step": "partial", "rnn_forward": "partial", "sequence_tasks": "partial"}
RIGHT = False

# %% [rnn_step]
def rnn_step(x_t, h, W_x, W_h, b):
    """One step of a simple RNN: x_t (batch, features), h (batch, units) -> h_next (batch, units)."""
    return sigmoid(x_t @ W_x + h @ W_h + b)
