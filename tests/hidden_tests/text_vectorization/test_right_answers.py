"""The oracles pass every check, and so do answers of other types; the files keep to the rules. 12 seconds, with Keras."""

import builtins
import inspect
import re
import types

import pytest

from autograder import probes
from autograder.evidence import encode

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently
WITHOUT_TRAINING = ("standardize", "tokenize", "subwords", "vocabulary", "encode", "bag_of_words", "keras_vectorizer",
                    "split_reviews", "models")  # fmt: skip
QUESTIONS = (*WITHOUT_TRAINING, "classify", "gpu_training")

OTHER_TYPES = {
    "tokenize": "def ngrams(tokens, n):\n    return tuple(text_oracles.ngrams(tokens, n))",
    "encode": "def encode(text, vocabulary, length=None):\n"
    "    return np.array(text_oracles.encode(text, vocabulary, length), 'int32')",
    "bag_of_words": "def multi_hot(texts, vocabulary):\n"
    "    return tf.constant(text_oracles.multi_hot(texts, vocabulary), tf.float32)",
    "split_reviews": "def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):\n"
    "    parts = text_oracles.split_reviews(texts, labels, validation_fraction, seed)\n"
    "    return [np.array(parts[0]), parts[1].tolist(), tuple(parts[2]), parts[3].astype('float32')]",
    "vocabulary": "def build_vocabulary(texts, max_tokens=None):\n"
    "    found = text_oracles.build_vocabulary(texts, max_tokens)\n"
    "    return {word: np.int64(index) for word, index in reversed(found.items())}",
    "subwords": "def learn_bpe(word_counts, n_merges):\n"
    "    from reference_models import subword_oracles\n"
    "    return tuple(list(pair) for pair in subword_oracles.learn_bpe(word_counts, n_merges))",
}
OWN_WAY_TO_STANDARDISE = """
def standardize(text):
    return text_oracles.standardize(text.replace("<br", "<br> br <"))

def tokenize(text, level="word"):
    return standardize(text).split() if level == "word" else list(standardize(text)) if level == "char" else int("x")

def build_vocabulary(texts, max_tokens=None):
    return text_oracles.build_vocabulary([standardize(text) for text in texts], max_tokens)

def encode(text, vocabulary, length=None):
    return text_oracles.encode(standardize(text), vocabulary, length)
"""


def globals_used(code):
    """Names that a function's code and the functions within it look up outside of the function."""
    import dis

    names = {each.argval for each in dis.get_instructions(code) if each.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}
    inner = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return names.union(*(globals_used(each) for each in inner))


def test_every_question_has_hidden_tests(questions):
    assert set(questions) == set(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_probe_uses_nothing_from_outside_its_body(questions, question):
    source = questions[question].probe_source
    assert globals_used(questions[question].module.probe.__code__) - set(dir(builtins)) == set()
    assert "reference_models" not in source
    assert set(re.findall(r"\w*autograder\w*", source)) <= {"_autograder_models"} <= set(probes.MODULES)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_seed_decides_the_inputs(questions, question, materials):
    first, again, other = (encode(questions[question].given(seed, materials).inputs) for seed in (7, 7, 8))
    assert first == again
    assert len(first) < 8 * 2**20
    if "rng" in inspect.signature(questions[question].module.given).parameters:
        assert first != other


@pytest.mark.parametrize("question", WITHOUT_TRAINING)
def test_the_oracles_pass(judge, question):
    assert judge(question) == {}


@pytest.mark.parametrize("question", OTHER_TYPES)
def test_answers_of_other_types_pass(judge, question):
    assert judge(question, OTHER_TYPES[question]) == {}


@pytest.mark.parametrize("question", ["vocabulary", "encode"])
def test_a_mistake_in_standardize_is_not_charged_again(judge, question):
    assert judge("standardize", OWN_WAY_TO_STANDARDISE)
    assert judge(question, OWN_WAY_TO_STANDARDISE) == {}


def test_without_a_gpu_nothing_is_assessed(judge):
    found = judge("gpu_training")
    assert found == {}
    assert found.not_assessed == {"weights_on_gpu", "gpu_worked"}
