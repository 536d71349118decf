"""This student takes the pair that max finds first among equally frequent ones, which depends on the order of the words."""

EXPECTED = {"subwords": "partial"}
RIGHT = False
DEMO = True

# %% [subwords]
def learn_bpe(word_counts, n_merges):
    words = {word: list(word) + ["</w>"] for word in word_counts}
    merges = []
    for _ in range(n_merges):
        pairs = {}
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + word_counts[word]
        if not pairs:
            break
        best = max(pairs, key=pairs.get)
        merges.append(best)
        words = {word: merge_pair(symbols, best) for word, symbols in words.items()}
    return merges


def apply_bpe(word, merges):
    symbols = list(word) + ["</w>"]
    for pair in merges:
        symbols = merge_pair(symbols, pair)
    return symbols


def merge_pair(symbols, pair):
    out, i = [], 0
    while i < len(symbols):
        if i + 1 < len(symbols) and (symbols[i], symbols[i + 1]) == pair:
            out.append(symbols[i] + symbols[i + 1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out
