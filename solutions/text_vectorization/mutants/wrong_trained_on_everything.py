"""This student fits on all reviews, the validation part among them, and then finds the validation accuracy very good."""

EXPECTED = {"classify": "partial"}
RIGHT = False

# %% [classify]
classifiers = {}
results = {}
keras.utils.set_random_seed(SEED)
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels)


def vectorized(vectorizer, some_texts):
    return np.asarray(vectorizer(tf.constant(list(some_texts))))


def fit(model, vectorizer):
    model.compile(keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(vectorized(vectorizer, texts), labels, batch_size=32, epochs=EPOCHS, verbose=0)
    return lambda some_texts: model.predict(vectorized(vectorizer, some_texts), batch_size=256, verbose=0)[:, 0]


bow_vectorizer = make_vectorizer(texts, MAX_TOKENS, "multi_hot")
int_vectorizer = make_vectorizer(texts, MAX_TOKENS, "int", length=SEQUENCE_LENGTH)
classifiers["bag_of_words"] = fit(build_bow_model(bow_vectorizer.vocabulary_size()), bow_vectorizer)
classifiers["sequence"] = fit(build_sequence_model(int_vectorizer.vocabulary_size()), int_vectorizer)
for name, classify in classifiers.items():
    results[name] = float(((classify(val_texts) >= 0.5) == (val_labels == 1)).mean())
