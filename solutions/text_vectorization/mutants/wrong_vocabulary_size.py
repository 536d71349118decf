"""This student takes max_tokens words and adds the two special tokens to them."""

EXPECTED = {"vocabulary": "partial"}
RIGHT = False

# %% [vocabulary]
def build_vocabulary(texts, max_tokens=None):
    from collections import Counter

    counts = Counter(token for text in texts for token in tokenize(text))
    words = sorted(counts, key=lambda word: (-counts[word], word))[:max_tokens]
    return {"": 0, "[UNK]": 1, **{word: index for index, word in enumerate(words, start=2)}}
