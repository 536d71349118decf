"""split_reviews: nothing lost, labels with their texts, copies together, shuffled by the seed."""

from collections import Counter

import pytest

from autograder.checks import Failure, Given, as_array, as_list, expect
from autograder.checks.texts import as_tokens

FRACTION, DEFAULT_FRACTION, TOLERANCE = 0.35, 0.2, 0.02
TOPIC = "Lecture, validation:"


def given(rng):
    """Sorted by label, as review files often are, and a few reviews stand two or three times."""
    count = 400
    labels = [int(i >= count // 2) for i in range(count)]
    texts = [f"{'fine' if label else 'poor'} film no. {int(rng.integers(10**6))}-{i}" for i, label in enumerate(labels)]
    for i in range(7, count - 3, 33):
        copies = int(rng.integers(1, 3))
        if labels[i] == labels[i + copies]:
            texts[i + 1 : i + 1 + copies] = [texts[i]] * copies
    return Given(
        texts=texts, labels=labels, fraction=FRACTION, seeds=[int(seed) for seed in rng.integers(10**6, size=2)]
    )


def probe(student, given):
    import numpy as np

    def plain(parts):
        train_texts, train_labels, val_texts, val_labels = parts
        return {
            "train_texts": [str(text) for text in train_texts],
            "train_labels": np.asarray(train_labels),
            "val_texts": [str(text) for text in val_texts],
            "val_labels": np.asarray(val_labels),
        }

    def split(*arguments, **options):
        return plain(student.split_reviews(list(given.texts), np.array(given.labels), *arguments, **options))

    def after_use():
        texts, labels = list(given.texts), np.array(given.labels)
        student.split_reviews(texts, labels)
        return texts == list(given.texts) and labels.tolist() == list(given.labels)

    def quietly():
        np.random.seed(5)  # noqa: NPY002 - the generator of all, which a split must not follow
        first = split(given.fraction, given.seeds[0])
        np.random.seed(6)  # noqa: NPY002
        return [first, split(given.fraction, given.seeds[0])]

    return {
        "default": split,
        "parts": lambda: split(given.fraction, given.seeds[0]),
        "named": lambda: split(validation_fraction=given.fraction, seed=given.seeds[1]),
        "same_seed": quietly,
        "unchanged": after_use,
    }


def parts_of(value):
    """Texts and labels of both parts: `{part: (texts, labels)}`, as many labels as texts."""
    parts = {}
    for part in ("train", "val"):
        texts = as_tokens(value[f"{part}_texts"], f"{part}_texts")
        labels = as_array(value[f"{part}_labels"], f"{part}_labels")
        expect(
            labels.reshape(-1).shape == (len(texts),),
            f"{part}_texts and {part}_labels should have as many entries.",
            received=f"{len(texts)} texts and labels of shape {labels.shape}",
        )
        parts[part] = (texts, labels.reshape(-1))
    return parts


def every_split(evidence):
    return {key: parts_of(evidence[key]) for key in ("parts", "named", "default")}


@pytest.mark.weight(2)
def test_no_text_is_dropped(given, evidence):
    """Both parts together hold each review as often as the reviews do."""
    for parts in every_split(evidence).values():
        together = Counter(parts["train"][0]) + Counter(parts["val"][0])
        expect(
            together == Counter(given.texts),
            f"Both parts together should hold the {len(given.texts)} reviews.",
            received=f"{together.total()} reviews, {len(together)} different ones of {len(set(given.texts))}",
            hint=f"{TOPIC} copies are kept together, not thrown away.",
        )


@pytest.mark.weight(3)
def test_labels_follow_their_texts(given, evidence):
    """Every text has the label that it had before."""
    label_of = dict(zip(given.texts, given.labels, strict=True))
    for parts in every_split(evidence).values():
        for texts, labels in parts.values():
            wrong = sum(label_of.get(text, -1) != label for text, label in zip(texts, labels, strict=True))
            expect(
                not wrong,
                "Each text should keep its label.",
                received=f"{wrong} of {len(texts)} texts with another one",
                hint=f"{TOPIC} shuffle indices, and take texts and labels by the same ones.",
            )


@pytest.mark.weight(3)
def test_copies_stay_together(evidence):
    """No text is in both parts."""
    for parts in every_split(evidence).values():
        both = set(parts["train"][0]) & set(parts["val"][0])
        expect(
            not both,
            "All copies of a text should come into the same part.",
            received=f"{len(both)} texts that are in both",
            hint=f"{TOPIC} a model that has seen a text in training knows it in validation.",
        )


@pytest.mark.weight(2)
def test_sizes(given, evidence):
    """The validation part has the fraction that is asked for, give or take 2 % of all; 20 % by default."""
    for key, parts in every_split(evidence).items():
        fraction = DEFAULT_FRACTION if key == "default" else given.fraction
        share = len(parts["val"][0]) / max(len(given.texts), 1)
        expect(
            abs(share - fraction) <= TOLERANCE + 1e-9,
            f"{fraction:.0%} of the reviews should be for validation.",
            received=f"{share:.1%}",
            hint=f"{TOPIC} the fraction is of the reviews, copies included.",
        )


def test_both_labels(evidence):
    """Both parts contain both labels, also when the reviews come sorted by label."""
    for parts in every_split(evidence).values():
        for part, (_, labels) in parts.items():
            found = sorted({int(label) for label in labels})
            hint = f"{TOPIC} files are often sorted by label; mix the reviews before you cut."
            expect(
                found == [0, 1], f"The part {part} should have both labels.", received=f"the labels {found}", hint=hint
            )


@pytest.mark.weight(2)
def test_shuffled_by_the_seed(given, evidence):
    """Reviews are shuffled: the same seed gives the same split, another seed another one."""
    hint = f"{TOPIC} `np.random.default_rng(seed)`; the global generator is at another place each time."
    first, again = (parts_of(value) for value in as_list(evidence["same_seed"], "Two splits", length=2))
    if [first["train"][0], first["val"][0]] != [again["train"][0], again["val"][0]]:
        raise Failure("The same seed should give the same split. Received: two different ones", hint)
    splits = every_split(evidence)
    expect(
        set(splits["parts"]["val"][0]) != set(splits["named"]["val"][0]),
        "Another seed should give another split.",
        received="the same one",
        hint=hint,
    )
    in_order = [text for text in dict.fromkeys(given.texts) if text in set(splits["parts"]["val"][0])]
    positions = [given.texts.index(text) for text in in_order]
    expect(
        max(positions) - min(positions) > len(positions) + 50,
        "Reviews for validation should come from everywhere in the file.",
        received="reviews that stood next to each other",
        hint=hint,
    )


def test_inputs_are_left_alone(evidence):
    """Texts and labels are not changed, nor their order."""
    expect(
        evidence["unchanged"] is True,
        "Texts and labels should stay as they are.",
        received="others, or another order",
        hint="`np.random.shuffle` shuffles what it is given; `permutation` makes a new array.",
    )
