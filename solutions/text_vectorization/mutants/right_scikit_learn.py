"""This student takes what SciPy and scikit-learn have: a pipeline for the bag of words, bags from CountVectorizer, a stratified split; and pads in front for an LSTM."""

EXPECTED = {}
RIGHT = True

# %% [bag_of_words]
from sklearn.feature_extraction.text import CountVectorizer


def count_vectors(texts, vocabulary):
    words = [word for word in vocabulary if vocabulary[word] > 1]
    counter = CountVectorizer(analyzer=lambda text: [word if word in vocabulary else "[UNK]" for word in tokenize(text)],
                              vocabulary={"[UNK]": 0, **{word: vocabulary[word] - 1 for word in words}})
    return counter.transform(texts).toarray().astype("float32")


def multi_hot(texts, vocabulary):
    return np.clip(count_vectors(texts, vocabulary), 0, 1)


def tf_idf(texts, vocabulary):
    tf_, df = count_vectors(texts, vocabulary), multi_hot(texts, vocabulary).sum(0, keepdims=True)
    return np.multiply(tf_, np.log1p(len(texts) / (df + 1)))

# %% [split_reviews]
from sklearn.model_selection import train_test_split


def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    frame = pd.DataFrame({"text": texts, "label": np.asarray(labels)})
    different = frame.drop_duplicates("text")
    _, held_out = train_test_split(different, test_size=validation_fraction, random_state=seed, stratify=different["label"])
    inside = frame["text"].isin(held_out["text"])
    train, validation = frame[~inside].sample(frac=1, random_state=seed), frame[inside].sample(frac=1, random_state=seed)
    return train["text"].tolist(), train["label"].to_numpy(), validation["text"].tolist(), validation["label"].to_numpy()

# %% [models]
def build_bow_model(n_tokens):
    return keras.Sequential([keras.Input(shape=(n_tokens,)), keras.layers.BatchNormalization(), keras.layers.Dense(1, "sigmoid")])


def build_sequence_model(n_tokens):
    return keras.Sequential(
        [
            keras.Input(shape=(None,), dtype="int32"),
            keras.layers.Embedding(n_tokens, 32, mask_zero=True),
            keras.layers.LSTM(32),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )

# %% [classify]
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

X, y, X_val, y_val = split_reviews(*load_reviews(DATA_PATH, N_REVIEWS))
pipeline = make_pipeline(CountVectorizer(preprocessor=standardize, max_features=MAX_TOKENS, binary=True), LogisticRegression(C=0.1, max_iter=500))
pipeline.fit(X, y)

vocabulary = build_vocabulary(X, MAX_TOKENS)
lstm = build_sequence_model(len(vocabulary))


def indices(texts):
    return keras.utils.pad_sequences([encode(text, vocabulary) for text in texts], maxlen=SEQUENCE_LENGTH, truncating="post")


lstm.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
lstm.fit(indices(X), y, validation_data=(indices(X_val), y_val), epochs=EPOCHS, batch_size=32, verbose=0)

classifiers = {
    "bag_of_words": lambda texts: pipeline.predict_proba(texts)[:, 1],
    "sequence": lambda texts: lstm.predict(indices(texts), verbose=0).ravel().tolist(),
}
results = {name: accuracy_score(y_val, np.array(classify(X_val)) >= 0.5) for name, classify in classifiers.items()}
