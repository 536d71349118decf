"""Real kernels on small notebooks without TensorFlow; each run takes one to two seconds."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.config import Limits
from autograder.execution import ExecutionPlan, Probe, execute, levels

SANDBOXES = ["cold", "warm"]
# Stands for the probes' runtime: evidence is JSON here, which the engine does not look into.
RUNTIME = """
import json, os
settings = {}
def start(**values):
    settings.update(values)
def probe(question, answer):
    with open(f"{settings['inbox']}/{question}.py") as file:
        names = {}
        exec(file.read(), names)
    with open(f"{settings['inbox']}/{question}.npz") as file:
        given = file.read()
    found = names["probe"](get_ipython().user_ns, given)
    if found is None:
        return
    path = f"{settings['outbox']}/{answer}.npz"
    with open(path + ".partial", "w") as file:
        json.dump(found, file, default=repr)
    os.replace(path + ".partial", path)
"""


class Result:
    """A Run, its executed notebook and its folder."""

    def __init__(self, run, folder, progress):
        self.run, self.folder, self.progress = run, folder, progress
        self.notebook = nbformat.read(folder / "executed.ipynb", as_version=4)

    def __getattr__(self, name):
        return getattr(self.run, name)

    def text(self, name):
        """Everything that a cell shows, as text."""
        cell = next(cell for cell in self.notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)
        return "".join(str(output.get("text") or output.get("data") or output.get("evalue")) for output in cell.outputs)

    def outputs(self, name):
        """The outputs of a cell."""
        cell = next(cell for cell in self.notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)
        return cell.outputs

    def evidence(self, question):
        """What the probe wrote."""
        return json.loads((self.folder / "evidence" / f"{question}.npz").read_text())

    def limits(self):
        """The limits that were run into."""
        return [exceeded.limit for exceeded in self.run.limits_exceeded]


def make_plan(level, cells, *, probes=None, runtime=None, parameters=None, data=None, **limits):
    """A plan; `cells` are sources by grade_id, `probes` sources of probe functions by grade_id."""
    notebook = new_notebook(metadata={"kernelspec": {"name": "nowhere", "display_name": "x", "language": "python"}})
    for name, source in cells.items():
        cell = new_code_cell(source, metadata={"nbgrader": {"grade_id": name}})
        if name == "parameters":
            cell.metadata["tags"] = ["parameters"]
        notebook.cells.append(cell)
    return ExecutionPlan(
        assignment="a",
        profile="smoke",
        notebook=notebook,
        parameters=parameters or {},
        level=level,
        seed=7,
        data=data,
        probes={name: Probe(name, source, b"given", 3) for name, source in (probes or {}).items()},
        runtime={"_autograder_runtime": RUNTIME} if runtime is None else runtime,
        limits=Limits(**{"cell_seconds": 20, "run_seconds": 90, "memory_mb": 1500, "disk_mb": 20} | limits),
    )


def working(level):
    """A level, where it works here."""
    status = next(status for status in levels() if status.level == level)
    if not status.works:
        pytest.skip(f"no level {level} here: {status.why}")
    return level


@pytest.fixture(scope="session")
def cold():
    """The level `cold`, where it works."""
    return working("cold")


@pytest.fixture(scope="session", params=SANDBOXES)
def sandbox(request):
    """All levels that confine, one after the other."""
    return working(request.param)


@pytest.fixture(scope="session", params=["none", *SANDBOXES])
def level(request):
    """All levels, one after the other."""
    return working(request.param)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A function that makes a plan and executes it."""

    def _run(level, cells, **options):
        folder: Path = tmp_path_factory.mktemp("run")
        progress = []
        found = execute(make_plan(level, cells, **options), folder, on_cell=lambda *news: progress.append(news))
        return Result(found, folder, progress)

    return _run


@pytest.fixture
def plan():
    """The function that makes plans."""
    return make_plan
