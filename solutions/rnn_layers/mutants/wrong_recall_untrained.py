"""This student's recall builds a new model at every call: what was trained is lost."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False
DEMO = True

# %% [memory_task]
memory_results = {}
x_train, y_train = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
x_test, y_test = make_memory_task(1000, SEQUENCE_LENGTH, SEED + 1)


def fit(kind, rate):
    model = build_model(kind)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=False)
    model.fit(x_train, y_train, epochs=EPOCHS, verbose=0)
    return float(model.evaluate(x_test, y_test, verbose=0)[1])


for kind, rate in (("simple_rnn", 0.002), ("lstm", 0.005)):
    memory_results[kind] = fit(kind, rate)


def recall(x):
    """Logits (n, 4) of an LSTM."""
    return build_model("lstm").predict(x, verbose=0)
