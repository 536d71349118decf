"""Each operator on small sources: what stood there, and what the mistake puts in its place. Two seconds."""

import pytest

from autograder.selftest.cells import SolutionCell
from autograder.selftest.mutations import generate
from autograder.selftest.operators import OPERATORS

TEXT = "Write `f(x)`, a layer with `units=3` and `recurrent_dropout`, at a threshold of 0.5."


def made(source, operator=None, **cell):
    """The mutated sources that an operator makes of a cell."""
    mutations, problems = generate([SolutionCell("q", source, **cell)])
    assert not problems
    return [each.source for each in mutations if operator is None or each.operator == operator]


CASES = [
    ("slice_off_by_one", "y = x[1:n]", ["y = x[2:n]", "y = x[1:n - 1]"]),
    ("slice_off_by_one", "y = x[-1:]", ["y = x[-2:]"]),
    ("slice_off_by_one", "y = x[:-n]", ["y = x[:(-n) - 1]"]),
    ("slice_off_by_one", "y = x[:0:-1]", ["y = x[:1:-1]"]),
    ("index_off_by_one", "y = x[:, -1]", ["y = x[:, -2]"]),
    ("index_off_by_one", "y = x[0]", ["y = x[1]"]),
    ("range_off_by_one", "y = list(range(n))", ["y = list(range(n - 1))"]),
    (
        "range_off_by_one",
        "y = np.arange(0, n + 1, 2)",
        ["y = np.arange(1, n + 1, 2)", "y = np.arange(0, n + 1 - 1, 2)"],
    ),
    ("axis_swapped", "y = x.sum(axis=0)", ["y = x.sum(axis=1)"]),
    ("axis_swapped", "y = x.sum(axis=-1)", ["y = x.sum(axis=0)"]),
    ("axis_swapped", "y = x.sum(axis=(0, 1))", ["y = x.sum(axis=0)"]),
    ("axis_swapped", "y = grid[row, column]", ["y = grid[column, row]"]),
    ("axis_swapped", "y = grid[row, 0]", []),
    ("targets_swapped", "def f():\n    return h, c", ["def f():\n    return c, h"]),
    ("targets_swapped", "a, b, c = f(x)", ["b, a, c = f(x)"]),
    ("targets_swapped", "a, b = [], []", []),
    ("order_swapped", "y = np.stack([a, b])", ["y = np.stack([b, a])"]),
    ("order_swapped", "for a, (b, c) in x:\n    y = a", []),
    ("order_swapped", "a, b = f(x), g(x)", []),
    ("order_swapped", "y = ['a', 'b'] + [1, 2]", []),
    ("product_order", "y = x @ W + b", ["y = W @ x + b"]),
    ("product_order", "y = a @ b @ c", ["y = c @ (a @ b)", "y = b @ a @ c"]),
    ("comparison_boundary", "y = a < b", ["y = a <= b"]),
    ("comparison_boundary", "y = a >= b", ["y = a > b"]),
    ("comparison_boundary", "y = a == b", []),
    ("constant_changed", "y = 3 * x", ["y = 4 * x"]),
    ("constant_changed", "y = 0.5 * x", ["y = 1.0 * x"]),
    ("constant_changed", "y = f(x, padding='same')", ['y = f(x, padding="valid")']),
    ("constant_changed", "y = f(x, strict=True)", ["y = f(x, strict=False)"]),
    ("constant_changed", "y = x / (norm + 1e-12)", []),
    ("constant_changed", "y = x.reshape(-1, 4)", ["y = x.reshape(-1, 5)"]),
    ("constant_changed", "y = np.random.default_rng(SEED + 1)", []),
    ("answers_exchanged", "y = {'q1': 'B', 'q2': 'C'}", ["y = {'q1': 'C', 'q2': 'C'}", "y = {'q1': 'B', 'q2': 'B'}"]),
    ("answers_exchanged", "y = {'q1': 'B', 'q2': f(x)}", []),
    ("return_sequences_dropped", "y = GRU(8, return_sequences=True)", ["y = GRU(8)"]),
    ("keyword_dropped", "y = sorted(x, key=f)", ["y = sorted(x)"]),
    ("keyword_dropped", "y = f(x, seed=3)", []),
    ("function_exchanged", "y = x.min() + max(a, b)", ["y = x.max() + max(a, b)", "y = x.min() + min(a, b)"]),
    ("function_exchanged", "y = sum(x)", []),
    ("normalization_removed", "y = (x - mean) / std", ["y = (x - mean)", "y = (x) / std"]),
    ("normalization_removed", "y = f(normalize(x, mean, std))", ["y = f(x)"]),
    ("sign_swapped", "y = a - b", ["y = a + b"]),
    ("sign_swapped", "y = 'a' + b", []),
    ("term_dropped", "y = x @ W + b", ["y = x @ W"]),
    ("term_dropped", "y = x * mask", ["y = x"]),
    ("term_dropped", "y = [0] * n", []),
    ("rounded_up", "y = n // 2", ["y = -(-n // 2)"]),
    ("rounded_up", "y = (a - b) // 2", ["y = -(-(a - b) // 2)"]),
    ("negation_dropped", "y = np.argsort(-x)", ["y = np.argsort(x)"]),
    ("negation_dropped", "y = -1", []),
    ("step_dropped", "y = text.lower().split()", ["y = text.split()"]),
    ("step_dropped", "y = b * np.tanh(a + c)", ["y = b * (a + c)"]),
    ("step_dropped", "y = table.round(3)", []),
    (
        "guard_dropped",
        "def f(x):\n    if x:\n        raise ValueError(x)\n    return 1",
        ["def f(x):\n    pass\n    return 1"],
    ),
    ("assignment_dropped", "y[0] = f(x)", ["pass"]),
    ("assignment_dropped", "y = f(x)", []),
    (
        "fitted_on_everything",
        "train_x, test_x = split(load(path))\nm = fit_mean(train_x)",
        ["train_x, test_x = split(load(path))\nm = fit_mean(load(path))"],
    ),
    ("fitted_on_everything", "x = f()\ntrain_x = x[:5]\nm.fit(train_x)", ["x = f()\ntrain_x = x[:5]\nm.fit(x)"]),
    (
        "fitted_on_everything",
        "train_x, test_x = split(x)\ntrain_set = pack(normalize(train_x))",
        ["train_x, test_x = split(x)\ntrain_set = pack(normalize(x))"],
    ),
    ("fitted_on_everything", "train_x = f()\nm.fit(train_x)", []),
    (
        "evaluated_on_training",
        "train_x, test_x = f()\nr = score(m.test_loss, test_x)",
        ["train_x, test_x = f()\nr = score(m.test_loss, train_x)"],
    ),
    ("evaluated_on_training", "test_x = f()\nr = score(test_x)", []),
]


