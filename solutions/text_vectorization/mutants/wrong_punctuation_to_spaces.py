"""This student puts a space in the place of every punctuation mark: "don't" falls into two words."""

EXPECTED = {"standardize": "partial"}
RIGHT = False

# %% [standardize]
def standardize(text):
    import re

    text = re.sub(r"<[^>]*>", " ", text).lower()
    for mark in PUNCTUATION:
        text = text.replace(mark, " ")
    return " ".join(text.split())
