"""Which accelerators this machine has, and how busy the grader saw them, by asking `nvidia-smi`."""

from __future__ import annotations

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.records import DeviceInfo

_QUERY = "--query-gpu=index,name,memory.total,memory.used,utilization.gpu"
_NODES = ("dev/nvidia*", "dev/nvidia-caps/*", "dev/dri/*")


def device_nodes() -> tuple[Path, ...]:
    """The device files that a kernel needs for the accelerators of this machine; empty without any."""
    found = (path for pattern in _NODES for path in Path("/").glob(pattern))
    return tuple(sorted(path for path in found if path.is_char_device()))


@dataclass
class GpuSamples:
    """Where the samples of one run are kept; empty on a machine without a GPU."""

    file: Path | None = None

    def devices(self) -> tuple[DeviceInfo, ...]:
        """One DeviceInfo per GPU: memory in MiB (peak over the run), utilisation from 0 to 1 (mean over the run)."""
        if self.file is None or not self.file.is_file():
            return ()
        return parse_samples(self.file.read_text(encoding="utf-8", errors="replace"))


def parse_samples(text: str) -> tuple[DeviceInfo, ...]:
    """Devices from lines of `index, name, memory total, memory used, utilisation` as nvidia-smi prints them."""
    rows: dict[str, list[list[str]]] = defaultdict(list)
    for line in text.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 5 and fields[0].isdigit():
            rows[fields[0]].append(fields)
    devices = []
    for _, samples in sorted(rows.items(), key=lambda item: int(item[0])):
        busy = [value / 100 for row in samples if (value := _number(row[4])) is not None]
        devices.append(
            DeviceInfo(
                name=samples[0][1],
                memory_mb=_number(samples[0][2]),
                peak_memory_mb=max((value for row in samples if (value := _number(row[3])) is not None), default=None),
                mean_utilization=round(sum(busy) / len(busy), 4) if busy else None,
            )
        )
    return tuple(devices)


def _number(text: str) -> float | None:
    """A number, or None for nvidia-smi's `[N/A]`."""
    try:
        return float(text)
    except ValueError:
        return None


@contextmanager
def no_gpus(folder: Path) -> Iterator[GpuSamples]:  # noqa: ARG001 - in the place of sampled_gpus
    """What a run gets to which no accelerator is shown."""
    yield GpuSamples()


@contextmanager
def sampled_gpus(folder: Path) -> Iterator[GpuSamples]:
    """Sample all GPUs once a second into a file in `folder` while the block runs; does nothing without nvidia-smi."""
    command = shutil.which("nvidia-smi")
    if command is None:
        yield GpuSamples()
        return
    path = folder / "gpu.csv"
    with path.open("wb") as file:
        sampler = subprocess.Popen(
            [command, _QUERY, "--format=csv,noheader,nounits", "--loop-ms=1000"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield GpuSamples(path)
        finally:
            sampler.terminate()
            sampler.wait()
