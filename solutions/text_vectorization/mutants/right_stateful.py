"""This student's functions are right and keep state all over the place: call counters, caches, a global seed, a list of everything tokenised. Later cells rely on it."""

EXPECTED = {}
RIGHT = True

# %% [standardize]
from functools import lru_cache

CALLS = {"standardize": 0, "tokenize": 0}
TABLE = str.maketrans({mark: None for mark in PUNCTUATION})


@lru_cache(maxsize=None)
def cleaned(text):
    import re

    return " ".join(re.sub("<[^<>]*>", " ", text).lower().translate(TABLE).split())


def standardize(text):
    CALLS["standardize"] += 1
    return cleaned(text)

# %% [tokenize]
LAST = []


def tokenize(text, level="word"):
    CALLS["tokenize"] += 1
    if level not in ("word", "char"):
        raise ValueError(f"unknown level {level!r}")
    LAST[:] = standardize(text).split() if level == "word" else standardize(text)
    return LAST.copy()


def ngrams(tokens, n):
    grams = []
    for i in range(len(tokens)):
        grams += [" ".join(tokens[i : i + k + 1]) for k in range(n) if i + k < len(tokens)]
    return grams

# %% [vocabulary]
BUILT = []


def build_vocabulary(texts, max_tokens=None):
    global counts
    counts = pd.Series([token for text in texts for token in tokenize(text)], dtype="object").value_counts(sort=False)
    order = counts.rename_axis("word").reset_index(name="n").sort_values(["n", "word"], ascending=[False, True])
    BUILT.append({"": 0, "[UNK]": 1} | {word: i + 2 for i, word in enumerate(order["word"])})
    return {word: i for word, i in BUILT[-1].items() if max_tokens is None or i < max_tokens}

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    np.random.seed(seed)
    different = sorted(set(texts))
    np.random.shuffle(different)
    copies = {text: 0 for text in different}
    for text in texts:
        copies[text] += 1
    chosen, n = set(), 0
    for text in different:
        if n + copies[text] <= validation_fraction * len(texts) + 0.5:
            chosen.add(text)
            n += copies[text]
    inside = np.array([text in chosen for text in texts])
    order = np.random.permutation(len(texts))
    train, validation = order[~inside[order]], order[inside[order]]
    labels = np.asarray(labels)
    return [texts[i] for i in train], labels[train], [texts[i] for i in validation], labels[validation]

# %% [classify]
classifiers = {}
results = {}
assert CALLS['tokenize'] >= 1 and BUILT, 'earlier cells have left their state'
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels)


def vectorized(vectorizer, some_texts):
    return np.asarray(vectorizer(tf.constant(list(some_texts))))


def fit(model, vectorizer):
    model.compile(keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(vectorized(vectorizer, train_texts), train_labels, batch_size=32, epochs=EPOCHS, verbose=0)
    return lambda some_texts: model.predict(vectorized(vectorizer, some_texts), batch_size=256, verbose=0)[:, 0]


bow_vectorizer = make_vectorizer(train_texts, MAX_TOKENS, "multi_hot")
int_vectorizer = make_vectorizer(train_texts, MAX_TOKENS, "int", length=SEQUENCE_LENGTH)
classifiers["bag_of_words"] = fit(build_bow_model(bow_vectorizer.vocabulary_size()), bow_vectorizer)
classifiers["sequence"] = fit(build_sequence_model(int_vectorizer.vocabulary_size()), int_vectorizer)
for name, classify in classifiers.items():
    results[name] = float(((classify(val_texts) >= 0.5) == (val_labels == 1)).mean())
