"""Rules about the package that students install: what pyproject.toml would put into it."""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from autograder.audit.findings import Finding
from autograder.audit.fingerprints import LENGTH
from autograder.audit.leaving import pieces
from autograder.audit.registry import rule
from autograder.audit.subject import SOLUTIONS, Subject

PROJECT_FILE = "pyproject.toml"
BUILDERS = {"wheel": "WheelBuilder", "sdist": "SdistBuilder"}
LONG_COPY = 3 * LENGTH  # tokens: oracles and the product name the same columns and describe the same boxes
_MANY = 3


@rule("secret-in-package")
def secret_in_package(subject: Subject) -> Iterator[Finding]:
    """No wheel and no source distribution made in the course folder holds a file of `solutions/` or a copy of one."""
    path = subject.folder / PROJECT_FILE
    if not path.is_file():
        return
    if importlib.util.find_spec("hatchling") is None:
        found = "hatchling is not installed, so what the package would hold was not looked at"
        yield Finding("secret-in-package", "note", PROJECT_FILE, found, "pip install hatchling")
        return
    backend = tomllib.loads(path.read_text(encoding="utf-8")).get("build-system", {}).get("build-backend", "")
    if not backend.startswith("hatchling"):
        found = f"packages are made by {backend or 'setuptools'}, which is not known here"
        yield Finding("secret-in-package", "note", PROJECT_FILE, found, "Look at what `python -m build` makes.")
        return
    is_secret = cache(partial(_is_secret, subject))  # most files are in both
    for target in BUILDERS:
        held = [file for file in packaged(subject.folder, target) if is_secret(file)]
        if held:
            names = ", ".join(subject.told(file) for file in held[:_MANY])
            more = f" and {len(held) - _MANY} more" if len(held) > _MANY else ""
            remedy = f"Leave them out in [tool.hatch.build.targets.{target}]."
            yield Finding("secret-in-package", "error", PROJECT_FILE, f"the {target} holds {names}{more}", remedy)


def packaged(folder: Path, target: str) -> list[Path]:
    """The files that hatchling would put into a wheel or a source distribution of this folder."""
    module = importlib.import_module(f"hatchling.builders.{target}")
    builder: Any = getattr(module, BUILDERS[target])(str(folder))
    return sorted(Path(each.path) for each in builder.recurse_included_files())


def _is_secret(subject: Subject, path: Path) -> bool:
    if path.is_relative_to(subject.home) or path in subject.secret_files:
        return True
    if path.is_relative_to(subject.folder / SOLUTIONS):
        return False  # another assignment's, and found by its own audit
    if path.suffix not in {".py", ".ipynb"}:
        return False
    copies = [copy for piece in pieces(path) for copy in subject.secrets.copies(piece.text)]
    return any(copy.tokens >= LONG_COPY for copy in copies)
