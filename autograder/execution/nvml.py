"""What NVIDIA's driver tells of its devices and of the processes on them, through NVML (the package nvidia-ml-py).

Without the package, a driver or a device a machine has no GPU. What a driver does not tell (MIG, old drivers, missing
rights) is None. Process numbers are as the driver counts them: those of the machine, not of a container.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.errors import ExecutionError

_log = logging.getLogger(__name__)
_MEBIBYTE = 2**20
_PERCENT = 100
_LOST = ("NVMLError_GpuIsLost", "NVMLError_ResetRequired", "NVMLError_GpuNotFound")


@dataclass(frozen=True)
class Device:
    """One accelerator, or one part of it under MIG.

    Attributes:
        uuid: as CUDA_VISIBLE_DEVICES takes it.
        index: its place as NVML counts whole devices, which is CUDA's order by PCI bus.
        node: its device file; None where the driver does not tell.
    """

    uuid: str
    index: int
    name: str
    memory_mb: float | None
    node: str | None
    handle: Any


@dataclass(frozen=True)
class ProcessSample:
    """How busy one process kept a device, from 0 to 1, at a time in microseconds since 1970."""

    pid: int
    time: int
    utilization: float


class Driver:
    """NVML while it is open. Each method raises ExecutionError when the device is lost."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def devices(self) -> list[Device]:
        """All devices that answer, and in the place of one that MIG has divided its parts."""
        found: list[Device] = []
        for index in range(self._ask("nvmlDeviceGetCount") or 0):
            try:
                found += self._parts(index)
            except ExecutionError as error:
                _log.warning("GPU %s is left out: %s", index, error)
        return found

    def memory_mb(self, handle: Any) -> tuple[float, float] | None:
        """Total and used memory in MiB."""
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        return None if memory is None else (memory.total / _MEBIBYTE, memory.used / _MEBIBYTE)

    def utilization(self, handle: Any) -> float | None:
        """How much of the last moment anything ran on the device, from 0 to 1."""
        rates = self._ask("nvmlDeviceGetUtilizationRates", handle)
        return None if rates is None else rates.gpu / _PERCENT

    def process_memory_mb(self, handle: Any) -> Mapping[int, float | None] | None:
        """Memory in MiB of every process that computes on the device; None in the place of one that is not told."""
        for name in ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"):
            found = self._ask(name, handle)
            if found is not None:
                told = {each.pid: each.usedGpuMemory for each in found}
                return {pid: None if used is None else used / _MEBIBYTE for pid, used in told.items()}
        return None

    def process_utilization(self, handle: Any, since: int) -> list[ProcessSample] | None:
        """The driver's samples since a time, of processes that were busy; empty where none was."""
        found = self._ask("nvmlDeviceGetProcessUtilization", handle, since, nothing=[])
        if found is None:
            return None
        # Some drivers fill unused entries with whatever was there before.
        sane = [each for each in found if each.pid and each.smUtil <= _PERCENT]
        return [ProcessSample(each.pid, each.timeStamp, each.smUtil / _PERCENT) for each in sane]

    def _parts(self, index: int) -> Iterator[Device]:
        handle = self._ask("nvmlDeviceGetHandleByIndex", index)
        if handle is None:
            return
        minor = self._ask("nvmlDeviceGetMinorNumber", handle)
        node = None if minor is None else f"/dev/nvidia{minor}"
        mode = self._ask("nvmlDeviceGetMigMode", handle)
        if not mode or not mode[0]:
            yield self._device(handle, index, node)
            return
        for number in range(self._ask("nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
            part = self._ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, number)
            if part is not None:  # fewer parts may have been made than there could be
                yield self._device(part, index, node)

    def _device(self, handle: Any, index: int, node: str | None) -> Device:
        memory = self.memory_mb(handle)
        return Device(
            uuid=str(self._ask("nvmlDeviceGetUUID", handle) or index),
            index=index,
            name=str(self._ask("nvmlDeviceGetName", handle) or "GPU"),
            memory_mb=memory[0] if memory else None,
            node=node,
            handle=handle,
        )

    def _ask(self, name: str, *arguments: Any, nothing: Any = None) -> Any:
        """The answer of one of NVML's functions; `nothing` where it finds none, None where it does not tell.

        Raises:
            ExecutionError: the device is lost.
        """
        function = getattr(self._library, name, None)
        if function is None:
            return None
        try:
            return function(*arguments)
        except self._library.NVMLError as error:
            kind = type(error).__name__
            if kind in _LOST:
                raise ExecutionError(f"a GPU does not answer any more. Received: {error}") from error
            return nothing if kind == "NVMLError_NotFound" else None


@contextlib.contextmanager
def driver() -> Iterator[Driver | None]:
    """NVML, open during the block; None where there is none."""
    try:
        import pynvml
    except ImportError:
        yield None
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver, none that runs, or one of another version than its library
        yield None
        return
    try:
        yield Driver(pynvml)
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