@pytest.mark.parametrize(
    ("operator", "before", "after"), CASES, ids=[f"{name}-{n}" for n, (name, *_) in enumerate(CASES)]
)
def test_operator(operator, before, after):
    assert made(before, operator) == after


def test_every_operator_has_an_example_and_a_docstring():
    assert {operator.name for operator in OPERATORS} == {name for name, _, after in CASES if after}
    assert all(type(operator).__doc__ for operator in OPERATORS)


QUIET = [
    'def f(x):\n    """Return x[0] + 1."""\n    return x',
    "print(x[0] + 1)",
    "plt.plot(x[1:], 2 * y)",
    "axes.set(xlabel='a', ylim=(0, 1))",
    "if x:\n    y = 1\nelse:\n    raise ValueError(f'{x + 1} < 2')",
    "y: list[0] = f(x)",
    "panel.plot(x, lw=2, label='a')",
    "logging.info('%d', x + 1)",
]


@pytest.mark.parametrize("source", QUIET)
def test_what_is_no_answer_is_left_alone(source):
    assert [each for each in made(source) if "y = 2" not in each] == []


FREE = [
    "model.fit(x, y, epochs=3 * EPOCHS, batch_size=16)",
    "model.compile(keras.optimizers.Adam(0.002), loss='mae')",
    "y = layers.Dense(64, activation='relu')(x)",
    "def build():\n    inputs = keras.Input((8, 2))\n    for n in (8, 16):\n        y = f(inputs[:, -36:], n)\n    return keras.Model(inputs, y)",
    "steps = 3 * EPOCHS // 16\nmodel.compile(keras.optimizers.Adam(CosineDecay(steps)))",
    "def my_loss(a, b):\n    return 0.5 * (a - b)\n\n\nmodel.compile(loss=my_loss)",
    "keras.utils.set_random_seed(SEED + 1)",
]


@pytest.mark.parametrize("source", FREE)
def test_free_choices_are_left_alone(source):
    assert made(source) == []


def test_what_the_text_fixes_is_no_choice():
    source = "y = layers.GRU(units=3, dropout=0.2, recurrent_dropout=0.2)"
    assert made(source, "constant_changed", text=TEXT) == [source.replace("units=3", "units=4")]
    dropped = ["y = layers.GRU(dropout=0.2, recurrent_dropout=0.2)", "y = layers.GRU(units=3, dropout=0.2)"]
    assert made(source, "keyword_dropped", text=TEXT) == dropped


def test_numbers_outside_of_what_the_contract_asks_for_count_where_the_text_has_them():
    source = "held_back = f(7)\n\n\ndef helper(x):\n    return g(x, 8)\n\n\ndef asked(x):\n    return g(x, 9)\n\n\nhits = f(0.5)"
    changed = made(source, "constant_changed", text=TEXT, defines=("asked",))
    assert [source.replace("9", "10"), source.replace("0.5", "1.0")] == changed
    assert len(made(source, "constant_changed")) == 4, "where no contract names anything, all numbers count"


def test_only_what_stands_between_the_delimiters_is_changed():
    source = "y = x[0]\n### BEGIN SOLUTION\nz = x[2]\n### END SOLUTION\nw = x[4]"
    assert made(source) == ["y = x[0]\nz = x[3]\nw = x[4]"]
