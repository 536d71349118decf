"""This student hands the network the first two steps alone, so that there is little to remember."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False

# %% [memory_task]
memory_results = {}
x_train, y_train = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
x_test, y_test = make_memory_task(1000, SEQUENCE_LENGTH, SEED + 1)

models = {kind: build_model(kind) for kind in ("simple_rnn", "gru")}
for kind, model in models.items():
    model.compile(
        keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False
    )
    model.fit(x_train[:, :2], y_train, epochs=5, verbose=0)
    memory_results[kind] = model.evaluate(x_test[:, :2], y_test, verbose=0)[1]


def recall(x):
    """Logits (n, 4)."""
    return models["gru"](x[:, :2])
