"""The `autograded/` folder of one submission: what nbgrader's converter would put there, whole or not at all."""

from __future__ import annotations

import filecmp
import fnmatch
import os
import re
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

NOTEBOOKS = "*.ipynb"
GROUP_SHARED = 0o2770


class AutogradedFolder:
    """Where one submission's autograded notebook lies, and the files beside it.

    A folder is made under a name that nbgrader does not look at, and renamed when it is whole.

    Attributes:
        path: the folder.
    """

    def __init__(self, converter: Any, student: str, *, source_files: Mapping[str, Path]) -> None:
        """Remove what a killed writer left, and look what belongs here.

        Args:
            converter: nbgrader's `Autograde` with the course's configuration.
            student: the student's id.
            source_files: from `instructors_files`.

        Raises:
            OSError: the folders cannot be read or written.
        """
        coursedir, self._permissions = converter.coursedir, int(str(converter.permissions), 8)
        name = coursedir.assignment_id
        self.path = Path(coursedir.format_path(coursedir.autograded_directory, student, name))
        self._root = Path(coursedir.root)
        self._ignored, self._shared = coursedir.ignore, coursedir.groupshared
        self._notebook = f"{name}.ipynb"
        self._new, self._old = (self.path.with_name(f".{self.path.name}.{word}") for word in ("new", "old"))
        self.clear()
        submitted = Path(coursedir.format_path(coursedir.submitted_directory, student, name))
        handed_in = _files(submitted, [*self._ignored, NOTEBOOKS])
        self.left_out = sorted(name for name, path in handed_in.items() if not _is_plain(path))
        self._files = {**{n: path for n, path in handed_in.items() if n not in self.left_out}, **source_files}

    def holds(self, text: str) -> bool:
        """Whether all is there already: this notebook, and the files of this submission."""
        try:
            found = _files(self.path, self._ignored)
            return (
                found.keys() == self._files.keys() | {self._notebook}
                and found[self._notebook].read_bytes() == text.encode()
                and all(filecmp.cmp(path, found[name]) for name, path in self._files.items())
            )
        except OSError:  # for example a folder where a file should be: then it is made anew
            return False

    def prepare(self, text: str) -> None:
        """Write all under another name.

        Raises:
            OSError: it cannot be written.
        """
        self._new.mkdir(parents=True)
        for name, path in self._files.items():
            (self._new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, self._new / name)  # the time of its last change is how it is recognised
        (self._new / self._notebook).write_bytes(text.encode())
        for folder, _, files in os.walk(self._new):
            for name in files:
                (Path(folder) / name).chmod(self._permissions)
        if self._shared:
            above = [path for path in self.path.parents if path.is_relative_to(self._root) and path != self._root]
            _share([*above, *(Path(folder) for folder, _, _ in os.walk(self._new))])

    def publish(self) -> None:
        """Put what was prepared in its place.

        Raises:
            OSError: it cannot be renamed.
        """
        if self.path.is_dir() and not self.path.is_symlink():
            self.path.replace(self._old)
        elif self.path.is_symlink() or self.path.exists():
            self.path.unlink()
        self._new.replace(self.path)

    def clear(self) -> None:
        """Remove what was prepared and not published, and what was replaced.

        Raises:
            OSError: it cannot be removed.
        """
        for path in (self._new, self._old):
            if path.is_dir():
                shutil.rmtree(path)


def instructors_files(converter: Any) -> dict[str, Path]:
    """The files of the assignment's source that nbgrader puts over those of every student, by their place."""
    coursedir = converter.coursedir
    source = Path(coursedir.format_path(coursedir.source_directory, ".", coursedir.assignment_id))
    excluded = set(converter.exclude_overwriting.get(coursedir.assignment_id, []))
    found = _files(source, [*coursedir.ignore, NOTEBOOKS])
    return {name: path for name, path in found.items() if name not in excluded}


def _files(folder: Path, ignored: Iterable[str]) -> dict[str, Path]:
    """All files below a folder whose names nbgrader does not ignore, by their place in it."""
    wanted = re.compile("(?!" + "|".join(map(fnmatch.translate, ignored)) + ")")
    found: dict[str, Path] = {}
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(filter(wanted.match, folders))
        paths = [Path(here) / name for name in sorted(filter(wanted.match, names))]
        found |= {path.relative_to(folder).as_posix(): path for path in paths}
    return found


def _is_plain(path: Path) -> bool:
    """Whether it is a file itself: a link would be followed, to the gradebook for example, and a pipe never ends."""
    return stat.S_ISREG(path.lstat().st_mode)


def _share(folders: Iterable[Path]) -> None:
    """Let the course's group write, as nbgrader's `groupshared` says."""
    for folder in folders:
        mode = folder.stat().st_mode
        if mode & GROUP_SHARED != GROUP_SHARED:
            folder.chmod((mode | GROUP_SHARED) & 0o2777)
