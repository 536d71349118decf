"""Claims without work behind them: what a notebook only says of itself does not pass where something has to be computed.

Takes about 20 s, most of it the import of TensorFlow.
"""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

INVENTED = """
class Invented(keras.callbacks.History):
    def __init__(self, model):
        super().__init__()
        self.epoch = [0]
        self.history = {key: [0.1] for key in ("loss", "val_loss", "mae", "val_mae", "rmse", "val_rmse")}
"""
TRAININGS = {
    "nothing is trained": (
        "def train(model, train_dataset, validation_dataset):\n    return Invented(model)\n",
        {"trains_a_new_model", "trains_a_compiled_model", "fits_on_the_training_dataset"},
    ),
    "other weights, but no better ones": (
        "def train(model, train_dataset, validation_dataset):\n"
        "    model.set_weights([weight + 1.0 for weight in model.get_weights()])\n    return Invented(model)\n",
        {"fits_on_the_training_dataset"},
    ),
    "fit does nothing": (
        "keras.Model.fit = lambda self, *arguments, **options: Invented(self)\n"
        "def train(model, train_dataset, validation_dataset):\n"
        "    model.compile(loss='mse')\n    return model.fit(train_dataset, validation_data=validation_dataset)\n",
        {"trains_a_new_model", "trains_a_compiled_model", "fits_on_the_training_dataset"},
    ),
}


@pytest.mark.parametrize("way", TRAININGS)
def test_training_that_is_only_claimed(judge, basics, way, monkeypatch):
    import keras

    monkeypatch.setattr(keras.Model, "fit", keras.Model.fit)  # put back at the end
    source, lost = TRAININGS[way]
    found = judge("training", basics, INVENTED, source, fits=[])
    assert lost | {"histories_are_what_fit_returned"} <= set(found), dict(found)


def test_statistics_that_make_nothing_to_compute(judge, basics):
    """Mean 0 and deviation 1 do not turn functions that return their input into right ones."""
    nothing = """
def fit_normalization(train):
    return pd.Series(0.0, index=FEATURES), pd.Series(1.0, index=FEATURES)
def normalize(frame, mean, std):
    return frame
def denormalize_targets(y, mean, std):
    return y
"""
    assert {"mean", "std", "normalize", "denormalize"} <= set(judge("normalization", basics, nothing))


def test_a_number_of_parameters_that_is_only_claimed(judge):
    large = """
class Small(keras.Model):
    def count_params(self):
        return 7
def build(layer):
    inputs = keras.Input((432, 14))
    hidden = keras.layers.Dense(600)(keras.layers.Flatten()(layer(inputs)))
    return Small(inputs, keras.layers.Reshape((6, 2))(keras.layers.Dense(12)(hidden)))
build_mlp = lambda: build(keras.layers.Dense(14))
build_recurrent = lambda: build(keras.layers.LSTM(14, return_sequences=True))
"""
    found = judge("models", large)
    assert {"mlp_size", "recurrent_size"} <= set(found), dict(found)
