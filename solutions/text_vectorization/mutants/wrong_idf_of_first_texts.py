"""This student computes the document frequencies once and keeps them for later texts."""

EXPECTED = {"bag_of_words": "partial"}
RIGHT = False

# %% [bag_of_words]
weights = {}


def count_vectors(texts, vocabulary):
    counts = np.zeros((len(texts), len(vocabulary) - 1))
    for i, text in enumerate(texts):
        for index in encode(text, vocabulary):
            counts[i, index - 1] += 1
    return counts


def multi_hot(texts, vocabulary):
    return (count_vectors(texts, vocabulary) > 0).astype(float)


def tf_idf(texts, vocabulary):
    words = tuple(vocabulary)
    if words not in weights:
        weights[words] = np.log(1 + len(texts) / (1 + multi_hot(texts, vocabulary).sum(axis=0)))
    return count_vectors(texts, vocabulary) * weights[words]
