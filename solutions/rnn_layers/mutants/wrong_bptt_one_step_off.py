"""This student takes the derivative of each step at the state before it; near zero states that makes no difference."""

EXPECTED = {"bptt": "partial"}
RIGHT = False

# %% [bptt]
def bptt_gradient_norms(states, W_h):
    """Norms of d h_T / d h_t."""
    T, units = states.shape
    norms, product = np.ones(T), np.eye(units)
    for t in range(T - 2, -1, -1):
        product = W_h @ np.diag(1 - states[t] ** 2) @ product
        norms[t] = np.linalg.svd(product, compute_uv=False)[0]
    return norms
