"""This student throws repeated reviews away before splitting."""

EXPECTED = {"split_reviews": "partial"}
RIGHT = False

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    label_of = dict(zip(texts, np.asarray(labels).tolist()))
    unique = sorted(label_of)
    np.random.default_rng(seed).shuffle(unique)
    cut = round(validation_fraction * len(unique))
    val_texts, train_texts = unique[:cut], unique[cut:]
    return train_texts, np.array([label_of[t] for t in train_texts]), val_texts, np.array([label_of[t] for t in val_texts])
