"""count_parameters: the weights of a simple recurrent layer, an LSTM and a GRU, counted by hand."""

import pytest

from autograder.checks import Given, as_list, as_number, expect
from reference_models import recurrent_oracles as oracles

TOPIC = "Counting parameters:"


def given(rng):
    sizes = [[1, 1], [4, 16], *rng.integers(2, 200, size=(4, 2)).tolist()]
    return Given(sizes=sizes, unknown=["transformer", "", "rnn2"])


def probe(student, given):
    def counts(kind):
        return [student.count_parameters(kind, n_features, units) for n_features, units in given.sizes]

    def refusals():
        """For each unknown kind, the classes of the exception, or what came back instead."""
        count, outcomes = student.count_parameters, []
        for kind in given.unknown:
            try:
                outcomes.append(f"no exception, but {count(kind, 3, 5)!r}"[:100])
            except Exception as error:
                outcomes.append([base.__name__ for base in type(error).__mro__])
        return outcomes

    return {**{kind: lambda kind=kind: counts(kind) for kind in ("rnn", "lstm", "gru")}, "refusals": refusals}


def check(given, evidence, kind):
    received = as_list(evidence[kind], f"The counts for '{kind}'", length=len(given.sizes))
    for (n_features, units), value in zip(given.sizes, received, strict=True):
        number = as_number(value, f"count_parameters('{kind}', {n_features}, {units})")
        expected = oracles.count_parameters(kind, n_features, units)
        expect(
            number == expected,
            f"count_parameters('{kind}', {n_features}, {units}) should be {expected}.",
            received=f"{number:g}",
            hint=hint_for(kind, n_features, units, number),
        )


def hint_for(kind, n_features, units, number):
    """What was forgotten, where the number shows it."""
    gates = oracles.GATES[kind]
    kernel, recurrent, bias = n_features * units, units * units, units
    if kind == "gru" and number == gates * (kernel + recurrent + bias):
        return f"{TOPIC} with reset_after=True, Keras' default, a GRU has two biases for each gate."
    if number == gates * (kernel + recurrent):
        return f"{TOPIC} the biases are missing."
    if number == gates * (kernel + bias):
        return f"{TOPIC} the recurrent kernel, (units, units) for each gate, is missing."
    if gates > 1 and number == kernel + recurrent + bias:
        return f"{TOPIC} that is one gate's; how many sets of weights does this layer have?"
    return f"{TOPIC} a kernel, a recurrent kernel and a bias for each gate; `layer.count_params()` tells Keras' count."


@pytest.mark.weight(2)
def test_simple_rnn(given, evidence):
    """The number of weights of a simple recurrent layer, for any sizes."""
    check(given, evidence, "rnn")


@pytest.mark.weight(2)
def test_lstm(given, evidence):
    """The number of weights of an LSTM: four gates."""
    check(given, evidence, "lstm")


@pytest.mark.weight(2)
def test_gru(given, evidence):
    """The number of weights of a GRU as Keras makes it by default."""
    check(given, evidence, "gru")


def test_unknown_kind(given, evidence):
    """Any other kind raises ValueError."""
    outcomes = as_list(evidence["refusals"], "What came of unknown kinds", length=len(given.unknown))
    for kind, outcome in zip(given.unknown, outcomes, strict=True):
        expect(
            isinstance(outcome, list) and "ValueError" in outcome,
            f"count_parameters({kind!r}, 3, 5) should raise ValueError.",
            received=outcome if isinstance(outcome, str) else str(outcome[:1]),
            hint='`raise ValueError(f"unknown kind: {kind}")` after the last known one.',
        )
