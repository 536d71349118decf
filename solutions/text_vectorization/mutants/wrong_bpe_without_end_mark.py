"""This student learns merges with the end mark, and takes it off again when words are cut."""

EXPECTED = {"subwords": "partial"}
RIGHT = False

# %% [subwords]
def learn_bpe(word_counts, n_merges):
    words = {word: list(word) + ["</w>"] for word in word_counts}
    merges = []
    while len(merges) < n_merges:
        pairs = {}
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + word_counts[word]
        if not pairs:
            break
        merges.append(min(pairs, key=lambda pair: (-pairs[pair], pair)))
        words = {word: merge_pair(symbols, merges[-1]) for word, symbols in words.items()}
    return merges


def apply_bpe(word, merges):
    symbols = list(word) + ["</w>"]
    for pair in merges:
        symbols = merge_pair(symbols, pair)
    return [symbol.replace("</w>", "") for symbol in symbols if symbol != "</w>"]


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
