"""gpu_training with every backend of Keras, and with samples that contradict the kernel; about 10 s for TensorFlow."""

import sys
from types import SimpleNamespace

import pytest

from autograder.records import DeviceInfo

PLACES = {"jax": "cuda:0", "torch": "cuda:0", "tensorflow": "/job:localhost/replica:0/task:0/device:GPU:0"}
WORKED = {"utilization_of": "run", "peak_utilization": 0.5, "memory_of": "run", "peak_memory_mb": 700.0, "samples": 60}


@pytest.fixture
def backend(monkeypatch):
    """Makes Keras say that it uses a backend, which sees one GPU or none; the frameworks are simulated."""

    def choose(name, gpus):
        import keras
        import tensorflow as tf

        found = [SimpleNamespace(name=PLACES[name], platform="gpu") for _ in range(gpus)]
        cuda = SimpleNamespace(device_count=lambda: gpus, get_device_name=lambda number: found[number].name)
        devices = found or [SimpleNamespace(name="cpu:0", platform="cpu")]
        monkeypatch.setattr(keras.backend, "backend", lambda: name)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: found)
        monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: devices))
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))

    return choose


def sampled(**facts):
    return (DeviceInfo(name="a GPU", **WORKED | facts),)


def trained(place):
    return [{"finished": True, "devices": [place]}]


@pytest.mark.parametrize("name", PLACES)
def test_a_gpu_counts_with_every_backend(judge, backend, name):
    backend(name, 1)
    assert judge("gpu_training", "", fits=trained(PLACES[name]), devices=sampled()) == {}
    assert set(judge("gpu_training", "", fits=trained("cpu"), devices=sampled())) == {"weights_on_gpu"}


@pytest.mark.parametrize("name", PLACES)
def test_a_backend_that_cannot_use_the_gpu_is_not_the_students(judge, backend, name):
    backend(name, 0)
    found = judge("gpu_training", "", fits=trained("cpu"), devices=sampled(peak_utilization=0.0, peak_memory_mb=0.0))
    assert found == {} and found.not_assessed == {"weights_on_gpu", "gpu_worked"}


def test_weights_that_took_no_memory_did_not_lie_there(judge, backend):
    backend("tensorflow", 1)
    found = judge("gpu_training", "", fits=trained(PLACES["tensorflow"]), devices=sampled(peak_memory_mb=0.0))
    assert set(found) == {"weights_on_gpu"} and "none of its memory" in found["weights_on_gpu"]


def test_a_shared_device_that_is_known_as_a_whole_only_tells_nothing_of_the_work(judge, backend):
    backend("tensorflow", 1)
    devices = sampled(utilization_of="device", shared=True)
    found = judge("gpu_training", "", fits=trained(PLACES["tensorflow"]), devices=devices)
    assert found == {} and found.not_assessed == {"gpu_worked"}
