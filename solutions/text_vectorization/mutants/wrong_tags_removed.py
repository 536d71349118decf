"""This student takes HTML tags away without putting a space in their place, so that words beside them grow together."""

EXPECTED = {"standardize": "partial"}
RIGHT = False

# %% [standardize]
def standardize(text):
    import re

    text = re.sub(r"<[^>]*>", "", text).lower()
    text = "".join(character for character in text if character not in PUNCTUATION)
    return " ".join(text.split())
