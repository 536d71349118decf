"""This student adds 1 at an array of indices, which counts a word once, however often it comes."""

EXPECTED = {"bag_of_words": "partial"}
RIGHT = False

# %% [bag_of_words]
def count_vectors(texts, vocabulary):
    counts = np.zeros((len(texts), len(vocabulary) - 1))
    for i, text in enumerate(texts):
        columns = np.array(encode(text, vocabulary), dtype=int) - 1
        counts[i, columns] += 1
    return counts


def multi_hot(texts, vocabulary):
    return (count_vectors(texts, vocabulary) > 0).astype("float32")


def tf_idf(texts, vocabulary):
    counts = count_vectors(texts, vocabulary)
    return counts * np.log(1 + len(texts) / (1 + (counts > 0).sum(axis=0)))
