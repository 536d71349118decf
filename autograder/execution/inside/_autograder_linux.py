"""System calls that Python does not offer, as functions that raise OSError with what was asked for.

Numbers and structures are those of the kernel's uapi headers, where every one is documented by its manual page
(section 2). The calls here exist under the same number on all architectures that came after 2020; the others are
taken from the C library by name.
"""

import ctypes
import os

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000

PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
PR_SET_SECCOMP, PR_SET_SECUREBITS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 22, 28, 38, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2
# NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off, NO_CAP_AMBIENT_RAISE, each with its lock.
SECUREBITS_LOCKED = 0b11101111

_MOUNT_SETATTR, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 442, 444, 445, 446
_CAPABILITY_VERSION_3 = 0x20080522
_LANDLOCK_VERSION, _LANDLOCK_PATH_BENEATH = 1, 1

_c = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scopes")]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_char_p)]


def _checked(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags):
    """Leave the namespaces of these kinds for new ones."""
    _checked(_c.unshare(ctypes.c_int(flags)), "unshare")


def mount(source, target, kind=None, flags=0, options=None):
    """Put a file system, or by MS_BIND a part of one, at a place of this mount namespace."""
    texts = [None if text is None else text.encode() for text in (source, target, kind, options)]
    what = f"mount {kind or source} on {target}"
    _checked(_c.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), what)


def unmount_lazily(target):
    """Take a mount out of sight; it ends when nobody uses it any more."""
    _checked(_c.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def restrict_mount(target, flags, *, recursive=False):
    """Add restrictions (MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC) to a mount; they cannot be taken away inside."""
    attributes = _MountAttributes(set=flags)
    result = _c.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(AT_FDCWD),
        ctypes.c_char_p(target.encode()),
        ctypes.c_uint(AT_RECURSIVE if recursive else 0),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _checked(result, f"mount_setattr {target}")


def pivot_root(new):
    """Make a folder the root and forget the old one."""
    os.chdir(new)
    _checked(_c.pivot_root(b".", b"."), f"pivot_root {new}")
    unmount_lazily(".")
    os.chdir("/")


def set_hostname(name):
    """Name the machine, as this UTS namespace sees it."""
    _checked(_c.sethostname(name.encode(), ctypes.c_size_t(len(name))), "sethostname")


def control(option, *values):
    """Set one of the properties of this process, as prctl(2) does."""
    numbers = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return _checked(_c.prctl(ctypes.c_int(option), *numbers), f"prctl {option}")


def die_with_parent():
    """Be killed when the thread that forked this process ends."""
    control(PR_SET_PDEATHSIG, 9)


def drop_bounding_set():
    """Make sure that no program that is executed later can gain a capability."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for capability in range(last + 1):
        control(PR_CAPBSET_DROP, capability)


def drop_capabilities():
    """Give up the effective, permitted and inheritable capabilities."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    _checked(_c.capset(ctypes.byref(header), none), "capset")


def filter_system_calls(program):
    """Install a seccomp filter, in the form in which libseccomp exports it."""
    wanted = _Filter(len(program) // 8, program)
    pointer = ctypes.cast(ctypes.byref(wanted), ctypes.c_void_p).value
    control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer)


def landlock_version():
    """The version of Landlock that this system has; 0 without it."""
    return max(0, _c.syscall(ctypes.c_long(_LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def landlock(handled, scopes, rules):
    """Restrict this process and all that it starts.

    Args:
        handled: bit mask of what may be done with files only where a rule allows it.
        scopes: bit mask of what may only reach processes that are restricted in the same way.
        rules: pairs of a path and the mask of what may be done below it; paths that do not exist are left out.
    """
    asked = _Ruleset(handled, 0, scopes)
    size = ctypes.sizeof(asked) if scopes else 16
    ruleset = _checked(
        _c.syscall(ctypes.c_long(_LANDLOCK_CREATE), ctypes.byref(asked), ctypes.c_size_t(size), ctypes.c_uint(0)),
        "landlock_create_ruleset",
    )
    for path, allowed in rules:
        if not os.path.exists(path):
            continue
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = _PathBeneath(allowed, parent)
        arguments = (ctypes.c_int(ruleset), ctypes.c_int(_LANDLOCK_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint(0))
        _checked(_c.syscall(ctypes.c_long(_LANDLOCK_ADD), *arguments), f"landlock_add_rule {path}")
        os.close(parent)
    _checked(_c.syscall(ctypes.c_long(_LANDLOCK_RESTRICT), ctypes.c_int(ruleset), ctypes.c_uint(0)), "landlock")
    os.close(ruleset)
