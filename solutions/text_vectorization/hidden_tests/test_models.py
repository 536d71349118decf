"""build_bow_model and build_sequence_model: shapes, probabilities, layers, and padding that does not decide.

Whether padding decides can hardly be seen in an untrained model, whose probabilities all lie near one half. So the
probe trains the sequence model on short sequences without padding, some of whose words are positive, and appends zeros
then: to sequences that have some padding already, as most have in use, so that the edges of convolutions do not count.
"""

import numpy as np
import pytest

from autograder.checks import Given, as_array, expect, expect_shape, read_model

N_TOKENS, OTHER_TOKENS = 40, 57
MOST_CHANGE = 0.05
LENGTH, SOME_ZEROS, ZEROS = 20, 12, 108
SIDES = (2, 8, 14)  # words below the second are negative ones, from there positive; the rest say nothing
TOPIC = "Lecture, embeddings and masking:"


def given(rng):
    labels = rng.integers(0, 2, size=160)
    clear = rng.integers(SIDES[2], N_TOKENS, size=(len(labels), LENGTH))
    for row, label in zip(clear, labels, strict=True):
        row[rng.choice(LENGTH, size=4, replace=False)] = rng.integers(SIDES[label], SIDES[label + 1], size=4)
    return Given(
        vectors=rng.integers(0, 3, size=(40, N_TOKENS)).astype("float32"),
        wide=rng.integers(0, 2, size=(3, OTHER_TOKENS)).astype("float32"),
        short=rng.integers(1, N_TOKENS, size=(6, 7)).astype("int32"),
        long=rng.integers(1, N_TOKENS, size=(40, 31)).astype("int32"),
        clear=clear.astype("int32"),
        labels=labels.astype("float32"),
        asked=rng.integers(1, N_TOKENS, size=(160, LENGTH)).astype("int32"),  # undecided, so that little may turn them
        zeros=[0, SOME_ZEROS, ZEROS],
        n_tokens=N_TOKENS,
        other_tokens=OTHER_TOKENS,
    )


def probe(student, given):
    import _autograder_models
    import keras
    import numpy as np

    def build(function, n_tokens):
        function(n_tokens)
        return function(n_tokens)  # a function may be called more than once

    def describe(function, x):
        return _autograder_models.describe(build(function, given.n_tokens), x)

    def output(function, n_tokens, x):
        return np.asarray(build(function, n_tokens)(x, training=False))

    def trained():
        model = build(student.build_sequence_model, given.n_tokens)
        if not isinstance(model, keras.Model):
            return {"kind": type(model).__name__}
        untrained = padded(model)
        model.compile(keras.optimizers.Adam(5e-3), loss="binary_crossentropy", jit_compile=False)
        model.fit(given.clear, given.labels.reshape(-1, 1), batch_size=16, epochs=6, verbose=0)
        return {"untrained": untrained, "trained": padded(model)}

    def padded(model):
        """Probabilities with more and more zeros at the end."""
        return [np.asarray(model(np.pad(given.asked, ((0, 0), (0, zeros))), training=False)) for zeros in given.zeros]

    return {
        "bow": lambda: describe(student.build_bow_model, given.vectors),
        "sequence": lambda: describe(student.build_sequence_model, given.long),
        "wide": lambda: output(student.build_bow_model, given.other_tokens, given.wide),
        "short": lambda: output(student.build_sequence_model, given.other_tokens, given.short),
        "padding": trained,
    }


def expect_probabilities(value, what):
    array = as_array(value, what)
    expect(
        bool(((array >= 0) & (array <= 1)).all()),
        f"{what} should lie between 0 and 1.",
        received=f"values from {array.min():.3g} to {array.max():.3g}" if array.size else "nothing",
        hint='Lecture, classification: end with `Dense(1, activation="sigmoid")`.',
    )


