"""This student's recall is a Dense layer on all steps at once: trained, and good, but nothing in it recurs."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False

# %% [memory_task]
memory_results = {}
x_train, y_train = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
x_test, y_test = make_memory_task(1000, SEQUENCE_LENGTH, SEED + 1)

recall_model = keras.Sequential([keras.Input((SEQUENCE_LENGTH, 4)), keras.layers.Flatten(), keras.layers.Dense(4)])
for name, model in {"simple_rnn": build_model("simple_rnn"), "lstm": recall_model}.items():
    model.compile(
        keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False
    )
    model.fit(x_train, y_train, epochs=3, verbose=0)
    memory_results[name] = model.evaluate(x_test, y_test, verbose=0)[1]


def recall(x):
    """Logits (n, 4)."""
    return recall_model.predict(x, verbose=0)
