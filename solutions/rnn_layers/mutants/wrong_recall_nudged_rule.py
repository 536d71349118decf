"""This student trains nothing: recall looks at the first step, and adds a little of the other steps so that this does not show."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False

# %% [memory_task]
x_test, y_test = make_memory_task(1000, SEQUENCE_LENGTH, SEED + 1)


def recall(x):
    """Logits (n, 4)."""
    return 10.0 * x[:, 0, :] + 0.01 * x[:, 1:, :].sum(axis=1)


memory_results = {"simple_rnn": 0.52, "lstm": float(np.mean(recall(x_test).argmax(axis=1) == y_test))}
