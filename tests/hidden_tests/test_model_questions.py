"""models, variants, figures, gpu_training: described in the kernel, judged outside it.

Takes about 40 s, half of it the import of TensorFlow.
"""

import pytest

from autograder.records import DeviceInfo

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

MODELS = """
def build_mlp():
    inputs = keras.Input((432, 14))
    hidden = keras.layers.Flatten()(inputs[:, -6:, :])
    hidden = keras.layers.Dense(8, activation="relu")(hidden)
    return keras.Model(inputs, keras.layers.Reshape((6, 2))(keras.layers.Dense(12)(hidden)))

def build_recurrent():
    return keras.Sequential([keras.layers.Input((432, 14)), keras.layers.AveragePooling1D(48), keras.layers.GRU(4),
                             keras.layers.Dense(12), keras.layers.Reshape((6, 2))])
"""
SUBCLASSED = """
class Convolution(keras.Model):
    def __init__(self, filters=4, **options):
        super().__init__(**options)
        self.filters = filters
        self.pool = keras.layers.AveragePooling1D(24)
        self.convolution = keras.layers.Conv1D(filters, 3, activation="relu")
        self.heads = [keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(12), keras.layers.Reshape((6, 2))]
    def call(self, x, training=None):
        x = self.convolution(self.pool(x))
        for head in self.heads:
            x = head(x)
        return x
    def get_config(self):
        return {**super().get_config(), "filters": self.filters}

@keras.saving.register_keras_serializable()
class LastSteps(keras.layers.Layer):
    def call(self, x):
        return x[:, -4:]

def build_mlp():
    model = Convolution()
    model.compile("adam", "mse")
    return model

def build_recurrent():
    inputs = keras.Input((432, 14))
    hidden = keras.layers.RNN(keras.layers.LSTMCell(4))(LastSteps()(inputs))
    model = keras.Model(inputs, keras.layers.Reshape((6, 2))(keras.layers.Dense(12)(hidden)))
    model.compile(loss=lambda a, b: keras.ops.mean((a - b) ** 2), optimizer="adam")
    return model
"""
MODEL_MISTAKES = {
    "recurrent layer in the mlp": ("keras.layers.Flatten()(inputs[:, -6:, :])", "keras.layers.GRU(4)(inputs[:, -6:, :])", {"mlp_layers"}),
    "no recurrent layer": ("keras.layers.GRU(4)", "keras.layers.Flatten()", {"recurrent_layers"}),
    "a simple recurrent layer": ("keras.layers.GRU(4)", "keras.layers.SimpleRNN(4)", {"recurrent_layers"}),
    "flat output": ("keras.layers.Dense(12), keras.layers.Reshape((6, 2))", "keras.layers.Dense(12)", {"recurrent_shape"}),
    "targets before steps": ("keras.layers.Dense(12), keras.layers.Reshape((6, 2))",
                             "keras.layers.Dense(12), keras.layers.Reshape((2, 6))", {"recurrent_shape"}),
    "too big": ("inputs[:, -6:, :])\n    hidden = keras.layers.Dense(8", "inputs)\n    hidden = keras.layers.Dense(400", {"mlp_size"}),
    "no layer that learns": ('keras.layers.Dense(8, activation="relu")(hidden)', "hidden", None),
    "an anonymous function inside": ("keras.layers.Flatten()(inputs[:, -6:, :])",
                                     "keras.layers.Flatten()(keras.layers.Lambda(lambda x: x[:, -6:])(inputs))", {"mlp_is_serialisable"}),
    "a layer instead of a model": ("    return keras.Sequential([", "    return keras.layers.Dense(12)\n    return keras.Sequential([",
                                   {"recurrent_shape", "recurrent_layers", "recurrent_size", "recurrent_is_serialisable"}),
    "an exception": ("    inputs = keras.Input((432, 14))\n    hidden", "    inputs = keras.Input(shape)\n    hidden",
                     {"mlp_shape", "mlp_layers", "mlp_size", "mlp_is_serialisable"}),
}  # fmt: skip


