"""This student weighs with log(N / (1 + df)), another formula for TF-IDF, which can be negative."""

EXPECTED = {"bag_of_words": "partial"}
RIGHT = False

# %% [bag_of_words]
def count_vectors(texts, vocabulary):
    counts = np.zeros((len(texts), len(vocabulary) - 1), dtype="float32")
    for i, text in enumerate(texts):
        np.add.at(counts[i], np.array(encode(text, vocabulary), dtype=int) - 1, 1)
    return counts


def multi_hot(texts, vocabulary):
    return np.minimum(count_vectors(texts, vocabulary), 1.0)


def tf_idf(texts, vocabulary):
    counts = count_vectors(texts, vocabulary)
    df = np.count_nonzero(counts, axis=0)
    return counts * np.log(len(texts) / (1 + df))
