"""This student scales the gradients in place, and divides by the norm also where it is zero or small."""

EXPECTED = {"clipping": "partial"}
RIGHT = False

# %% [clipping]
def clip_by_global_norm(gradients, max_norm):
    """Scale gradients to the norm max_norm: (clipped, norm before)."""
    norm = np.sqrt(sum(np.sum(g * g) for g in gradients))
    for g in gradients:
        g *= max_norm / norm
    return gradients, norm