@pytest.mark.weight(2)
def test_bow_shape(given, evidence):
    """build_bow_model maps vectors (n, n_tokens) to (n, 1), for any number of tokens."""
    model = read_model(evidence["bow"], f"build_bow_model({N_TOKENS})")
    n = len(given.vectors)
    hint = 'One probability for each text: the last layer is `Dense(1, activation="sigmoid")`.'
    expect(
        model.output == (n, 1),
        f"{n} vectors should give an output of shape ({n}, 1).",
        received=str(model.output),
        hint=hint,
    )
    expect_shape(
        evidence["wide"], (3, 1), f"The output of build_bow_model({OTHER_TOKENS}) for three vectors", hint=hint
    )


@pytest.mark.weight(2)
def test_sequence_shape(given, evidence):
    """build_sequence_model maps sequences of indices, of any length, to (n, 1)."""
    model = read_model(evidence["sequence"], f"build_sequence_model({N_TOKENS})")
    n = len(given.long)
    hint = f"{TOPIC} what comes after the embedding has to make one vector of any number of steps."
    expect(
        model.output == (n, 1),
        f"{n} sequences should give an output of ({n}, 1).",
        received=str(model.output),
        hint=hint,
    )
    expect_shape(evidence["short"], (len(given.short), 1), "The output for sequences of seven words", hint=hint)


@pytest.mark.weight(2)
def test_probabilities(evidence):
    """Both models give probabilities."""
    for key, what in (
        ("bow", "The output of the bag-of-words model"),
        ("sequence", "The output of the sequence model"),
    ):
        read_model(evidence[key], what)
        expect_probabilities(evidence[key]["values"], what)


@pytest.mark.weight(2)
def test_sequence_layers(evidence):
    """The sequence model has an embedding, and a recurrent, convolutional or attention layer."""
    model = read_model(evidence["sequence"], "build_sequence_model(n_tokens)")
    names = sorted({layer.bases[0] for layer in model.layers})
    expect(
        model.layers_named("Embedding"),
        "The sequence model should have an embedding.",
        received=f"the layers {names}",
        hint=f"{TOPIC} `keras.layers.Embedding(n_tokens, width)`.",
    )
    expect(
        model.recurrent or model.layers_named("Conv", "Attention"),
        "The sequence model should have a recurrent, convolutional or attention layer.",
        received=f"the layers {names}",
        hint="Lecture, sequence models: a mean of embeddings is a bag of words again.",
    )


def test_bow_learns(evidence):
    """The bag-of-words model has weights for its words."""
    model = read_model(evidence["bow"], "build_bow_model(n_tokens)")
    expect(
        model.parameters >= N_TOKENS,
        f"A model of {N_TOKENS} words should have a weight for each at least.",
        received=f"{model.parameters} parameters",
        hint="A `Dense` layer on the vector of all words has a weight for each of them.",
    )


@pytest.mark.weight(3)
def test_padding_does_not_decide(given, evidence):
    """Zeros appended to a sequence change its probability by less than 0.05, before and after training."""
    value = evidence["padding"]
    expect("trained" in value, "build_sequence_model should return a keras.Model.", received=str(value.get("kind")))
    hint = f"{TOPIC} `mask_zero=True`, and layers that heed the mask; or take padding out of the mean or the maximum."
    for key, first, when in (
        ("untrained", 0, "of the untrained model"),
        ("trained", 1, "of the model, trained a little"),
    ):
        few, many = (
            expect_shape(value[key][place], (len(given.asked), 1), f"The probability {when}").astype(np.float64)
            for place in (first, -1)
        )
        changes = np.abs(many - few)
        expect(
            bool((changes < MOST_CHANGE).all()),
            f"{ZEROS - given.zeros[first]} more zeros at the end should change the probability {when} by less than "
            f"{MOST_CHANGE}.",
            received=f"a change of {np.nanmax(changes):.2f}; {int((~(changes < MOST_CHANGE)).sum())} of {len(changes)} "
            "sequences change more",
            hint=hint,
        )
