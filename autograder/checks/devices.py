"""Whether a training ran on an accelerator, from what was seen in the kernel and by the grader's own sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.checks.failure import NotAssessed
from autograder.records import DeviceInfo


def require_gpu(visible: Any, devices: Sequence[DeviceInfo]) -> None:
    """Go on only where the student's kernel could have used a GPU.

    Raises:
        NotAssessed: neither TensorFlow in the kernel nor the grader saw one.
    """
    if not visible and not devices:
        raise NotAssessed("The machine that graded this has no GPU, so this is not assessed; it costs nothing.")


def lies_on_gpu(placement: Any) -> bool:
    """Whether the weights of one observed training all lay on a GPU; `placement` lists their devices as text."""
    if not isinstance(placement, list) or not placement:
        return False
    return all(isinstance(device, str) and "GPU" in device.upper() for device in placement)


def was_busy(devices: Sequence[DeviceInfo]) -> bool | None:
    """Whether the grader saw a GPU at work during the run; None where it could not sample."""
    sampled = [device.mean_utilization for device in devices if device.mean_utilization is not None]
    return any(value > 0 for value in sampled) if sampled else None
