"""This student writes accuracies in per cent."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False

# %% [memory_task]
memory_results = {}
x_train, y_train = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
x_test, y_test = make_memory_task(1000, SEQUENCE_LENGTH, SEED + 1)
networks = {}
for kind, rate in (("simple_rnn", 0.002), ("lstm", 0.005)):
    networks[kind] = model = build_model(kind)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=False)
    model.fit(x_train, y_train, epochs=EPOCHS, verbose=0)
    memory_results[kind] = round(100.0 * model.evaluate(x_test, y_test, verbose=0)[1], 1)


def recall(x):
    """Logits (n, 4) of the LSTM."""
    return networks["lstm"].predict(x, verbose=0)
