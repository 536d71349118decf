"""This student's n-grams are those of length n alone, without the shorter ones."""

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
    return [" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
