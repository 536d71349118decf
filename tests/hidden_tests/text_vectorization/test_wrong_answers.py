"""Each check of `text_vectorization` fails for the mistake that it is about, and no other check does. 6 seconds, with Keras."""

import pytest

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently

STANDARDIZE = "def standardize(text):\n    return {}"
SPLIT = """
def split_reviews(texts, labels, validation_fraction=0.2, seed=SEED):
    a, b, c, d = text_oracles.split_reviews(texts, labels, {fraction}, {seed})
    return {result}
"""
BPE = """
from reference_models import subword_oracles

def learn_bpe(word_counts, n_merges):
    return {learn}

def apply_bpe(word, merges):
    return {apply}
"""
LEARN, APPLY = "subword_oracles.learn_bpe(word_counts, n_merges)", "subword_oracles.apply_bpe(word, merges)"
VECTORIZER = """
from reference_models import text_models

def make_vectorizer(train_texts, max_tokens, output_mode, length=None, ngrams=None):
    {body}
"""
LAYER = """layer = keras.layers.TextVectorization({0}, standardize={1}, output_mode=output_mode,
        output_sequence_length=length, ngrams=ngrams)
    layer.adapt({2})
    return layer"""

CASES = [
    ("standardize", "def standardize(text):\n    return None", {
        "returns_text", "tags_become_spaces", "lower_case", "punctuation_goes", "white_space", "accents_stay",
        "nothing_left", "whole_reviews"}),
    ("standardize", STANDARDIZE.format("text_oracles.standardize(re.sub('<[^>]*>', '', text))"),
     {"tags_become_spaces", "whole_reviews"}),
    ("standardize", STANDARDIZE.format("text_oracles.standardize(text).encode('ascii', 'ignore').decode()"),
     {"accents_stay", "whole_reviews"}),
    ("standardize", STANDARDIZE.format(
        "' '.join(''.join(c for c in re.sub('<[^>]*>', ' ', text) if c not in PUNCTUATION).split())"),
     {"lower_case", "accents_stay", "whole_reviews"}),
    ("tokenize", "def tokenize(text, level='word'):\n    return standardize(text).split() if level == 'word' "
     "else list(standardize(text))", {"unknown_level"}),
    ("tokenize", "def tokenize(text, level='word'):\n    if level not in ('word', 'char'):\n        raise ValueError\n"
     "    return text.split() if level == 'word' else list(text)", {"standardises_first"}),
    ("tokenize", "def ngrams(tokens, n):\n    return [' '.join(tokens[i:i + n]) for i in range(len(tokens) - n + 1)]",
     {"ngrams", "repeated_ngrams", "ngrams_at_the_end"}),
    ("tokenize", "def ngrams(tokens, n):\n    return sorted(set(text_oracles.ngrams(tokens, n)), "
     "key=text_oracles.ngrams(tokens, n).index)", {"repeated_ngrams"}),
    ("subwords", BPE.format(learn=LEARN, apply="[s for s in " + APPLY + " if s != '</w>']"),
     {"cuts_unseen_words", "merges_in_learned_order"}),
    ("subwords", BPE.format(learn="subword_oracles.learn_bpe(dict.fromkeys(word_counts, 1), n_merges)", apply=APPLY),
     {"learns_the_merges", "counts_words_by_frequency", "ties"}),
    ("subwords", BPE.format(learn="subword_oracles.learn_bpe({w: word_counts[w] for w in word_counts if "
                            "len(set(w)) == len(w)}, n_merges)", apply=APPLY),
     {"learns_the_merges", "counts_words_by_frequency", "ties"}),
    ("subwords", BPE.format(learn=LEARN, apply="subword_oracles.apply_bpe(word, sorted(merges, reverse=True))"),
     {"cuts_seen_words", "cuts_unseen_words", "merges_in_learned_order"}),
    ("vocabulary", "def build_vocabulary(texts, max_tokens=None):\n"
     "    return text_oracles.build_vocabulary(texts, max_tokens and max_tokens + 2)", {"size"}),
    ("vocabulary", "def build_vocabulary(texts, max_tokens=None):\n"
     "    return {w: i for i, w in enumerate(['[UNK]', '', *list(text_oracles.build_vocabulary(texts, max_tokens))[2:]])}",
     {"special_tokens", "frequent_words_first", "counts_every_occurrence", "ties_by_alphabet", "size",
      "knows_nothing_of_other_texts"}),
    ("vocabulary", "KNOWN = []\ndef build_vocabulary(texts, max_tokens=None):\n    KNOWN.extend(texts)\n"
     "    return text_oracles.build_vocabulary(KNOWN, max_tokens)", None),
    ("encode", "def encode(text, vocabulary, length=None):\n    found = text_oracles.encode(text, vocabulary)\n"
     "    return found if length is None else ([0] * length + found)[-length:]", {"padding", "truncation"}),
    ("encode", "def encode(text, vocabulary, length=None):\n    found = [vocabulary.get(t, 0) for t in "
     "tokenize(text)]\n    return found if length is None else (found + [0] * length)[:length]",
     {"unknown_words"}),
    ("bag_of_words", "def multi_hot(texts, vocabulary):\n    return count_vectors(texts, vocabulary)",
     {"multi_hot", "unknown_words_have_the_first_column"}),
    ("bag_of_words", "def tf_idf(texts, vocabulary):\n    return text_oracles.tf_idf([*texts, ''], vocabulary)[:-1]",
     {"tf_idf", "tf_idf_of_other_texts", "unknown_words_have_the_first_column"}),
    ("bag_of_words", "def count_vectors(texts, vocabulary):\n"
     "    return text_oracles.count_vectors(texts, vocabulary).astype(int)", {"floats"}),
    ("split_reviews", SPLIT.format(fraction="validation_fraction", seed="seed", result="a, b[::-1], c, d"),
     {"labels_follow_their_texts"}),
    ("split_reviews", SPLIT.format(fraction="0.3", seed="seed", result="a, b, c, d"), {"sizes"}),
    ("split_reviews", SPLIT.format(fraction="validation_fraction", seed="0", result="a, b, c, d"),
     {"shuffled_by_the_seed"}),
    ("split_reviews", SPLIT.format(fraction="validation_fraction", seed="np.random.randint(99)", result="a, b, c, d"),
     {"shuffled_by_the_seed"}),
    ("split_reviews", SPLIT.format(fraction="validation_fraction", seed="seed", result="a[:-1], b[:-1], c, d"),
     {"no_text_is_dropped"}),
    ("keras_vectorizer", VECTORIZER.format(body=LAYER.format(
        "max_tokens", "'lower_and_strip_punctuation'", "train_texts")),
     {"standardises_as_standardize", "standardises_what_it_is_called_with", "lower_case_of_accents"}),
    ("keras_vectorizer", VECTORIZER.format(body=LAYER.format(
        "max_tokens", "'lower_and_strip_punctuation'", "[standardize(text) for text in train_texts]")),
     {"standardises_what_it_is_called_with"}),
    ("keras_vectorizer", VECTORIZER.format(body=LAYER.format(
        "max_tokens", "text_models.standardize_tensor", "[*train_texts, 'leaking words']")), None),
    ("keras_vectorizer", VECTORIZER.format(
        body="return text_models.make_vectorizer(train_texts, max_tokens, output_mode, length)"), {"ngrams"}),
    ("models", "def build_bow_model(n_tokens):\n    from reference_models import text_models\n"
     "    return text_models.build_bow_model(40)", {"bow_shape"}),
    ("models", "def build_sequence_model(n_tokens):\n    return 'a model'",
     {"sequence_shape", "probabilities", "sequence_layers", "padding_does_not_decide"}),
    ("models", "def build_sequence_model(n_tokens):\n    L = keras.layers\n    return keras.Sequential([keras.Input((None,)),"
     " L.Embedding(n_tokens, 8), L.Conv1D(32, 3, padding='same', activation='relu'), L.GlobalAveragePooling1D(),"
     " L.Dense(1, activation='sigmoid')])", {"padding_does_not_decide"}),
    ("models", "def build_sequence_model(n_tokens):\n    L = keras.layers\n    return keras.Sequential([keras.Input((None,)),"
     " L.Embedding(n_tokens, 8, mask_zero=True), L.GlobalAveragePooling1D(), L.Dense(1, activation='sigmoid')])",
     {"sequence_layers"}),
]  # fmt: skip


@pytest.mark.parametrize(("question", "source", "lost"), CASES)
def test_a_mistake_costs_its_checks(judge, question, source, lost):
    """`lost` None: some check fails, and not all of them."""
    found = judge(question, source)
    if lost is None:
        assert 0 < len(found) < 8
    else:
        assert set(found) == lost


@pytest.mark.parametrize("question", ["standardize", "subwords", "encode", "bag_of_words", "models", "split_reviews"])
def test_an_exception_is_told_with_its_line(judge, question):
    names = ("standardize", "learn_bpe", "apply_bpe", "encode", "multi_hot", "count_vectors", "tf_idf",
             "build_bow_model", "build_sequence_model", "split_reviews")  # fmt: skip
    source = "\n".join(f"def {name}(*a, **k):\n    raise RuntimeError('out of words')" for name in names)
    found = judge(question, source)
    assert len(found) >= 5
    assert all("out of words" in message for message in found.values())
