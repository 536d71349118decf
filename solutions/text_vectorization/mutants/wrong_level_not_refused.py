"""This student's tokenize takes every level that is not word for characters, and leaves their spaces out."""

EXPECTED = {"tokenize": "partial"}
RIGHT = False

# %% [tokenize]
def tokenize(text, level="word"):
    words = standardize(text).split()
    return words if level == "word" else [character for word in words for character in word]


def ngrams(tokens, n):
    return [" ".join(tokens[i : i + k]) for i in range(len(tokens)) for k in range(1, n + 1) if i + k <= len(tokens)]
