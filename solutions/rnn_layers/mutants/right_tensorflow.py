"""This student does everything with TensorFlow: tensors come back, Keras' own cells do the steps with the weights set into them,
gradients come from a tape, and the memory task is trained in a loop of its own."""

EXPECTED = {}
RIGHT = True

# %% [rnn_step]
def rnn_step(x_t, h, W_x, W_h, b):
    x_t, h, W_x, W_h, b = (tf.cast(each, tf.float32) for each in (x_t, h, W_x, W_h, b))
    return tf.math.tanh(tf.nn.bias_add(tf.matmul(x_t, W_x) + tf.matmul(h, W_h), b))

# %% [rnn_forward]
def rnn_forward(x, W_x, W_h, b, h0=None):
    x = tf.cast(x, tf.float32)
    start = tf.zeros((tf.shape(x)[0], len(b))) if h0 is None else tf.cast(h0, tf.float32)
    states = tf.scan(lambda h, x_t: rnn_step(x_t, h, W_x, W_h, b), tf.transpose(x, [1, 0, 2]), initializer=start)
    return tf.transpose(states, [1, 0, 2])

# %% [sequence_tasks]
def outputs(states, p):
    return tf.tensordot(states, tf.cast(p["W_y"], tf.float32), 1) + tf.cast(p["b_y"], tf.float32)


def many_to_many(x, p):
    return outputs(rnn_forward(x, p["W_x"], p["W_h"], p["b"]), p)


def many_to_one(x, p):
    return tf.gather(many_to_many(x, p), np.shape(x)[1] - 1, axis=1)


def one_to_many(x0, steps, p):
    h, y, written = tf.zeros((len(x0), len(p["b"]))), x0, []
    while len(written) < steps:
        h = rnn_step(y, h, p["W_x"], p["W_h"], p["b"])
        y = outputs(h, p)
        written.append(y)
    return tf.stack(written, axis=1)

# %% [lstm_step]
def lstm_step(x_t, h, c, W, U, b):
    cell = keras.layers.LSTMCell(np.shape(h)[-1])
    cell.build(np.shape(x_t))
    cell.set_weights([W, U, b])
    _, (h_next, c_next) = cell(tf.cast(x_t, tf.float32), [tf.cast(h, tf.float32), tf.cast(c, tf.float32)])
    return h_next, c_next

# %% [gru_step]
def gru_step(x_t, h, W, U, b):
    layer = keras.layers.GRU(np.shape(h)[-1], return_state=True)
    layer.build((None, None, np.shape(x_t)[-1]))
    layer.set_weights([W, U, b])
    return layer(tf.cast(x_t, tf.float32)[:, None, :], initial_state=tf.cast(h, tf.float32))[1]

# %% [count_parameters]
def count_parameters(kind, n_features, units):
    classes = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    try:
        layer = classes[kind](units)
    except KeyError as error:
        raise ValueError(kind) from error
    layer.build((None, None, n_features))
    return np.int64(sum(np.prod(weight.shape) for weight in layer.weights))

# %% [bptt]
def bptt_gradient_norms(states, W_h):
    W = tf.cast(W_h, tf.float64)
    h = [tf.cast(each, tf.float64) for each in states]
    norms = [tf.constant(1.0, tf.float64)]
    jacobian = tf.eye(len(W_h), dtype=tf.float64)
    for t in range(len(h) - 1, 0, -1):
        jacobian = tf.linalg.matmul(W, (1 - h[t] ** 2)[:, None] * jacobian)
        norms.insert(0, tf.linalg.norm(jacobian, 2, axis=(0, 1)))
    return tf.stack(norms)

# %% [clipping]
def clip_by_global_norm(gradients, max_norm):
    tensors = [tf.constant(gradient) for gradient in gradients]
    norm = tf.linalg.global_norm(tensors)
    if norm <= max_norm:
        return tensors, norm
    return [tensor * (max_norm / norm) for tensor in tensors], norm

# %% [memory_task]
memory_results = {}
trained = {}
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
x_new, y_new = make_memory_task(1000, SEQUENCE_LENGTH, 12345)
for kind in ("simple_rnn", "irnn", "gru"):
    x_old, y_old = make_memory_task(N_SEQUENCES, SEQUENCE_LENGTH, SEED)
    model, optimizer = build_model(kind), keras.optimizers.Adam(2e-3)

    @tf.function
    def learn(x, y):
        with tf.GradientTape() as tape:
            loss = cross_entropy(y, model(x, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    optimizer.build(model.trainable_variables)
    for epoch in range(EPOCHS if kind != "simple_rnn" else 3):
        for batch in tf.data.Dataset.from_tensor_slices((x_old, y_old)).shuffle(N_SEQUENCES, seed=epoch).batch(32, drop_remainder=True):
            learn(*batch)
    trained[kind] = model
    memory_results[kind] = np.float32(np.mean(np.argmax(model(x_new), axis=1) == y_new))


def recall(x):
    return trained["irnn"](tf.cast(x, tf.float32), training=False)
