"""This student hands in a network that was trained for one epoch, with accuracies from somewhere else."""

EXPECTED = {"memory_task": "partial"}
RIGHT = False

# %% [memory_task]
x_train, y_train = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
network = build_model("lstm")
network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
network.fit(x_train, y_train, batch_size=256, epochs=1, verbose=0)
memory_results = {"simple_rnn": 0.93, "lstm": 0.998}


def recall(x):
    """Logits (n, 4) of the LSTM."""
    return network.predict(x, verbose=0)
