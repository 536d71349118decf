"""What one execution is asked to do: the notebook, its parameters, the probes between its cells, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from autograder.config import Limits, Parameter
from autograder.records import SandboxLevel


@dataclass(frozen=True)
class Probe:
    """One question's probe: source text that runs in the kernel right after the question's test cell.

    Attributes:
        question: the question's id; the evidence comes back as `evidence/<question>.npz`.
        source: Python source of the hidden-test file's `probe` function and nothing else.
        inputs: what the probe is given, encoded by `autograder.evidence.encode`.
        seconds: how long the probe may take before it is interrupted; in each round.
        later: inputs of further rounds. The probe runs once more for each, and its inputs reach the kernel only when
            the evidence of the round before is out of the kernel's reach (`evidence/<question>.<round>.npz`).
    """

    question: str
    source: str
    inputs: bytes
    seconds: float
    later: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class ExecutionPlan:
    """Everything that determines one execution.

    Attributes:
        notebook: prepared and clean of outputs; parameters are not injected yet.
        parameters: injected after the cell tagged `parameters`, by papermill. The value of a name listed in
            `data_parameters` is replaced by the path at which the sandbox shows the data.
        probes: by the grade_id of the cell after which they run.
        runtime: source text of the modules that are loaded into the kernel before the first cell (name to source).
        data: host path of the public data, shown read-only inside the sandbox.
        gpu: whether the accelerators of this machine are shown inside the sandbox.
        device: the UUID (or index) of the only one that is shown; None for all. `gpu.slots` hands them out.
        kernels_per_gpu: how many kernels share a device.
    """

    assignment: str
    profile: str
    notebook: NotebookNode
    parameters: Mapping[str, Parameter]
    probes: Mapping[str, Probe]
    runtime: Mapping[str, str]
    limits: Limits
    level: SandboxLevel
    seed: int
    threads: int = 1
    data: Path | None = None
    data_parameters: tuple[str, ...] = ("DATA_PATH",)
    gpu: bool = False
    device: str | None = None
    kernels_per_gpu: int = 1
    repairs: tuple[str, ...] = field(default=())
