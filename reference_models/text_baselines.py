"""What a review classifier has to beat: naming the majority, and logistic regression on words that stand in a review.

On the 50,000 IMDB reviews such a bag of words reaches an accuracy of 0.88 to 0.90 (A. L. Maas and others, "Learning
word vectors for sentiment analysis", ACL 2011; S. Wang and C. D. Manning, "Baselines and bigrams", ACL 2012).
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from reference_models.text_oracles import ngrams, tokenize

Classifier = Callable[[Sequence[str]], NDArray[np.float64]]


def majority_accuracy(train_labels: ArrayLike, labels: ArrayLike) -> float:
    """Accuracy on `labels` `(n,)` of naming always what is most frequent in `train_labels`; of equal ones 0."""
    most = np.bincount(np.asarray(train_labels, dtype=np.int64), minlength=2).argmax()
    return float((np.asarray(labels) == most).mean())


def fit_bag_of_words(
    texts: Sequence[str], labels: ArrayLike, *, max_tokens: int = 20_000, longest: int = 1, strength: float = 0.1
) -> Classifier:
    """Logistic regression on multi-hot vectors of n-grams up to `longest`: raw texts to probabilities `(n,)`.

    `strength` is the inverse of the penalty. Deterministic: no seed, no shuffling.
    """
    vectorizer = CountVectorizer(
        analyzer=lambda text: ngrams(tokenize(text), longest), max_features=max_tokens, binary=True
    )
    model = LogisticRegression(C=strength, max_iter=300).fit(vectorizer.fit_transform(texts), np.asarray(labels))

    def classify(unseen: Sequence[str]) -> NDArray[np.float64]:
        return np.asarray(model.predict_proba(vectorizer.transform(unseen))[:, 1], dtype=np.float64)

    return classify


def accuracy(classify: Classifier, texts: Sequence[str], labels: ArrayLike) -> float:
    """The share of texts whose probability is on the right side of one half (one half itself is positive)."""
    return float(((np.asarray(classify(texts)).reshape(-1) >= 0.5) == np.asarray(labels).astype(bool)).mean())
