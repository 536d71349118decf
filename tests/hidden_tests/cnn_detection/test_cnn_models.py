"""Networks of `cnn_detection`, described in the kernel and judged outside it. Twelve seconds, half of them TensorFlow's import."""

import pytest

from autograder.records import DeviceInfo

pytestmark = pytest.mark.filterwarnings("ignore")  # TensorFlow's own, at import

FUNCTIONAL = """
import keras
from keras import layers

def trunk(x, last=8):
    for filters in (4, 8, last):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, padding="same", activation="relu")(x))
    return x

def build_localizer():
    inputs = keras.Input((64, 64, 1))
    x = trunk(layers.Rescaling(1 / 255)(inputs))
    kind = layers.Dense(10, activation="softmax")(layers.GlobalMaxPooling2D()(x))
    box = layers.Dense(4)(layers.Flatten()(x))
    return keras.Model(inputs, {"class": kind, "box": box})

def build_detector():
    inputs = keras.Input((64, 64, 1))
    return keras.Model(inputs, layers.Conv2D(15, 1, activation="sigmoid")(trunk(inputs)))
"""
LISTED = (
    FUNCTIONAL.replace('{"class": kind, "box": box}', "[kind, box]")
    + """
def build_detector():
    model = keras.Sequential([keras.Input((64, 64, 1)), layers.SeparableConv2D(4, 5, strides=4, padding="same"), layers.ReLU(),
                              layers.DepthwiseConv2D(3, strides=2, padding="same"), layers.Dense(15, activation="sigmoid")])
    model.compile("adam", "mse")
    return model
"""
)
SUBCLASSED = """
import keras
from keras import layers

class ConvBlock(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.convolution, self.pool = layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D()
    def call(self, x):
        return self.pool(self.convolution(x))

class Localizer(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [ConvBlock(4), ConvBlock(8)]
        self.flat, self.kind, self.box = layers.Flatten(), layers.Dense(10, activation="softmax"), layers.Dense(4)
    def call(self, x, training=None):
        for block in self.blocks:
            x = block(x / 255.0)
        return {"class": self.kind(self.flat(x)), "box": self.box(self.flat(x)), "features": x}

class Detector(Localizer):
    def call(self, x):
        for block in [*self.blocks, layers.MaxPooling2D()]:
            x = block(x)
        return keras.ops.concatenate([x, x], axis=-1)[..., :15]

build_localizer, build_detector = Localizer, Detector
"""
MISTAKES = {
    "one output": ('{"class": kind, "box": box}', "kind", {"localizer_heads", "localizer_probabilities"}),
    "other names": ('{"class": kind, "box": box}', '{"label": kind, "bbox": box}', {"localizer_heads", "localizer_probabilities"}),
    "box first": ('{"class": kind, "box": box}', "[box, kind]", {"localizer_heads", "localizer_probabilities"}),
    "logits": ('layers.Dense(10, activation="softmax")', "layers.Dense(10)", {"localizer_probabilities"}),
    "eleven classes": ("layers.Dense(10,", "layers.Dense(11,", {"localizer_heads", "localizer_probabilities"}),
    "a flat grid": ('layers.Conv2D(15, 1, activation="sigmoid")(trunk(inputs))', "layers.Dense(960)(layers.Flatten()(trunk(inputs)))", {"detector_grid"}),
    "too coarse": ("trunk(inputs))", "layers.MaxPooling2D()(trunk(inputs)))", {"detector_grid"}),
    "too big": ("box = layers.Dense(4)(layers.Flatten()(x))", "box = layers.Dense(4)(layers.Dense(6000)(layers.Flatten()(x)))", {"localizer_size"}),
    "one convolution": ("trunk(layers.Rescaling(1 / 255)(inputs))", "layers.Conv2D(2, 3, strides=4)(inputs)", {"localizer_convolutions"}),
    "dense only": ('layers.Conv2D(15, 1, activation="sigmoid")(trunk(inputs))',
                   "layers.Reshape((8, 8, 15))(layers.Dense(960)(layers.Flatten()(layers.MaxPooling2D(4)(inputs))))", {"detector_convolutions"}),
    "untrained function": ("    inputs = keras.Input((64, 64, 1))\n    return keras.Model", "    return None\n    return keras.Model",
                           {"detector_grid", "detector_convolutions", "detector_size"}),
    "raises": ("    inputs = keras.Input((64, 64, 1))\n    return keras.Model", "    return keras.Model",
               {"detector_grid", "detector_convolutions", "detector_size"}),
}  # fmt: skip


@pytest.mark.parametrize("source", [FUNCTIONAL, LISTED, SUBCLASSED], ids=["functional", "listed", "subclassed"])
def test_right(judge, source):
    assert judge("models", source) == {}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_wrong(judge, mistake):
    old, new, lost = MISTAKES[mistake]
    assert old in FUNCTIONAL
    found = judge("models", FUNCTIONAL.replace(old, new))
    assert set(found) == lost, dict(found)


@pytest.mark.parametrize("value", ["None", "3", "{}", "keras.layers.Dense(3)", "keras.Sequential()", "print"])
def test_odd_values(judge, value):
    names = ("build_localizer", "build_detector")
    found = judge("models", "import keras\n" + "".join(f"def {name}():\n    return {value}\n" for name in names))
    assert len(found) >= 6


def test_gpu_is_not_assessed_without_one(judge):
    found = judge("gpu_training", FUNCTIONAL)
    assert not found and found.not_assessed == {"weights_on_gpu", "gpu_worked"}


def test_gpu_that_was_not_used(judge, monkeypatch):
    """A GPU is there, the notebook hid it, and nothing was trained on it."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    gpu = DeviceInfo(name="GPU 0", mean_utilization=0.0)
    assert set(judge("gpu_training", FUNCTIONAL, devices=(gpu,))) == {"weights_on_gpu", "gpu_worked"}
