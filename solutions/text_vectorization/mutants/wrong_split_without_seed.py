"""This student shuffles with the global generator: every call splits otherwise."""

EXPECTED = {"split_reviews": "partial"}
RIGHT = False

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    places = {}
    for i, text in enumerate(texts):
        places.setdefault(text, []).append(i)
    different = list(places)
    np.random.shuffle(different)
    cut = round(validation_fraction * len(different))
    validation = [i for text in different[:cut] for i in places[text]]
    train = [i for text in different[cut:] for i in places[text]]
    labels = np.array(labels)
    return [texts[i] for i in train], labels[train], [texts[i] for i in validation], labels[validation]
