"""GPUs on machines that have none: NVML is simulated, device files are others', kernels and sandboxes are real; about 20 s."""

import json
import re
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pynvml
import pytest

from autograder.config import Profile
from autograder.errors import ExecutionError
from autograder.evidence import TREE
from autograder.execution import bubblewrap, execute, gpu, gpu_use, nvml, outer_view, warm
from autograder.execution.gpu import nodes_for, out_of_gpu_memory, settings, slots
from autograder.execution.gpu_use import GpuUse
from autograder.execution.outer_view import Environment
from autograder.records import CellError, CellRun, DeviceInfo, ProbeRun, Run

MIB = 2**20
NEIGHBOUR = 1  # the process that is nobody's child


class Card:
    """One simulated device. `processes` gives MiB by pid, `busy` per cent by pid as the driver samples them,
    all the time or once, at `busy_at` in microseconds since 1970."""

    def __init__(self, number, **state):
        self.uuid, self.name, self.minor = f"GPU-{number}{number}", "NVIDIA X", number
        self.total, self.used, self.rate, self.processes, self.busy = 80_000, 0, 0, {}, {}
        self.parts, self.fault, self.busy_at = [], None, None
        self.__dict__.update(state)


class Nvml:
    """The functions of pynvml that are used, over simulated devices, with pynvml's own errors.

    `faults` gives the error that a function ends with, `missing` functions that an older package lacks.
    """

    NVMLError = pynvml.NVMLError

    def __init__(self, *cards, faults=None, missing=()):
        self.cards, self.faults, self.missing, self.opened = cards, faults or {}, missing, 0

    def __getattribute__(self, name):
        if name.startswith("nvml"):
            if name in self.missing:
                raise AttributeError(name)
            if name in self.faults:
                return lambda *_: self._fail(self.faults[name])
        return object.__getattribute__(self, name)

    def _fail(self, code):
        raise pynvml.NVMLError(code)

    def _card(self, card):
        if card.fault is not None:
            self._fail(card.fault)
        return card

    def nvmlInit(self):
        self.opened += 1

    def nvmlShutdown(self):
        self.opened -= 1

    def nvmlDeviceGetCount(self):
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index):
        return self._card(self.cards[index])

    def nvmlDeviceGetMinorNumber(self, card):
        return card.minor

    def nvmlDeviceGetUUID(self, card):
        return card.uuid

    def nvmlDeviceGetName(self, card):
        return card.name

    def nvmlDeviceGetMigMode(self, card):
        return [1, 1] if card.parts else self._fail(pynvml.NVML_ERROR_NOT_SUPPORTED)

    def nvmlDeviceGetMaxMigDeviceCount(self, _card):
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, card, number):
        return card.parts[number] if number < len(card.parts) else self._fail(pynvml.NVML_ERROR_NOT_FOUND)

    def nvmlDeviceGetMemoryInfo(self, card):
        card = self._card(card)
        return SimpleNamespace(total=card.total * MIB, used=card.used * MIB)

    def nvmlDeviceGetUtilizationRates(self, card):
        return SimpleNamespace(gpu=self._card(card).rate)

    def nvmlDeviceGetComputeRunningProcesses_v3(self, card):
        used = card.processes() if callable(card.processes) else card.processes
        return [SimpleNamespace(pid=p, usedGpuMemory=None if m is None else m * MIB) for p, m in used.items()]

    nvmlDeviceGetComputeRunningProcesses_v2 = nvmlDeviceGetComputeRunningProcesses_v3

    def nvmlDeviceGetProcessUtilization(self, card, since):
        time = since + 5 if card.busy_at is None else card.busy_at
        if not card.busy or time <= since:
            self._fail(pynvml.NVML_ERROR_NOT_FOUND)
        samples = [SimpleNamespace(pid=pid, timeStamp=time, smUtil=busy) for pid, busy in card.busy.items()]
        return [*samples, SimpleNamespace(pid=samples[0].pid, timeStamp=0, smUtil=4_000_000_000)]  # an unused entry


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """No test sees the devices of another, or those that the machine's own environment admits."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpu._known.cache_clear()
    yield
    gpu._known.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """Makes a machine with these devices of this one; its processes are counted as the driver counts them."""

    def make(*cards, pids_compare=True, **options):
        library = Nvml(*cards, **options)
        monkeypatch.setitem(sys.modules, "pynvml", library)
        monkeypatch.setattr(gpu_use, "_pids_are_the_machines", lambda: pids_compare)
        return library

    return make


@pytest.fixture
def family():
    """A process and its child, which stand for a sandbox."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with parent:
        parent.stdout.readline()
        root = psutil.Process(parent.pid)
        (child,) = root.children()
        yield SimpleNamespace(root=root, parent=parent.pid, child=child.pid)
        parent.stdin.close()