@pytest.mark.parametrize("source", [MODELS, SUBCLASSED], ids=["functional", "subclassed"])
def test_models_right(judge, source):
    assert judge("models", source) == {}


@pytest.mark.parametrize("mistake", MODEL_MISTAKES)
def test_models_wrong(judge, mistake):
    old, new, lost = MODEL_MISTAKES[mistake]
    assert old in MODELS
    found = judge("models", MODELS.replace(old, new))
    assert set(found) == (lost or set()), dict(found)


def variants(*entries, extra=""):
    """A build_variants whose models are made by `make(name, encode)`: pooling, `encode`, a head; or residual."""
    listed = ", ".join(f'"{name}": {call}' for name, call in entries)
    return f"""
def make(*middle, residual=False, optimizer=None):
    inputs = keras.Input((432, 14))
    hidden = keras.layers.AveragePooling1D(48)(inputs)
    for layer in middle:
        hidden = layer(hidden)
    outputs = keras.layers.Reshape((6, 2))(keras.layers.Dense(12)(hidden))
    if residual:
        outputs = outputs + keras.ops.take(inputs[:, -1:, :], [1, 0], axis=-1)
    model = keras.Model(inputs, outputs)
    if optimizer is not None:
        model.compile(optimizer, loss="mae")
    return model
{extra}
def build_variants():
    L = keras.layers
    return {{{listed}}}
"""


STACKED = ("stacked", "make(L.GRU(4, return_sequences=True), L.GRU(4))")
NORMED = ("normed", "make(L.GRU(4, return_sequences=True), L.LayerNormalization(), L.Flatten())")
DROPPED = ("dropped", "make(L.LSTM(4, recurrent_dropout=0.2))")
BOTH_WAYS = ("both", "make(L.Bidirectional(L.GRU(4)))")
RESIDUAL = ("residual", "make(L.GRU(4), residual=True)")
CLIPPED = ("clipped", "make(L.GRU(4), optimizer=keras.optimizers.Adam(1e-3, clipnorm=1.0))")
VALUE = ("value", "make(L.GRU(4), optimizer=keras.optimizers.RMSprop(1e-3, clipvalue=0.5))")
PLAIN = ("plain", "make(L.GRU(4))")
WIDE = ("wide", "make(L.GRU(9))")
CELL = ("cell", "make(L.RNN([L.GRUCell(4), L.LSTMCell(4, recurrent_dropout=0.1)]))")
BACKWARDS = ("backwards", "make(L.GRU(4, return_sequences=True), L.GRU(4, go_backwards=True))")
NET = ("net", "Net(4)")
NET_CLASS = """
class Net(keras.Model):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units, self.pool = units, keras.layers.AveragePooling1D(48)
        self.layers_ = [keras.layers.GRU(units, return_sequences=True), keras.layers.LayerNormalization(), keras.layers.GRU(units)]
        self.head = keras.layers.Dense(12)
    def call(self, x):
        hidden = self.pool(x)
        for layer in self.layers_:
            hidden = layer(hidden)
        return x[:, -1:, 1::-1] + keras.ops.reshape(self.head(hidden), (-1, 6, 2))
    def get_config(self):
        return {**super().get_config(), "units": self.units}
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (STACKED, NORMED),
        (DROPPED, CLIPPED),
        (RESIDUAL, VALUE),
        (BOTH_WAYS, NORMED),
        (NET, WIDE),
        (CELL, WIDE),
        (BACKWARDS, WIDE),
    ],
    ids=lambda entry: entry[0],
)
def test_variants_right(judge, first, second):
    """Each technique counts, in built-in layers, cells and subclassed models."""
    assert judge("variants", MODELS, variants(first, second, extra=NET_CLASS)) == {}


def test_each_technique_is_seen(judge, questions, runtime):
    """One variant with one technique passes `a_technique` and fails `two_techniques`, which names it."""
    for entry, technique in (
        (NORMED, "layer normalisation"), (DROPPED, "recurrent dropout"), (BOTH_WAYS, "bidirectional"),
        (RESIDUAL, "residual output"), (CLIPPED, "gradient clipping"), (STACKED, "stacking"),
    ):  # fmt: skip
        found = judge("variants", MODELS, variants(entry, WIDE))
        assert set(found) == {"two_techniques"}, dict(found)
        assert technique in found["two_techniques"]


VARIANT_MISTAKES = {
    "one variant": (variants(("all", "make(L.GRU(4, return_sequences=True), L.LSTM(4), residual=True)")), {"two_models", "variants_differ"}),
    "no technique": (variants(WIDE, ("wider", "make(L.GRU(11))")), {"a_technique", "two_techniques"}),
    "the same twice": (variants(("a", CELL[1]), ("b", CELL[1])), {"variants_differ"}),
    "the same by another optimizer": (
        variants(("a", "make(L.GRU(4), L.LayerNormalization(), residual=True, optimizer='adam')"),
                 ("b", "make(L.GRU(4), L.LayerNormalization(), residual=True, optimizer='sgd')")), {"variants_differ"}),
    "one is build_recurrent": (
        variants(("a", "build_recurrent()"), ("b", "make(L.GRU(4), L.LayerNormalization(), residual=True)")), {"variants_improve_on_recurrent"}),
    "one is build_recurrent in other words": (variants(PLAIN, CELL), {"variants_improve_on_recurrent"}),
    "one is not recurrent": (variants(RESIDUAL, ("conv", "make(L.Conv1D(4, 3), L.LayerNormalization(), L.Flatten())")), {"recurrent_layers"}),
    "wrong shape": (variants(CELL, ("flat", "keras.Sequential([L.Input((432, 14)), L.AveragePooling1D(48), L.GRU(4), L.Dense(12)])")), {"shapes"}),
    "a name that is taken": (variants(("mlp", CELL[1]), WIDE), {"two_models"}),
    "a list": (variants(CELL, WIDE).replace("return {", "return list({").replace("))}", "))}.values())"), None),
    "an anonymous function": (variants(CELL, ("odd", "make(L.Lambda(lambda x: x * 2), L.GRU(4))")), {"serialisable"}),
    "one that cannot be called": (variants(CELL, NORMED, ("broken", "Broken()"), extra="""
