"""An execution as bytes: what a worker is sent that shares nothing with this machine, and what it sends back.

There: `parcel.json` (the plan) and `given/<question>.<round>` (the probes' inputs). Back: `answer.json` (how it went),
`run.json`, `executed.ipynb`, `evidence/...`. Both are zip files without compression. What is the same for a whole class
travels apart, once for each worker: the public data, recognised by their digest, and on a cluster the probes' inputs.
Withheld data, hidden tests and answers never travel.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import nbformat

from autograder import atomic
from autograder.config import Limits, Profile
from autograder.data import DataSet
from autograder.errors import AutograderError, ExecutionError, SandboxError, UntrustedError
from autograder.execution import ExecutionPlan, Probe, execute, gpu
from autograder.records import Run
from autograder.reporting import environment
from autograder.untrusted import read_bytes

OnCell = Callable[[int, int, str | None], None]
_PLAIN = (
    "assignment",
    "profile",
    "level",
    "seed",
    "threads",
    "gpu",
    "device",
    "kernels_per_gpu",
)  # fields of a plan that are JSON already
_MAX_DATA_BYTES = 2**33
_MAX_ANSWER_BYTES = 2**31


@dataclass(frozen=True)
class Answer:
    """What came of a parcel.

    Attributes:
        run: the record of the run; None when there is none.
        files: the run's other files, by name.
        problem: why there is no run, in words for a person.
        again: whether it may go well at another time or place.
    """

    run: Run | None
    files: Mapping[str, bytes]
    problem: str = ""
    again: bool = False


def pack_given(plan: ExecutionPlan) -> bytes:
    """The inputs of a plan's probes as bytes: the same for all submissions of an assignment under one seed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _write_given(archive, plan)
    return buffer.getvalue()


def _write_given(archive: zipfile.ZipFile, plan: ExecutionPlan) -> None:
    for probe in plan.probes.values():
        for number, inputs in enumerate((probe.inputs, *probe.later)):
            archive.writestr(zipfile.ZipInfo(f"given/{probe.question}.{number}"), inputs)  # no date: equal bytes


