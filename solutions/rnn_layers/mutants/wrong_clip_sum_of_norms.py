"""This student adds the norms of the arrays where the squares are to be added."""

EXPECTED = {"clipping": "partial"}
RIGHT = False

# %% [clipping]
def clip_by_global_norm(gradients, max_norm):
    """(clipped, norm)"""
    norm = sum(np.linalg.norm(g) for g in gradients)
    if norm <= max_norm:
        return gradients, norm
    return [g / norm * max_norm for g in gradients], norm
