"""This student uses most_common, which leaves equally frequent words in the order of the texts."""

EXPECTED = {"vocabulary": "partial"}
RIGHT = False

# %% [vocabulary]
def build_vocabulary(texts, max_tokens=None):
    from collections import Counter

    counts = Counter()
    for text in texts:
        counts.update(tokenize(text))
    vocabulary = {"": 0, "[UNK]": 1}
    for word, _ in counts.most_common(None if max_tokens is None else max_tokens - 2):
        vocabulary[word] = len(vocabulary)
    return vocabulary
