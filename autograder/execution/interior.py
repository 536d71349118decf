"""What a sandbox looks like from inside, at both levels the same: paths, environment, accounts, limits."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

from autograder.config import Limits

HOME = "/home/student"
INBOX = "/grading/inbox"
EVIDENCE = "/grading/evidence"
SOCKETS = "/grading/sockets"
ETC = "/grading/etc"
DATA = "/data"
VENV = "/opt/venv"
UID = "1000"
# Folders in which a kernel may write.
WRITABLE = (HOME, "/tmp", "/dev/shm")  # noqa: S108 - the sandbox's own
ACCOUNTS = {
    "passwd": f"student:x:{UID}:{UID}::{HOME}:/bin/sh\n",
    "group": f"student:x:{UID}:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
}
_MEGABYTE = 2**20


def python() -> str:
    """The interpreter's path inside: a virtual environment is shown at a path that tells nothing of this machine."""
    if in_venv():
        return f"{VENV}/{Path(sys.executable).relative_to(sys.prefix)}"
    return sys.executable


def kernel_settings(threads: int) -> dict[str, str]:
    """Environment variables of the kernel that are the same at every level.

    KERAS_BACKEND is the operator's to choose for a machine; everything else of the grader's environment stays outside.
    """
    backend = os.environ.get("KERAS_BACKEND")
    return ({"KERAS_BACKEND": backend} if backend else {}) | {
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or else ipykernel's debugger warns on stderr at every start
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
    }


def environment(threads: int) -> dict[str, str]:
    """The environment of a kernel in a sandbox: nothing of the grader's."""
    return kernel_settings(threads) | {
        "PATH": f"{Path(python()).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "SHELL": "/bin/sh",
        "PYTHONNOUSERSITE": "1",
        "MPLCONFIGDIR": f"{HOME}/.config/matplotlib",
        "KERAS_HOME": f"{HOME}/.keras",
        "IPYTHONDIR": f"{HOME}/.ipython",
        "JUPYTER_CONFIG_DIR": f"{HOME}/.jupyter",
        "JUPYTER_DATA_DIR": f"{HOME}/.jupyter",
        "JUPYTER_RUNTIME_DIR": f"{HOME}/.jupyter",
    }


def system_limits(limits: Limits) -> dict[str, int]:
    """The limits that the system itself holds every process of a sandbox to, in its units."""
    return {
        "open_files": limits.open_files,
        "processes": limits.processes,
        "file_bytes": limits.file_mb * _MEGABYTE,
        "disk_bytes": limits.disk_mb * _MEGABYTE,
        "files": limits.files,
        "cpu_seconds": math.ceil(limits.cpu_seconds),
    }


def write_accounts(folder: Path) -> None:
    """Write passwd, group and hosts as the sandbox sees them."""
    for name, content in ACCOUNTS.items():
        write_readable(folder / name, content.encode())


def write_readable(path: Path, content: bytes) -> None:
    """Write a file that everybody may read and nobody may change."""
    path.write_bytes(content)
    path.chmod(0o444)


def in_venv() -> bool:
    """Whether the interpreter is a virtual environment's, which is shown at a path of its own."""
    return sys.prefix != sys.base_prefix
