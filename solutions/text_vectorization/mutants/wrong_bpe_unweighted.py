"""This student counts every word once, however often it occurs."""

EXPECTED = {"subwords": "partial"}
RIGHT = False

# %% [subwords]
def learn_bpe(word_counts, n_merges):
    from collections import Counter

    words = [list(word) + ["</w>"] for word in word_counts]
    merges = []
    for _ in range(n_merges):
        pairs = Counter(pair for symbols in words for pair in zip(symbols, symbols[1:]))
        if not pairs:
            break
        best = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[0]
        merges.append(best)
        words = [merge_pair(symbols, best) for symbols in words]
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
