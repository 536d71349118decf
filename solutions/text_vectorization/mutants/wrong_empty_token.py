"""This student splits at single spaces, so that a text with nothing in it has one empty word."""

EXPECTED = {"tokenize": "partial", "encode": "partial", "bag_of_words": "partial"}
RIGHT = False

# %% [tokenize]
def tokenize(text, level="word"):
    if level == "word":
        return standardize(text).split(" ")
    if level == "char":
        return list(standardize(text))
    raise ValueError(level)


def ngrams(tokens, n):
    return [" ".join(tokens[i : i + k]) for i in range(len(tokens)) for k in range(1, n + 1) if i + k <= len(tokens)]
