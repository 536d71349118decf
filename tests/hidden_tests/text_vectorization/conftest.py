"""The hidden tests of `text_vectorization` without a kernel: a student is source text, run, probed and judged here."""

import functools
import inspect
import warnings
from pathlib import Path

import pytest

from autograder.checks import Failure, Materials, NotAssessed
from autograder.checks.judging import load_hidden_tests
from autograder.checks.view import EvidenceView
from autograder.data import provide_reviews
from autograder.evidence import encode
from autograder.records import CellRun, Run
from reference_models.text_baselines import fit_bag_of_words

ROOT = Path(__file__).resolve().parents[3]
PARAMETERS = {"EPOCHS": 1, "MAX_TOKENS": 5000, "SEQUENCE_LENGTH": 60, "N_REVIEWS": 800}
SETUP = """
import re
from pathlib import Path
import keras
import numpy as np
import tensorflow as tf
from autograder.data import read_reviews
from reference_models.text_oracles import PUNCTUATION

SEED = 7

def load_reviews(path, n):
    reviews = read_reviews(Path(path))[:n]
    return [review.text for review in reviews], np.array([review.label for review in reviews])
"""
ORACLES = """
from reference_models.subword_oracles import apply_bpe, learn_bpe
from reference_models.text_models import build_bow_model, build_sequence_model, make_vectorizer
from reference_models.text_oracles import (
    build_vocabulary, count_vectors, encode, multi_hot, ngrams, split_reviews, standardize, tf_idf,
)
from reference_models import text_oracles

def tokenize(text, level="word"):
    if level not in ("word", "char"):
        raise ValueError(level)
    return text_oracles.tokenize(text, level)
"""


@pytest.fixture(scope="session")
def reviews(tmp_path_factory):
    """Generated reviews: 900 that the notebook gets, and 300 that are withheld."""
    cache = tmp_path_factory.mktemp("reviews")
    return provide_reviews(path=None, download=False, rows=1200, withheld_fraction=0.25, seed=5, cache=cache)


@pytest.fixture(scope="session")
def materials(reviews):
    bars = {"classify": {"bars": {"bag_of_words": 0.6, "sequence": 0.65}}}
    return Materials("smoke", PARAMETERS, reviews.public, reviews.withheld, reviews.origin, bars)


@pytest.fixture(scope="session")
def questions():
    return load_hidden_tests(ROOT / "solutions" / "text_vectorization" / "hidden_tests")


@functools.cache
def fitted(texts, labels, longest):
    """Logistic regression on words or n-grams, fitted once for all tests that ask for the same."""
    return fit_bag_of_words(texts, labels, longest=longest, strength=0.3)


@pytest.fixture
def judge(questions, runtime, materials, reviews, tmp_path):
    """Run a student's source after the oracles, probe one question, judge it: messages of the checks that did not pass."""

    def run(question, source="", materials=materials):
        namespace = {"__name__": "__main__", **PARAMETERS, "DATA_PATH": str(reviews.public), "fitted": fitted}
        hidden = questions[question]
        given = hidden.given(7, materials)
        (tmp_path / "given.npz").write_bytes(encode(given.inputs))
        destination = tmp_path / f"{question}.npz"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a kernel does not raise them either
            for number, cell in enumerate((SETUP, ORACLES, source)):
                exec(compile(cell, f"<ipython-input-{number}>", "exec"), namespace)
            received = runtime.codec.read(tmp_path / "given.npz")
            runtime.runtime.run_probe(question, hidden.probe_source, received, namespace, str(destination))
        cell = CellRun(index=0, grade_id=question, outcome="ok")
        account = Run(
            assignment="text_vectorization", profile="smoke", seed=7, sandbox="none", cells=(cell,), devices=()
        )
        offers = {"given": given, "run": account, "materials": materials}
        offers["measured"] = lambda value, bar: value >= bar
        return verdicts(hidden.module, {**offers, "evidence": EvidenceView(destination, account, question)})

    return run


class Verdicts(dict):
    """Messages of the checks that did not pass, by name."""

    def __init__(self):
        super().__init__()
        self.not_assessed = set()


def verdicts(module, offers):
    found = Verdicts()
    for name, function in vars(module).items():
        if name.startswith("test_"):
            wanted = inspect.signature(function).parameters
            try:
                function(**{key: offers[key] for key in wanted})
            except Failure as failure:
                assert "Received: " in failure.message or "is not defined" in failure.message, failure.message
                found[name.removeprefix("test_")] = failure.message
            except NotAssessed:
                found.not_assessed.add(name.removeprefix("test_"))
    return found
