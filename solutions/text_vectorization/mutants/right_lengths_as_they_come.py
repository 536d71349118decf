"""This student pads each batch to its longest review, reads with a bidirectional LSTM, and asks about one review at a time."""

EXPECTED = {}
RIGHT = True

# %% [tokenize]
def tokenize(text, level="word"):
    match level:
        case "word":
            return [word for word in standardize(text).split(" ") if word]
        case "char":
            return [*standardize(text)]
        case _:
            raise ValueError


def ngrams(tokens, n):
    grams = []
    for i in range(len(tokens)):
        for j in range(i + 1, len(tokens) + 1):
            if j - i <= n:
                grams.append(" ".join(tokens[i:j]))
    return tuple(grams)

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential([keras.Input((n_tokens,)), keras.layers.Dense(32, "gelu"), keras.layers.Dropout(0.5), keras.layers.Dense(1, "sigmoid")])


def build_sequence_model(n_tokens):
    return keras.Sequential(
        [
            keras.layers.Embedding(n_tokens, 16, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(16)),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )

# %% [classify]
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels)
layers = {"bag_of_words": make_vectorizer(train_texts, MAX_TOKENS, "multi_hot"), "sequence": make_vectorizer(train_texts, MAX_TOKENS, "int")}
models = {name: {"bag_of_words": build_bow_model, "sequence": build_sequence_model}[name](layers[name].vocabulary_size()) for name in layers}
for name, model in models.items():
    data = tf.data.Dataset.from_tensor_slices((train_texts, train_labels)).batch(32)
    model.compile(keras.optimizers.Adam(4e-3), loss="bce", jit_compile=False)
    model.fit(data.map(lambda t, y, layer=layers[name]: (layer(t), y)), epochs=EPOCHS, verbose=0)


def classifier(name):
    def classify(strings):
        batches = [strings[i : i + 100] for i in range(0, len(strings), 100)]
        return np.concatenate([np.asarray(models[name](layers[name](tf.constant(batch))))[:, 0] for batch in batches])

    return classify


classifiers = dict(bag_of_words=classifier("bag_of_words"), sequence=classifier("sequence"))
results = {name: np.equal(classifiers[name](val_texts) >= 0.5, val_labels > 0.5).mean() for name in classifiers}
