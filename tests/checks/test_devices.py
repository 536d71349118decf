"""Whether a training ran on a GPU: what hidden tests are told of samples and of places; no framework is loaded."""

import sys
import types

import pytest

from autograder import probes
from autograder.checks import held_memory, lies_on_gpu, was_busy
from autograder.records import DeviceInfo


def device(**facts):
    """A device that was sampled for a minute."""
    return DeviceInfo(**{"name": "a GPU", "samples": 60} | facts)


@pytest.mark.parametrize(
    ("place", "on_gpu"),
    [
        ("/job:localhost/replica:0/task:0/device:GPU:0", True),
        ("/job:localhost/replica:0/task:0/device:CPU:0", False),
        ("cuda:0", True),
        ("cuda:0, cuda:1", True),
        ("cpu", False),
        ("cpu:0", False),
        ("TFRT_CPU_0", False),
        ("gpu:0", True),
        ("rocm:0", True),
        ("mps:0", True),
        ("meta", False),
        ("", False),
    ],
)
def test_places_of_all_frameworks_are_understood(place, on_gpu):
    assert lies_on_gpu([place]) is on_gpu
    assert not lies_on_gpu([place, "cpu"])


def test_work_that_rounds_to_nothing_on_average_is_work():
    assert was_busy([device(utilization_of="run", mean_utilization=0.0, peak_utilization=0.01)]) is True
    assert was_busy([device(utilization_of="run", mean_utilization=0.0, peak_utilization=0.0)]) is False


def test_neighbours_work_is_not_this_runs():
    alone = {"utilization_of": "device", "mean_utilization": 0.5, "peak_utilization": 0.9}
    assert was_busy([device(**alone)]) is True
    assert was_busy([device(**alone, shared=True)]) is None
    assert was_busy([device(**alone | {"utilization_of": "run"}, shared=True)]) is True


def test_an_idle_device_is_believed_only_where_it_was_well_seen():
    idle = {"utilization_of": "run", "mean_utilization": 0.0, "peak_utilization": 0.0}
    assert was_busy([device(**idle | {"samples": 2})]) is None
    assert was_busy([device(**idle, problem="GPU is lost")]) is None
    assert was_busy([device(**idle), device()]) is None
    assert was_busy([device(**idle), device(**idle | {"peak_utilization": 0.2})]) is True
    assert was_busy([]) is None


def test_weights_need_memory():
    assert held_memory([device(memory_of="run", peak_memory_mb=300.0)]) is True
    assert held_memory([device(memory_of="run", peak_memory_mb=0.0)]) is False
    assert held_memory([device(memory_of="run", peak_memory_mb=0.0), device()]) is None
    assert held_memory([device(memory_of="device", peak_memory_mb=300.0)]) is None
    assert held_memory([device(memory_of="run", peak_memory_mb=0.0, samples=1)]) is None
    assert held_memory([]) is None


# ---------------------------------------------------------------------- what is observed in the kernel


class Place:
    """A device of a framework, which shows its name as text."""

    def __init__(self, name):
        self.name = name

    def __str__(self):
        return self.name


def tensor(**attributes):
    """A weight of Keras around a tensor of a framework."""
    return types.SimpleNamespace(value=types.SimpleNamespace(**attributes))


TENSORFLOW = tensor(device="/job:localhost/replica:0/task:0/device:GPU:0")
TORCH = tensor(device=Place("cuda:0"))
JAX = tensor(device=Place("cuda:0"), devices=lambda: {Place("cuda:0")})
JAX_ON_TWO = tensor(device=Place("NamedSharding(...)"), devices=lambda: {Place("cuda:1"), Place("cuda:0")})


@pytest.mark.parametrize(
    ("weight", "seen"),
    [
        (TENSORFLOW, "/job:localhost/replica:0/task:0/device:GPU:0"),
        (TORCH, "cuda:0"),
        (JAX, "cuda:0"),
        (JAX_ON_TWO, "cuda:0, cuda:1"),
        (tensor(device=Place("cpu"), devices=None), "cpu"),
        (types.SimpleNamespace(), ""),
    ],
)
def test_where_weights_lay_is_observed_with_every_backend(monkeypatch, weight, seen):
    class Model:
        trainable_weights = (weight,)

        def fit(self, x=None, y=None):
            return types.SimpleNamespace(history={"loss": [1.0]}, epoch=[0])

        def count_params(self):
            return 1

    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(Model=Model))
    observe = types.ModuleType("observe")
    exec(compile(probes.sources()["_autograder_observe"], "observe", "exec"), observe.__dict__)
    observe._attach()
    Model().fit(None, [0])
    (fit,) = observe.fits()
    assert (fit["finished"], fit["devices"]) == (True, [seen])
