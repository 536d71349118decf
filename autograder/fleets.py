"""Where notebooks run: processes of this machine, or the workers of a Dask cluster. Parcels go out, answers come back.

A fleet is a thin cover over a `concurrent.futures.Executor`: how many it runs at a time, and how it is told of cells.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from autograder.config import Profile
from autograder.data import DataSet
from autograder.errors import ConfigurationError, ExecutionError
from autograder.execution import ExecutionPlan, gpu
from autograder.parcels import carry_out, pack, pack_given
from autograder.workers import ProcessPerTask

if TYPE_CHECKING:
    from distributed import Client

OnCell = Callable[[str, int, int, str | None], None]
CELLS_TOPIC = "autograder-cells"
CONNECT_SECONDS = 30
PRELOAD = ("autograder.parcels", "autograder.verdict_jobs")  # what the one fork server of this process has loaded


class Fleet(Protocol):
    """Runs parcels.

    Attributes:
        slots: how many run at a time.
        tolerance: how often a parcel is sent in all when the worker under it dies.
    """

    slots: int
    tolerance: int

    def send(self, name: str, plan: ExecutionPlan, data: DataSet | None) -> Future[bytes]:
        """Have a plan carried out; the future ends with the answer, or an error when the worker died."""
        ...

    def stop(self) -> None:
        """Abandon what runs."""
        ...


class LocalFleet:
    """Processes of this machine. One that dies is tried again twice, the last time alone."""

    tolerance = 3

    def __init__(self, slots: int, devices: Sequence[str], *, logs: Path, on_cell: OnCell) -> None:
        self.slots = min(slots, len(devices)) if devices else slots
        self._devices = SimpleQueue[str]()
        for device in devices:
            self._devices.put(device)
        self._executor = ProcessPerTask(slots, logs=logs, preload=PRELOAD, on_cell=on_cell)

    def send(self, name: str, plan: ExecutionPlan, data: DataSet | None) -> Future[bytes]:
        """Start a process for the plan, with a slot of an accelerator of its own where there are any."""
        device = None if self._devices.empty() else self._devices.get()
        parcel = pack(replace(plan, device=device), data)
        future = self._executor.submit(carry_out, parcel, name=name)
        if device is not None:
            future.add_done_callback(lambda _: self._devices.put(device))
        return future

    def stop(self) -> None:
        """Stop all processes."""
        self._executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def local_fleet(slots: int, profile: Profile, *, logs: Path, on_cell: OnCell) -> Iterator[Fleet]:
    """Processes of this machine, as many at a time as there are slots; none is left afterwards.

    On a machine with accelerators a profile that uses them has as many slots as they offer at most.
    """
    fleet = LocalFleet(slots, gpu.slots(profile), logs=logs, on_cell=on_cell)
    try:
        yield fleet
    finally:
        fleet.stop()


class DaskFleet:
    """The workers of a Dask cluster. The scheduler itself sends a lost worker's parcel to another one."""

    tolerance = 1

    def __init__(self, client: Client, data: Path | None, *, on_gpu: bool, on_cell: OnCell) -> None:
        self._client = client
        options: dict[str, Any] = {"pure": False}
        if on_gpu:
            options["resources"] = {"GPU": 1}
        self.slots = self._count_slots(on_gpu=on_gpu)
        # What is the same for a whole class goes to every worker once: with a lost worker no only copy is lost.
        self._data = client.scatter(data.read_bytes(), hash=True, broadcast=True) if data is not None else None
        self._given: dict[bytes, Any] = {}
        self._executor = client.get_executor(**options)
        client.subscribe_topic(CELLS_TOPIC, lambda event: on_cell(*json.loads(event[1])))

    def _count_slots(self, *, on_gpu: bool) -> int:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        slots = sum(int(worker["resources"].get("GPU", 0)) if on_gpu else int(worker["nthreads"]) for worker in workers)
        if not slots:
            what = "GPU slots (dask worker --resources 'GPU=1')" if on_gpu else "threads"
            raise ConfigurationError(f"The workers of this cluster offer no {what}. Received: {len(workers)} workers")
        return slots

    def send(self, name: str, plan: ExecutionPlan, data: DataSet | None) -> Future[bytes]:
        """Hand the plan to the scheduler; which accelerator it gets is the worker's affair."""
        future: Future[bytes] = self._executor.submit(
            _on_cluster, name, pack(plan, data, with_given=False), self._data, self._scattered(pack_given(plan))
        )
        return future

    def _scattered(self, given: bytes) -> Any:
        """The probes' inputs on the cluster: sent once for each seed."""
        digest = hashlib.sha256(given).digest()
        if digest not in self._given:
            self._given[digest] = self._client.scatter(given, hash=True, broadcast=True)
        return self._given[digest]

    def stop(self) -> None:
        """Have the scheduler forget what this batch has asked for."""
        self._executor.shutdown(wait=False)
        with contextlib.suppress(KeyError):
            self._client.unsubscribe_topic(CELLS_TOPIC)


@contextlib.contextmanager
def dask_fleet(address: str, *, data: Path | None, on_gpu: bool, on_cell: OnCell) -> Iterator[Fleet]:
    """The workers behind a scheduler's address.

    Raises:
        ConfigurationError: Dask is not installed, nobody answers, or no worker offers what is needed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ConfigurationError(
            "Grading on a cluster needs Dask: pip install 'autograder[cluster]'. Received: no module distributed"
        ) from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"No Dask scheduler answers; start `dask scheduler`. Received: {address} ({error})"
        ) from error
    with client:
        fleet = DaskFleet(client, data, on_gpu=on_gpu, on_cell=on_cell)
        try:
            yield fleet
        finally:
            fleet.stop()


def _on_cluster(name: str, parcel: bytes, data: bytes | None, given: bytes) -> bytes:
    """What a Dask worker does with a parcel; the worker tells of cells through the scheduler."""
    from distributed import get_worker

    worker = get_worker()

    def on_cell(done: int, total: int, cell: str | None) -> None:
        worker.log_event(CELLS_TOPIC, json.dumps([name, done, total, cell]))

    return carry_out(parcel, data, given, on_cell=on_cell)


def lost_worker(error: BaseException) -> str | None:
    """Why a future that ended with this error says that its worker died; None when it says something else."""
    if isinstance(error, ExecutionError):
        return None
    if type(error).__name__ in {"KilledWorker", "CancelledError", "CommClosedError", "FutureCancelledError"}:
        return f"the cluster lost the workers that ran it: {error!s:.200}"
    return None
