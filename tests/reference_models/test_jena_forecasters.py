"""The reference models keep the contract of `models` and `variants`. Imports TensorFlow; about 15 seconds."""

from collections.abc import Iterator

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("default")  # TensorFlow's import warns, each release differently


@pytest.fixture(scope="module")
def builders() -> Iterator[dict]:
    """The builders by name; random weights are the same in each run."""
    import keras

    from reference_models.jena_forecasters import BUILDERS

    keras.utils.set_random_seed(5)
    yield BUILDERS
    keras.backend.clear_session()


def windows() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(3, 432, 14)).astype(np.float32)


NAMES = (
    "persistence", "linear", "mlp", "conv1d", "gru", "lstm", "residual", "stacked", "bidirectional",
    "recurrent_dropout", "layer_norm", "clipped",
)  # fmt: skip


def test_every_builder_is_tested(builders: dict) -> None:
    assert tuple(builders) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_model_keeps_the_contract(builders: dict, name: str) -> None:
    """Shapes, size, kind of layers, and a copy made from JSON and weights forecasts the same."""
    import keras

    model = builders[name]()
    assert model.input_shape == (None, 432, 14)
    assert model.output_shape == (None, 6, 2)
    assert model.count_params() <= 2_000_000
    recurrent = any(
        isinstance(layer, keras.layers.GRU | keras.layers.LSTM | keras.layers.Bidirectional) for layer in model.layers
    )
    assert recurrent == (NAMES.index(name) >= NAMES.index("gru"))
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy(windows()), model(windows()), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["persistence", "linear", "mlp", "residual", "bidirectional"])
def test_residual_models_start_as_persistence(builders: dict, name: str) -> None:
    from reference_models.jena_oracles import oracle_persistence

    np.testing.assert_allclose(builders[name]()(windows()), oracle_persistence(windows()), rtol=1e-6)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_direct_models_do_not(builders: dict, name: str) -> None:
    from reference_models.jena_oracles import oracle_persistence

    assert not np.allclose(builders[name]()(windows()), oracle_persistence(windows()), atol=0.1)


def test_clipping_is_in_the_compiled_optimizer(builders: dict) -> None:
    assert builders["clipped"]().optimizer.clipnorm == 1.0


def test_every_step_of_the_stack_is_recurrent(builders: dict) -> None:
    import keras

    from reference_models.jena_forecasters import build_stacked

    assert sum(isinstance(layer, keras.layers.GRU) for layer in build_stacked((8, 8, 4)).layers) == 3
