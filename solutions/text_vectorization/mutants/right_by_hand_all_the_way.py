"""This student vectorises with the functions of this notebook instead of Keras, and reads with a masked GRU."""

EXPECTED = {}
RIGHT = True

# %% [subwords]
from collections import Counter, defaultdict


def learn_bpe(word_counts, n_merges):
    corpus = {tuple(word) + ("</w>",): count for word, count in word_counts.items()}
    learned = []
    for _ in range(n_merges):
        statistics = defaultdict(int)
        for symbols, count in corpus.items():
            for i in range(len(symbols) - 1):
                statistics[symbols[i], symbols[i + 1]] += count
        if not statistics:
            return learned
        highest = max(statistics.values())
        learned.append(min(pair for pair, count in statistics.items() if count == highest))
        corpus = {tuple(glue(symbols, *learned[-1])): count for symbols, count in corpus.items()}
    return learned


def glue(symbols, a, b):
    result = []
    for symbol in symbols:
        if result and result[-1] == (a,) and symbol == b:
            result[-1] = (a, b)
        elif symbol == a:
            result.append((a,))
        else:
            result.append((symbol, ""))
    return ["".join(part) for part in result]


def apply_bpe(word, merges):
    symbols = [*word, "</w>"]
    for a, b in merges:
        symbols = glue(symbols, a, b)
    return symbols

# %% [vocabulary]
def build_vocabulary(texts, max_tokens=None):
    frequency = {}
    for text in texts:
        for word in tokenize(text):
            frequency[word] = frequency.get(word, 0) + 1
    by_name = sorted(frequency)
    by_name.sort(key=frequency.get, reverse=True)
    size = len(by_name) + 2 if max_tokens is None else max_tokens
    vocabulary = {"": 0, "[UNK]": 1}
    for word in by_name:
        if len(vocabulary) >= size:
            break
        vocabulary[word] = len(vocabulary)
    return vocabulary

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    from sklearn.model_selection import GroupShuffleSplit

    number = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    splitter = GroupShuffleSplit(1, test_size=validation_fraction, random_state=seed)
    train, validation = next(splitter.split(texts, labels, groups=[number[text] for text in texts]))
    y = np.array(labels)
    return [texts[i] for i in train], y[train], [texts[i] for i in validation], y[validation]

# %% [models]
def build_bow_model(n_tokens):
    x = inputs = keras.Input(shape=(n_tokens,), name="bag")
    x = keras.layers.Dense(8, activation="tanh", kernel_regularizer="l2")(x)
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(x), name="bow")


def build_sequence_model(n_tokens):
    x = inputs = keras.Input(shape=(None,), dtype="int64", name="indices")
    x = keras.layers.Embedding(n_tokens, 24, mask_zero=True)(x)
    x = keras.layers.GRU(24)(x)
    return keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(x), name="reader")

# %% [classify]
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels)
vocabulary = build_vocabulary(train_texts, MAX_TOKENS)
inputs_of = {
    "bag_of_words": lambda strings: multi_hot(strings, vocabulary),
    "sequence": lambda strings: np.array([encode(string, vocabulary, SEQUENCE_LENGTH) for string in strings]),
}
trained = {"bag_of_words": build_bow_model(len(vocabulary) - 1), "sequence": build_sequence_model(len(vocabulary))}
for name, model in trained.items():
    model.compile(optimizer=keras.optimizers.Adam(5e-3), loss="binary_crossentropy", jit_compile=False)
    model.fit(inputs_of[name](train_texts), train_labels, epochs=EPOCHS, batch_size=64, verbose=0)


def make_classifier(name):
    def classify(strings):
        return trained[name].predict(inputs_of[name](list(strings)), verbose=0).flatten().astype(float)

    return classify


classifiers = {name: make_classifier(name) for name in trained}
results = {name: float(np.mean((classifiers[name](val_texts) >= 0.5).astype(int) == val_labels)) for name in classifiers}
