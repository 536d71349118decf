"""Text oracles by hand, against Keras' TextVectorization and by their properties. TensorFlow; 8 seconds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.data.review_grammar import generate_reviews
from autograder.errors import DataError
from reference_models import subword_oracles as subwords
from reference_models import text_baselines as baselines
from reference_models import text_oracles as oracles

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently
calm = settings(deadline=None, derandomize=True, max_examples=60)
words = st.text("abc", min_size=1, max_size=6)


@pytest.fixture(scope="module")
def models():
    import keras

    from reference_models import text_models

    yield text_models
    keras.backend.clear_session()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [review.text for review in generate_reviews(60, 3)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Great!<br /><br />The CAFÉ, isn't it?", "great the café isnt it"),
        ("  a\t\n b\u00a0c \u2028", "a b c"),
        ("<p>", ""),
        ("a<b>c", "a c"),
        ("2 < 3 and 4 > 1", "2 1"),
        ("2 < 3", "2 3"),
        ("a - b", "a b"),
        ("state-of-the-art", "stateoftheart"),
        ("“quoted” – ÀÉ", "“quoted” – àé"),
        ("", ""),
    ],
)
def test_standardize(text, expected):
    assert oracles.standardize(text) == expected


def test_punctuation_is_the_contracts():
    assert "".join(sorted("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")) == oracles.PUNCTUATION


@calm
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\u0130"), max_size=40))
def test_standardizing_twice_changes_nothing(text):
    once = oracles.standardize(text)
    assert oracles.standardize(once) == once
    assert not set(once) & set(oracles.PUNCTUATION)


def test_tokens():
    assert oracles.tokenize("The cat, the CAT") == ["the", "cat", "the", "cat"]
    assert oracles.tokenize("A b!", "char") == ["a", " ", "b"]
    assert oracles.tokenize(" !? ") == oracles.tokenize("", "char") == []
    with pytest.raises(DataError, match="received: 'line'"):
        oracles.tokenize("a", "line")


def test_ngrams_of_the_lecture():
    assert oracles.ngrams(["the", "cat", "sat"], 2) == ["the", "the cat", "cat", "cat sat", "sat"]
    assert oracles.ngrams(["a", "b", "c"], 3) == ["a", "a b", "a b c", "b", "b c", "c"]
    assert oracles.ngrams(["a", "b"], 1) == ["a", "b"]
    assert oracles.ngrams([], 2) == []


def test_vocabulary_and_encoding_by_hand():
    vocabulary = oracles.build_vocabulary(["b a b", "c, a B"])
    assert vocabulary == {"": 0, "[UNK]": 1, "b": 2, "a": 3, "c": 4}
    assert oracles.build_vocabulary(["b a b", "c a b"], max_tokens=3) == {"": 0, "[UNK]": 1, "b": 2}
    assert oracles.build_vocabulary([]) == {"": 0, "[UNK]": 1}
    assert oracles.encode("A b, new!", vocabulary) == [3, 2, 1]
    assert oracles.encode("a b new", vocabulary, 5) == [3, 2, 1, 0, 0]
    assert oracles.encode("a b new", vocabulary, 2) == [3, 2]
    assert oracles.encode("", vocabulary, 2) == [0, 0]


def test_bags_by_hand():
    """Columns: unknown, b, a, c. Of two texts a stands in both, b and the unknown word in one, c in none."""
    vocabulary = {"": 0, "[UNK]": 1, "b": 2, "a": 3, "c": 4}
    texts = ["a b b new new", "a"]
    assert oracles.count_vectors(texts, vocabulary).tolist() == [[2, 2, 1, 0], [0, 0, 1, 0]]
    assert oracles.multi_hot(texts, vocabulary).tolist() == [[1, 1, 1, 0], [0, 0, 1, 0]]
    once, both = np.log(1 + 2 / 2), np.log(1 + 2 / 3)
    np.testing.assert_allclose(oracles.tf_idf(texts, vocabulary), [[2 * once, 2 * once, both, 0], [0, 0, both, 0]])
    assert oracles.count_vectors([], vocabulary).shape == (0, 4)


def test_standardization_of_keras(models, texts):
    import tensorflow as tf

    odd = ["a\u00a0b\u2028c\x85d\x0be", "<p>\nÀÉ isn't</p>", "[UNK]", "\\ ] ^ - a-b", ""]
    received = models.standardize_tensor(tf.constant([*texts, *odd])).numpy()
    assert [text.decode() for text in received] == [oracles.standardize(text) for text in [*texts, *odd]]


@pytest.mark.parametrize("length", [None, 5, 200])
def test_indices_of_keras(models, texts, length):
    """With our vocabulary handed over, so that ties have our order."""
    vectorizer = models.make_vectorizer(texts[:40], None, "int", length)
    vocabulary = oracles.build_vocabulary(texts[:40])
    assert set(vectorizer.get_vocabulary()) == set(vocabulary)
    vectorizer.set_vocabulary(list(vocabulary)[2:])
    longest = length or max(len(oracles.tokenize(text)) for text in texts)
    expected = [oracles.encode(text, vocabulary, longest) for text in texts]
    np.testing.assert_array_equal(vectorizer(texts), expected)


@pytest.mark.parametrize(("mode", "bags"), [("multi_hot", oracles.multi_hot), ("count", oracles.count_vectors)])
def test_bags_of_keras(models, texts, mode, bags):
    vocabulary = oracles.build_vocabulary(texts[:40], 300)
    vectorizer = models.make_vectorizer(texts[:40], 299, mode)
    vectorizer.set_vocabulary(list(vocabulary)[2:])
    np.testing.assert_array_equal(vectorizer(texts), bags(texts, vocabulary))


def test_tf_idf_of_keras(models, texts):
    """Keras agrees for every known word; for unknown ones it takes a mean, which the contract does not."""
    vocabulary = oracles.build_vocabulary(texts)
    vectorizer = models.make_vectorizer(texts, None, "tf_idf")
    known = [vocabulary[word] - 1 for word in vectorizer.get_vocabulary()[1:]]
    received = np.asarray(vectorizer(texts))[:, 1:]
    np.testing.assert_allclose(received, oracles.tf_idf(texts, vocabulary)[:, known], rtol=1e-4, atol=1e-5)


def test_ngrams_of_keras(models, texts):
    vectorizer = models.make_vectorizer(texts, None, "multi_hot", ngrams=2)
    expected = {gram for text in texts for gram in oracles.ngrams(oracles.tokenize(text), 2)}
    assert set(vectorizer.get_vocabulary()[1:]) == expected


def test_merges_by_hand():
    """Of `low` and `lower`, lo and ow are equally frequent: lo is smaller; then low; then low</w> and lowe are."""
    merges = subwords.learn_bpe({"low": 5, "lower": 5}, 4)
    assert merges == [("l", "o"), ("lo", "w"), ("e", "r"), ("er", "</w>")]
    assert subwords.apply_bpe("lowest", merges) == ["low", "e", "s", "t", "</w>"]
    assert subwords.apply_bpe("slower", merges) == ["s", "low", "er</w>"]


def test_merges_stop_when_no_pair_is_left():
    assert subwords.learn_bpe({"ab": 1}, 10) == [("a", "b"), ("ab", "</w>")]
    assert subwords.learn_bpe({}, 3) == subwords.learn_bpe({"ab": 2}, 0) == []
    assert subwords.apply_bpe("", [("a", "b")]) == ["</w>"]


def test_overlapping_pairs_are_joined_from_the_left():
    assert subwords.merge(["a", "a", "a"], ("a", "a")) == ["aa", "a"]
    assert subwords.apply_bpe("aaaa", [("a", "a")]) == ["aa", "aa", "</w>"]


@calm
@given(counts=st.dictionaries(words, st.integers(1, 9), max_size=6), merges=st.integers(0, 8))
def test_merges_are_reproducible_and_lose_nothing(counts, merges):
    learned = subwords.learn_bpe(counts, merges)
    turned = dict(reversed(counts.items()))
    assert subwords.learn_bpe(turned, merges) == learned
    assert len(learned) <= merges
    assert learned == subwords.learn_bpe(counts, merges + 1)[: len(learned)]
    for word in counts:
        assert "".join(subwords.apply_bpe(word, learned)) == word + "</w>"


@pytest.mark.parametrize("fraction", [0.2, 0.35])
def test_split(fraction):
    reviews = generate_reviews(500, 8)
    texts = [review.text for review in reviews] + [reviews[0].text] * 3
    labels = [review.label for review in reviews] + [reviews[0].label] * 3
    train, train_labels, val, val_labels = oracles.split_reviews(texts, labels, fraction, seed=4)
    assert not set(train) & set(val)
    assert sorted(train + val) == sorted(texts)
    assert abs(len(val) / len(texts) - fraction) < 0.02
    by_text = dict(zip(texts, labels, strict=True))
    assert [by_text[text] for text in train + val] == [*train_labels, *val_labels]
    assert set(train_labels) == set(val_labels) == {0, 1}
    assert oracles.split_reviews(texts, labels, fraction, seed=4)[0] == train
    assert oracles.split_reviews(texts, labels, fraction, seed=5)[0] != train


def test_baselines_on_generated_reviews():
    reviews = generate_reviews(1200, 2)
    texts, labels = [review.text for review in reviews], np.array([review.label for review in reviews])
    assert 0.45 < baselines.majority_accuracy(labels[:800], labels[800:]) < 0.55
    scores = [
        baselines.accuracy(baselines.fit_bag_of_words(texts[:800], labels[:800], longest=n), texts[800:], labels[800:])
        for n in (1, 2)
    ]
    assert 0.6 < scores[0] < scores[1] - 0.05
    assert baselines.majority_accuracy([0, 1, 1], [1, 0, 0, 0]) == 0.25
