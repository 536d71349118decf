"""What a kernel's process gives up for good before it sees a byte of a student's, and the proof that it has.

`lock_down` is called last, by a process that is in its own namespaces already. What it does cannot be undone by the
process or by anything that it starts. `verify` then looks, and tries: a kernel that is not confined must not run.
"""

import errno
import os
import resource

import _autograder_linux as linux

HOME, TEMPORARY, SHARED = "/home/student", "/tmp", "/dev/shm"  # noqa: S108 - the sandbox's own
EVIDENCE, SOCKETS = "/grading/evidence", "/grading/sockets"

# Landlock's rights, and the version from which each can be asked for (landlock(7)).
_EXECUTE, _WRITE, _READ, _LIST = 1, 1 << 1, 1 << 2, 1 << 3
_REMOVE_FOLDER, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_DEVICE, _MAKE_FOLDER, _MAKE_FILE, _MAKE_SOCKET, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_LINK = (
    1 << bit for bit in range(6, 13)
)
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_SINCE = ((1, (1 << 13) - 1), (2, _REFER), (3, _TRUNCATE), (5, _IOCTL))
_OLDEST = 2  # the first one refuses to move a file from one folder to another
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract unix sockets, signals
_LOOK = _EXECUTE | _READ | _LIST
_USE_DEVICE = _READ | _WRITE | _LIST | _TRUNCATE | _IOCTL
_OWN = ((1 << 16) - 1) & ~(_MAKE_DEVICE | _MAKE_BLOCK)
_KEEP = _LOOK | _WRITE | _MAKE_FILE | _REMOVE_FILE | _TRUNCATE

# Opening these for writing must fail because it is not allowed; that a program file is busy would be luck.
_MUST_REFUSE = ("/proc/sys/kernel/core_pattern", "/proc/self/exe", "/etc/passwd", "/usr/bin/env")
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS)
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


class NotConfined(Exception):
    """The process is not confined as it should be."""


def detach_streams():
    """Let the standard streams lead nowhere: a descriptor that is inherited can be opened again with other rights."""
    null = os.open("/dev/null", os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    if null > 2:
        os.close(null)


def close_all_but(descriptors):
    """Close every other descriptor above the standard streams."""
    first = 3
    for kept in sorted(descriptors):
        os.closerange(first, kept)
        first = kept + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def set_limits(limits):
    """The system's own limits for every process of the sandbox; `limits` as in `autograder.config.Limits`."""
    for name, wanted, grace in (
        ("CORE", 0, 0),
        ("MEMLOCK", 0, 0),
        ("MSGQUEUE", 0, 0),
        ("NOFILE", limits["open_files"], 0),
        ("FSIZE", limits["file_bytes"], 0),
        ("NPROC", limits["processes"], 0),
        # The soft limit ends a process by a signal that tells why, the hard one just kills it.
        ("CPU", limits["cpu_seconds"], 5),
    ):
        kind = getattr(resource, f"RLIMIT_{name}")
        most = resource.getrlimit(kind)[1]
        soft, hard = (
            value if most == resource.RLIM_INFINITY else min(value, most) for value in (wanted, wanted + grace)
        )
        resource.setrlimit(kind, (soft, hard))
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # when memory is short, the system takes students' processes first
    os.umask(0o077)


def lock_down(program):
    """Give up capabilities, new privileges, files and system calls.

    Args:
        program: the seccomp filter, as libseccomp exports it.
    """
    with_capabilities = int(_status()["CapEff"], 16) != 0
    linux.control(linux.PR_CAP_AMBIENT, linux.PR_CAP_AMBIENT_CLEAR_ALL)
    if with_capabilities:
        linux.drop_bounding_set()
        linux.control(linux.PR_SET_SECUREBITS, linux.SECUREBITS_LOCKED)
    linux.drop_capabilities()
    linux.control(linux.PR_SET_NO_NEW_PRIVS, 1)
    _restrict_files()
    linux.filter_system_calls(program)


def _restrict_files():
    """Landlock, where the system has it: a second lock beside the read-only mounts, on names and kinds of files."""
    version = linux.landlock_version()
    if version < _OLDEST:
        return
    handled = sum(rights for since, rights in _SINCE if version >= since)
    rules = [
        ("/", _LOOK),
        ("/dev", _USE_DEVICE),
        (
            "/proc",
            _LOOK | _WRITE | _TRUNCATE,
        ),  # a process may write its own oom_score_adj, comm, ...; the rest is not its own
        *((path, _OWN) for path in (HOME, TEMPORARY, SHARED)),
        (EVIDENCE, _KEEP),
        (SOCKETS, _LIST | _READ | _WRITE | _MAKE_SOCKET | _REMOVE_FILE),
    ]
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    linux.landlock(handled, scopes, [(path, allowed & handled) for path, allowed in rules])


def verify():
    """Look and try.

    Raises:
        NotConfined: something that must be impossible is not.
    """
    status = _status()
    wrong = [f"{name} is {status[name]}" for name in _CAPABILITIES if int(status[name], 16)]
    wrong += [
        f"{name} is {status.get(name)}"
        for name, good in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("Threads", "1"))
        if status.get(name) != good
    ]
    if "0" in status["Uid"].split() or "0" in status["Gid"].split():
        wrong.append(f"Uid is {status['Uid']}, Gid is {status['Gid']}")
    for path in _MUST_REFUSE:
        try:
            os.close(os.open(path, os.O_WRONLY))
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in _REFUSALS:
                wrong.append(f"{path} is not writable for another reason: {error.strerror}")
        else:
            wrong.append(f"{path} can be written")
    if wrong:
        raise NotConfined("; ".join(wrong))


def _status():
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
