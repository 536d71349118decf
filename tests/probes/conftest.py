"""A stand-in for the kernel: the probe modules are created from their source, as the engine does it."""

import sys
import types

import pytest

from autograder import probes
from autograder.evidence import encode, read_evidence


@pytest.fixture
def modules(monkeypatch):
    """The probe modules by name, fresh for each test."""
    made = {}
    for name, source in probes.sources().items():
        module = types.ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(source, name, "exec"), module.__dict__)
        made[name] = module
    return types.SimpleNamespace(
        checkpoint=made["_autograder_checkpoint"],
        observe=made["_autograder_observe"],
        codec=made["_autograder_codec"],
        runtime=made["_autograder_runtime"],
    )


@pytest.fixture
def student():
    """A namespace filled by running source text, whose functions look like those of a notebook cell."""

    def run(source):
        namespace = {"__name__": "__main__"}
        exec(compile(source, "<ipython-input-1>", "exec"), namespace)
        return namespace

    return run


@pytest.fixture
def probe(modules, tmp_path):
    """Run a probe on a namespace and return its evidence as hidden tests see it."""

    def run(namespace, source, **inputs):
        path = tmp_path / "given.npz"
        path.write_bytes(encode(inputs))
        modules.runtime.run_probe("q", source, modules.codec.read(path), namespace, str(tmp_path / "q.npz"))
        return read_evidence(tmp_path / "q.npz")

    return run
