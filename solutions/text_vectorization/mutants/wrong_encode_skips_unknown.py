"""This student leaves unknown words out, so that neither the sequences nor the first column of the bags know of them."""

EXPECTED = {"encode": "partial", "bag_of_words": "partial"}
RIGHT = False

# %% [encode]
def encode(text, vocabulary, length=None):
    indices = [vocabulary[token] for token in tokenize(text) if token in vocabulary]
    if length is not None:
        indices = (indices + [0] * length)[:length]
    return indices
