"""This student's norms begin with 1: they come in the order in which backpropagation finds them."""

EXPECTED = {"bptt": "partial"}
RIGHT = False

# %% [bptt]
def bptt_gradient_norms(states, W_h):
    """Norms from the last state back to the first."""
    product, norms = np.eye(len(W_h)), [1.0]
    for t in range(len(states) - 1, 0, -1):
        product = W_h @ np.diag(1 - states[t] ** 2) @ product
        norms.append(np.linalg.svd(product, compute_uv=False)[0])
    return np.array(norms)
