"""classifiers and results: reviews that the notebook never had, honest numbers, nothing learned from validation texts.

Bars come from the calibration of the profile and the data (`calibration.json`); where it has none, DEFAULTS. Whether
words of the validation texts reached a vocabulary is found by asking: to who never saw them, a word of a validation
text alone and a word that nobody ever wrote are the same.
"""

import string

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    Given,
    NotAssessed,
    as_array,
    as_list,
    as_mapping,
    as_number,
    expect,
    expect_finite,
    expect_shape,
)
from autograder.data import read_reviews
from reference_models.text_baselines import majority_accuracy

NAMES = ("bag_of_words", "sequence")
DEFAULTS = {"bag_of_words": 0.6, "sequence": 0.7}
AGREEMENT = 0.03
MOST = 1000  # unseen reviews
FEW = 24  # of them, asked again in another order
MADE_UP = 5
SURE = 1.645  # standard errors above the majority: 95 %, one-sided
SAME = 0.05  # as far as padding may move a probability
APART = 1e-4  # how far two unknown words may lie apart, in probability
KNOWN_SHARE = 0.1  # of the words of validation texts alone that may be told from unknown ones
BY_HEART, BY_HEART_ERRORS = 0.08, 3.5  # how much better a model may be on validation texts than on unseen ones
TOPIC = "Lecture, generalisation:"


def bars_of(materials):
    return {**DEFAULTS, **dict((materials.calibration or {}).get("classify", {}))}


def given(rng, materials):
    if materials.withheld is None or materials.public is None:
        return Given(texts=[], few=[], made_up=[])
    reviews = read_reviews(materials.withheld)
    chosen = [reviews[i] for i in rng.permutation(len(reviews))[:MOST]]
    public = read_reviews(materials.public)[: int(materials.parameters.get("N_REVIEWS", 4000))]
    made_up = ["zq" + "".join(rng.choice(list(string.ascii_lowercase), size=9)) for _ in range(MADE_UP)]
    few = [int(i) for i in rng.integers(len(chosen), size=FEW)]
    return Given(texts=[review.text for review in chosen], few=few, made_up=made_up).keep(
        labels=np.array([review.label for review in chosen]),
        public_labels=np.array([review.label for review in public]),
    )


def probe(student, given):
    import re
    import string
    from collections import Counter

    import numpy as np

    names = ("bag_of_words", "sequence")

    def ask(name, texts):
        return np.asarray(student.classifiers[name](list(texts)))

    def own_split():
        """The notebook's own validation part: its texts, their places in the file, and words that are there alone."""
        texts, labels = student.load_reviews(student.DATA_PATH, student.N_REVIEWS)
        splits = [student.split_reviews(list(texts), np.array(labels)) for _ in range(2)]
        train, _, validation, own_labels = splits[0]
        place = {}
        for i, text in enumerate(texts):
            place.setdefault(text, i)
        known = {word for text in train for word in words_of(text)}
        counts = Counter(word for text in validation for word in words_of(text) if word not in known)
        plain = [word for word in counts if word.isascii() and word.isalpha() and len(word) > 2]
        return {
            "texts": [str(text) for text in validation],
            "rows": [place.get(text, -1) for text in validation],
            "labels": [float(label) for label in np.asarray(own_labels).reshape(-1)],
            "same_again": [str(text) for text in splits[1][2]] == [str(text) for text in validation],
            "words": sorted(plain, key=lambda word: (-counts[word], word))[:40],
        }

    def words_of(text):
        bare = re.sub("<[^>]*>", " ", str(text)).lower().translate(str.maketrans("", "", string.punctuation))
        return bare.split()

    def words_alone(name):
        """Probabilities of made-up words, then of words of the validation part, each alone and in a text."""
        asked = [*given.made_up, *own["words"]]
        return ask(name, [text for word in asked for text in (word, f"this film {word}")])

    def behaviour(name):
        few = [given.texts[i] for i in given.few]
        kept = list(few)
        again = np.asarray(student.classifiers[name](kept))
        return {"again": again, "one": ask(name, few[:1]), "input_kept": kept == few}

    try:
        own = own_split()
    except Exception:
        own = None
    found = {
        "names": lambda: [str(name) for name in student.classifiers],
        "results": lambda: {str(name): value for name, value in dict(student.results).items()},
        "own": None if own is None else {key: own[key] for key in ("rows", "labels", "same_again")},
    }
    for name in names if given.texts else ():
        found[f"unseen {name}"] = lambda name=name: ask(name, given.texts)
        found[f"behaviour {name}"] = lambda name=name: behaviour(name)
        if own is not None:
            found[f"validation {name}"] = lambda name=name: ask(name, own["texts"])
            found[f"words {name}"] = lambda name=name: words_alone(name)
    return found


def require_reviews(given):
    if not given.texts:
        raise NotAssessed("No reviews were withheld here to classify.")


