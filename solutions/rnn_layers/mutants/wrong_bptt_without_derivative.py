"""This student multiplies the recurrent weights alone and forgets the derivative of tanh."""

EXPECTED = {"bptt": "partial"}
RIGHT = False

# %% [bptt]
def bptt_gradient_norms(states, W_h):
    """Norms of powers of W_h."""
    time = len(states)
    return np.array([np.linalg.norm(np.linalg.matrix_power(W_h, time - 1 - t), 2) for t in range(time)])
