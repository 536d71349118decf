"""This student's functions are right and keep state: counters, a cache of models, NumPy's global generator, and arrays that are
written over and over. Later cells rely on that state, so whoever calls the functions in between must leave no trace."""

EXPECTED = {}
RIGHT = True

# %% [rnn_step]
CALLS = {}
np.random.seed(SEED)


def count(name):
    CALLS[name] = CALLS.get(name, 0) + 1


def rnn_step(x_t, h, W_x, W_h, b):
    count("rnn_step")
    return np.tanh(np.concatenate([x_t, h], axis=1) @ np.concatenate([W_x, W_h]) + b)


def memory_is_clean():
    return CALLS == {}

# %% [clipping]
history_of_norms = []
last_draw = np.random.rand()


def clip_by_global_norm(gradients, max_norm):
    count("clip")
    history_of_norms.append(np.linalg.norm(np.concatenate([np.ravel(g) for g in gradients])))
    scale = np.minimum(1.0, max_norm / np.maximum(history_of_norms[-1], 1e-30))
    return [np.multiply(g, scale) for g in gradients], history_of_norms[-1]

# %% [keras_models]
built = {}
before_models = dict(CALLS)


def build_model(kind, n_features=4, units=16, n_outputs=4):
    count("build_model")
    options = {"irnn": {"activation": "relu", "recurrent_initializer": "identity"}, "recurrent_dropout": {"recurrent_dropout": 0.1}}
    layers = {"simple_rnn": "SimpleRNN", "irnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU", "stacked": "GRU", "bidirectional": "GRU",
              "recurrent_dropout": "GRU", "layer_norm": "LSTM", "clipped": "GRU"}
    if kind not in layers:
        raise ValueError(kind)
    model = keras.Sequential(name=f"{kind}_{CALLS['build_model']}")
    model.add(keras.Input(shape=(None, n_features)))
    make = getattr(keras.layers, layers[kind])
    if kind == "stacked":
        model.add(make(units, return_sequences=True))
    layer = make(units, **options.get(kind, {}))
    model.add(keras.layers.Bidirectional(layer, merge_mode="concat") if kind == "bidirectional" else layer)
    if kind == "layer_norm":
        model.add(keras.layers.LayerNormalization())
    model.add(keras.layers.Dense(n_outputs))
    model.compile(
        keras.optimizers.Adam(5e-3, **({"clipvalue": 0.5} if kind == "clipped" else {})),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    built[kind, n_features, units, n_outputs] = model
    return model

# %% [memory_task]
# Nobody else has drawn a number or called a function that this student did not see: 3 in the visible tests, and so on.
assert CALLS["build_model"] == 5 and len(built) == 4, (CALLS, list(built))
assert len(history_of_norms) == 2, history_of_norms
memory_results = {}
asked = []
for kind in ("simple_rnn", "gru"):
    x, y = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
    order = np.random.permutation(len(x))
    model = build_model(kind)
    model.fit(x[order], y[order], epochs=EPOCHS, verbose=0)
    x, y = make_memory_task(2000, SEQUENCE_LENGTH, SEED + 1)
    memory_results[kind] = model.evaluate(x, y, verbose=0)[1]


def recall(x):
    asked.append(np.shape(x))
    count("recall")
    return built["gru", 4, 16, 4].predict_on_batch(np.asarray(x, "float32"))

# %% [concepts]
assert CALLS["recall"] == 1 == len(asked), (CALLS, asked)
answers = dict(zip(("q1", "q2", "q3", "q4"), "bcca".upper()))
answers |= dict(image_captioning="one_to_many", sentiment_analysis="many_to_one", standard_classification="one_to_one")
answers.update({task: "many_to_many" for task in ("machine_translation", "frame_labelling")})
