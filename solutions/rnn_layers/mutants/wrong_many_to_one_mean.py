"""This student averages the outputs of all steps where the last one is asked for."""

EXPECTED = {"sequence_tasks": "partial"}
RIGHT = False

# %% [sequence_tasks]
def many_to_many(x, p):
    """The outputs of all states: x (batch, time, features) -> (batch, time, outputs)."""
    return rnn_forward(x, p["W_x"], p["W_h"], p["b"]) @ p["W_y"] + p["b_y"]


def many_to_one(x, p):
    """The output of a sequence: x (batch, time, features) -> (batch, outputs)."""
    return many_to_many(x, p).mean(axis=1)


def one_to_many(x0, steps, p):
    """Outputs that are fed back as inputs: x0 (batch, features) -> (batch, steps, outputs)."""
    outputs, x, h = [], x0, np.zeros((len(x0), len(p["b"])))
    for step in range(steps):
        h = rnn_step(x, h, p["W_x"], p["W_h"], p["b"])
        x = h @ p["W_y"] + p["b_y"]
        outputs += [x]
    return np.stack(outputs, 1)