def answers(evidence, key, name, n):
    """Probabilities `(n,)` of n texts; also from a column `(n, 1)`, whose shape is looked at by itself."""
    known = as_list(evidence["names"], "The names in classifiers")
    expect(name in known, f"classifiers should have an entry for '{name}'.", received=known)
    what = f"classifiers['{name}'] of {n} texts"
    array = expect_finite(evidence[f"{key} {name}"], what)
    expect(array.size == n, f"{what} should give {n} probabilities.", received=f"shape {array.shape}")
    return array.reshape(-1).astype(np.float64)


def unseen_accuracy(given, evidence, name):
    require_reviews(given)
    return accuracy(answers(evidence, "unseen", name, len(given.texts)), given.labels)


def accuracy(probabilities, labels):
    return float(((probabilities >= 0.5) == (np.asarray(labels) == 1)).mean())


def split_of(evidence):
    """The notebook's own validation part; without one that comes out the same twice, nothing can be said about it."""
    own = evidence["own"]
    if own is None:
        raise NotAssessed("This needs a `split_reviews` that works, which is judged by itself.")
    if own["same_again"] is not True:
        raise NotAssessed("This needs a `split_reviews` that the seed decides, which is judged by itself.")
    if not own["rows"] or len(own["rows"]) != len(own["labels"]):
        raise NotAssessed("This needs a validation part with a label for each text, which is judged by itself.")
    return own


def test_shapes(given, evidence):
    """Each classifier takes any number of raw strings, and gives as many probabilities."""
    require_reviews(given)
    for name in NAMES:
        n = len(given.texts)
        p = answers(evidence, "unseen", name, n)
        hint = "`model.predict(...)[:, 0]` makes a shape (n,) of (n, 1)."
        expect_shape(evidence[f"unseen {name}"], (n,), f"classifiers['{name}'] of {n} texts", hint=hint)
        expect_shape(evidence[f"behaviour {name}"]["one"], (1,), f"classifiers['{name}'] of one text", hint=hint)
        expect(
            bool(((p >= 0) & (p <= 1)).all()),
            f"classifiers['{name}'] should give probabilities.",
            received=f"values from {p.min():.3g} to {p.max():.3g}",
        )


def test_the_text_decides(given, evidence):
    """The same text has the same probability each time, in whatever order, and different texts different ones."""
    require_reviews(given)
    for name in NAMES:
        p = answers(evidence, "unseen", name, len(given.texts))
        again = as_array(evidence[f"behaviour {name}"]["again"], f"classifiers['{name}']").reshape(-1)
        expect(len(again) == FEW, f"Of {FEW} texts, {FEW} probabilities are expected.", received=str(len(again)))
        off = np.abs(again - p[given.few])
        expect(
            bool((off < SAME).all()),
            f"classifiers['{name}'] should give a text the same probability each time.",
            received=f"a difference of {np.nanmax(off):.2g}",
            hint="Dropout belongs to training: use `model.predict`. Nor may a text depend on those beside it.",
        )
        expect(
            float(np.ptp(p)) > 0.01,
            f"classifiers['{name}'] should look at the texts.",
            received="the same for all of them",
        )
        expect(
            evidence[f"behaviour {name}"]["input_kept"] is True,
            f"classifiers['{name}'] should leave the list unchanged.",
            received="another list afterwards",
        )


@pytest.mark.weight(2)
def test_two_classifiers(given, evidence):
    """The two are different classifiers, and both weigh their answers: more than yes and no."""
    require_reviews(given)
    both = {name: answers(evidence, "unseen", name, len(given.texts)) for name in NAMES}
    for name, p in both.items():
        expect(
            len(np.unique(p)) > 2,
            f"classifiers['{name}'] should give probabilities.",
            received=f"the values {sorted(np.unique(p).tolist())} alone",
            hint="Return what the sigmoid gives; whoever asks may round it.",
        )
    expect(
        float(np.abs(np.subtract(*both.values())).max()) > APART,
        "The two classifiers should be two different ones.",
        received=f"the same probabilities for {len(given.texts)} texts",
        hint="A function made in a loop looks its names up when it is called: `lambda texts, model=model: ...`.",
    )


def check_majority(given, evidence, measured, name):
    reached = unseen_accuracy(given, evidence, name)
    majority = majority_accuracy(given.public_labels, given.labels)
    margin = SURE * np.sqrt(majority * (1 - majority) / len(given.labels))
    expect(
        measured(reached, majority + margin),
        f"'{name}' should be better on {len(given.labels)} unseen reviews than always naming the more frequent label, "
        f"which is right for {majority:.1%}.",
        received=f"an accuracy of {reached:.1%}",
        hint=f"{TOPIC} are labels and texts still in the same order, and is the vectoriser the one of the training?",
    )


