"""The questions that NumPy answers: right in several styles, and wrong in ways that the hints name. 3 seconds, no TensorFlow.

Right answers come from the oracles; a wrong one is a right one with a piece of its text replaced.
"""

import pytest

RIGHT = {
    "rnn_step": """
def rnn_step(x_t, h, W_x, W_h, b):
    return np.tanh(x_t @ W_x + h @ W_h + b)
""",
    "rnn_forward": """
def rnn_forward(x, W_x, W_h, b, h0=None):
    h = np.zeros((len(x), len(b)), "float32") if h0 is None else h0
    states = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)
        states.append(h)
    return np.stack(states, axis=1)
""",
    "sequence_tasks": """
def step(x_t, h, p):
    h = np.tanh(x_t @ p["W_x"] + h @ p["W_h"] + p["b"])
    return h, h @ p["W_y"] + p["b_y"]
def start(x, p):
    return np.zeros((len(x), len(p["b"])))
def many_to_many(x, p):
    h, outputs = start(x, p), []
    for t in range(x.shape[1]):
        h, y = step(x[:, t], h, p)
        outputs.append(y)
    return np.stack(outputs, axis=1)
def many_to_one(x, p):
    return many_to_many(x, p)[:, -1]
def one_to_many(x0, steps, p):
    h, y, outputs = start(x0, p), x0, []
    for _ in range(steps):
        h, y = step(y, h, p)
        outputs.append(y)
    return np.stack(outputs, axis=1)
""",
    "lstm_step": """
def s(a):
    return 1 / (1 + np.exp(-a))
def lstm_step(x_t, h, c, W, U, b):
    i, f, g, o = np.split(x_t @ W + h @ U + b, 4, axis=-1)
    c_next = s(f) * c + s(i) * np.tanh(g)
    return s(o) * np.tanh(c_next), c_next
""",
    "gru_step": """
def s(a):
    return 1 / (1 + np.exp(-a))
def gru_step(x_t, h, W, U, b):
    xz, xr, xh = np.split(x_t @ W + b[0], 3, axis=-1)
    hz, hr, hh = np.split(h @ U + b[1], 3, axis=-1)
    z, r = s(xz + hz), s(xr + hr)
    return z * h + (1 - z) * np.tanh(xh + r * hh)
""",
    "count_parameters": """
def count_parameters(kind, n_features, units):
    if kind == "rnn":
        return units * (n_features + units + 1)
    if kind == "lstm":
        return 4 * units * (n_features + units + 1)
    if kind == "gru":
        return 3 * units * (n_features + units + 2)
    raise ValueError(kind)
""",
    "bptt": """
def bptt_gradient_norms(states, W_h):
    J, norms = np.eye(len(W_h)), [1.0]
    for h in states[:0:-1]:
        J = W_h @ np.diag(1 - h**2) @ J
        norms.append(np.linalg.norm(J, 2))
    return np.array(norms[::-1])
""",
    "clipping": """
def clip_by_global_norm(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    scale = max_norm / norm if norm > max_norm else 1.0
    return [g * scale for g in gradients], norm
""",
}
ORACLES = {
    "rnn_step": "from reference_models.recurrent_oracles import rnn_step",
    "rnn_forward": "from reference_models.recurrent_oracles import rnn_forward",
    "sequence_tasks": "from reference_models.recurrent_oracles import many_to_many, many_to_one, one_to_many",
    "lstm_step": "from reference_models.recurrent_oracles import lstm_step",
    "gru_step": "from reference_models.recurrent_oracles import gru_step",
    "bptt": "from reference_models.recurrent_oracles import bptt_gradient_norms",
    "clipping": "from reference_models.recurrent_oracles import clip_by_global_norm",
}
WRONG = {
    # question, old text, new text, checks that fail, a word of the hint of one of them
    "no bias": ("rnn_step", " + b)", ")", {"from_a_zero_state", "values"}, "bias"),
    "no memory": ("rnn_step", " + h @ W_h", "", {"values"}, "memory"),
    "no tanh": ("rnn_step", "np.tanh(", "(", {"from_a_zero_state", "values"}, "tanh"),
    "transposed": ("rnn_step", "h @ W_h", "h @ W_h.T", {"values"}, "transposed"),
    "in place": ("rnn_step", "    return", "    h *= 1.5\n    return", {"values", "inputs_are_left_alone"}, ""),
    "batch last": ("rnn_step", " + b)", " + b).T", {"shape", "from_a_zero_state", "values"}, ""),
    "state not carried": ("rnn_forward", "h = np.tanh(x[:, t] @ W_x + h @ W_h + b)\n        states.append(h)",
                          "states.append(np.tanh(x[:, t] @ W_x + h @ W_h + b))", {"states_from_zeros", "states_from_h0"}, "zeros"),
    "time first": ("rnn_forward", "axis=1)", "axis=0)", {"shape", "states_from_zeros", "states_from_h0",
                                                         "the_past_does_not_know_the_future"}, "changed places"),
    "h0 ignored": ("rnn_forward", "if h0 is None else h0", "", {"states_from_h0"}, "h0"),
    "last state alone": ("rnn_forward", "np.stack(states, axis=1)", "h", {"shape", "states_from_zeros", "states_from_h0",
                                                                           "the_past_does_not_know_the_future"}, "last state alone"),
    "h0 changed": ("rnn_forward", "        h = np.tanh(x[:, t] @ W_x + h @ W_h + b)\n        states.append(h)",
                   "        h[:] = np.tanh(x[:, t] @ W_x + h @ W_h + b)\n        states.append(h.copy())", {"inputs_are_left_alone"}, "second name"),
    "backwards": ("rnn_forward", "range(x.shape[1])", "range(x.shape[1])[::-1]", {"states_from_zeros", "states_from_h0",
                                                                                  "the_past_does_not_know_the_future"}, ""),
    "first instead of last": ("sequence_tasks", "many_to_many(x, p)[:, -1]", "many_to_many(x, p)[:, 0]", {"many_to_one"}, "first state"),
    "mean over time": ("sequence_tasks", "many_to_many(x, p)[:, -1]", "many_to_many(x, p).mean(axis=1)", {"many_to_one"}, "mean over time"),
    "x0 fed again": ("sequence_tasks", "h, y = step(y, h, p)", "h, y = step(x0, h, p)", {"outputs_are_fed_back"}, "next input"),
    "state lost": ("sequence_tasks", "h, y = step(y, h, p)", "_, y = step(y, h, p)", {"outputs_are_fed_back"}, "carry it on"),
    "x0 first": ("sequence_tasks", "        h, y = step(y, h, p)\n        outputs.append(y)\n    return np.stack(outputs, axis=1)\n\n",
                 "", None, ""),
    "gates i, f, o, g": ("lstm_step", "i, f, g, o =", "i, f, o, g =", {"cell_state", "hidden_state", "gates_keep_and_forget"}, "order i, f, g, o"),
    "gates f, i, g, o": ("lstm_step", "i, f, g, o =", "f, i, g, o =", {"cell_state", "hidden_state", "gates_keep_and_forget"}, "order i, f, g, o"),
    "c before h": ("lstm_step", "return s(o) * np.tanh(c_next), c_next", "return c_next, s(o) * np.tanh(c_next)",
                   {"cell_state", "hidden_state", "gates_keep_and_forget"}, "changed places"),
    "no tanh of c": ("lstm_step", "np.tanh(c_next)", "c_next", {"hidden_state"}, "tanh"),
    "old c shown": ("lstm_step", "np.tanh(c_next)", "np.tanh(c)", {"hidden_state"}, "next cell state"),
    "candidate through a gate": ("lstm_step", "np.tanh(g)", "s(g)", {"cell_state", "hidden_state", "gates_keep_and_forget"}, "logistic"),
    "h alone": ("lstm_step", "return s(o) * np.tanh(c_next), c_next", "return s(o) * np.tanh(c_next)",
                {"shapes", "cell_state", "hidden_state", "gates_keep_and_forget"}, "return h_next, c_next"),
    "z the other way": ("gru_step", "z * h + (1 - z) *", "(1 - z) * h + z *", {"from_a_zero_state", "values", "update_gate_keeps"}, "old state"),
    "r before z": ("gru_step", "z, r = s(xz + hz), s(xr + hr)", "r, z = s(xz + hz), s(xr + hr)",
                   {"from_a_zero_state", "values", "update_gate_keeps"}, "update gate z"),
    "one bias": ("gru_step", "h @ U + b[1]", "h @ U", {"from_a_zero_state", "values"}, "recurrent bias"),
    "reset before": ("gru_step", "np.tanh(xh + r * hh)", "np.tanh(xh + b[1, -h.shape[1] :] + (r * h) @ U[:, -h.shape[1] :])",
                     {"from_a_zero_state", "values"}, "reset_after"),
    "no reset gate": ("gru_step", "r * hh", "hh", {"from_a_zero_state", "values"}, "reset gate is missing"),
    "gru with one bias": ("count_parameters", "units + 2", "units + 1", {"gru"}, "two biases"),
    "lstm without biases": ("count_parameters", "4 * units * (n_features + units + 1)", "4 * units * (n_features + units)", {"lstm"}, "biases"),
    "one gate": ("count_parameters", "4 * units", "units", {"lstm"}, "one gate"),
    "another exception": ("count_parameters", "raise ValueError", "raise KeyError", {"unknown_kind"}, ""),
    "no exception": ("count_parameters", "    raise ValueError(kind)", "    return 0", {"unknown_kind"}, ""),
    "no derivative": ("bptt", " @ np.diag(1 - h**2)", "", {"values"}, "derivative of tanh"),
    "reversed": ("bptt", "norms[::-1]", "norms", {"the_last_is_one", "values", "vanishing_and_exploding"}, "reverse order"),
    "frobenius": ("bptt", "np.linalg.norm(J, 2)", "np.linalg.norm(J)", {"values", "vanishing_and_exploding"}, "Frobenius"),
    "states one step off": ("bptt", "states[:0:-1]", "states[-2::-1]", {"values"}, "state of t + 1"),
    "factors in the wrong order": ("bptt", "W_h @ np.diag(1 - h**2) @ J", "J @ W_h @ np.diag(1 - h**2)", {"values"}, "order"),
    "without the last": ("bptt", "norms[::-1]", "norms[:0:-1]", {"shape", "the_last_is_one", "values", "vanishing_and_exploding"}, ""),
    "per array": ("clipping", "return [g * scale for g in gradients], norm",
                  "return [g * min(1, max_norm / max(np.linalg.norm(g), 1e-9)) for g in gradients], norm",
                  {"scales_all_together", "never_raises_a_norm"}, "its own norm"),
    "per number": ("clipping", "g * scale for g", "np.clip(g, -max_norm, max_norm) for g", {"scales_all_together", "never_raises_a_norm"}, None),
    "always scaled": ("clipping", " if norm > max_norm else 1.0", "", {"below_the_limit", "never_raises_a_norm", "zero_gradients"}, ""),
    "norm afterwards": ("clipping", "for g in gradients], norm", "for g in gradients], norm * scale", {"norm_before_clipping"}, "before"),
    "sum of norms": ("clipping", "np.sqrt(sum((g**2).sum() for g in gradients))", "sum(np.linalg.norm(g) for g in gradients)",
                     {"scales_all_together", "norm_before_clipping"}, "sum of squares"),
    "no norm": ("clipping", ", norm\n", "\n", None, "the norm"),
}  # fmt: skip
WRONG.pop("x0 first")


