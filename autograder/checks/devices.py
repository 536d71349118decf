"""Whether a training ran on an accelerator, from what was seen in the kernel and by the grader's own sampling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograder.checks.failure import NotAssessed
from autograder.records import DeviceInfo

# TensorFlow's /device:GPU:0, PyTorch's and JAX's cuda:0, older JAX's gpu:0.
_GPU = re.compile(r"gpu|cuda|rocm|^mps\b", re.IGNORECASE)
# With fewer samples, a device that was never seen at work may have worked between them.
_FEWEST_SAMPLES = 3


def require_gpu(visible: Any, devices: Sequence[DeviceInfo]) -> None:
    """Go on only where the student's kernel could have used a GPU.

    Raises:
        NotAssessed: neither the framework in the kernel nor the grader saw one.
    """
    if not visible and not devices:
        raise NotAssessed("The machine that graded this has no GPU, so this is not assessed; it costs nothing.")


def lies_on_gpu(placement: Any) -> bool:
    """Whether the weights of one observed training all lay on a GPU; `placement` lists their devices as text."""
    if not isinstance(placement, list) or not placement:
        return False
    return all(isinstance(device, str) and _GPU.search(device) for device in placement)


def was_busy(devices: Sequence[DeviceInfo]) -> bool | None:
    """Whether the grader saw a GPU at work for this run; None where it could not tell.

    A device that others share, and of which only the work of all together is known, tells nothing about one run.
    """
    told = [device for device in devices if device.utilization_of == "run" or not device.shared]
    found = [_busiest(device) for device in told if _busiest(device) is not None]
    if any(found):
        return True
    return False if found and len(found) == len(devices) and all(map(_was_seen_often, told)) else None


def held_memory(devices: Sequence[DeviceInfo]) -> bool | None:
    """Whether processes of this run had memory on a GPU, as weights need it; None where the driver does not tell."""
    told = [device for device in devices if device.memory_of == "run" and device.peak_memory_mb is not None]
    if any(device.peak_memory_mb for device in told):
        return True
    return False if told and len(told) == len(devices) and all(map(_was_seen_often, told)) else None


def _busiest(device: DeviceInfo) -> float | None:
    return device.mean_utilization if device.peak_utilization is None else device.peak_utilization


def _was_seen_often(device: DeviceInfo) -> bool:
    return not device.problem and (device.samples is None or device.samples >= _FEWEST_SAMPLES)
