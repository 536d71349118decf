"""This student keeps words as strings of symbols with spaces and uses str.replace, which also finds a pair in the ends of longer symbols."""

EXPECTED = {"subwords": "partial"}
RIGHT = False

# %% [subwords]
def learn_bpe(word_counts, n_merges):
    words = {word: " ".join(word) + " </w>" for word in word_counts}
    merges = []
    for _ in range(n_merges):
        pairs = {}
        for word, spaced in words.items():
            symbols = spaced.split()
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + word_counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {word: spaced.replace(" ".join(best), "".join(best)) for word, spaced in words.items()}
    return merges


def apply_bpe(word, merges):
    spaced = " ".join(word) + " </w>"
    for pair in merges:
        spaced = spaced.replace(" ".join(pair), "".join(pair))
    return spaced.split()
