"""This student's bag of words holds bigrams with TF-IDF weights, the sequence model is an attention layer with positions, and the classifiers are whole models from strings to probabilities."""

EXPECTED = {}
RIGHT = True

# %% [models]
class Positions(keras.layers.Layer):
    def __init__(self, n_tokens, width, longest=1000, **options):
        super().__init__(**options)
        self.words = keras.layers.Embedding(n_tokens, width)
        self.places = keras.layers.Embedding(longest, width)

    def call(self, indices):
        places = keras.ops.minimum(keras.ops.arange(keras.ops.shape(indices)[1]), 999)
        return self.words(indices) + self.places(places)[None]


def build_bow_model(n_tokens):
    inputs = keras.Input((n_tokens,))
    x = keras.layers.Dropout(0.3)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", kernel_regularizer=keras.regularizers.L2(1e-4))(x))


def build_sequence_model(n_tokens, width=32):
    indices = keras.Input((None,), dtype="int32")
    is_word = keras.ops.not_equal(indices, 0)
    x = Positions(n_tokens, width)(indices)
    before = keras.layers.Conv1D(width, 3, padding="same", activation="relu")(x * keras.ops.cast(is_word, "float32")[..., None])
    attended = keras.layers.MultiHeadAttention(2, 16)(before, before, attention_mask=is_word[:, None, :])
    x = keras.layers.LayerNormalization()(before + attended)
    weights = keras.ops.cast(is_word, "float32")[..., None]
    mean = keras.ops.sum(x * weights, axis=1) / (keras.ops.sum(weights, axis=1) + 1e-6)
    return keras.Model(indices, keras.layers.Dense(1, activation="sigmoid")(mean))

# %% [classify]
keras.utils.set_random_seed(SEED)
train_texts, train_labels, val_texts, val_labels = split_reviews(*load_reviews(DATA_PATH, N_REVIEWS), seed=SEED)


def text_to_probability(vectorizer, model):
    text = keras.Input((), dtype="string")
    whole = keras.Model(text, model(vectorizer(text)))
    return lambda texts: whole.predict(tf.constant(texts), verbose=0).reshape(-1)


to_bigrams = make_vectorizer(train_texts, MAX_TOKENS, "tf_idf", ngrams=2)
to_indices = make_vectorizer(train_texts, MAX_TOKENS, "int", length=SEQUENCE_LENGTH)
parts = {"bag_of_words": (to_bigrams, build_bow_model), "sequence": (to_indices, build_sequence_model)}
classifiers, results = {}, {}
for name, (vectorizer, build) in parts.items():
    model = build(vectorizer.vocabulary_size())
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    x, x_val = vectorizer(tf.constant(train_texts)), vectorizer(tf.constant(val_texts))
    model.fit(x, train_labels, validation_data=(x_val, val_labels), epochs=EPOCHS, verbose=0)
    classifiers[name] = text_to_probability(vectorizer, model)
    results[name] = model.evaluate(x_val, val_labels, verbose=0)[1]
