"""This student lists all single words first, then all pairs, and so on, instead of going position by position."""

EXPECTED = {"tokenize": "partial"}
RIGHT = False

# %% [tokenize]
def tokenize(text, level="word"):
    if level == "word":
        return standardize(text).split()
    if level == "char":
        return list(standardize(text))
    raise ValueError(level)


def ngrams(tokens, n):
    return [" ".join(tokens[i : i + k]) for k in range(1, n + 1) for i in range(len(tokens) - k + 1)]