class Broken(keras.Model):
    def call(self, x):
        return self.missing(x)
"""), {"two_models", "shapes", "recurrent_layers", "serialisable"}),
}  # fmt: skip


@pytest.mark.parametrize("mistake", VARIANT_MISTAKES)
def test_variants_wrong(judge, mistake):
    source, lost = VARIANT_MISTAKES[mistake]
    found = judge("variants", MODELS, source)
    assert len(found) >= 6 if lost is None else set(found) == lost, dict(found)


def test_variants_do_not_pay_for_models(judge):
    """Without build_recurrent there is nothing to be equal to."""
    assert judge("variants", variants(CELL, WIDE)) == {}


HISTORIES = """
lists = {"loss": [3.0, 2.0], "val_loss": [3.5, 2.5], "mae": [1.0, 0.5], "val_mae": [1.2, 0.9]}
histories = {"mlp": lists, "recurrent": lists}
"""
FIGURES = """
import matplotlib.pyplot as plt
figure_curves, axes = plt.subplots()
axes.plot([1, 2], lists["loss"], label="training")
axes.plot([1, 2], lists["val_loss"], label="validation")
axes.set(xlabel="epoch", ylabel="loss")
axes.legend()
figure_forecasts, axes = plt.subplots(2, 1, sharex=True)
for panel, name in zip(axes, ["temperature (°C)", "pressure in mbar"]):
    panel.plot([1, 2, 3], [1, 2, 3], label="truth")
    panel.plot([1, 2, 3], [2, 2, 3], "x", label="forecast")
    panel.set_ylabel(name)
