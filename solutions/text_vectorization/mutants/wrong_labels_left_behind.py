"""This student shuffles the texts and leaves the labels where they were: nothing can be learned any more."""

EXPECTED = {"split_reviews": "partial", "classify": "partial"}
RIGHT = False

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    groups = {}
    for text in texts:
        groups.setdefault(text, []).append(text)
    order = np.random.default_rng(seed).permutation(len(groups))
    copies = list(groups.values())
    mixed = [text for i in order for text in copies[i]]
    cut = round(validation_fraction * len(mixed))
    while cut < len(mixed) and mixed[cut] == mixed[cut - 1]:
        cut += 1
    return mixed[cut:], labels[cut:], mixed[:cut], labels[:cut]
