"""Hidden tests of `cnn_detection` without a kernel and without training: probes run in this process, at once judged.

A student is source text over the oracles: `ORACLES` answers every question before training, `DETECTIVE` localises and
detects by looking the scenes up in the withheld file, which no notebook could.
"""

import inspect
import warnings
from pathlib import Path

import pytest

from autograder.checks import Failure, Materials, NotAssessed
from autograder.checks.judging import load_hidden_tests
from autograder.checks.view import EvidenceView
from autograder.data import provide_scenes
from autograder.evidence import encode
from autograder.records import CellRun, Run

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "solutions" / "cnn_detection"
PARAMETERS = {"EPOCHS": 1, "N_IMAGES": 60}
SETUP = """
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
IMAGE_SIZE, GRID, N_CLASSES, SEED = 64, 8, 10, 7
"""
ORACLES = """
from reference_models import box_oracles, convolution_oracles
from reference_models.box_oracles import decode_grid, encode_grid, iou, non_max_suppression
from reference_models.convolution_oracles import conv_output_size, conv_parameters, max_pool2d

def conv2d(image, kernels, stride=1, padding="valid"):
    if padding not in ("valid", "same"):
        raise ValueError(padding)
    return convolution_oracles.conv2d(image, kernels, stride, padding)
"""
DETECTIVE = """
from pathlib import Path
from autograder.data import read_scenes
KNOWN = {}
for path in (DATA_PATH, WITHHELD_PATH):
    scenes = read_scenes(Path(path))
    KNOWN |= {image.tobytes(): (boxes, labels) for image, boxes, labels in zip(*scenes)}

def look_up(image):
    boxes, labels = KNOWN[np.asarray(image, "uint8").tobytes()]
    return boxes.astype(float), labels

def localize(images):
    found = [look_up(image) for image in images]
    return np.eye(10)[[labels[0] for _, labels in found]], np.array([boxes[0] for boxes, _ in found])

def detect(images):
    return [(boxes, np.linspace(1.0, 0.9, len(labels)), labels) for boxes, labels in map(look_up, images)]

results = {"map_50": 1.0}
"""


@pytest.fixture(scope="session")
def scenes(tmp_path_factory):
    """Drawn scenes: some that the notebook loads, some that it could, and some that are withheld."""
    cache = tmp_path_factory.mktemp("scenes")
    return provide_scenes(path=None, rows=240, withheld_fraction=0.5, seed=4, cache=cache)


@pytest.fixture(scope="session")
def materials(scenes):
    return Materials("smoke", PARAMETERS, scenes.public, scenes.withheld, scenes.origin, None)


@pytest.fixture(scope="session")
def questions():
    return load_hidden_tests(FOLDER / "hidden_tests")


@pytest.fixture(scope="session")
def oracles():
    """The source of right answers to all questions before training."""
    return ORACLES


@pytest.fixture(scope="session")
def detective():
    """The source of a perfect localiser and detector, which cheats."""
    return DETECTIVE


@pytest.fixture
def judge(questions, runtime, materials, scenes, tmp_path):
    """Run a student's source, probe one question, judge it: messages of the checks that did not pass, by name."""

    def run(question, *sources, materials=materials, devices=()):
        namespace = {"__name__": "__main__", **PARAMETERS, "DATA_PATH": str(scenes.public)}
        namespace["WITHHELD_PATH"] = str(scenes.withheld)
        hidden = questions[question]
        given = hidden.given(7, materials)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a kernel does not raise them either
            for number, source in enumerate((SETUP, *sources)):
                exec(compile(source, f"<ipython-input-{number}>", "exec"), namespace)
            (tmp_path / "given.npz").write_bytes(encode(given.inputs))
            received = runtime.codec.read(tmp_path / "given.npz")
            destination = tmp_path / f"{question}.npz"
            runtime.runtime.run_probe(question, hidden.probe_source, received, namespace, str(destination))
        cell = CellRun(index=0, grade_id=question, outcome="ok")
        account = Run(
            assignment="cnn_detection", profile="smoke", seed=7, sandbox="none", cells=(cell,), devices=devices
        )
        return verdicts(hidden.module, given, EvidenceView(destination, account, question), account, materials)

    return run


class Verdicts(dict):
    """Messages of the checks that did not pass, by name; `pictures` holds what was attached."""

    def __init__(self):
        super().__init__()
        self.pictures = []
        self.hints = {}
        self.not_assessed = set()


def verdicts(module, given, evidence, account, materials):
    found = Verdicts()
    offers = {"given": given, "evidence": evidence, "run": account, "materials": materials}
    offers["measured"] = lambda value, bar: value >= bar
    offers["picture"] = lambda kind, data: found.pictures.append((kind, data))
    for name, function in vars(module).items():
        if not name.startswith("test_"):
            continue
        wanted = inspect.signature(function).parameters
        check = name.removeprefix("test_")
        try:
            function(**{key: offers[key] for key in wanted})
        except Failure as failure:
            assert "Received: " in failure.message or "is not defined" in failure.message, failure.message
            found[check], found.hints[check] = failure.message, failure.hint
        except NotAssessed:
            found.not_assessed.add(check)
    return found
