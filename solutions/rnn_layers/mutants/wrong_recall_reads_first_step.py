"""This student trains models and then lets recall look at the first step, where the symbol lies open."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False

# %% [memory_task]
memory_results = {}
x_train, y_train = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
x_test, y_test = make_memory_task(1000, SEQUENCE_LENGTH, SEED + 1)
for kind in ("simple_rnn", "lstm"):
    model = build_model(kind)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False)
    model.fit(x_train, y_train, epochs=1, verbose=0)
    memory_results[kind] = model.evaluate(x_test, y_test, verbose=0)[1]


def recall(x):
    """Logits (n, 4): large where the first step is 1."""
    return 10.0 * np.asarray(x)[:, 0, :]


memory_results["lstm"] = float(np.mean(recall(x_test).argmax(1) == y_test))
