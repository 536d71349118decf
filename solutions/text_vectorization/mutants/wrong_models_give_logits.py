"""This student's models end without a sigmoid, and the loss is told so; but the classifiers promise probabilities."""

EXPECTED = {"models": "partial", "classify": "partial"}
RIGHT = False

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential([keras.Input((n_tokens,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])


def build_sequence_model(n_tokens):
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(n_tokens, 32)(inputs)
    x = keras.layers.Conv1D(64, 5, padding="same", activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(1)(keras.layers.GlobalMaxPooling1D()(x)))

# %% [classify]
classifiers = {}
results = {}
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels)


def fit(model, vectorizer):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss=loss, jit_compile=False)
    model.fit(np.asarray(vectorizer(tf.constant(train_texts))), train_labels, batch_size=32, epochs=EPOCHS, verbose=0)
    return lambda some: model.predict(vectorizer(tf.constant(list(some))), verbose=0)[:, 0]


bow_vectorizer = make_vectorizer(train_texts, MAX_TOKENS, "multi_hot")
int_vectorizer = make_vectorizer(train_texts, MAX_TOKENS, "int", length=SEQUENCE_LENGTH)
classifiers["bag_of_words"] = fit(build_bow_model(bow_vectorizer.vocabulary_size()), bow_vectorizer)
classifiers["sequence"] = fit(build_sequence_model(int_vectorizer.vocabulary_size()), int_vectorizer)
for name in classifiers:
    results[name] = float(np.mean((classifiers[name](val_texts) >= 0) == (val_labels == 1)))
