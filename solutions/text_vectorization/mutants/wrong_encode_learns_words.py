"""This student gives unknown words new indices and writes them into the vocabulary."""

EXPECTED = {"encode": "partial", "bag_of_words": "partial"}
RIGHT = False

# %% [encode]
def encode(text, vocabulary, length=None):
    indices = [vocabulary.setdefault(token, len(vocabulary)) for token in tokenize(text)]
    return indices if length is None else (indices + [0] * length)[:length]
