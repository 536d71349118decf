"""What a task costs Dask's scheduler, with parcels of the sizes that submissions and runs have.

    python -m benchmarks.fleet_measure [--out benchmarks/results]

A scheduler, a worker and a client are processes of their own, as on a cluster, and talk over TCP. Tasks do nothing:
they take bytes and return bytes. What counts is the scheduler's processor time per task, because one thread of it does
all the work: its inverse is the most tasks per second that a fleet can have. Writes fleet_dask.json; the numbers are
put into `fleet_costs` by hand, with the date. Takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import distributed
import psutil

from benchmarks.kernel_start import machine

KIB = 1024
PARCELS_KIB = {
    "almost nothing": (1, 1),
    "a notebook there, a compressed run back": (55, 930),
    "notebook and probes' inputs there, a run back": (3400, 3400),
}
AT_A_TIME = 8  # tasks that are submitted ahead, as a batch with a window does


def answer(parcel: bytes, size: int) -> bytes:
    """What a worker does here: nothing, and returns so many bytes."""
    return bytes(size) if parcel else b""


def scheduler_seconds(
    client: distributed.Client, scheduler: psutil.Process, there: int, back: int, tasks: int
) -> float:
    """Processor seconds of the scheduler per task."""
    before = sum(scheduler.cpu_times()[:2])
    first = [client.submit(answer, bytes(there), back, pure=False) for _ in range(AT_A_TIME)]
    running = distributed.as_completed(first, loop=client.loop, with_results=True)
    submitted = AT_A_TIME
    for future, _ in running:
        future.release()
        if submitted < tasks:
            running.add(client.submit(answer, bytes(there), back, pure=False))
            submitted += 1
    return float(sum(scheduler.cpu_times()[:2]) - before) / tasks


def start(folder: Path) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes], str]:
    """A scheduler and a worker of two threads on this machine, and the scheduler's address."""
    known = folder / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    common = ["--host", "127.0.0.1", "--scheduler-file", str(known), "--no-dashboard"]
    dask = [sys.executable, "-m"]
    scheduler = subprocess.Popen([*dask, "distributed.cli.dask_scheduler", *common, "--port", "0"], **quiet)
    alone = ["--nthreads", "2", "--no-nanny", "--local-directory", str(folder)]
    worker = subprocess.Popen([*dask, "distributed.cli.dask_worker", *common, *alone], **quiet)
    for _ in range(300):
        if known.is_file() and known.stat().st_size:
            return scheduler, worker, json.loads(known.read_text())["address"]
        time.sleep(0.1)
    raise SystemExit("Dask's scheduler did not start within 30 s; try `dask scheduler` by hand.")


def measure(tasks: int) -> dict[str, dict[str, float]]:
    """Milliseconds of the scheduler per task, for every size of parcel; the median of three tries."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        scheduler, worker, address = start(Path(folder))
        try:
            with distributed.Client(address, set_as_default=False) as client:
                client.wait_for_workers(1, timeout=60)
                process = psutil.Process(scheduler.pid)
                scheduler_seconds(client, process, 1, 1, 100)
                for name, (there, back) in PARCELS_KIB.items():
                    count = tasks if there + back < 100 else tasks // 10
                    tries = [scheduler_seconds(client, process, there * KIB, back * KIB, count) for _ in range(3)]
                    found[name] = {
                        "there_kib": there,
                        "back_kib": back,
                        "tasks": count,
                        "scheduler_ms": round(sorted(tries)[1] * 1000, 2),
                    }
        finally:
            for process in (worker, scheduler):
                process.terminate()
                process.wait(timeout=30)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    found = measure(options.tasks)
    told = {"machine": machine(), "distributed": version("distributed"), "per_task": found}
    (options.out / "fleet_dask.json").write_text(json.dumps(told, indent=1) + "\n")
    for name, row in found.items():
        print(f"{row['scheduler_ms']:6.2f} ms of the scheduler per task: {name}")


if __name__ == "__main__":
    main()
