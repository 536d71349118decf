"""This student takes the last fifth of the file for validation, in the order of the file."""

EXPECTED = {"split_reviews": "partial"}
RIGHT = False

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    cut = len(texts) - round(validation_fraction * len(texts))
    while 0 < cut and texts[cut - 1] in set(texts[cut:]):
        cut -= 1
    return texts[:cut], labels[:cut], texts[cut:], labels[cut:]
