"""The right answers of `rnn_layers`, in NumPy alone: recurrent steps and sequences, gradients, and what goes with them.

Arrays are batch-first: inputs `(batch, time, features)`, states `(batch, units)`, sequences of states
`(batch, time, units)`. Weights have Keras' orientation, so that a step is `x W + h U + b`: kernels `(features, n)`,
recurrent kernels `(units, n)`, biases `(n,)`, with n the units times the gates. All is computed in double precision.

Sources: J. L. Elman, "Finding structure in time", 1990 (the simple RNN); S. Hochreiter and J. Schmidhuber, "Long
short-term memory", 1997, with the forget gate of F. Gers and others, 2000; K. Cho and others, "Learning phrase
representations using RNN encoder-decoder", 2014 (the GRU); J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization",
2016; Y. Gal and Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", 2016;
R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", 2013 (gradients).
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from autograder.errors import DataError

SYMBOLS = 4
NOISE = 0.1
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
CONCEPT_ANSWERS = {
    "q1": "B",
    "q2": "C",
    "q3": "C",
    "q4": "A",
    "sentiment_analysis": "many_to_one",
    "image_captioning": "one_to_many",
    "machine_translation": "many_to_many",
    "frame_labelling": "many_to_many",
    "standard_classification": "one_to_one",
}

Floats = NDArray[np.float64]
Sequencer = Callable[[Floats], Floats]


def rnn_step(x_t: ArrayLike, h: ArrayLike, w_x: ArrayLike, w_h: ArrayLike, b: ArrayLike) -> Floats:
    """One step of a simple RNN, tanh(x W_x + h W_h + b): `(batch, features)`, `(batch, units)` to `(batch, units)`."""
    return np.tanh(_double(x_t) @ _double(w_x) + _double(h) @ _double(w_h) + _double(b))


def rnn_forward(x: ArrayLike, w_x: ArrayLike, w_h: ArrayLike, b: ArrayLike, h0: ArrayLike | None = None) -> Floats:
    """All states of a simple RNN, `(batch, time, units)`; without `h0` `(batch, units)` it starts from zeros."""
    h = np.zeros((len(_double(x)), len(_double(b)))) if h0 is None else _double(h0)
    states = []
    for x_t in _steps(x):
        h = rnn_step(x_t, h, w_x, w_h, b)
        states.append(h)
    return np.stack(states, axis=1)


def many_to_many(x: ArrayLike, p: Mapping[str, ArrayLike]) -> Floats:
    """An output from every state, `(batch, time, outputs)`; `p` has `W_x, W_h, b, W_y (units, outputs), b_y`."""
    return rnn_forward(x, p["W_x"], p["W_h"], p["b"]) @ _double(p["W_y"]) + _double(p["b_y"])


def many_to_one(x: ArrayLike, p: Mapping[str, ArrayLike]) -> Floats:
    """The output from the last state, `(batch, outputs)`."""
    return many_to_many(x, p)[:, -1]


def one_to_many(x0: ArrayLike, steps: int, p: Mapping[str, ArrayLike]) -> Floats:
    """Outputs `(batch, steps, outputs)` from `x0` `(batch, features)` and a zero state, each fed back as next input."""
    x_t, outputs = _double(x0), []
    h = np.zeros((len(x_t), len(_double(p["b"]))))
    for _ in range(steps):
        h = rnn_step(x_t, h, p["W_x"], p["W_h"], p["b"])
        x_t = h @ _double(p["W_y"]) + _double(p["b_y"])
        outputs.append(x_t)
    return np.stack(outputs, axis=1)


def lstm_step(
    x_t: ArrayLike, h: ArrayLike, c: ArrayLike, w: ArrayLike, u: ArrayLike, b: ArrayLike
) -> tuple[Floats, Floats]:
    """One step of an LSTM, gates in the order i, f, g, o: the next h and c, each `(batch, units)`."""
    i, f, g, o = np.split(_double(x_t) @ _double(w) + _double(h) @ _double(u) + _double(b), 4, axis=-1)
    c_next = expit(f) * _double(c) + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(c_next), c_next


def lstm_forward(x: ArrayLike, w: ArrayLike, u: ArrayLike, b: ArrayLike) -> Floats:
    """All states h of an LSTM that starts from zeros, `(batch, time, units)`."""
    h = c = np.zeros((len(_double(x)), len(_double(u))))
    states = []
    for x_t in _steps(x):
        h, c = lstm_step(x_t, h, c, w, u, b)
        states.append(h)
    return np.stack(states, axis=1)


def gru_step(x_t: ArrayLike, h: ArrayLike, w: ArrayLike, u: ArrayLike, b: ArrayLike) -> Floats:
    """One step of a GRU as Keras has it by default (`reset_after=True`), gates in the order z, r, h: `(batch, units)`.

    `b` is `(2, 3 units)`, input bias and recurrent bias: the reset gate works on the finished recurrent product.
    """
    b_x, b_h = _double(b)
    z_x, r_x, g_x = np.split(_double(x_t) @ _double(w) + b_x, 3, axis=-1)
    z_h, r_h, g_h = np.split(_double(h) @ _double(u) + b_h, 3, axis=-1)
    z, r = expit(z_x + z_h), expit(r_x + r_h)
    return z * _double(h) + (1 - z) * np.tanh(g_x + r * g_h)


def gru_step_reset_before(x_t: ArrayLike, h: ArrayLike, w: ArrayLike, u: ArrayLike, b: ArrayLike) -> Floats:
    """One step of a GRU as published (`reset_after=False`), `b` `(3 units,)`: the reset gate works on the state."""
    u_z, u_r, u_g = np.split(_double(u), 3, axis=-1)
    z_x, r_x, g_x = np.split(_double(x_t) @ _double(w) + _double(b), 3, axis=-1)
    z, r = expit(z_x + _double(h) @ u_z), expit(r_x + _double(h) @ u_r)
    return z * _double(h) + (1 - z) * np.tanh(g_x + (r * _double(h)) @ u_g)


def gru_forward(x: ArrayLike, w: ArrayLike, u: ArrayLike, b: ArrayLike) -> Floats:
    """All states of a GRU that starts from zeros, `(batch, time, units)`; the variant follows from the shape of `b`."""
    step = gru_step if _double(b).ndim == 2 else gru_step_reset_before
    h = np.zeros((len(_double(x)), len(_double(u))))
    states = []
    for x_t in _steps(x):
        h = step(x_t, h, w, u, b)
        states.append(h)
    return np.stack(states, axis=1)


def bidirectional(x: ArrayLike, forward: Sequencer, backward: Sequencer) -> Floats:
    """Both directions, concatenated by time (M. Schuster and K. K. Paliwal, 1997): `(batch, time, 2 units)`.

    Each of the two maps `(batch, time, features)` to `(batch, time, units)`; the second is given the sequence reversed.
    """
    inputs = _double(x)
    return np.concatenate([forward(inputs), backward(inputs[:, ::-1])[:, ::-1]], axis=-1)


def layer_norm(x: ArrayLike, gamma: ArrayLike = 1.0, beta: ArrayLike = 0.0, epsilon: float = 1e-3) -> Floats:
    """Each vector along the last axis with mean 0 and variance 1, times gamma plus beta; the shape stays."""
    values = _double(x)
    centred = values - values.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(values.var(axis=-1, keepdims=True) + epsilon) * _double(gamma) + _double(beta)


def dropout(x: ArrayLike, rate: float, rng: np.random.Generator, *, training: bool) -> Floats:
    """Inverted dropout: in training each value is zero with probability `rate` and else divided by 1 - rate.

    At inference nothing happens, so that the expectation is the same in both.
    """
    values = _double(x)
    return values * dropout_mask(values.shape, rate, rng) if training else values


def dropout_mask(shape: tuple[int, ...], rate: float, rng: np.random.Generator) -> Floats:
    """Factors 0 and 1 / (1 - rate). Recurrent dropout takes one mask `(batch, units)` for all steps of a sequence."""
    if not 0 <= rate < 1:
        raise DataError(f"A dropout rate is at least 0 and below 1; received: {rate}")
    return (rng.random(shape) >= rate) / (1 - rate)


def count_parameters(kind: str, n_features: int, units: int) -> int:
    """Weights of a Keras layer with its defaults and biases: kernel, recurrent kernel, bias (a GRU has two of them)."""
    if kind not in GATES:
        raise DataError(f"The kinds are {', '.join(GATES)}; received: {kind!r}")
    biases = 2 if kind == "gru" else 1
    return GATES[kind] * (n_features * units + units * units + biases * units)


def bptt_gradient_norms(states: ArrayLike, w_h: ArrayLike) -> Floats:
    """Spectral norms of d h_T / d h_t of a simple RNN for t = 1..T, `(time,)`, from its states `(time, units)`.

    One step gives d h_k / d h_{k-1} = W_h diag(1 - h_k^2) (tanh' from the state itself); the steps multiply.
    """
    h, recurrent = _double(states), _double(w_h)
    jacobian = np.eye(h.shape[1])
    norms = [1.0]
    for state in h[:0:-1]:
        jacobian = recurrent * (1 - state**2) @ jacobian
        norms.append(float(np.linalg.norm(jacobian, 2)))
    return np.array(norms[::-1])


def clip_by_global_norm(gradients: Sequence[ArrayLike], max_norm: float) -> tuple[list[Floats], float]:
    """The gradients, scaled together so that their common norm is at most `max_norm`; and that norm before."""
    arrays = [_double(gradient) for gradient in gradients]
    norm = float(np.sqrt(sum(float((array**2).sum()) for array in arrays)))
    scale = max_norm / norm if norm > max_norm else 1.0
    return [array * scale for array in arrays], norm


def memory_task(n: int, length: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Recall the first symbol: x float32 `(n, length, 4)`, one-hot at the first step, then noise; y `(n,)` in 0..3."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, SYMBOLS, size=n)
    x = rng.normal(0.0, NOISE, size=(n, length, SYMBOLS))
    x[:, 0] = np.eye(SYMBOLS)[y]
    return x.astype(np.float32), y


def _double(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _steps(x: ArrayLike) -> Floats:
    """Time first: `(time, batch, features)`."""
    return np.swapaxes(_double(x), 0, 1)
