"""recall and memory_results: a trained network remembers the first symbol, on sequences that the notebook never had.

The bar comes from the calibration of the profile (`calibration.json`); where it has none, DEFAULTS. The symbol lies
open at the first step, so a rule that reads it there would need no training. Louder noise tells a network from such a
rule: its logits move with every part of the sequence, and what two parts do together is not the sum of what each does.
"""

from contextlib import suppress

import numpy as np
import pytest

from autograder.checks import Failure, Given, NotAssessed, as_mapping, as_number, expect, expect_finite, expect_shape
from reference_models.recurrent_oracles import SYMBOLS, memory_task

DEFAULTS = {
    "bar": 0.55,  # accuracy that a trained network must reach: between recalling two and three of four symbols
    "more_than_chance": 0.4,  # for part of the points; guessing gives 0.25 +- 0.01, untrained networks gave up to 0.36
}
SEQUENCES = 2000
AGREEMENT = 0.05
LOUD = 1.0  # standard deviation of the other noise; that of the task is 0.1
LISTENERS = 200  # sequences that are made loud
LEAST_INTERPLAY = 1e-3  # of two parts of a sequence, as a share of both together; trained networks had 0.07 and more
GATED = ("lstm", "gru", "stacked", "bidirectional", "recurrent_dropout", "layer_norm", "clipped")
TOPIC = "Learning long-term dependencies:"
FIRST_STEP = f"{TOPIC} reading the first step is no memory: hand the whole sequence to a trained network."


def settings_of(materials):
    return {**DEFAULTS, **dict((materials.calibration or {}).get("memory_task", {}))}


def given(rng, materials):
    length = int(materials.parameters.get("SEQUENCE_LENGTH", 10))
    x, y = memory_task(SEQUENCES, length, int(rng.integers(2**31)))
    noise = rng.normal(0.0, LOUD, size=(LISTENERS, length, SYMBOLS)).astype("float32")
    noise[:, 0] = 0.0
    middle = (length + 1) // 2
    parts = {"all": slice(0, length), "early": slice(0, middle), "late": slice(middle, length), "last": slice(-1, None)}
    loud = {}
    for name, steps in parts.items():
        loud[name] = x[:LISTENERS].copy()
        loud[name][:, steps] += noise[:, steps]
    return Given(x=x, loud=loud).keep(y=y, length=length)


def probe(student, given):
    def results():
        """The mapping, or one column of a table, as plain pairs."""
        return dict(student.memory_results)

    return {
        "logits": lambda: student.recall(given.x.copy()),
        "one": lambda: student.recall(given.x[:1].copy()),
        **{f"loud {name}": lambda name=name: student.recall(given.loud[name].copy()) for name in given.loud},
        "results": results,
    }


def logits_of(evidence, name="logits", n=SEQUENCES):
    logits = expect_shape(evidence[name], (n, SYMBOLS), f"recall of {n} sequences", hint="recall(x) gives (n, 4).")
    return expect_finite(logits, "recall(x)")


def accuracy_of(given, evidence):
    return float((logits_of(evidence).argmax(axis=1) == given.y).mean())


def accuracies_in(evidence):
    """The entries of memory_results, whatever they are."""
    return as_mapping(evidence["results"], "memory_results", hint="a dictionary: the test accuracy of each kind.")


def expect_accuracy(value, name):
    number = as_number(value, f"memory_results['{name}']")
    expect(
        0.0 <= number <= 1.0,
        f"memory_results['{name}'] should be an accuracy between 0 and 1.",
        received=f"{number:g}",
        hint="a fraction, not per cent, and not a loss.",
    )
    return number


def readable_accuracies(results):
    """Those entries that are accuracies; a student may keep other things beside them."""
    found = {}
    for name, value in results.items():
        with suppress(Failure):
            found[name] = expect_accuracy(value, name)
    return found