@pytest.fixture
def used(monkeypatch, plan, family):
    """What was used: one sample before and one after `change`, which alters the simulated machine."""
    monkeypatch.setattr(gpu_use, "_SAMPLE_SECONDS", 60)

    def sample(change, *, root=None, **options):
        use = GpuUse(replace(plan("none", {}), gpu=True, **options))
        use.start(root or (lambda: family.root))
        end = time.monotonic() + 10
        while not use._devices or not all(device._samples for device in use._devices):
            assert time.monotonic() < end
            time.sleep(0.01)
        change()
        use.stop()
        return use.devices()

    return sample


# ---------------------------------------------------------------------- which devices there are, and who gets which

GPU_PROFILE = Profile(gpu=True, kernels_per_gpu=2)


def test_without_package_driver_or_profile_there_is_no_gpu(machine, monkeypatch, plan):
    machine(Card(0))
    assert slots(Profile(kernels_per_gpu=3)) == []
    for code in (
        pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
        pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
        pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
    ):
        machine(Card(0), faults={"nvmlInit": code})
        assert slots(GPU_PROFILE) == []
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert slots(GPU_PROFILE) == []
    use = GpuUse(replace(plan("none", {}), gpu=True))
    use.start(lambda: None)
    use.stop()
    assert use.devices() == ()
    assert settings("GPU-7", 1)["CUDA_VISIBLE_DEVICES"] == "GPU-7"


def test_every_device_has_its_slots_and_the_first_ones_differ(machine):
    library = machine(Card(0), Card(1))
    assert slots(GPU_PROFILE) == ["GPU-00", "GPU-11", "GPU-00", "GPU-11"]
    assert slots(Profile(gpu=True)) == ["GPU-00", "GPU-11"]
    assert library.opened == 0


@pytest.mark.parametrize(
    ("admitted", "found"),
    [
        ("1", ["GPU-11"]),
        ("GPU-2, 0", ["GPU-22", "GPU-00"]),
        ("0,0", ["GPU-00"]),
        ("0,9,1", ["GPU-00"]),
        ("-1", []),
        ("", []),
        ("NoDevFiles", []),
    ],
)
def test_slots_keep_to_what_a_scheduler_has_given_to_the_grader(machine, monkeypatch, admitted, found):
    machine(Card(0), Card(1), Card(2))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", admitted)
    assert slots(Profile(gpu=True)) == found


def test_parts_of_a_device_are_devices(machine):
    parts = [Card(0, uuid=f"MIG-{number}", total=10_000) for number in range(2)]
    machine(Card(0, parts=parts), Card(1))
    assert slots(Profile(gpu=True)) == ["MIG-0", "MIG-1", "GPU-11"]
    assert nodes_for("MIG-1", (Path("/dev/nvidia0"), Path("/dev/nvidia1"))) == (Path("/dev/nvidia0"),)


def test_a_lost_device_has_no_slots(machine, caplog):
    machine(Card(0, fault=pynvml.NVML_ERROR_GPU_IS_LOST), Card(1))
    assert slots(Profile(gpu=True)) == ["GPU-11"]
    assert "GPU 0 is left out" in caplog.text


