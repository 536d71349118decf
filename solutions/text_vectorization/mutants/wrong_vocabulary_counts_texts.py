"""This student counts in how many texts a word occurs, and not how often."""

EXPECTED = {"vocabulary": "partial"}
RIGHT = False

# %% [vocabulary]
def build_vocabulary(texts, max_tokens=None):
    from collections import Counter

    counts = Counter(token for text in texts for token in set(tokenize(text)))
    words = sorted(counts, key=lambda word: (-counts[word], word))
    tokens = ["", "[UNK]"] + words
    return {token: i for i, token in enumerate(tokens[:max_tokens])}
