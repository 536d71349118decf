"""This student thinks in regular expressions and generators: findall, a scanner for n-grams, arrays instead of lists, and Keras' Sequential models."""

EXPECTED = {}
RIGHT = True

# %% [standardize]
import re

TAG, SPACE = re.compile("<.*?>", re.DOTALL), re.compile(r"\s+")
MARKS = re.compile("[" + re.escape(PUNCTUATION) + "]")


def standardize(text):
    return SPACE.sub(" ", MARKS.sub("", TAG.sub(" ", text).lower())).strip()

# %% [tokenize]
def tokenize(text, level="word"):
    patterns = {"word": r"\S+", "char": r"[\s\S]"}
    if level not in patterns:
        raise ValueError("level must be one of " + ", ".join(patterns))
    return re.findall(patterns[level], standardize(text))


def ngrams(tokens, n):
    return list(" ".join(tokens[i:j]) for i in range(len(tokens)) for j in range(i + 1, min(i + n, len(tokens)) + 1))

# %% [encode]
def encode(text, vocabulary, length=None):
    found = np.fromiter((vocabulary.get(word, 1) for word in tokenize(text)), dtype="int64")
    if length is None:
        return found.tolist()
    out = np.zeros(length, dtype="int64")
    out[: min(length, found.size)] = found[:length]
    return out.tolist()

# %% [bag_of_words]
def count_vectors(texts, vocabulary):
    rows = [np.bincount(encode(text, vocabulary), minlength=len(vocabulary)) for text in texts]
    return np.stack(rows)[:, 1:].astype(np.float32)


def multi_hot(texts, vocabulary):
    return np.sign(count_vectors(texts, vocabulary))


def tf_idf(texts, vocabulary):
    tf = count_vectors(texts, vocabulary)
    df = np.sign(tf).sum(0)
    return tf * np.log1p(len(texts) / (1.0 + df))

# %% [keras_vectorizer]
def make_vectorizer(train_texts, max_tokens, output_mode, length=None, ngrams=None):
    def clean(t):
        t = tf.strings.unicode_transcode(t, "UTF-8", "UTF-8")
        t = tf.strings.regex_replace(t, r"<[^>]*>", " ")
        t = tf.strings.regex_replace(t, r"[[:punct:]]", "")
        return tf.strings.lower(t, "utf-8")

    options = {"output_sequence_length": length} if output_mode == "int" else {}
    layer = keras.layers.TextVectorization(max_tokens, standardize=clean, split="whitespace", output_mode=output_mode, ngrams=ngrams, **options)
    layer.adapt(tf.data.Dataset.from_tensor_slices(train_texts).batch(64))
    return layer

# %% [models]
def build_bow_model(n_tokens):
    model = keras.Sequential([keras.layers.Input(shape=(n_tokens,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(5e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model


def build_sequence_model(n_tokens):
    model = keras.Sequential(
        [
            keras.layers.Input(shape=(None,), dtype="int32"),
            keras.layers.Embedding(n_tokens, 32),
            keras.layers.Conv1D(64, 4, padding="same", activation="relu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    return model

# %% [classify]
train_texts, train_y, val_texts, val_y = split_reviews(*load_reviews(DATA_PATH, N_REVIEWS))
to_bag = make_vectorizer(train_texts, MAX_TOKENS, "multi_hot")
to_indices = make_vectorizer(train_texts, MAX_TOKENS, "int", length=SEQUENCE_LENGTH)
networks = {
    "bag_of_words": (to_bag, build_bow_model(len(to_bag.get_vocabulary()))),
    "sequence": (to_indices, build_sequence_model(len(to_indices.get_vocabulary()))),
}


def pipeline(part, y, layer):
    return tf.data.Dataset.from_tensor_slices((part, y)).batch(32).map(lambda t, label: (layer(t), label)).cache()


for layer, network in networks.values():
    network.fit(pipeline(train_texts, train_y, layer), validation_data=pipeline(val_texts, val_y, layer), epochs=EPOCHS, verbose=0)

classifiers = {
    name: lambda strings, layer=layer, network=network: network(layer(tf.constant(strings)), training=False).numpy().squeeze(axis=1)
    for name, (layer, network) in networks.items()
}
results = {name: np.mean((np.round(function(val_texts)) == val_y)) for name, function in classifiers.items()}
