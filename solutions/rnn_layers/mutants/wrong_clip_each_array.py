"""This student clips every array by its own norm, which turns the step into another direction."""

EXPECTED = {"clipping": "partial"}
RIGHT = False

# %% [clipping]
def clip_by_global_norm(gradients, max_norm):
    """Clip gradients: (clipped, norm before)."""
    norm = np.sqrt(sum(np.linalg.norm(g) ** 2 for g in gradients))
    clipped = []
    for g in gradients:
        size = np.linalg.norm(g)
        clipped.append(g * (max_norm / size) if size > max_norm else g)
    return clipped, norm
