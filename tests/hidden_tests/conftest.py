"""Hidden tests without a kernel: a question's probe runs in this process on a namespace, and its tests judge at once.

A student is source text, run in a namespace as the notebook's cells would be; `judge` says what each check came to.
"""

import inspect
import sys
import types
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder import probes
from autograder.checks import Failure, Materials, NotAssessed
from autograder.checks.judging import load_hidden_tests
from autograder.checks.view import EvidenceView
from autograder.data import provide_jena
from autograder.evidence import encode
from autograder.records import CellRun, Run

ROOT = Path(__file__).resolve().parents[2]
PARAMETERS = {"STRIDE": 12, "BATCH_SIZE": 4, "EPOCHS": 2}
SETUP = """
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from matplotlib.figure import Figure
SEED, INPUT_LENGTH, HORIZON, TRAIN_FRACTION, VALIDATION_FRACTION = 7, 432, 6, 0.7, 0.15
FEATURES = ["p (mbar)", "T (degC)", "Tpot (K)", "Tdew (degC)", "rh (%)", "VPmax (mbar)", "VPact (mbar)", "VPdef (mbar)",
            "sh (g/kg)", "H2OC (mmol/mol)", "rho (g/m**3)", "wv (m/s)", "max. wv (m/s)", "wd (deg)"]
TARGETS = ["T (degC)", "p (mbar)"]
"""
BASICS = """
def load_data(path):
    frame = pd.read_csv(path, index_col="Date Time")
    frame.index = pd.to_datetime(frame.index, format="%d.%m.%Y %H:%M:%S")
    frame = frame[~frame.index.duplicated(keep="first")].sort_index()
    return frame.where(frame > -999).ffill().bfill()[FEATURES].astype("float32")

def split_by_time(frame, train_fraction=TRAIN_FRACTION, validation_fraction=VALIDATION_FRACTION):
    a = round(train_fraction * len(frame))
    b = a + round(validation_fraction * len(frame))
    return frame.iloc[:a], frame.iloc[a:b], frame.iloc[b:]

def fit_normalization(train):
    mean, std = train.mean(), train.std()
    return mean, std.where(std > 1e-6, 1.0)

def make_dataset(frame, shuffle=False, stride=STRIDE, batch_size=BATCH_SIZE):
    values, starts = frame.to_numpy("float32"), range(0, len(frame) - 437, stride)
    x = np.array([values[s : s + 432] for s in starts])
    y = np.array([values[s + 432 : s + 438, [1, 0]] for s in starts])
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size)

def naive_forecast(x):
    return np.repeat(np.asarray(x)[:, -1:, [1, 0]], HORIZON, axis=1)
"""


@pytest.fixture(scope="session")
def weather(tmp_path_factory):
    """A short generated station: two months that the notebook gets, and one that is withheld."""
    return provide_jena(
        path=None, download=False, rows=11_500, withheld_fraction=0.335, seed=4, cache=tmp_path_factory.mktemp("jena")
    )


@pytest.fixture(scope="session")
def materials(weather):
    return Materials("smoke", PARAMETERS, weather.public, weather.withheld, weather.origin, None)


@pytest.fixture(scope="session")
def basics():
    """The source of right functions for the questions before training."""
    return BASICS


@pytest.fixture(scope="session")
def questions():
    return load_hidden_tests(ROOT / "solutions" / "jena_multistep" / "hidden_tests")


@pytest.fixture(scope="session")
def runtime():
    """The probe modules, made from their source as in a kernel."""
    patch = pytest.MonkeyPatch()
    made = {}
    for name, source in probes.sources().items():
        made[name] = types.ModuleType(name)
        patch.setitem(sys.modules, name, made[name])
        exec(compile(source, name, "exec"), made[name].__dict__)
    yield SimpleNamespace(**{name.removeprefix("_autograder_"): module for name, module in made.items()})
    patch.undo()


@pytest.fixture
def judge(questions, runtime, materials, weather, tmp_path, monkeypatch):
    """Run a student's source, probe one question, judge it: outcomes and messages by the names of the checks."""

    def run(question, *sources, fits=None, observed=False, devices=(), materials=materials):
        namespace = {"__name__": "__main__", **PARAMETERS, "DATA_PATH": str(weather.public)}
        hidden = questions[question]
        given = hidden.given(7, materials)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a kernel does not raise them either
            runtime.observe._logs[:] = [[]]
            if observed:
                import keras

                monkeypatch.setattr(keras.Model, "fit", keras.Model.fit)  # put back at the end
                runtime.observe._attach()
            for number, source in enumerate((SETUP, *sources)):
                exec(compile(source, f"<ipython-input-{number}>", "exec"), namespace)
            if fits is not None:
                monkeypatch.setattr(runtime.observe, "fits", lambda: fits)
            for number, inputs in enumerate((given.inputs, *given.later)):
                (tmp_path / "given.npz").write_bytes(encode(inputs))
                destination = tmp_path / (f"{question}.{number}.npz" if number else f"{question}.npz")
                received = runtime.codec.read(tmp_path / "given.npz")
                runtime.runtime.run_probe(question, hidden.probe_source, received, namespace, str(destination))
        cell = CellRun(index=0, grade_id=question, outcome="ok")
        account = Run(
            assignment="jena_multistep", profile="smoke", seed=7, sandbox="none", cells=(cell,), devices=devices
        )
        return verdicts(
            hidden.module, given, EvidenceView(tmp_path / f"{question}.npz", account, question), account, materials
        )

    return run


class Verdicts(dict):
    """Messages of the checks that did not pass, by name; `pictures` holds what was attached."""

    def __init__(self):
        super().__init__()
        self.pictures = []
        self.not_assessed = set()


def verdicts(module, given, evidence, account, materials):
    found = Verdicts()
    offers = {
        "given": given,
        "evidence": evidence,
        "run": account,
        "materials": materials,
        "measured": lambda value, bar: value >= bar,
        "picture": lambda kind, data: found.pictures.append((kind, data)),
    }
    for name, function in vars(module).items():
        if name.startswith("test_"):
            assert function.__doc__, f"{name} has no line for students"
            wanted = inspect.signature(function).parameters
            try:
                function(**{key: offers[key] for key in wanted})
            except Failure as failure:
                assert "Received: " in failure.message or "is not defined" in failure.message, failure.message
                found[name.removeprefix("test_")] = failure.message
            except NotAssessed:
                found.not_assessed.add(name.removeprefix("test_"))
    return found
