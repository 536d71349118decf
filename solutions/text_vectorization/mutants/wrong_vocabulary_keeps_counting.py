"""This student counts in a global Counter, which remembers the texts of earlier calls."""

EXPECTED = {"vocabulary": "partial"}
RIGHT = False

# %% [vocabulary]
from collections import Counter

frequency = Counter()


def build_vocabulary(texts, max_tokens=None):
    for text in texts:
        frequency.update(tokenize(text))
    words = sorted(frequency, key=lambda word: (-frequency[word], word))
    return {word: index for index, word in enumerate(["", "[UNK]"] + words) if max_tokens is None or index < max_tokens}
