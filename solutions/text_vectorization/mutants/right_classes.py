"""This student writes classes: a tokenizer with methods, models that are subclasses of keras.Model, and classifiers that are callable objects."""

EXPECTED = {}
RIGHT = True
DEMO = True

# %% [tokenize]
class Tokenizer:
    """Splits standardised text; one instance for each level."""

    levels = {"word": str.split, "char": list}

    def __init__(self, level):
        if level not in self.levels:
            raise ValueError(f"no such level: {level}")
        self.split = self.levels[level]

    def __call__(self, text):
        return self.split(standardize(text))


def tokenize(text, level="word"):
    return Tokenizer(level)(text)


def ngrams(tokens, n):
    out = []
    for start, _ in enumerate(tokens):
        gram = ""
        for token in tokens[start : start + n]:
            gram = f"{gram} {token}" if gram else token
            out.append(gram)
    return out

# %% [bag_of_words]
class Bag:
    def __init__(self, texts, vocabulary):
        self.n = len(texts)
        self.counts = np.zeros((self.n, len(vocabulary)), dtype="float64")
        for row, text in enumerate(texts):
            for token in tokenize(text):
                self.counts[row, vocabulary.get(token, vocabulary["[UNK]"])] += 1
        self.counts = self.counts[:, 1:]

    @property
    def present(self):
        return (self.counts >= 1) * 1.0

    @property
    def idf(self):
        return np.log(1.0 + self.n / (1.0 + self.present.sum(axis=0)))


def multi_hot(texts, vocabulary):
    return Bag(texts, vocabulary).present


def count_vectors(texts, vocabulary):
    return Bag(texts, vocabulary).counts


def tf_idf(texts, vocabulary):
    bag = Bag(texts, vocabulary)
    return bag.counts * bag.idf

# %% [split_reviews]
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    import random

    frame = pd.DataFrame({"text": texts, "label": labels})
    groups = [group for _, group in frame.groupby("text", sort=True)]
    random.Random(seed).shuffle(groups)
    sizes = np.cumsum([len(group) for group in groups])
    cut = int(np.searchsorted(sizes, validation_fraction * len(frame))) + 1
    validation, train = pd.concat(groups[:cut]), pd.concat(groups[cut:])
    return train["text"].tolist(), train["label"].tolist(), validation["text"].tolist(), validation["label"].tolist()

# %% [models]
class BagModel(keras.Model):
    def __init__(self, n_tokens, **options):
        super().__init__(**options)
        self.n_tokens = n_tokens
        self.hidden = keras.layers.Dense(12, activation="relu")
        self.dropout = keras.layers.Dropout(0.4)
        self.out = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x, training=None):
        return self.out(self.dropout(self.hidden(x), training=training))

    def get_config(self):
        return {"n_tokens": self.n_tokens}


class Reader(keras.Model):
    def __init__(self, n_tokens, **options):
        super().__init__(**options)
        self.n_tokens = n_tokens
        self.embedding = keras.layers.Embedding(n_tokens, 32)
        self.convolution = keras.layers.Conv1D(48, 5, padding="same", activation="relu")
        self.out = keras.layers.Dense(1, activation="sigmoid")

    def call(self, x):
        words = keras.ops.cast(keras.ops.not_equal(x, 0), "float32")[..., None]
        features = self.convolution(self.embedding(x) * words)
        return self.out(keras.ops.max(features * words, axis=1))

    def get_config(self):
        return {"n_tokens": self.n_tokens}


def build_bow_model(n_tokens):
    return BagModel(n_tokens)


def build_sequence_model(n_tokens):
    return Reader(n_tokens)

# %% [classify]
class Classifier:
    def __init__(self, model, vectorizer):
        self.model, self.vectorizer = model, vectorizer

    def fit(self, strings, y):
        self.model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
        self.model.fit(self.vectorizer(tf.constant(strings)), np.asarray(y).reshape(-1, 1), epochs=EPOCHS, verbose=0)
        return self

    def __call__(self, strings):
        return np.ravel(self.model.predict(self.vectorizer(tf.constant(strings)), verbose=0))

    def accuracy(self, strings, y):
        return np.mean((self(strings) >= 0.5) == np.array(y, dtype=bool))


x, y, x_val, y_val = split_reviews(*load_reviews(DATA_PATH, N_REVIEWS))
bags = make_vectorizer(x, MAX_TOKENS, "count")
sequences = make_vectorizer(x, MAX_TOKENS, "int", SEQUENCE_LENGTH)
classifiers = {
    "bag_of_words": Classifier(build_bow_model(bags.vocabulary_size()), bags).fit(x, y),
    "sequence": Classifier(build_sequence_model(sequences.vocabulary_size()), sequences).fit(x, y),
}
results = {name: classifier.accuracy(x_val, y_val) for name, classifier in classifiers.items()}
