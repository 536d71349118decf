"""The accelerators of this machine: which there are, who gets which, what a kernel sees of them, and when one is full.

Kernels of profiles with `gpu` see all of them, or the one that `ExecutionPlan.device` names. Kernels of other profiles
see none.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.config import Profile
from autograder.errors import EvidenceError, ExecutionError
from autograder.evidence import Raised, read_evidence
from autograder.execution import nvml
from autograder.execution.nvml import Device
from autograder.records import Run, limit_behind

_NODES = ("dev/nvidia*", "dev/nvidia-caps/*", "dev/dri/*")
_OF_ONE_DEVICE = re.compile(r"/dev/(?:nvidia\d+|dri/.*)")
# JAX's share of a device, where several kernels use it, adds up to this; the rest is for what is not allocated by JAX.
_ALL_SHARES = 0.9
_FULL = 0.97
# What frameworks say when a device's memory is used up. Texts that do not name the device count only where a GPU was
# used: the same words may speak of the machine's memory.
_DEVICE_MEMORY = re.compile(
    r"(?:CUDA|HIP|XPU) out of memory|CUDA_ERROR_OUT_OF_MEMORY|(?:CUDA|HIP) error: out of memory"
    r"|CU(?:BLAS|DNN|FFT|SOLVER|SPARSE)_STATUS_ALLOC_FAILED"
    r"|OOM when allocating tensor.*device:GPU:|by allocator GPU_\d|Dst tensor is not initialized"
)
_SOME_MEMORY = re.compile(
    r"^ResourceExhaustedError: |RESOURCE_EXHAUSTED: |Resource exhausted: (?:OOM|Out of memory|Failed to allocate)"
)
_MACHINE_MEMORY = re.compile(r"OOM when allocating tensor.*device:CPU:|by allocator (?:mkl_?)?cpu|memory allocating \d")


def device_nodes() -> tuple[Path, ...]:
    """The device files that a kernel needs for the accelerators of this machine; empty without any."""
    found = (path for pattern in _NODES for path in Path("/").glob(pattern))
    return tuple(sorted(path for path in found if path.is_char_device()))


def nodes_for(device: str | None, nodes: Iterable[Path]) -> tuple[Path, ...]:
    """Of these device files, those that are the device's or no single device's; all of them where it is not known.

    Raises:
        ExecutionError: the machine has no such device.
    """
    nodes = tuple(nodes)
    found = _find(device)
    own = None if found is None or found.node is None else Path(found.node)
    if own not in nodes:
        return nodes
    return tuple(node for node in nodes if node == own or not _OF_ONE_DEVICE.fullmatch(str(node)))


def settings(device: str | None, kernels: int) -> dict[str, str]:
    """Environment variables of a kernel that may use accelerators, besides those of every kernel.

    TensorFlow's growing memory is among those of every kernel, and PyTorch takes no more than it needs.

    Args:
        device: the UUID or the index of the only one that it may use; None for all that the grader may.
        kernels: how many kernels share a device.

    Raises:
        ExecutionError: the machine has no such device.
    """
    found = _find(device)
    visible = found.uuid if found else device or os.environ.get("CUDA_VISIBLE_DEVICES")
    shared = {"XLA_PYTHON_CLIENT_MEM_FRACTION": f"{_ALL_SHARES / kernels:.3f}"} if kernels > 1 else {}
    return {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        **({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}),
        **shared,
    }


def slots(profile: Profile) -> list[str]:
    """The places for kernels on this machine's accelerators, each the UUID of a device for `ExecutionPlan.device`.

    Every device has `kernels_per_gpu` of them; the first ones are of different devices. Only devices count that the
    grader's own CUDA_VISIBLE_DEVICES admits. Empty without a GPU, and for profiles that use none.
    """
    if not profile.gpu:
        return []
    with nvml.driver() as driver:
        devices = [device.uuid for device in _granted(driver.devices())] if driver is not None else []
    return devices * profile.kernels_per_gpu


def _granted(devices: list[Device]) -> list[Device]:
    """Those that CUDA_VISIBLE_DEVICES lists, by index or by the beginning of a UUID, up to the first unknown one."""
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return devices
    granted: list[Device] = []
    for name in (part.strip() for part in listed.split(",")):
        found = [device for device in devices if _is_called(device, name)]
        if not found:
            break
        granted += [device for device in found if device not in granted]
    return granted


def _is_called(device: Device, name: str) -> bool:
    if name.startswith(("GPU-", "MIG-")):
        return device.uuid.startswith(name)
    return name == str(device.index)


def _find(device: str | None) -> Device | None:
    """The device of this name; None where no driver tells of any.

    Raises:
        ExecutionError: the driver tells of others only.
    """
    try:
        return None if device is None else _known(device)
    except LookupError:
        return None


@functools.cache
def _known(name: str) -> Device:
    with nvml.driver() as driver:
        if driver is None:
            raise LookupError(name)
        devices = driver.devices()
    for device in devices:
        if name in {device.uuid, str(device.index)}:
            return device
    there = ", ".join(device.uuid for device in devices) or "none"
    raise ExecutionError(
        f"the GPU that a submission was to run on is not there; this machine has: {there}. Received: {name!r}"
    )


def out_of_gpu_memory(run: Run, evidence: Path | None = None) -> bool:
    """Whether a cell or a probe ended because the memory of a device was used up, which may be its neighbours' doing.

    Args:
        run: the account of the run.
        evidence: the folder of its evidence: exceptions of single values that a probe asked for are there.
    """
    on_gpu = any(device.peak_memory_mb is None or device.peak_memory_mb > 0 for device in run.devices)
    texts = [f"{cell.error.name}: {cell.error.message}" for cell in run.cells if cell.error is not None]
    texts += [probe.message for probe in run.probes]
    texts += _raised(evidence) if evidence is not None else ()
    return _aborted_on_a_full_device(run) or any(_speaks_of_gpu_memory(text, on_gpu=on_gpu) for text in texts)


def _speaks_of_gpu_memory(text: str, *, on_gpu: bool) -> bool:
    if _DEVICE_MEMORY.search(text):
        return True
    name, _, message = text.partition(": ")
    if _MACHINE_MEMORY.search(text) or limit_behind(name, message) is not None:
        return False
    return on_gpu and _SOME_MEMORY.search(text) is not None


def _aborted_on_a_full_device(run: Run) -> bool:
    """A framework that finds no memory for its own needs ends the whole process, and says why where nobody reads it."""
    full = any(
        device.device_peak_memory_mb is not None
        and device.memory_mb is not None
        and device.device_peak_memory_mb > _FULL * device.memory_mb
        for device in run.devices
    )
    return full and run.kernel_died and "SIGABRT" in run.cause_of_death


def _raised(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.npz")):
        try:
            values = read_evidence(path)
        except EvidenceError:  # told by whoever judges it
            continue
        yield from (f"{value.name}: {value.message}" for value in values.values() if isinstance(value, Raised))
