"""Runs inside the sandbox: the text of this file is the first cell of the kit's notebooks.

The system calls are made by number, because the C library has no function for many of them and checks some arguments
by itself. Standard library only, and nothing of this package.
"""

from __future__ import annotations

import contextlib  # noqa: F401 - for attempts
import ctypes
import json
import os
import platform
from collections.abc import Callable, Iterable
from typing import Any

ANSWER = "conformance answer: "
NEW_USER, NEW_NET, NEW_NS, NEW_PID = 0x10000000, 0x40000000, 0x00020000, 0x20000000

_NAMES = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "pidfd_open",
    "keyctl",
    "add_key",
    "request_key",
    "io_uring_setup",
    "userfaultfd",
    "bpf",
    "perf_event_open",
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "open_by_handle_at",
    "fsopen",
    "open_tree",
    "mount_setattr",
    "kexec_load",
    "init_module",
    "finit_module",
    "delete_module",
    "settimeofday",
    "reboot",
    "swapon",
    "swapoff",
    "acct",
    "quotactl",
    "syslog",
    "personality",
    "clone",
    "clone3",
    "fanotify_init",
    "sethostname",
]
_NUMBERS = {
    "x86_64": """101 310 311 438 434 250 248 249 425 323 321 298 272 308 165 166 155 161 304 430 428 442 246 175 313
    176 164 169 167 168 163 179 103 135 56 435 300 170""",
    "aarch64": """117 270 271 438 434 219 217 218 425 282 280 241 97 268 40 39 41 51 265 430 428 442 104 105 273
    106 170 142 224 225 89 60 116 92 220 435 262 161""",
}
_CALLS = dict(zip(_NAMES, map(int, _NUMBERS.get(platform.machine(), "").split()), strict=False))


def answer(action: Callable[[], Any]) -> None:
    """Print what an attempt returned, or how it failed, as one line."""
    try:
        found = {"value": action()}
    except BaseException as error:  # whatever it was, it is the outcome
        found = {"error": type(error).__name__, "message": str(error)[:500], "errno": getattr(error, "errno", None)}
    print(ANSWER + json.dumps(found, default=repr))


def call(name: str, *arguments: Any) -> int:
    """Make a system call.

    Raises:
        OSError: the system refused it.
    """
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    wide = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    found: int = syscall(ctypes.c_long(_CALLS[name]), *wide)
    if found == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return found


def in_child(action: Callable[[], Any]) -> Any:
    """Do something in a process of its own, because it would change this one; returns what it returned.

    Raises:
        OSError: with the error's number, if the action failed with one.
        ChildProcessError: the child died.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            found = {"value": action()}
        except BaseException as error:  # told to the parent
            found = {"message": f"{type(error).__name__}: {error}", "errno": getattr(error, "errno", None)}
        os.write(writing, json.dumps(found, default=repr).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    if not text:
        raise ChildProcessError(f"the child ended with the wait status {status}")
    found = json.loads(text)
    if "message" in found:
        raise OSError(found["errno"], found["message"])
    return found["value"]


def succeeding(action: Callable[[Any], Any], candidates: Iterable[Any]) -> list[Any]:
    """Those candidates for which an action did not fail."""
    found = []
    for candidate in candidates:
        try:
            action(candidate)
        except Exception as error:  # any failure will do
            del error
        else:
            found.append(candidate)
    return found


def read(path: str) -> Any:
    """The beginning of a file as text, or the names in a folder."""
    if os.path.isdir(path):
        return os.listdir(path)
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(2000)


def open_for_writing(path: str) -> None:
    """Open for writing without changing anything; what lies in a folder is not there before, nor afterwards."""
    existed = os.path.lexists(path)
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (0 if existed else os.O_CREAT), 0o600))
    if not existed:
        os.unlink(path)


def fields(path: str) -> dict[str, str]:
    """The lines `name: value` of a file in /proc."""
    with open(path, encoding="ascii", errors="replace") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def settings() -> dict[str, Any]:
    """Where the grader's inbox and the folder of evidence are, as the runtime was told."""
    import sys

    found: dict[str, Any] = sys.modules["_autograder_runtime"].__dict__["settings"]
    return found
