"""This student works with tensors wherever it goes: string operations, lookups, a training loop with GradientTape, and classifiers that return tensors."""

EXPECTED = {}
RIGHT = True

# %% [standardize]
def standardize(text):
    t = tf.strings.regex_replace(text, "<[^>]*>", " ")
    t = tf.strings.lower(t, encoding="utf-8")
    for mark in PUNCTUATION:
        t = tf.strings.regex_replace(t, "[" + "\\" + mark + "]", "")
    return tf.strings.strip(tf.strings.regex_replace(t, "[ \\t\\r\\n]+", " ")).numpy().decode("utf-8")

# %% [subwords]
import re
from collections import Counter


def learn_bpe(word_counts, n_merges):
    spaced = {" ".join(word) + " </w>": count for word, count in word_counts.items()}
    merges = []
    while len(merges) < n_merges:
        pairs = Counter()
        for word, count in spaced.items():
            symbols = word.split(" ")
            for pair in zip(symbols[:-1], symbols[1:]):
                pairs[pair] += count
        if len(pairs) == 0:
            break
        pair = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[0][0]
        merges.append(pair)
        spaced = {joined(word, pair): count for word, count in spaced.items()}
    return merges


def joined(word, pair):
    pattern = re.compile(r"(?<!\S)" + re.escape(" ".join(pair)) + r"(?!\S)")
    return pattern.sub(lambda _: "".join(pair), word)


def apply_bpe(word, merges):
    symbols = " ".join(word) + " </w>"
    for pair in merges:
        symbols = joined(symbols, pair)
    return symbols.split(" ")

# %% [encode]
def encode(text, vocabulary, length=None):
    ids = tf.constant([vocabulary.get(token, 1) for token in tokenize(text)], dtype=tf.int32)
    if length is not None:
        ids = tf.pad(ids[:length], [[0, max(length - len(ids), 0)]])
    return ids.numpy().tolist()

# %% [bag_of_words]
def count_vectors(texts, vocabulary):
    rows = [tf.math.bincount(tf.constant(encode(text, vocabulary), tf.int32), minlength=len(vocabulary)) for text in texts]
    return tf.cast(tf.stack(rows), tf.float32)[:, 1:]


def multi_hot(texts, vocabulary):
    return tf.minimum(count_vectors(texts, vocabulary), 1.0)


def tf_idf(texts, vocabulary):
    counts = count_vectors(texts, vocabulary)
    df = tf.math.count_nonzero(counts, axis=0, dtype=tf.float32)
    return counts * tf.math.log1p(len(texts) / (1.0 + df))

# %% [keras_vectorizer]
@keras.saving.register_keras_serializable(package="student")
class Standardizer:
    def __call__(self, texts):
        texts = tf.strings.regex_replace(texts, r"<[^>]*>", " ")
        texts = tf.strings.regex_replace(texts, r"[!-/:-@\[-`{-~]", "")
        return tf.strings.lower(texts, encoding="utf-8")

    def get_config(self):
        return {}


def make_vectorizer(train_texts, max_tokens, output_mode, length=None, ngrams=None):
    layer = keras.layers.TextVectorization(
        max_tokens, standardize=Standardizer(), ngrams=ngrams, output_mode=output_mode, output_sequence_length=length
    )
    layer.adapt(np.array(train_texts), batch_size=256)
    return layer

# %% [models]
@keras.saving.register_keras_serializable(package="student")
class MaskedMax(keras.layers.Layer):
    """The maximum over the steps that are no padding."""

    def call(self, features, indices):
        padding = keras.ops.cast(keras.ops.equal(indices, 0), features.dtype)
        return keras.ops.max(features - 1e9 * padding[:, :, None], axis=1)


def build_bow_model(n_tokens):
    bag = keras.layers.Input((n_tokens,))
    return keras.Model(bag, keras.layers.Activation("sigmoid")(keras.layers.Dense(1)(keras.layers.Dropout(0.2)(bag))))


def build_sequence_model(n_tokens):
    indices = keras.layers.Input((None,), dtype="int64")
    embedded = keras.layers.Embedding(n_tokens, 32)(indices)
    features = [keras.layers.Conv1D(32, size, padding="causal", activation="relu")(embedded) for size in (2, 3, 4)]
    strongest = MaskedMax()(keras.layers.Concatenate()(features), indices)
    return keras.Model(indices, keras.layers.Activation("sigmoid")(keras.layers.Dense(1)(strongest)))

# %% [classify]
split = split_reviews(*load_reviews(DATA_PATH, N_REVIEWS), 0.2)
train_texts, val_texts = tf.constant(split[0]), tf.constant(split[2])
train_labels, val_labels = tf.constant(split[1], tf.float32), tf.constant(split[3], tf.float32)


def train_loop(model, x, epochs, size=32):
    optimizer, loss = keras.optimizers.Adam(3e-3), keras.losses.BinaryCrossentropy()
    batches = tf.data.Dataset.from_tensor_slices((x, train_labels)).shuffle(10_000, seed=SEED).batch(size)
    optimizer.build(model.trainable_variables)

    @tf.function
    def step(features, y):
        with tf.GradientTape() as tape:
            error = loss(y[:, None], model(features, training=True))
        optimizer.apply_gradients(zip(tape.gradient(error, model.trainable_variables), model.trainable_variables))

    for _ in range(epochs):
        for features, y in batches:
            step(features, y)


def make(build, mode, **options):
    layer = make_vectorizer(split[0], MAX_TOKENS, mode, **options)
    model = build(len(layer.get_vocabulary()))
    train_loop(model, layer(train_texts), EPOCHS)
    return lambda strings: tf.squeeze(model(layer(tf.convert_to_tensor(strings)), training=False), axis=-1)


classifiers = {"bag_of_words": make(build_bow_model, "count"), "sequence": make(build_sequence_model, "int", length=SEQUENCE_LENGTH)}
results = {}
for name in classifiers:
    metric = keras.metrics.BinaryAccuracy()
    metric.update_state(val_labels, classifiers[name](val_texts))
    results[name] = metric.result().numpy()
