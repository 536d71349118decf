"""How much of the accelerators one run uses, sampled from outside by a thread of the grader.

A run's own processes are told from its neighbours' by their numbers. Where that cannot be had, what the whole device
does is taken instead, and the record says so: under MIG and old drivers, and in a container, where the driver may
count processes in another way than the grader does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

import psutil

from autograder.errors import ExecutionError
from autograder.execution import nvml
from autograder.execution.nvml import Device, Driver
from autograder.execution.plan import ExecutionPlan
from autograder.records import DeviceInfo

_SAMPLE_SECONDS = 1.0
_LAST_SAMPLE_SECONDS = 5.0
_FIRST_PID_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO of the Linux kernel
_log = logging.getLogger(__name__)


class GpuUse:
    """Samples the devices of one run from `start` to `stop`; does nothing for a plan without `gpu`."""

    def __init__(self, plan: ExecutionPlan) -> None:
        self._plan = plan
        self._devices: list[_DeviceUse] = []
        self._pids: frozenset[int] = frozenset()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, root: Callable[[], psutil.Process | None]) -> None:
        """Begin to sample.

        Args:
            root: gives the process whose descendants are the sandbox; None after its end.
        """
        if self._plan.gpu:
            self._thread = threading.Thread(target=self._watch, args=(root,), name="gpu use", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end; a driver that hangs is not waited for."""
        self._ended.set()
        if self._thread is None:
            return
        self._thread.join(_LAST_SAMPLE_SECONDS)
        if self._thread.is_alive():
            _log.warning("the driver of the GPU does not answer: what a run used of it is not complete")

    def devices(self) -> tuple[DeviceInfo, ...]:
        """What was used of each device that the kernel could see; empty without a GPU."""
        told_apart = _pids_are_the_machines() or any(device.sighted for device in self._devices)
        return tuple(device.info(told_apart=told_apart) for device in self._devices)

    def _watch(self, root: Callable[[], psutil.Process | None]) -> None:
        with nvml.driver() as driver:
            if driver is None:
                return
            wanted, shared = self._plan.device, self._plan.device is None or self._plan.kernels_per_gpu > 1
            found = [each for each in driver.devices() if wanted is None or wanted in {each.uuid, str(each.index)}]
            self._devices = [_DeviceUse(device, shared=shared) for device in found]
            last = False
            while True:
                self._sample(driver, root())
                if last:
                    return
                last = self._ended.wait(_SAMPLE_SECONDS)

    def _sample(self, driver: Driver, root: psutil.Process | None) -> None:
        family = _family(root)
        # The driver's samples are of the time before: processes that have just ended are among them.
        pids, self._pids = family | self._pids, family
        for device in self._devices:
            device.sample(driver, pids)


def _family(root: psutil.Process | None) -> frozenset[int]:
    try:
        return frozenset() if root is None else frozenset({root.pid, *(p.pid for p in root.children(recursive=True))})
    except psutil.Error:
        return frozenset()  # it has just ended


def _pids_are_the_machines() -> bool:
    """Whether this process counts processes as the driver does."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()) == _FIRST_PID_NAMESPACE
    except OSError:  # a system without such namespaces
        return True


class _DeviceUse:
    """What was seen of one device. Lists have one number for every sample that told it."""

    def __init__(self, device: Device, *, shared: bool) -> None:
        self.sighted = False
        self._device = device
        self._shared = shared
        self._since = time.time_ns() // 1000
        self._samples = 0
        self._used: list[float] = []
        self._held: list[float | None] = []
        self._busy: list[float] = []
        self._own_busy: list[float] = []
        self._told_of_processes = False
        self._problem = ""

    def sample(self, driver: Driver, pids: Collection[int]) -> None:
        """Look once, unless the device is lost."""
        if self._problem:
            return
        try:
            self._sample_memory(driver, pids)
            self._sample_utilization(driver, pids)
            self._samples += 1
        except ExecutionError as error:
            self._problem = str(error)

    def _sample_memory(self, driver: Driver, pids: Collection[int]) -> None:
        if (memory := driver.memory_mb(self._device.handle)) is not None:
            self._used.append(memory[1])
        if (processes := driver.process_memory_mb(self._device.handle)) is not None:
            own = [held for pid, held in processes.items() if pid in pids]
            self.sighted = self.sighted or bool(own)
            told = [held for held in own if held is not None]
            self._held.append(sum(told) if len(told) == len(own) else None)

    def _sample_utilization(self, driver: Driver, pids: Collection[int]) -> None:
        if (busy := driver.utilization(self._device.handle)) is not None:
            self._busy.append(busy)
        if (found := driver.process_utilization(self._device.handle, self._since)) is None:
            return
        self._told_of_processes = self._told_of_processes or bool(found)
        self._since = max([self._since, *(sample.time for sample in found)])
        own: dict[int, list[float]] = {}
        for sample in found:
            if sample.pid in pids:
                own.setdefault(sample.pid, []).append(sample.utilization)
        self.sighted = self.sighted or bool(own)
        self._own_busy.append(min(1.0, sum(sum(each) / len(each) for each in own.values())))

    def info(self, *, told_apart: bool) -> DeviceInfo:
        """The record; `told_apart` says whether numbers of processes could be compared."""
        device, held = self._device, [each for each in self._held if each is not None]
        own_memory = told_apart and bool(held) and len(held) == len(self._held)
        memory = held if own_memory else [used - self._used[0] for used in self._used]
        # A driver that says of a busy device that no process is busy does not tell of processes.
        own_busy = told_apart and bool(self._own_busy) and (self._told_of_processes or not any(self._busy))
        busy = self._own_busy if own_busy else self._busy
        return DeviceInfo(
            name=device.name,
            uuid=device.uuid,
            memory_mb=_rounded(device.memory_mb),
            peak_memory_mb=_rounded(max(memory, default=None)),
            memory_of=("run" if own_memory else "device") if memory else None,
            mean_utilization=round(sum(busy) / len(busy), 4) if busy else None,
            peak_utilization=round(max(busy), 4) if busy else None,
            utilization_of=("run" if own_busy else "device") if busy else None,
            device_peak_memory_mb=_rounded(max(self._used, default=None)),
            shared=self._shared,
            samples=self._samples,
            problem=self._problem,
        )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
