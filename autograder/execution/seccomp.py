"""The filter on system calls that every sandboxed process gets, made with libseccomp.

libseccomp knows the numbers on every architecture; the program that it exports is plain bytes, which the sandbox
installs without the library (`inside/_autograder_linux.py`). What is not denied here is ordinary: a deny-list, because
TensorFlow, CUDA and whatever a student imports may call anything that is harmless.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import functools
import os
import tempfile

from autograder.errors import SandboxUnavailableError

LIBRARY = "libseccomp.so.2"

# Each with the reason why nobody's homework needs it.
_DENIED = (
    # other processes
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"),
    # mounts, roots and namespaces
    *("mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount"),
    *("open_tree", "mount_setattr", "unshare", "setns", "name_to_handle_at", "open_by_handle_at", "quotactl"),
    *("quotactl_fd", "fanotify_init", "mknod", "mknodat"),
    # interfaces of the kernel with a history of holes
    *("bpf", "perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "vmsplice"),
    *("keyctl", "add_key", "request_key", "lookup_dcookie", "uselib", "modify_ldt", "personality"),
    # the machine as a whole
    *("init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot"),
    *("swapon", "swapoff", "acct", "syslog", "iopl", "ioperm", "settimeofday", "clock_settime", "clock_settime64"),
    *("clock_adjtime", "clock_adjtime64", "adjtimex", "stime", "sethostname", "setdomainname", "vhangup", "nfsservctl"),
    *("move_pages", "migrate_pages", "mbind", "set_mempolicy_home_node", "memfd_secret"),
)
# glibc and Python ask for these and go on without them.
_ABSENT = ("clone3",)
_NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW* that clone(2) takes: user, pid, net, ipc, uts, cgroup, mount, time
_FAMILIES = {1, 2, 10, 16}  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (libzmq needs it)
_LAST_FAMILY = 45  # AF_MCTP; whatever is numbered above is refused unseen
_INT = 0xFFFFFFFF  # the kernel looks at these bits of an int argument, so the filter must look at no others
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

_ALLOW = 0x7FFF0000
_MASKED_EQUAL, _GREATER = 7, 6
_NO_SUCH_CALL = -1


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def available() -> bool:
    """Whether libseccomp can be loaded."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


@functools.cache
def program() -> bytes:
    """The filter for this machine's architecture, as instructions of eight bytes each.

    Raises:
        SandboxUnavailableError: libseccomp is not installed, or too old.
    """
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise SandboxUnavailableError(
            f"libseccomp is missing; install it: sudo apt-get install libseccomp2. Received: {error}"
        ) from error
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_syscall_resolve_name.restype = ctypes.c_int
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    filters = _Rules(library, context)
    for name in _DENIED:
        filters.refuse(name, errno.EPERM)
    for name in _ABSENT:
        filters.refuse(name, errno.ENOSYS)
    for bit in (1 << number for number in range(32) if _NAMESPACES >> number & 1 and number != 7):
        filters.refuse("clone", errno.EPERM, _Comparison(_clone_flags(), _MASKED_EQUAL, bit, bit))
    for name in ("socket", "socketpair"):
        for family in sorted(set(range(_LAST_FAMILY + 1)) - _FAMILIES):
            filters.refuse(name, errno.EAFNOSUPPORT, _Comparison(0, _MASKED_EQUAL, _INT, family))
        filters.refuse(name, errno.EAFNOSUPPORT, _Comparison(0, _GREATER, _LAST_FAMILY, 0))
    for request in (_TIOCSTI, _TIOCLINUX):
        filters.refuse("ioctl", errno.EPERM, _Comparison(1, _MASKED_EQUAL, _INT, request))
    exported = filters.export()
    library.seccomp_release(context)
    return exported


def _clone_flags() -> int:
    """Which argument of clone(2) holds the flags: the first, but on s390 the second."""
    return 1 if os.uname().machine.startswith("s390") else 0


class _Rules:
    """One filter while it is made."""

    def __init__(self, library: ctypes.CDLL, context: ctypes.c_void_p) -> None:
        self._library = library
        self._context = context

    def refuse(self, name: str, number: int, *comparisons: _Comparison) -> None:
        """Let a system call fail with this error number; one that libseccomp does not know is left out."""
        call = self._library.seccomp_syscall_resolve_name(name.encode())
        if call == _NO_SUCH_CALL:
            return
        listed = (_Comparison * len(comparisons))(*comparisons)
        action = ctypes.c_uint32(0x00050000 | number)
        status = self._library.seccomp_rule_add_array(
            self._context, action, ctypes.c_int(call), ctypes.c_uint(len(comparisons)), listed
        )
        if status:
            raise SandboxUnavailableError(
                f"libseccomp refuses a rule; it may be too old. Received: {name}, error {-status}"
            )

    def export(self) -> bytes:
        """The instructions."""
        with tempfile.TemporaryFile() as file:
            status = self._library.seccomp_export_bpf(self._context, ctypes.c_int(file.fileno()))
            if status:
                raise SandboxUnavailableError(f"libseccomp cannot export the filter. Received: error {-status}")
            file.seek(0)
            return file.read()