def check_bar(given, evidence, materials, measured, name, hint):
    reached, bar = unseen_accuracy(given, evidence, name), float(bars_of(materials)[name])
    expect(
        measured(reached, bar),
        f"'{name}' should reach an accuracy of {bar:.1%} on {len(given.labels)} unseen reviews; honest models do.",
        received=f"{reached:.1%}",
        hint=hint,
    )


@pytest.mark.weight(2)
def test_bag_of_words_beats_the_majority(given, evidence, measured):
    """The bag-of-words classifier is better on unseen reviews than naming the more frequent label."""
    check_majority(given, evidence, measured, "bag_of_words")


@pytest.mark.weight(2)
def test_sequence_beats_the_majority(given, evidence, measured):
    """The sequence classifier is better on unseen reviews than naming the more frequent label."""
    check_majority(given, evidence, measured, "sequence")


@pytest.mark.weight(2)
def test_bag_of_words_reaches_the_bar(given, evidence, materials, measured):
    """The bag-of-words classifier is as good on unseen reviews as such models can be expected to be."""
    check_bar(
        given,
        evidence,
        materials,
        measured,
        "bag_of_words",
        f"{TOPIC} did training go on long enough, or far too long?",
    )


@pytest.mark.weight(3)
def test_sequence_reaches_the_bar(given, evidence, materials, measured):
    """The sequence classifier is as good on unseen reviews as such models can be expected to be."""
    hint = f"{TOPIC} does it read words in order, and with the indices that it was trained with?"
    check_bar(given, evidence, materials, measured, "sequence", hint)


@pytest.mark.weight(3)
def test_results_agree(given, evidence):
    """The numbers in results are the accuracies of the classifiers on the validation part."""
    require_reviews(given)
    results = as_mapping(evidence["results"], "results")
    stated = {}
    for name in NAMES:
        expect(name in results, f"results should have an entry for '{name}'.", received=f"the keys {sorted(results)}")
        stated[name] = as_number(results[name], f"results['{name}']")
    own = split_of(evidence)
    rows = np.array(own["rows"])
    known = (rows >= 0) & (rows < len(given.public_labels))
    for name in NAMES:
        p = answers(evidence, "validation", name, len(rows))
        recomputed = [accuracy(p, own["labels"])]  # labels that went astray have been judged at the split
        if known.all():
            recomputed.insert(0, accuracy(p, given.public_labels[rows]))
        if min(abs(stated[name] - each) for each in recomputed) > AGREEMENT:
            raise Failure(
                f"results['{name}'] should be {recomputed[0]:.3f}, as the classifier gives it on the validation part "
                f"of `split_reviews(texts, labels)`. Received: {stated[name]:.3f}",
                f"{TOPIC} an accuracy in training is another number; so is that of another split.",
            )


@pytest.mark.weight(2)
def test_validation_words_are_unknown(given, evidence):
    """To the classifiers, words that only validation texts have are unknown words like any other."""
    require_reviews(given)
    split_of(evidence)
    told = {name: share_of_known_words(evidence, name) for name in NAMES}
    if all(share is None for share in told.values()):
        raise NotAssessed("What these classifiers know of single words cannot be told from here.")
    leaking = {name: share for name, share in told.items() if share is not None and share > KNOWN_SHARE}
    expect(
        not leaking,
        "No word of the validation texts alone should be in a vocabulary.",
        received="; ".join(f"'{name}' knows {share:.0%} of them" for name, share in sorted(leaking.items())),
        hint="Lecture, leakage: split first; then vocabulary and vectorisers are made from the training texts.",
    )


def share_of_known_words(evidence, name):
    """The share of words told from a made-up one; None where made-up ones are told apart, too, or words are few."""
    p = expect_finite(evidence[f"words {name}"], f"classifiers['{name}']").reshape(-1)
    if len(p) % 2 or len(p) < 2 * (MADE_UP + 5):
        return None
    pairs = p.reshape(-1, 2).astype(np.float64)
    if np.ptp(pairs[:MADE_UP], axis=0).max() > APART:
        return None
    return float((np.abs(pairs[MADE_UP:] - pairs[0]).max(axis=1) > APART).mean())


@pytest.mark.weight(2)
def test_validation_texts_are_not_known_by_heart(given, evidence):
    """The classifiers are not clearly better on validation texts than on reviews that the notebook never had."""
    require_reviews(given)
    own = split_of(evidence)
    for name in NAMES:
        here = accuracy(answers(evidence, "validation", name, len(own["rows"])), own["labels"])
        there = unseen_accuracy(given, evidence, name)
        error = np.sqrt(there * (1 - there) * (1 / len(own["rows"]) + 1 / len(given.labels)))
        expect(
            here - there <= max(BY_HEART, BY_HEART_ERRORS * error),
            f"'{name}' should know validation texts no better than unseen ones.",
            received=f"an accuracy of {here:.1%} there and of {there:.1%} on unseen reviews",
            hint=f"{TOPIC} `fit` gets the training part alone; the validation part goes to `validation_data`.",
        )
