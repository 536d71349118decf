"""This student cuts words by the longest subword that fits, as WordPiece does, and not by the merges in their order."""

EXPECTED = {"subwords": "partial"}
RIGHT = False

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
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {word: merge_pair(symbols, best) for word, symbols in words.items()}
    return merges


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


def apply_bpe(word, merges):
    known = {first + second for first, second in merges}
    letters, cut = list(word) + ["</w>"], []
    while letters:
        size = next(n for n in range(len(letters), 0, -1) if n == 1 or "".join(letters[:n]) in known)
        cut.append("".join(letters[:size]))
        letters = letters[size:]
    return cut
