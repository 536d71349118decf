"""This student keeps the letters a to z, digits and spaces, instead of removing punctuation: accents go with it."""

EXPECTED = {"standardize": "partial"}
RIGHT = False

# %% [standardize]
def standardize(text):
    import re

    text = re.sub(r"<[^>]*>", " ", text).lower()
    text = re.sub(r"[^a-z0-9\s]", "", text)
    return re.sub(r"\s+", " ", text).strip()
