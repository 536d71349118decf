"""The hidden tests of `rnn_layers` without a kernel: a probe runs in this process on a namespace, its tests judge at once.

A student is source text; the rest is right. `judge` says what each check came to.
"""

import inspect
import warnings
from pathlib import Path

import pytest

from autograder.checks import Failure, Materials, NotAssessed
from autograder.checks.judging import load_hidden_tests
from autograder.checks.view import EvidenceView
from autograder.evidence import encode
from autograder.records import CellRun, Run

ROOT = Path(__file__).resolve().parents[3]
PARAMETERS = {"EPOCHS": 2, "N_SEQUENCES": 50, "SEQUENCE_LENGTH": 6}
SETUP = "import numpy as np\n"


@pytest.fixture(scope="session")
def questions():
    return load_hidden_tests(ROOT / "solutions" / "rnn_layers" / "hidden_tests")


@pytest.fixture(scope="session")
def materials():
    return Materials("smoke", PARAMETERS)


class Verdicts(dict):
    """Messages and hints of the checks that did not pass, by name."""

    def __init__(self):
        super().__init__()
        self.hints = {}
        self.not_assessed = set()


@pytest.fixture
def judge(questions, runtime, materials, tmp_path, monkeypatch):
    """Run a student's source, probe one question and judge it."""

    def run(question, *sources, fits=(), devices=(), names=None):
        namespace = {"__name__": "__main__", "SEED": 7, **PARAMETERS, **(names or {})}
        hidden = questions[question]
        given = hidden.given(7, materials)
        monkeypatch.setattr(runtime.observe, "fits", lambda: list(fits))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a kernel does not raise them either
            for number, source in enumerate((SETUP, *sources)):
                exec(compile(source, f"<ipython-input-{number}>", "exec"), namespace)
            (tmp_path / "given.npz").write_bytes(encode(given.inputs))
            received = runtime.codec.read(tmp_path / "given.npz")
            destination = tmp_path / f"{question}.npz"
            runtime.runtime.run_probe(question, hidden.probe_source, received, namespace, str(destination))
        cell = CellRun(index=0, grade_id=question, outcome="ok")
        run = Run(assignment="rnn_layers", profile="smoke", seed=7, sandbox="none", cells=(cell,), devices=devices)
        offers = {"given": given, "evidence": EvidenceView(destination, run, question), "run": run}
        return verdicts(hidden.module, offers | {"materials": materials, "measured": lambda value, bar: value >= bar})

    return run


def verdicts(module, offers):
    found = Verdicts()
    for name, function in vars(module).items():
        if not name.startswith("test_"):
            continue
        assert function.__doc__, f"{name} has no line for students"
        wanted = inspect.signature(function).parameters
        try:
            function(**{key: offers[key] for key in wanted})
        except Failure as failure:
            assert "Received: " in failure.message or "is not defined" in failure.message, failure.message
            found[name.removeprefix("test_")] = failure.message
            found.hints[name.removeprefix("test_")] = failure.hint
        except NotAssessed:
            found.not_assessed.add(name.removeprefix("test_"))
    return found
