"""This student's classifiers are made in a loop and look their names up when they are called: both are the last one."""

EXPECTED = {"classify": "partial"}
RIGHT = False

# %% [classify]
classifiers = {}
results = {}
keras.utils.set_random_seed(SEED)
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels)
for name, mode, length in (("bag_of_words", "multi_hot", None), ("sequence", "int", SEQUENCE_LENGTH)):
    vectorizer = make_vectorizer(train_texts, MAX_TOKENS, mode, length=length)
    build = build_bow_model if name == "bag_of_words" else build_sequence_model
    model = build(vectorizer.vocabulary_size())
    model.compile(keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(vectorizer(tf.constant(train_texts)), train_labels, batch_size=32, epochs=EPOCHS, verbose=0)
    classifiers[name] = lambda some: model.predict(vectorizer(tf.constant(list(some))), verbose=0)[:, 0]
    results[name] = float(((classifiers[name](val_texts) >= 0.5) == (val_labels == 1)).mean())
