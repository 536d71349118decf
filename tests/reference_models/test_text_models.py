"""The reference models of text keep the contract of `models`. TensorFlow; 6 seconds."""

import numpy as np
import pytest

from autograder.data.review_grammar import generate_reviews

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently
N_TOKENS = 50


@pytest.fixture(scope="module")
def models():
    import keras

    from reference_models import text_models

    keras.utils.set_random_seed(3)
    yield text_models
    keras.backend.clear_session()


def _copied(model):
    import keras

    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    return copy


def test_bag_of_words_model(models):
    model = models.build_bow_model(N_TOKENS)
    assert (model.input_shape, model.output_shape) == ((None, N_TOKENS), (None, 1))
    x = np.random.default_rng(0).integers(0, 2, size=(6, N_TOKENS)).astype(np.float32)
    received = np.asarray(model(x))
    assert ((received > 0) & (received < 1)).all()
    np.testing.assert_allclose(_copied(model)(x), received, rtol=1e-5)


@pytest.mark.parametrize("name", ["build_sequence_model", "build_recurrent_model"])
def test_sequence_models(models, name):
    model = getattr(models, name)(N_TOKENS)
    assert (model.input_shape, model.output_shape) == ((None, None), (None, 1))
    x = np.random.default_rng(0).integers(1, N_TOKENS, size=(6, 17))
    received = np.asarray(model(x))
    assert ((received > 0) & (received < 1)).all()
    np.testing.assert_allclose(_copied(model)(x), received, rtol=1e-5)
    assert model(x[:, :1]).shape == (6, 1)


@pytest.mark.parametrize("name", ["build_sequence_model", "build_recurrent_model"])
def test_padding_does_not_decide(models, name):
    """Not at all, also for biases as training makes them: far below the contract's 0.05."""
    model = getattr(models, name)(N_TOKENS)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.5, size=weight.shape) for weight in model.get_weights()])
    x = rng.integers(1, N_TOKENS, size=(6, 9))
    padded = np.pad(x, ((0, 0), (0, 40)))
    np.testing.assert_allclose(model(padded), model(x), atol=1e-5)
    assert np.ptp(np.asarray(model(x))) > 0.05


def test_a_sequence_model_reads_what_a_bag_of_words_cannot(models):
    """On 2,000 generated reviews after a few seconds: words alone reach 0.7."""
    reviews = generate_reviews(2600, 7)
    texts, labels = [review.text for review in reviews], np.array([review.label for review in reviews])
    vectorizer = models.make_vectorizer(texts[:2000], 2000, "int", 120)
    model = models.build_sequence_model(2000)
    models.compile_classifier(model)
    model.fit(np.asarray(vectorizer(texts[:2000])), labels[:2000], epochs=5, batch_size=32, verbose=0)
    found = model.evaluate(np.asarray(vectorizer(texts[2000:])), labels[2000:], verbose=0)[1]
    assert found > 0.85
