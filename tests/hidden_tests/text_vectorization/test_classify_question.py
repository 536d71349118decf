"""classify, judged on classifiers that need no training of networks: what is caught, and what is not. 10 seconds."""

from dataclasses import replace

import pytest

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently

STUDENT = """
texts, labels = load_reviews(DATA_PATH, N_REVIEWS)
train_texts, train_labels, val_texts, val_labels = split_reviews(texts, labels, seed=SEED)
classifiers = {
    "bag_of_words": fitted(tuple(train_texts), tuple(train_labels), 1),
    "sequence": fitted(tuple(train_texts), tuple(train_labels), 2),
}
results = {name: float(((c(val_texts) >= 0.5) == (val_labels == 1)).mean()) for name, c in classifiers.items()}
"""
SEEDED = """
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    return text_oracles.split_reviews(texts, labels, validation_fraction, seed)
"""


def wrapped(change):
    """The right student, each classifier changed: `change` is an expression of `f` and `t`, the classifier and texts."""
    return f"{STUDENT}\nclassifiers = {{n: (lambda t, f=f: {change}) for n, f in classifiers.items()}}"


def test_a_right_answer_passes(judge):
    found = judge("classify", SEEDED + STUDENT)
    assert found == {}
    assert found.not_assessed == set()


def test_a_column_costs_the_shape_alone(judge):
    assert set(judge("classify", SEEDED + wrapped("np.asarray(f(t)).reshape(-1, 1)"))) == {"shapes"}


def test_a_list_of_numbers_is_welcome(judge):
    assert judge("classify", SEEDED + wrapped("[float(p) for p in f(t)]")) == {}


def test_constant_classifiers(judge):
    found = judge("classify", SEEDED + wrapped("np.full(len(t), 0.7)"))
    assert {"the_text_decides", "bag_of_words_beats_the_majority", "sequence_reaches_the_bar", "results_agree"} <= set(
        found
    )


def test_probabilities_of_the_other_label(judge):
    found = judge("classify", SEEDED + wrapped("1 - f(t)"))
    assert {"bag_of_words_beats_the_majority", "sequence_beats_the_majority"} <= set(found)


def test_labels_in_place_of_probabilities(judge):
    assert set(judge("classify", SEEDED + wrapped("(f(t) > 0.5).astype(float)"))) == {"two_classifiers"}


def test_one_classifier_under_both_names(judge):
    source = (
        STUDENT
        + "\nclassifiers['bag_of_words'] = classifiers['sequence']\nresults['bag_of_words'] = results['sequence']"
    )
    assert set(judge("classify", SEEDED + source)) == {"two_classifiers"}


def test_padding_may_move_a_probability_a_little(judge):
    source = wrapped("np.clip(f(t) + 0.0004 * min(len(t), 100), 0, 1)")
    assert judge("classify", SEEDED + source) == {}


def test_dropout_left_on(judge):
    found = judge("classify", SEEDED + wrapped("np.clip(f(t) + np.random.normal(0, 0.05, len(t)), 0, 1)"))
    assert "the_text_decides" in found


def test_results_of_the_training_part(judge):
    source = STUDENT.replace(
        "c(val_texts) >= 0.5) == (val_labels == 1)", "c(train_texts) >= 0.5) == (train_labels == 1)"
    )
    assert set(judge("classify", SEEDED + source)) == {"results_agree"}


def test_a_vocabulary_of_everything(judge):
    """A word that only validation texts have moves the probability; one that nobody wrote does not."""
    source = (
        STUDENT
        + """
known = text_oracles.build_vocabulary(texts)
classifiers = {n: (lambda t, f=f: np.clip(f(t) + [(sum(w in known for w in tokenize(x)) - 60) / 2000 for x in t], 0, 1))
               for n, f in classifiers.items()}
"""
    )
    assert set(judge("classify", SEEDED + source)) == {"validation_words_are_unknown"}
    fair = source.replace("build_vocabulary(texts)", "build_vocabulary(train_texts)")
    assert judge("classify", SEEDED + fair) == {}


def test_validation_texts_known_by_heart(judge):
    source = (
        STUDENT
        + """
truth = dict(zip(val_texts, val_labels))
classifiers = {n: (lambda t, f=f: np.array([truth.get(x, p) for x, p in zip(t, f(t))], float)) for n, f in classifiers.items()}
results = {n: 1.0 for n in classifiers}
"""
    )
    assert set(judge("classify", SEEDED + source)) == {"validation_texts_are_not_known_by_heart"}


def test_words_that_are_hashed_cannot_be_told(judge):
    """Where two made-up words differ, nothing can be said about vocabularies, and nothing is."""
    found = judge("classify", SEEDED + wrapped("0.9 * f(t) + 0.1 * np.array([len(set(x)) / 99 for x in t])"))
    assert found == {}
    assert found.not_assessed == {"validation_words_are_unknown"}


def test_a_split_that_forgets_its_seed_is_judged_at_its_own_question(judge):
    source = SEEDED.replace("validation_fraction, seed)", "validation_fraction, np.random.randint(999))")
    found = judge("classify", source + STUDENT)
    assert found == {}
    needs_it = {"results_agree", "validation_words_are_unknown", "validation_texts_are_not_known_by_heart"}
    assert found.not_assessed == needs_it


def test_a_missing_classifier(judge):
    found = judge("classify", SEEDED + STUDENT + "\ndel classifiers['sequence'], results['sequence']")
    assert "sequence_reaches_the_bar" in found
    assert "bag_of_words_reaches_the_bar" not in found


def test_bars_come_from_the_calibration(judge, materials):
    high = replace(materials, calibration={"classify": {"bag_of_words": 0.99, "sequence": 0.5}})
    assert set(judge("classify", SEEDED + STUDENT, materials=high)) == {"bag_of_words_reaches_the_bar"}
    judge("classify", SEEDED + STUDENT, materials=replace(materials, calibration=None))


def test_without_withheld_reviews_nothing_is_assessed(judge, materials):
    found = judge("classify", SEEDED + STUDENT, materials=replace(materials, withheld=None))
    assert found == {}
    assert "sequence_reaches_the_bar" in found.not_assessed
