"""Stored verdicts: what hidden tests said about a run is kept beside it, and asked anew only where something changed.

    <run>/verdicts/<question>.json     what determined the verdict, as a digest, and the verdict

A question's verdict on a run is determined by its hidden-test file, by what hidden tests share (other modules of their
folder, packages of the course such as its oracles, the vocabulary of checks), by the calibration, and by the libraries
that compute. A changed test, weight, message or threshold of one question therefore asks this question alone.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

from pydantic import ValidationError

from autograder import atomic
from autograder.checks import judging, plugin
from autograder.checks.given import Materials
from autograder.checks.judging import HiddenTests, Judgement
from autograder.errors import UntrustedError
from autograder.records import Record
from autograder.untrusted import read_bytes

FOLDER = "verdicts"
LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "pytest", "autograder")
_OWN = ("autograder.checks", "autograder.data", "autograder.evidence", "autograder.npz", "autograder.records")
"""What of the grader itself a verdict rests on, where it is not installed for good."""
_MAX_BYTES = 64 * 2**20


class _Kept(Record):
    """A verdict as it is stored."""

    digest: str
    judgement: Judgement


def verdict_digests(hidden_tests: Mapping[str, HiddenTests], materials: Materials) -> dict[str, str]:
    """For every question a digest of what determines its verdict on a run, beside the run itself."""
    digests = {}
    for question, tests in sorted(hidden_tests.items()):
        digest = hashlib.sha256(_shared(tests.path.parent, materials).encode())
        digest.update(tests.path.read_bytes())
        for package in _packages_of(tests.module):
            digest.update(_sources_digest(package).encode())
        digests[question] = digest.hexdigest()[:40]
    return digests


def stored_verdicts(run_folder: Path, digests: Mapping[str, str]) -> dict[str, Judgement]:
    """The verdicts on a run that are still right; a question that is not among them has to be judged."""
    found = {}
    for question, digest in digests.items():
        try:
            kept = _Kept.model_validate_json(read_bytes(_path(run_folder, question), _MAX_BYTES))
        except (UntrustedError, ValidationError):  # none yet, or damaged: judging again is cheap
            continue
        if kept.digest == digest:
            found[question] = kept.judgement
    return found


def obtain_verdicts(
    run_folder: Path, tests_folder: Path, materials: Materials, digests: Mapping[str, str]
) -> dict[str, Judgement]:
    """The verdicts on a run: stored ones where they are still right, new ones for the other questions.

    A verdict that went wrong in the grader is not kept: the next call asks again.
    """
    found = stored_verdicts(run_folder, digests)
    missing = sorted(set(digests) - set(found))
    if missing:
        for question, judgement in judging.judge(run_folder, tests_folder, materials, questions=missing).items():
            found[question] = judgement
            if not judgement.went_wrong:
                kept = _Kept(digest=digests[question], judgement=judgement)
                atomic.write(_path(run_folder, question), kept.model_dump_json())
    return {question: found[question] for question in sorted(found)}


def _path(run_folder: Path, question: str) -> Path:
    return run_folder / FOLDER / f"{question}.json"


def _shared(tests_folder: Path, materials: Materials) -> str:
    """What all questions of an assignment rest on, as text."""
    helpers = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(tests_folder.glob("*.py"))
        if not path.name.startswith(plugin.FILE_PREFIX)
    }
    parts = {"helpers": helpers, "calibration": materials.calibration, "libraries": _versions()}
    return json.dumps(parts, sort_keys=True, default=str)


@lru_cache
def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in LIBRARIES}


def _packages_of(module: ModuleType) -> Iterable[Path]:
    """Packages and modules that a hidden-test file uses and that are not installed for good: the course's own."""
    names = {getattr(value, "__module__", None) or getattr(value, "__name__", "") for value in vars(module).values()}
    tops = {name.partition(".")[0] for name in names if isinstance(name, str)}
    installed = [Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "purelib", "platlib")]
    found = set()
    used = [sys.modules.get(name) for name in tops - {"autograder", module.__name__}]
    for used_module in [*used, *map(importlib.import_module, _OWN)]:
        file = getattr(used_module, "__file__", None)
        if file is None:
            continue
        path = Path(file).resolve()
        if not any(path.is_relative_to(place) for place in installed):
            found.add(path.parent if path.name == "__init__.py" else path)
    return sorted(found)


@lru_cache
def _sources_digest(package: Path) -> str:
    """Of a module, or of all Python files of a package; read once per process."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")) if package.is_dir() else [package]:
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
