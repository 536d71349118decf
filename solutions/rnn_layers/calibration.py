"""What `autograder calibrate rnn_layers` listens to, beside the solution and the right demo students."""

import numpy as np

from autograder.calibration import Answer, Bar
from reference_models.recurrent_oracles import SYMBOLS

TRAINED = '{"simple_rnn": 2e-3, "irnn": 2e-3, "lstm": 5e-3, "gru": 5e-3}'
BEST = 'best = max(("irnn", "lstm", "gru"), key=validation_accuracy.get)'
BATCH = "y_train, batch_size=32"


def only(kind, learning_rate, batch_size=32):
    """A student who trains one gated kind."""
    kinds = f'{{"simple_rnn": 2e-3, "{kind}": {learning_rate}}}'
    return {TRAINED: kinds, BEST: f'best = "{kind}"', BATCH: f"y_train, batch_size={batch_size}"}


STYLES = {
    "LSTM, the optimizer's own rate": only("lstm", "1e-3"),
    "LSTM, a high rate, larger batches": only("lstm", "1e-2", 64),
    "GRU, the optimizer's own rate": only("gru", "1e-3"),
    "GRU, a higher rate, larger batches": only("gru", "5e-3", 64),
    "LSTM, the optimizer's own rate, large batches": only("lstm", "1e-3", 128),
    "GRU, the optimizer's own rate, large batches": only("gru", "1e-3", 128),
}
BARS = {"memory_task": {"test_recalls_the_first_symbol": Bar("bar", least=0.5, most=0.9)}}


def answers(tests, materials, seed):
    """Guesses, a constant, and half a memory: right about the pair that the symbol belongs to."""
    rng = np.random.default_rng(seed)
    y = tests["memory_task"].given(seed, materials).y
    found = {"guesses": rng.integers(0, SYMBOLS, size=len(y)), "a constant": np.zeros_like(y), "pairs": 2 * (y // 2)}
    for name, answer in found.items():
        value = float((answer == y).mean())
        yield Answer(name, "memory_task", "test_recalls_the_first_symbol", value)
        if name != "pairs":
            yield Answer(name, "memory_task", "test_better_than_chance", value)