def test_what_frameworks_read_from_the_environment(machine, monkeypatch):
    machine(Card(0), Card(1))
    common = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    assert settings(None, 1) == common
    assert settings("1", 1) == settings("GPU-11", 1) == common | {"CUDA_VISIBLE_DEVICES": "GPU-11"}
    assert settings("0", 3) == common | {"CUDA_VISIBLE_DEVICES": "GPU-00", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.300"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert settings(None, 1) == common | {"CUDA_VISIBLE_DEVICES": "1"}
    with pytest.raises(ExecutionError, match=r"this machine has: GPU-00, GPU-11. Received: 'GPU-77'"):
        settings("GPU-77", 1)


def test_of_whole_devices_only_the_chosen_ones_file_is_shown(machine):
    machine(Card(0), Card(1), Card(10))
    names = ("dri/card0", "nvidia-caps/nvidia-cap1", "nvidia-uvm", "nvidia0", "nvidia1", "nvidia10", "nvidiactl")
    nodes = tuple(Path("/dev", name) for name in names)
    assert [node.name for node in nodes_for("GPU-11", nodes)] == ["nvidia-cap1", "nvidia-uvm", "nvidia1", "nvidiactl"]
    assert nodes_for(None, nodes) == nodes
    assert nodes_for("0", nodes[:3]) == nodes[:3]  # its own file is not there: better too much than no CUDA


# ---------------------------------------------------------------------- what a run used


def test_a_run_answers_for_its_own_processes_on_its_own_device(machine, used, family):
    cards = [Card(0, used=9_000, processes={NEIGHBOUR: 9_000}, busy={NEIGHBOUR: 90}, rate=90), Card(1)]
    library = machine(*cards)

    def work():
        cards[0].used, cards[0].rate = 10_500, 95
        cards[0].processes |= {family.parent: 1_000, family.child: 500}
        cards[0].busy |= {family.parent: 30, family.child: 10}

    (device,) = used(work, device="GPU-00", kernels_per_gpu=2)
    assert (device.name, device.uuid, device.memory_mb, device.samples) == ("NVIDIA X", "GPU-00", 80_000, 2)
    assert (device.memory_of, device.peak_memory_mb, device.device_peak_memory_mb) == ("run", 1_500, 10_500)
    assert (device.utilization_of, device.mean_utilization, device.peak_utilization) == ("run", 0.2, 0.4)
    assert device.shared and not device.problem
    assert library.opened == 0


def test_without_a_choice_every_device_is_told_of(machine, used, family):
    cards = [Card(0, processes={NEIGHBOUR: 100}, busy={NEIGHBOUR: 50}, rate=50), Card(1)]
    machine(*cards)
    first, second = used(lambda: cards[1].__dict__.update(busy={family.child: 70}))
    assert (first.peak_utilization, first.peak_memory_mb, first.utilization_of) == (0, 0, "run")
    assert (second.peak_utilization, second.shared) == (0.7, True)


def test_a_process_that_has_ended_since_the_last_sample_counts(machine, used, family):
    card = Card(0)
    machine(card)
    roots = iter([family.root])
    (device,) = used(lambda: card.busy.update({family.child: 60}), root=lambda: next(roots, None))
    assert device.peak_utilization == 0.6


@pytest.mark.parametrize(
    "options",
    [
        {"faults": {"nvmlDeviceGetProcessUtilization": pynvml.NVML_ERROR_NOT_SUPPORTED}},
        {"missing": ("nvmlDeviceGetProcessUtilization",)},
        {"pids_compare": False},
        {},  # the driver says that no process is busy, on a device that is
    ],
    ids=["not supported", "old package", "container", "told of none"],
)
def test_where_processes_are_not_told_apart_the_device_is_measured_and_the_record_says_so(
    machine, used, family, options
):
    of_nobody_here = {NEIGHBOUR: 300} if "pids_compare" in options else {family.parent: None}
    card = Card(0, used=300, processes=of_nobody_here)
    machine(card, **options)
    (device,) = used(lambda: card.__dict__.update(used=1_300, rate=80), device="0")
    assert (device.utilization_of, device.peak_utilization, device.mean_utilization) == ("device", 0.8, 0.4)
    assert (device.memory_of, device.peak_memory_mb, device.device_peak_memory_mb) == ("device", 1_000, 1_300)
    assert not device.shared


def test_in_a_container_whose_driver_knows_the_processes_they_are_told_apart(machine, used, family):
    card = Card(0, used=900, processes={NEIGHBOUR: 900})
    machine(card, pids_compare=False)
    (device,) = used(lambda: card.processes.update({family.child: 50}))
    assert (device.memory_of, device.peak_memory_mb) == ("run", 50)


def test_a_sample_of_the_driver_counts_once(machine, used, family):
    machine(Card(0, busy={family.parent: 60}, busy_at=(time.time_ns() // 1000) + 10_000_000, rate=60))
    (device,) = used(lambda: None)
    assert (device.mean_utilization, device.peak_utilization) == (0.3, 0.6)


def test_an_idle_device_was_measured(machine, used):
    card = Card(0)
    machine(card)
    (device,) = used(lambda: None)
    assert (device.utilization_of, device.mean_utilization, device.peak_memory_mb) == ("run", 0, 0)


def test_a_part_of_a_device_tells_memory_alone(machine, used, family):
    part = Card(0, uuid="MIG-5", total=10_000, processes={family.parent: 700})
    not_supported = pynvml.NVML_ERROR_NOT_SUPPORTED
    faults = {"nvmlDeviceGetProcessUtilization": not_supported, "nvmlDeviceGetUtilizationRates": not_supported}
    machine(Card(0, parts=[part]), faults=faults)
    (device,) = used(lambda: None, device="MIG-5")
    assert (device.memory_of, device.peak_memory_mb, device.memory_mb) == ("run", 700, 10_000)
    assert (device.utilization_of, device.mean_utilization, device.peak_utilization) == (None, None, None)


def test_older_drivers_list_processes_by_an_older_function(machine, used, family):
    card = Card(0, processes={family.parent: 7})
    missing = {"nvmlDeviceGetComputeRunningProcesses_v3": pynvml.NVML_ERROR_FUNCTION_NOT_FOUND}
    machine(card, faults=missing)
    (device,) = used(lambda: None)
    assert (device.memory_of, device.peak_memory_mb) == ("run", 7)


def test_a_device_that_is_lost_keeps_what_was_seen_and_does_not_disturb_the_others(machine, used, family):
    cards = [Card(0, processes={family.parent: 40}, busy={family.parent: 50}, rate=50), Card(1)]
    machine(*cards)

    def lose():
        cards[0].fault = pynvml.NVML_ERROR_GPU_IS_LOST
        cards[1].busy = {family.parent: 100}

    first, second = used(lose)
    assert (first.samples, first.peak_utilization, first.peak_memory_mb) == (1, 0.5, 40)
    assert "GPU is lost" in first.problem
    assert (second.samples, second.peak_utilization, second.problem) == (2, 1, "")


def test_an_error_of_a_moment_costs_one_number(machine, used, family):
    card = Card(0, busy={family.parent: 50}, rate=50)
    library = machine(card)
    (device,) = used(lambda: library.faults.update(nvmlDeviceGetMemoryInfo=pynvml.NVML_ERROR_TIMEOUT))
    assert (device.samples, device.mean_utilization, device.problem) == (2, 0.5, "")


def test_a_driver_that_hangs_is_not_waited_for(machine, monkeypatch, plan, caplog):
    end = threading.Event()
    machine(Card(0, processes=lambda: end.wait(30) and {}))
    monkeypatch.setattr(gpu_use, "_LAST_SAMPLE_SECONDS", 0.2)
    use = GpuUse(replace(plan("none", {}), gpu=True))
    use.start(lambda: None)
    use.stop()
    assert "does not answer" in caplog.text
    end.set()
    use._thread.join(10)
    assert not use._thread.is_alive()


# ---------------------------------------------------------------------- real kernels

LOOK = """
import os
names = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "TF_FORCE_GPU_ALLOW_GROWTH", "XLA_PYTHON_CLIENT_PREALLOCATE",
         "XLA_PYTHON_CLIENT_MEM_FRACTION")
print(*(os.environ.get(name, "-") for name in names))
"""


@pytest.fixture
def bare(monkeypatch):
    """Warm processes of these tests load no more than a kernel, and are not those of other tests."""
    monkeypatch.setattr(warm, "_held", {})
    monkeypatch.setattr(
        outer_view, "Environment", lambda *, gpu: Environment(preload=("ipykernel.kernelapp",), gpu=gpu)
    )
    yield
    warm.let_go()


def printed(folder):
    (cell,) = nbformat.read(folder / "executed.ipynb", as_version=4).cells
    return cell.outputs[0]["text"].strip()


@pytest.mark.usefixtures("bare")
def test_kernels_see_the_device_that_they_were_given_and_share_a_warm_process(level, plan, tmp_path, monkeypatch):
    """There is no driver here, so that no device can be missing."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    asked = replace(plan(level, {"a": LOOK}), gpu=True)
    for device in ("GPU-1234", "GPU-5678"):
        run = execute(replace(asked, device=device, kernels_per_gpu=2), tmp_path / device)
        assert (run.sandbox, run.devices) == (level, ())
        assert printed(tmp_path / device) == f"{device} PCI_BUS_ID true false 0.450"
    execute(asked, tmp_path / "all")
    assert printed(tmp_path / "all") == "- PCI_BUS_ID true false -"
    assert len(warm._held) == (level == "warm")


@pytest.mark.usefixtures("bare")
def test_a_sandbox_has_the_file_of_its_device_alone(sandbox, plan, tmp_path, monkeypatch):
    """Any two character devices stand for accelerators."""
    usual = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
    nodes = [path for path in sorted(Path("/dev").iterdir()) if path.is_char_device() and path.name not in usual][:2]
    if len(nodes) < 2:
        pytest.skip("this machine has no two character devices besides those that every sandbox has")
    for module in (bubblewrap, gpu):
        monkeypatch.setattr(module, "device_nodes", lambda: tuple(nodes))
    monkeypatch.setattr(gpu, "_OF_ONE_DEVICE", re.compile("|".join(map(str, nodes))))
    devices = {f"GPU-{number}": nvml.Device(f"GPU-{number}", number, "", 1, str(node), None)
               for number, node in enumerate(nodes)}  # fmt: skip
    monkeypatch.setattr(gpu, "_find", devices.get)
    look = f"import os\nprint(*(os.path.exists(path) for path in {[str(node) for node in nodes]!r}))"
    for device, seen in (("GPU-0", "True False"), ("GPU-1", "False True"), (None, "True True")):
        execute(replace(plan(sandbox, {"a": look}), gpu=True, device=device), tmp_path / str(device))
        assert printed(tmp_path / str(device)) == seen


@pytest.mark.usefixtures("bare")
def test_what_a_sandbox_uses_is_told_from_everything_else_on_the_machine(machine, level, plan, tmp_path, monkeypatch):
    """Every process of the machine holds 1 MiB of the simulated device: the run answers for its own few."""
    monkeypatch.setattr(gpu_use, "_SAMPLE_SECONDS", 0.1)
    machine(Card(0, processes=lambda: dict.fromkeys(psutil.pids(), 1)))
    cells = {"a": "import subprocess\nsubprocess.run(['sleep', '0.5'])"}
    run = execute(replace(plan(level, cells), gpu=True, device="GPU-00"), tmp_path)
    (device,) = run.devices
    assert device.memory_of == "run"
    assert 2 <= device.peak_memory_mb <= 8  # the kernel and its child, and at `cold` the programs around them
    assert not device.shared


def test_a_device_that_is_gone_is_the_machines_error(machine, plan, tmp_path):
    machine(Card(0))
    with pytest.raises(ExecutionError, match="is not there"):
        execute(replace(plan("none", {"a": "1"}), gpu=True, device="GPU-99"), tmp_path)


# ---------------------------------------------------------------------- a device whose memory is used up

ON_GPU = (DeviceInfo(name="NVIDIA X", memory_mb=80_000, peak_memory_mb=900, memory_of="run"),)
NOT_USED = (DeviceInfo(name="NVIDIA X", memory_mb=80_000, peak_memory_mb=0, memory_of="run"),)
FULL = (DeviceInfo(name="NVIDIA X", memory_mb=80_000, peak_memory_mb=900, device_peak_memory_mb=79_900),)

NAMED = {
    "tensorflow": (
        "ResourceExhaustedError",
        "{{function_node __wrapped__AddV2_device_/job:localhost/replica:0/task:0/device:GPU:0}} OOM when allocating tensor "
        "with shape[128,128,109,109] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc",
    ),
    "tensorflow, in fit": (
        "ResourceExhaustedError",
        "Graph execution error:\n\nOOM when allocating tensor with shape[16,64,64,64] and type float on "
        "/job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n\t [[{{node model/dense/MatMul}}]]",
    ),
    "tensorflow, copying": (
        "InternalError",
        "Failed copying input tensor from /job:localhost/replica:0/task:0/device:CPU:0 to "
        "/job:localhost/replica:0/task:0/device:GPU:0 in order to run _EagerConst: Dst tensor is not initialized.",
    ),
    "driver": ("InternalError", "failed to allocate 8.41G (9029127168 bytes) from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
    "torch": (
        "OutOfMemoryError",
        "CUDA out of memory. Tried to allocate 22.00 MiB. GPU 0 has a total capacity of 23.65 GiB of which 11.06 MiB is free.",
    ),
    "older torch": ("RuntimeError", "CUDA out of memory. Tried to allocate 2.26 GiB (GPU 0; 6.00 GiB total capacity)"),
    "torch, asynchronous": ("AcceleratorError", "CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    "cublas": ("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
}  # fmt: skip
UNNAMED = {
    "jax": ("XlaRuntimeError", "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 4770354232 bytes."),
    "jax, by request": (
        "JaxRuntimeError",
        "RESOURCE_EXHAUSTED: Failed to allocate request for 2.99GiB (3206250496B) on device ordinal 0",
    ),
    "older jax": ("RuntimeError", "Resource exhausted: Failed to allocate request for 32.00MiB on device ordinal 0"),
    "tensorflow, cut": (
        "ResourceExhaustedError",
        "Graph execution error:\n\nDetected at node dense_1/MatMul defined...",
    ),
}
MACHINE = {
    "python": ("MemoryError", ""),
    "numpy": ("_ArrayMemoryError", "Unable to allocate 7.28 TiB for an array with shape (1000000, 1000000)"),
    "tensorflow": (
        "ResourceExhaustedError",
        "OOM when allocating tensor with shape[99999] and type float on /job:localhost/replica:0/task:0/device:CPU:0 by "
        "allocator cpu [Op:Fill]",
    ),
    "tensorflow with MKL": (
        "ResourceExhaustedError",
        "OOM when allocating tensor with shape[9] ... by allocator mklcpu",
    ),
    "jax": ("JaxRuntimeError", "RESOURCE_EXHAUSTED: Out of memory allocating 40000000000000 bytes."),
    "fork": ("OSError", "[Errno 12] Cannot allocate memory"),
    "torch": (
        "RuntimeError",
        "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: you tried",
    ),
    "a word": ("ValueError", "GPU:0 is not a device"),
}


def run_of(*, cell=None, probe=None, **account):
    """A run in which one cell or one probe ended with an exception."""
    cells = (CellRun(index=0, outcome="error", error=CellError(name=cell[0], message=cell[1])),) if cell else ()
    probes = (ProbeRun(question="q", outcome="failed", message=": ".join(probe)),) if probe else ()
    return Run(assignment="a", profile="gpu", seed=7, sandbox="warm", cells=cells, probes=probes, **account)


@pytest.mark.parametrize("said", NAMED.values(), ids=NAMED)
def test_frameworks_that_name_the_device(said):
    assert out_of_gpu_memory(run_of(cell=said, devices=ON_GPU))
    assert out_of_gpu_memory(run_of(probe=said))


@pytest.mark.parametrize("said", UNNAMED.values(), ids=UNNAMED)
def test_frameworks_that_do_not_name_the_device_are_believed_where_one_was_used(said):
    assert out_of_gpu_memory(run_of(cell=said, devices=ON_GPU))
    assert not out_of_gpu_memory(run_of(cell=said, devices=NOT_USED))
    assert not out_of_gpu_memory(run_of(cell=said))


@pytest.mark.parametrize("said", MACHINE.values(), ids=MACHINE)
def test_the_machines_memory_is_not_the_devices(said):
    assert not out_of_gpu_memory(run_of(cell=said, devices=FULL))
    assert not out_of_gpu_memory(run_of(probe=said, devices=FULL))


def test_a_framework_that_aborts_on_a_full_device():
    aborted = {"kernel_died": True, "cause_of_death": "the kernel ended in cell 3: by the signal SIGABRT"}
    killed = {"kernel_died": True, "cause_of_death": "cell 3 was stopped: memory, 900 MB allowed"}
    assert out_of_gpu_memory(run_of(devices=FULL, **aborted))
    assert not out_of_gpu_memory(run_of(devices=ON_GPU, **aborted))
    assert not out_of_gpu_memory(run_of(devices=FULL, **killed))


def test_what_a_probe_was_refused_is_in_its_evidence(tmp_path):
    def write(question, name, message):
        tree = {"value": 3, "other": {"$raised": {"name": name, "message": message}}}
        with zipfile.ZipFile(tmp_path / f"{question}.npz", "w") as file:
            file.writestr(TREE, json.dumps(tree))

    run = run_of(devices=ON_GPU)
    (tmp_path / "a.npz").write_bytes(b"not evidence")
    write("b", "ValueError", "no")
    assert not out_of_gpu_memory(run, tmp_path)
    write("c", *NAMED["torch"])
    assert out_of_gpu_memory(run, tmp_path)