def pack(plan: ExecutionPlan, data: DataSet | None, *, with_given: bool = True) -> bytes:
    """A plan as bytes, with its probes' inputs unless these travel apart.

    The data set is named by its digest and, for workers on this machine, its path.
    """
    probes = {
        cell: {
            "question": probe.question,
            "source": probe.source,
            "seconds": probe.seconds,
            "rounds": 1 + len(probe.later),
        }
        for cell, probe in plan.probes.items()
    }
    told = {
        **{name: getattr(plan, name) for name in _PLAIN},
        "notebook": nbformat.writes(plan.notebook),
        "parameters": dict(plan.parameters),
        "probes": probes,
        "runtime": dict(plan.runtime),
        "limits": plan.limits.model_dump(),
        "repairs": plan.repairs,
        "data": [str(data.public), data.public_sha256] if data else None,
        "environment": dict(environment()),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("parcel.json", json.dumps(told))
        if with_given:
            _write_given(archive, plan)
    return buffer.getvalue()


def carry_out(
    parcel: bytes, data: bytes | None = None, given: bytes | None = None, *, on_cell: OnCell | None = None
) -> bytes:
    """What a worker does: execute, and answer. Nothing that goes wrong raises; it is in the answer.

    Args:
        parcel: what `pack` made; it comes from the grader and is trusted.
        data: the data set's bytes, for workers that may not have it.
        given: what `pack_given` made, where the parcel is without it.
        on_cell: hears of every cell.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="autograder-run-") as scratch:
            folder = Path(scratch)
            plan = _unpack(parcel, data, given or parcel)
            if (
                plan.gpu and plan.device is None
            ):  # a cluster's worker: its first one, or the one that it was started with
                plan = replace(plan, device=next(iter(gpu.slots(Profile(gpu=True))), None))
            run = execute(plan, folder, on_cell=on_cell)
            return _answer(run, dict(_files(folder)), "", again=False)
    except AutograderError as error:
        return _answer(None, {}, str(error), again=isinstance(error, (ExecutionError, SandboxError)))
    except OSError as error:  # a full disk, a lost mount: of this machine, not of the submission
        return _answer(None, {}, f"{type(error).__name__}: {error}", again=True)


def read_answer(answer: bytes) -> Answer:
    """What a worker sent back. The files of the run in it are a student's, and only copied here.

    Raises:
        ExecutionError: it is no answer, or holds what no run leaves.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(answer)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_ANSWER_BYTES:
                raise ExecutionError(f"A worker's answer is too large. Received: {len(answer)} bytes")
            files = {name: archive.read(name) for name in archive.namelist()}
        told = json.loads(files.pop("answer.json"))
        run = Run.model_validate_json(files.pop("run.json")) if told["run"] else None
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ExecutionError(f"A worker's answer cannot be read: {error!s:.200}") from error
    for name in files:
        parts = PurePosixPath(name).parts
        if name != "executed.ipynb" and not (len(parts) == 2 and parts[0] == "evidence" and parts[1].endswith(".npz")):
            raise ExecutionError(f"A worker's answer holds a file that no run leaves. Received: {name!r:.100}")
    return Answer(run, files, str(told["problem"]), bool(told["again"]))


def write_files(answer: Answer, folder: Path) -> None:
    """Put the run's files into a folder, where `execute` would have left them."""
    for name, content in sorted(answer.files.items()):
        atomic.write(folder / name, content)


def _unpack(parcel: bytes, data: bytes | None, given: bytes) -> ExecutionPlan:
    with zipfile.ZipFile(io.BytesIO(parcel)) as archive:
        told = json.loads(archive.read("parcel.json"))
    _expect_same(told["environment"])
    probes = {}
    with zipfile.ZipFile(io.BytesIO(given)) as archive:
        for cell, probe in told["probes"].items():
            inputs, *later = (archive.read(f"given/{probe['question']}.{number}") for number in range(probe["rounds"]))
            probes[cell] = Probe(probe["question"], probe["source"], inputs, probe["seconds"], tuple(later))
    return ExecutionPlan(
        **{name: told[name] for name in _PLAIN},
        notebook=nbformat.reads(told["notebook"], as_version=4),
        parameters=told["parameters"],
        probes=probes,
        runtime=told["runtime"],
        limits=Limits.model_validate(told["limits"]),
        repairs=tuple(told["repairs"]),
        data=_data_file(Path(told["data"][0]), told["data"][1], data) if told["data"] else None,
    )


def _expect_same(theirs: Mapping[str, str]) -> None:
    """A run is stored under the versions that it ran with, so a worker with others cannot make it."""
    ours = environment()
    other = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    if other:
        told = ", ".join(f"{name} {ours.get(name)} instead of {theirs.get(name)}" for name in other)
        raise ExecutionError(f"This worker has other packages than the grader; install the same. Received: {told}")


def _data_file(path: Path, sha256: str, data: bytes | None) -> Path:
    """The data set on this machine: where the grader has it, in this machine's cache, or as it came along.

    Raises:
        ExecutionError: it is nowhere.
    """
    cached = _cache() / sha256 / path.name
    for candidate in (path, cached):
        if _digest_of(candidate) == sha256:
            return candidate
    if data is None or hashlib.sha256(data).hexdigest() != sha256:
        raise ExecutionError(f"This worker does not have the data set. Received: {path.name}, SHA-256 {sha256}")
    atomic.write(cached, data)
    return cached


def _cache() -> Path:
    """A folder of this user's own: on a shared machine nobody else may put data there."""
    folder = Path(tempfile.gettempdir()) / f"autograder-data-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        raise ExecutionError(f"The data cache belongs to somebody else; remove it. Received: {folder}")
    return folder


def _digest_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(read_bytes(path, _MAX_DATA_BYTES)).hexdigest()
    except UntrustedError:
        return None


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What `execute` left, by names with forward slashes."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _answer(run: Run | None, files: Mapping[str, bytes], problem: str, *, again: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("answer.json", json.dumps({"run": run is not None, "problem": problem, "again": again}))
        if run is not None:
            archive.writestr("run.json", run.model_dump_json())
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    return buffer.getvalue()