def test_logits(evidence):
    """recall(x) gives finite logits of shape (n, 4), also for a single sequence."""
    logits_of(evidence)
    logits_of(evidence, "one", 1)


def test_reads_the_whole_sequence(given, evidence):
    """The logits come from a network that reads the whole sequence, step by step."""
    if given.length == 1:
        raise NotAssessed("There is nothing but a first step in sequences of length 1.")
    quiet = logits_of(evidence)[:LISTENERS].astype(np.float64)
    moves = {name: logits_of(evidence, f"loud {name}", LISTENERS) - quiet for name in given.loud}
    for name, steps in (("all", "all steps but the first are"), ("last", "the last step is")):
        expect(
            moves[name].any(),
            "The logits should come from a network that reads the steps one after the other.",
            received=f"exactly the same logits when {steps} changed",
            hint=FIRST_STEP,
        )
    if given.length > 2:  # else there is no early part beside the first step
        together, apart = moves["all"], moves["early"] + moves["late"]
        expect(
            np.abs(together - apart).max() > LEAST_INTERPLAY * np.abs(together).max(),
            "The logits should come from a network that carries a state from step to step.",
            received="logits that are a plain sum of what each step says",
            hint=FIRST_STEP,
        )


@pytest.mark.requires("test_reads_the_whole_sequence")
@pytest.mark.weight(2)
def test_better_than_chance(given, evidence, materials, measured):
    """On sequences that the notebook never had, recall is better than guessing."""
    accuracy, least = accuracy_of(given, evidence), float(settings_of(materials)["more_than_chance"])
    expect(
        measured(accuracy, least),
        f"On new sequences, recall should be right far more often than guessing (0.25), at least {least:.2f}.",
        received=f"an accuracy of {accuracy:.3f}",
        hint=f"{TOPIC} does the training accuracy rise? Is `recall` the trained model, and are its outputs in order?",
    )


@pytest.mark.requires("test_reads_the_whole_sequence")
@pytest.mark.weight(4)
def test_recalls_the_first_symbol(given, evidence, materials, measured):
    """On sequences that the notebook never had, recall reaches the accuracy that a trained network reaches."""
    accuracy, bar = accuracy_of(given, evidence), float(settings_of(materials)["bar"])
    expect(
        measured(accuracy, bar),
        f"On new sequences, recall should reach an accuracy of {bar:.2f}.",
        received=f"{accuracy:.3f}",
        hint=f"{TOPIC} on a plateau, try another learning rate, an IRNN, or more epochs; choose by validation.",
    )


def test_results_are_complete(evidence):
    """memory_results has 'simple_rnn' and a gated kind, with accuracies between 0 and 1."""
    results = accuracies_in(evidence)
    keys = f"the keys {sorted(results)}"
    expect("simple_rnn" in results, "memory_results should have the key 'simple_rnn'.", received=keys)
    gated = [name for name in results if name in GATED or "lstm" in name.lower() or "gru" in name.lower()]
    expect(gated, "memory_results should have a gated kind, 'lstm' or 'gru'.", received=keys)
    expect_accuracy(results["simple_rnn"], "simple_rnn")
    if not set(gated) & set(readable_accuracies(results)):
        expect_accuracy(results[gated[0]], gated[0])


@pytest.mark.weight(2)
def test_results_agree(given, evidence):
    """One of the accuracies in memory_results is that of recall, within 0.05."""
    stated = readable_accuracies(accuracies_in(evidence))
    expect(stated, "memory_results should hold accuracies between 0 and 1.", received="none")
    measured = accuracy_of(given, evidence)
    expect(
        min(abs(value - measured) for value in stated.values()) <= AGREEMENT,
        f"One of the accuracies should be that of recall, which is {measured:.3f} on new sequences.",
        received=", ".join(f"{name} {value:.3f}" for name, value in sorted(stated.items())),
        hint=f"{TOPIC} evaluate on sequences made with another seed than those for training.",
    )
