"""This student pads and cuts in front, as keras.utils.pad_sequences does by default."""

EXPECTED = {"encode": "partial"}
RIGHT = False

# %% [encode]
def encode(text, vocabulary, length=None):
    indices = [vocabulary.get(token, 1) for token in tokenize(text)]
    if length is None:
        return indices
    return keras.utils.pad_sequences([indices], maxlen=length)[0].tolist()
