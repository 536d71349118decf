"""This student writes classes: cells that hold their weights and are called, a registry of models with a recurrent cell of its own
and a bidirectional model made by hand; recall is the model itself, and memory_results keeps more than accuracies."""

EXPECTED = {}
RIGHT = True

# %% [rnn_step]
class ElmanCell:
    """A cell that holds its weights."""

    def __init__(self, W_x, W_h, b):
        self.weights = np.vstack([W_x, W_h, np.reshape(b, (1, -1))])

    def __call__(self, x_t, h):
        return np.tanh(np.hstack([x_t, h, np.ones((len(h), 1), h.dtype)]).dot(self.weights))


rnn_step = lambda x_t, h, W_x, W_h, b: ElmanCell(W_x, W_h, b)(x_t, h)  # noqa: E731

# %% [rnn_forward]
import functools
import itertools


def rnn_forward(x, W_x, W_h, b, h0=None):
    cell = ElmanCell(W_x, W_h, b)
    start = np.zeros((x.shape[0], b.size), dtype=x.dtype) if h0 is None else h0
    states = itertools.accumulate(x.transpose(1, 0, 2), lambda h, x_t: cell(x_t, h), initial=start)
    return np.array(list(states)[1:]).swapaxes(0, 1)

# %% [sequence_tasks]
class Network:
    def __init__(self, *, W_x, W_h, b, W_y, b_y):
        self.cell, self.W_y, self.b_y = (W_x, W_h, b), W_y, b_y

    def outputs(self, x):
        return np.matmul(rnn_forward(x, *self.cell), self.W_y) + self.b_y

    def last(self, x):
        return self.outputs(x)[..., -1, :]

    def write(self, x0):
        h, y = np.zeros((len(x0), len(self.cell[2])), x0.dtype), x0
        while True:
            h = rnn_step(y, h, *self.cell)
            y = h @ self.W_y + self.b_y
            yield y


def many_to_one(x, p):
    return Network(**p).last(x)


def many_to_many(x, p):
    return Network(**p).outputs(x)


def one_to_many(x0, steps, p):
    return np.stack(tuple(itertools.islice(Network(**p).write(x0), steps)), axis=-2)

# %% [lstm_step]
from collections import namedtuple
from scipy.special import expit

LSTMState = namedtuple("LSTMState", "h c")


def lstm_step(x_t, h, c, W, U, b):
    z = (x_t @ W + h @ U + b).reshape(len(h), 4, -1)
    c = expit(z[:, 1]) * c + expit(z[:, 0]) * np.tanh(z[:, 2])
    return LSTMState(c=c, h=expit(z[:, 3]) * np.tanh(c))

# %% [gru_step]
def gru_step(x_t, h, W, U, b):
    b_in, b_rec = b
    x_z, x_r, x_h = np.hsplit(x_t @ W + b_in, 3)
    h_z, h_r, h_h = np.hsplit(h @ U + b_rec, 3)
    keep = expit(x_z + h_z)
    return h + (1 - keep) * (np.tanh(x_h + expit(x_r + h_r) * h_h) - h)

# %% [bptt]
def bptt_gradient_norms(states, W_h):
    steps = [W_h * (1 - h * h) for h in states[1:]]
    products = [functools.reduce(np.matmul, steps[t:], np.eye(len(W_h))) for t in range(len(states))]
    return np.linalg.svd(products, compute_uv=False).max(axis=-1)

# %% [clipping]
def clip_by_global_norm(gradients, max_norm):
    """As torch.nn.utils.clip_grad_norm_ does it, with a small number in the denominator."""
    norm = np.linalg.norm([np.linalg.norm(np.asarray(g).reshape(-1)) for g in gradients])
    scale = min(1.0, max_norm / (norm + 1e-6))
    return [scale * g if scale < 1.0 else g for g in gradients], norm

# %% [keras_models]
MODELS = {}


def register(function):
    MODELS[function.__name__.removeprefix("make_")] = function
    return function


@keras.saving.register_keras_serializable("homework")
class NormalisedCell(keras.layers.Layer):
    """A simple recurrent cell whose state is normalised at every step."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units
        self.cell = keras.layers.SimpleRNNCell(units, activation=None)
        self.normalise = keras.layers.LayerNormalization()

    def build(self, shape):
        self.cell.build(shape)
        self.normalise.build((shape[0], self.units))

    def call(self, x, states):
        h = keras.ops.tanh(self.normalise(self.cell(x, states)[0]))
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@register
def make_simple_rnn(x, units):
    return keras.layers.SimpleRNN(units, return_sequences=True)(x)[:, -1]


@register
def make_lstm(x, units):
    _, h, c = keras.layers.LSTM(units, return_state=True)(x)
    return keras.layers.concatenate([h, c])


@register
def make_gru(x, units):
    return keras.layers.GRU(units)(keras.layers.TimeDistributed(keras.layers.Dense(units))(x))


@register
def make_stacked(x, units):
    for _ in range(3):
        x = keras.layers.SimpleRNN(units, return_sequences=True)(x)
    return keras.layers.GlobalAveragePooling1D()(x)


@register
def make_bidirectional(x, units):
    there, back = keras.layers.LSTM(units)(x), keras.layers.LSTM(units)(keras.ops.flip(x, axis=1))
    return keras.layers.add([there, back])


@register
def make_recurrent_dropout(x, units):
    return keras.layers.Bidirectional(keras.layers.GRU(units, recurrent_dropout=0.5))(x)


@register
def make_layer_norm(x, units):
    return keras.layers.RNN(NormalisedCell(units))(x)


@register
def make_irnn(x, units):
    eye = lambda shape, dtype=None: keras.ops.eye(*shape, dtype=dtype or "float32")
    return keras.layers.SimpleRNN(units, activation=tf.nn.relu, recurrent_initializer=eye, use_bias=False)(x)


MODELS["clipped"] = make_gru


def build_model(kind, n_features=4, units=16, n_outputs=4):
    try:
        make = MODELS[kind]
    except KeyError:
        raise ValueError(f"There is no model of the kind {kind!r}.") from None
    x = keras.Input(shape=(None, n_features))
    model = keras.Model(x, keras.layers.Dense(n_outputs, activation="linear")(make(x, units)))
    model.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, clipvalue=1.0 if kind == "clipped" else None),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model

# %% [memory_task]
from collections import defaultdict

memory_results = defaultdict(lambda: 0.25)
train, test = (make_memory_task(n, SEQUENCE_LENGTH, SEED + k) for k, n in enumerate((N_SEQUENCES, 800)))
for kind in ("simple_rnn", "irnn"):
    model = build_model(kind)
    model.compile(keras.optimizers.Adam(2e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False)
    history = model.fit(*train, epochs=EPOCHS, validation_split=0.1, verbose=0)
    memory_results[kind] = model.evaluate(*test, verbose=0, return_dict=True)["accuracy"]
memory_results["gru (no training)"] = float(np.mean(np.argmax(build_model("gru")(test[0]), axis=-1) == test[1]))
memory_results["epochs"] = len(history.epoch)
memory_results["loss of the irnn"] = history.history["loss"]
recall = model

# %% [concepts]
answers = {
    "q4": "A", "q3": "C", "q2": "C", "q1": "B", "why q3": "a label for each pixel",
    **{"standard_classification": "one_to_one", "sentiment_analysis": "many_to_one", "image_captioning": "one_to_many"},
    **dict.fromkeys(["machine_translation", "frame_labelling"], "many_to_many"),
}
