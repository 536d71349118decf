"""This student writes every sum out in loops over single numbers or with einsum, in double precision, and returns lists where
arrays would do."""

EXPECTED = {}
RIGHT = True
DEMO = True

# %% [rnn_step]
import math


def rnn_step(x_t, h, W_x, W_h, b):
    batch, units = len(x_t), len(b)
    out = []
    for n in range(batch):
        row = []
        for j in range(units):
            total = float(b[j])
            for i in range(len(W_x)):
                total += float(x_t[n][i]) * float(W_x[i][j])
            for i in range(units):
                total += float(h[n][i]) * float(W_h[i][j])
            row.append(math.tanh(total))
        out.append(row)
    return out

# %% [rnn_forward]
def rnn_forward(x, W_x, W_h, b, h0=None):
    x = np.asarray(x, dtype=float)
    h = [[0.0] * len(b) for _ in x] if h0 is None else h0
    states = np.empty((x.shape[0], x.shape[1], len(b)))
    for t in range(x.shape[1]):
        states[:, t] = h = rnn_step(x[:, t], h, W_x, W_h, b)
    return states

# %% [sequence_tasks]
def read_out(states, p):
    return np.einsum("...u,uo->...o", states, p["W_y"]) + p["b_y"]


def many_to_one(x, p):
    return read_out(rnn_forward(x, p["W_x"], p["W_h"], p["b"])[:, -1, :], p).tolist()


def many_to_many(x, p):
    return read_out(rnn_forward(x, p["W_x"], p["W_h"], p["b"]), p).tolist()


def one_to_many(x0, steps, p):
    batch = np.shape(x0)[0]
    result = np.zeros((batch, steps, len(p["b_y"])))
    h, current = None, x0
    for k in range(steps):
        states = rnn_forward(np.expand_dims(current, 1), p["W_x"], p["W_h"], p["b"], h0=h)
        h = states[:, 0]
        current = result[:, k] = read_out(h, p)
    return result

# %% [lstm_step]
def logistic(a):
    return 1.0 / (1.0 + np.exp(-np.asarray(a, dtype=np.float64)))


def lstm_step(x_t, h, c, W, U, b):
    n = h.shape[1]
    a = np.einsum("bf,fu->bu", x_t, W) + np.einsum("bk,ku->bu", h, U) + b
    gates = {}
    for k, name in enumerate("ifgo"):
        part = a[:, k * n : k * n + n]
        gates[name] = np.tanh(part) if name == "g" else logistic(part)
    new_c = gates["f"] * c + gates["i"] * gates["g"]
    return [gates["o"] * np.tanh(new_c), new_c]

# %% [gru_step]
def gru_step(x_t, h, W, U, b):
    n = h.shape[1]
    result = np.zeros(h.shape)
    for row in range(h.shape[0]):
        a, u = x_t[row] @ W + b[0], h[row] @ U + b[1]
        z, r = logistic(a[:n] + u[:n]), logistic(a[n : 2 * n] + u[n : 2 * n])
        candidate = np.tanh(a[2 * n :] + r * u[2 * n :])
        result[row] = candidate + z * (h[row] - candidate)
    return result

# %% [count_parameters]
def count_parameters(kind, n_features, units):
    match kind:
        case "rnn":
            shapes = [(n_features, units), (units, units), (units,)]
        case "lstm":
            shapes = [(n_features, 4 * units), (units, 4 * units), (4 * units,)]
        case "gru":
            shapes = [(n_features, 3 * units), (units, 3 * units), (2, 3 * units)]
        case _:
            raise ValueError("only rnn, lstm and gru are known")
    return sum(math.prod(shape) for shape in shapes)

# %% [bptt]
def bptt_gradient_norms(states, W_h):
    T, n = states.shape
    norms = []
    for t in range(T):
        product = np.identity(n)
        for k in range(t + 1, T):
            product = product @ (W_h * (1 - states[k] ** 2)[None, :])
        norms.append(float(np.sqrt(np.linalg.eigvalsh(product @ product.T).max())))
    return norms

# %% [clipping]
def clip_by_global_norm(gradients, max_norm):
    squares = 0.0
    for gradient in gradients:
        for value in np.asarray(gradient, dtype=float).flat:
            squares += value * value
    norm = math.sqrt(squares)
    factor = min(1.0, max_norm / (norm + 1e-12))
    return tuple(np.array(gradient) * factor for gradient in gradients), norm