@pytest.mark.parametrize("question", RIGHT)
def test_right(judge, question):
    assert judge(question, RIGHT[question]) == {}


@pytest.mark.parametrize("question", ORACLES)
def test_oracles_pass(judge, question):
    assert judge(question, ORACLES[question]) == {}


@pytest.mark.parametrize("mistake", WRONG)
def test_wrong(judge, mistake):
    """Exactly the checks that the mistake concerns fail, and a hint names it."""
    question, old, new, lost, word = WRONG[mistake]
    assert old in RIGHT[question]
    found = judge(question, RIGHT[question].replace(old, new))
    assert found
    assert lost is None or set(found) == lost, dict(found)
    assert not word or any(word in hint for hint in found.hints.values()), found.hints


@pytest.mark.parametrize("question", RIGHT)
def test_unanswered(judge, questions, question):
    """Nothing passes, and the student reads why."""
    names = [
        line.split("(")[0].removeprefix("def ") for line in RIGHT[question].splitlines() if line.startswith("def ")
    ]
    stub = "\n".join(f"def {name}(*arguments):\n    raise NotImplementedError()" for name in names)
    checks = {name.removeprefix("test_") for name in vars(questions[question].module) if name.startswith("test_")}
    found = judge(question, stub)
    assert set(found) == checks
    assert any("not been answered" in message for message in found.values())
    assert all("is not defined" in message for message in judge(question).values())


VALUES = ("None", "3", "float('nan')", "'text'", "[]", "[[1], [2, 3]]", "{}", "{'a': 1}", "object()", "np.zeros(3)", "np.zeros((0, 4))",
          "(np.zeros(3), 'b')", "([], None)", "(None, None)", "([None] * 3, 1.0)", "1j", "10 ** 400", "np.array(['a'])",
          "(np.zeros((5, 4)), np.full((5, 4), np.nan))", "True", "1 / 0")  # fmt: skip


@pytest.mark.parametrize("question", RIGHT)
def test_odd_values(judge, question):
    """Whatever a function returns, the checks say so, and none goes wrong itself."""
    names = [
        line.split("(")[0].removeprefix("def ") for line in RIGHT[question].splitlines() if line.startswith("def ")
    ]
    for value in VALUES:
        functions = "\n".join(f"def {name}(*arguments, **options):\n    return {value}" for name in names)
        assert judge(question, functions), value
