"""This student feeds x0 into every step of one_to_many instead of the output before."""

EXPECTED = {"sequence_tasks": "partial"}
RIGHT = False

# %% [sequence_tasks]
def many_to_many(x, p):
    """The outputs of all states: x (batch, time, features) -> (batch, time, outputs)."""
    return rnn_forward(x, p["W_x"], p["W_h"], p["b"]) @ p["W_y"] + p["b_y"]


def many_to_one(x, p):
    """The output of the last state: x (batch, time, features) -> (batch, outputs)."""
    return many_to_many(x, p)[:, -1, :]


def one_to_many(x0, steps, p):
    """Outputs from the same input at every step: x0 (batch, features) -> (batch, steps, outputs)."""
    return many_to_many(np.repeat(x0[:, None, :], steps, axis=1), p)