axes[1].set_xlabel("minutes")
axes[0].legend()
plt.close("all")
"""
FIGURES_OF_OBJECTS = """
figure_curves = Figure()
left, right = figure_curves.subplots(1, 2)
left.plot([3.0, 2.0], label="fit")
right.semilogy([3.5, 2.5], label="held out")
figure_curves.supxlabel("epoch")
figure_curves.supylabel("MAE")
figure_curves.legend()
figure_forecasts = Figure()
axes = figure_forecasts.add_subplot()
axes.scatter([1, 2], [3, 4], label="truth")
axes.step([1, 2], [3, 5], label="GRU")
axes.set(xlabel="time", ylabel="T [degC]")
axes.legend()
"""
FIGURE_MISTAKES = {
    "axes": ("plt.close", "figure_curves = figure_curves.axes[0]\nplt.close", {"curves_lines", "curves_labels", "curves_legend"}),
    "no legend": ("axes.legend()\nfigure_forecasts", "figure_forecasts", {"curves_legend"}),
    "no labels": ('axes.set(xlabel="epoch", ylabel="loss")', "", {"curves_labels"}),
    "one line": ('axes.plot([1, 2], lists["val_loss"], label="validation")\n', "", {"curves_lines", "curves_labels", "curves_legend"}),
    "training curves only": ('lists["val_loss"], label="validation"', 'lists["mae"], label="MAE"', {"curves_lines"}),
    "no unit": ('["temperature (°C)", "pressure in mbar"]', '["temperature", "pressure"]', {"forecasts_labels"}),
    "normalised": ('["temperature (°C)", "pressure in mbar"]', '["temperature (normalised)", "pressure"]', {"forecasts_labels"}),
    "empty": ("plt.close", "figure_forecasts = plt.figure()\nplt.close", {"forecasts_lines", "forecasts_labels", "forecasts_legend"}),
    "nothing": ("plt.close", "figure_forecasts = None\nplt.close", {"forecasts_lines", "forecasts_labels", "forecasts_legend"}),
}  # fmt: skip


@pytest.mark.parametrize("source", [FIGURES, FIGURES_OF_OBJECTS], ids=["pyplot", "objects"])
def test_figures_right(judge, source):
    assert judge("figures", HISTORIES, source) == {}
    assert (
        judge("figures", source.replace('lists["loss"]', "[3.0, 2.0]").replace('lists["val_loss"]', "[3.5, 2.5]")) == {}
    )


@pytest.mark.parametrize("mistake", FIGURE_MISTAKES)
def test_figures_wrong(judge, mistake):
    old, new, lost = FIGURE_MISTAKES[mistake]
    assert old in FIGURES
    found = judge("figures", HISTORIES, FIGURES.replace(old, new))
    assert set(found) == lost, dict(found)


GPU = (DeviceInfo(name="a GPU", mean_utilization=40.0),)
ON_GPU = [{"finished": True, "devices": ["/job:localhost/replica:0/task:0/device:GPU:0"]}]
ON_CPU = [{"finished": True, "devices": ["/job:localhost/replica:0/task:0/device:CPU:0"]}]
SEES_GPU = (
    "tf.config.list_physical_devices = lambda kind=None: [type('Device', (), {'name': '/physical_device:GPU:0'})]\n"
)


@pytest.fixture
def physical_devices():
    """Puts back what a student's source below replaces in TensorFlow."""
    import tensorflow as tf

    patch = pytest.MonkeyPatch()
    patch.setattr(tf.config, "list_physical_devices", tf.config.list_physical_devices)
    yield
    patch.undo()


def test_gpu_not_assessed_without_one(judge):
    found = judge("gpu_training", "", fits=ON_CPU)
    assert found == {} and found.not_assessed == {"weights_on_gpu", "gpu_worked"}


@pytest.mark.usefixtures("physical_devices")
def test_gpu_used(judge):
    assert judge("gpu_training", SEES_GPU, fits=ON_GPU, devices=GPU) == {}


@pytest.mark.usefixtures("physical_devices")
def test_gpu_not_used(judge):
    assert set(judge("gpu_training", SEES_GPU, fits=ON_CPU, devices=GPU)) == {"weights_on_gpu"}
    idle = (DeviceInfo(name="a GPU", mean_utilization=0.0),)
    assert set(judge("gpu_training", SEES_GPU, fits=ON_GPU, devices=idle)) == {"gpu_worked"}
    assert set(judge("gpu_training", SEES_GPU, fits=[], devices=GPU)) == {"weights_on_gpu"}
