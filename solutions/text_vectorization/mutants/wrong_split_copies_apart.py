"""This student shuffles the reviews one by one, so that copies of a text may come into both parts."""

EXPECTED = {"split_reviews": "partial"}
RIGHT = False

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    order = np.random.default_rng(seed).permutation(len(texts))
    cut = round(validation_fraction * len(texts))
    validation, train = order[:cut], order[cut:]
    labels = np.asarray(labels)
    return [texts[i] for i in train], labels[train], [texts[i] for i in validation], labels[validation]
