"""Rules about models, figures and devices, on the plain descriptions that probes make of them."""

import numpy as np
import pytest

from autograder.checks import (
    Failure,
    NotAssessed,
    are_equal,
    equal_pairs,
    forecasts_change,
    has_unit,
    lies_on_gpu,
    read_figure,
    read_model,
    require_gpu,
    techniques,
    was_busy,
)
from autograder.errors import EvidenceError
from autograder.records import DeviceInfo


def layer(*bases, inside=(), **more):
    return {
        "bases": [*bases, "Layer", "object"], "inside": list(inside), "fingerprint": "/".join(bases),
        "recurrent_dropout": 0.0, "backwards": False, **more,
    }  # fmt: skip


def model(*layers, kind="Functional", fingerprint="", clipping=None):
    return read_model(
        {
            "kind": kind, "output": [2, 6, 2], "parameters": 10, "layers": list(layers), "fingerprint": fingerprint,
            "clipping": clipping or {}, "rebuild_error": "",
        },
        "model",
    )  # fmt: skip


GRU = layer("GRU", "RNN")
LSTM = layer("LSTM", "RNN")
CELL = layer("GRUCell", inside=["GRU"])


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ([GRU, CELL], set()),
        ([GRU, CELL, LSTM], {"stacking"}),
        ([layer("Bidirectional", "Wrapper"), layer("LSTM", "RNN", inside=["Bidirectional"]),
          layer("LSTM", "RNN", inside=["Bidirectional"], backwards=True)], {"bidirectional"}),
        ([GRU, layer("GRU", "RNN", backwards=True)], {"stacking", "bidirectional"}),
        ([layer("LSTM", "RNN", recurrent_dropout=0.2)], {"recurrent dropout"}),
        ([GRU, layer("GRUCell", inside=["GRU"], recurrent_dropout=0.2)], {"recurrent dropout"}),
        ([GRU, layer("LayerNormalization")], {"layer normalisation"}),
        ([GRU, layer("BatchNormalization")], set()),
        ([layer("RNN"), layer("StackedRNNCells"), layer("GRUCell"), layer("LSTMCell")], {"stacking"}),
        ([layer("MyLSTM", "LSTM", "RNN")], set()),
    ],
    ids=["one", "two", "bidirectional", "both ways by hand", "dropout", "dropout in a cell", "layer norm", "batch norm", "cells", "own class"],
)  # fmt: skip
def test_techniques(layers, found):
    assert techniques(model(*layers)) == found


def test_clipping_is_a_technique():
    assert techniques(model(GRU, clipping={"clipnorm": 1.0})) == {"gradient clipping"}


def test_recurrent_layers():
    assert [each.bases[0] for each in model(GRU, CELL, layer("Dense")).recurrent] == ["GRU"]
    assert model(layer("Dense"), layer("Conv1D")).recurrent == ()


def test_equal_models():
    """Names and Sequential against functional do not make a difference; layers, configuration and clipping do."""
    plain = model(GRU, fingerprint="a")
    assert are_equal(plain, model(GRU, fingerprint="a"))
    assert are_equal(plain, model(layer("InputLayer"), GRU, kind="Sequential", fingerprint="b"))
    assert not are_equal(plain, model(GRU, fingerprint="b"))
    assert not are_equal(plain, model(GRU, GRU, fingerprint="a"))
    assert not are_equal(plain, model(GRU, fingerprint="a", clipping={"clipnorm": 1.0}))
    assert not are_equal(plain, model(GRU, kind="Mine", fingerprint="b"))
    assert equal_pairs({"b": plain, "a": plain, "c": model(LSTM)}) == [("a", "b")]


def test_residual_output():
    last = np.random.default_rng(0).normal(size=(3, 1, 2))
    change = np.random.default_rng(1).normal(size=(3, 6, 2))
    nothing = np.zeros((3, 6, 2))
    assert forecasts_change(nothing + last, last, nothing, nothing, 1000.0)
    assert forecasts_change(nothing, last, change, change + 1000.0, 1000.0)
    assert not forecasts_change(nothing, last, change, change + 3.0, 1000.0)
    assert not forecasts_change(nothing * np.nan, last, change * np.nan, change, 1000.0)


def test_descriptions_that_are_none():
    with pytest.raises(Failure, match="keras.Model. Received: 'list'"):
        read_model({"not_a_model": "list"}, "build_mlp()")
    with pytest.raises(Failure, match="Figure. Received: 'Axes'"):
        read_figure({"not_a_figure": "Axes"}, "figure_curves")
    for forged in (None, 3, {}, {"kind": "Model", "layers": 3}):
        with pytest.raises(EvidenceError):
            read_model(forged, "model")
        with pytest.raises(EvidenceError):
            read_figure(forged, "figure")


def test_figure():
    axes = {"lines": [[1.0, 2.0], []], "other_marks": 1, "xlabel": "time", "ylabel": "", "title": "", "legend": ["a"]}
    empty = {**axes, "lines": [], "other_marks": 0, "ylabel": "not seen"}
    figure = read_figure({"axes": [axes, empty], "xlabel": "", "ylabel": "mbar", "legend": None}, "figure")
    assert (figure.curves, figure.xlabels, figure.ylabels, figure.legend_texts) == (2, ["time"], ["mbar"], ["a"])


@pytest.mark.parametrize(
    "label",
    ["temperature (°C)", "T (degC)", "T [degC]", "degrees Celsius", "p (mbar)", "pressure / hPa", "Pressure, hPa", "temperature in K",
     r"T ($^\circ$C)", "Temperature °C", "p [mbar]", "deg C", "Druck in Millibar", "speed [m/s]"],
)  # fmt: skip
def test_units_in_labels(label):
    assert has_unit([label])


@pytest.mark.parametrize(
    "label", ["temperature", "value", "T", "y", "temperature (normalised)", "p (scaled)", "forecast", "Temperature"]
)
def test_labels_without_unit(label):
    assert not has_unit([label])


def test_gpu():
    with pytest.raises(NotAssessed):
        require_gpu([], ())
    require_gpu(["GPU:0"], ())
    require_gpu([], (DeviceInfo(name="a GPU"),))
    assert lies_on_gpu(["/device:GPU:0"]) and not lies_on_gpu(["/device:GPU:0", "/device:CPU:0"])
    assert not lies_on_gpu([]) and not lies_on_gpu("GPU")
    assert was_busy((DeviceInfo(name="a"),)) is None
    assert was_busy((DeviceInfo(name="a", mean_utilization=0.0), DeviceInfo(name="b", mean_utilization=3.0))) is True
    assert was_busy((DeviceInfo(name="a", mean_utilization=0.0),)) is False
