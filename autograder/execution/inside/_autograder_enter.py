"""Namespaces, and a root of its own for one kernel; level `warm`.

The warm process lives in an outer view: a read-only root with the system, the Python installation and `/spools`. Every
kernel gets from it, by reference, what `shown` lists, and besides that only its own folders, its own /proc and /dev.
"""

import fcntl
import os
import socket
import struct

import _autograder_linux as linux

_USER = 1000
_NEW_ROOT = "/tmp"  # noqa: S108 - of the outer view, where nothing else lies
_SCRATCH = "/grading/disk"
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SHARED_MEMORY_BYTES = 256 * 2**20
# Folders of the spool, and where the kernel sees them.
_READ_ONLY = (("inbox", "/grading/inbox"), ("etc", "/grading/etc"))
_WRITABLE = (("evidence", "/grading/evidence"), ("sockets", "/grading/sockets"))
_PLAIN = linux.MS_NOSUID | linux.MS_NODEV
_INTERFACE_FLAGS, _SET_INTERFACE_FLAGS, _UP = 0x8913, 0x8914, 1


def leave_namespaces():
    """Enter new namespaces of every kind as an unprivileged user; the next child is pid 1 of the new pid namespace.

    The capabilities that come with it hold inside only, and are what the new root is made with.
    """
    uid, gid = os.geteuid(), os.getegid()
    linux.unshare(
        linux.CLONE_NEWUSER
        | linux.CLONE_NEWNS
        | linux.CLONE_NEWPID
        | linux.CLONE_NEWNET
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWUTS
        | linux.CLONE_NEWCGROUP
    )
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_USER} {uid} 1"),
        ("gid_map", f"{_USER} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def make_root(spool, shown, devices, data, limits):
    """Build the root that the kernel will see, and move there. Called by pid 1 of the sandbox.

    Args:
        spool: path of the run's spool in the outer view.
        shown: paths of the outer view that are shown read-only under the same name.
        devices: device files, for accelerators.
        data: a pair of a path in the outer view and one in the sandbox, or None.
        limits: `disk_bytes` for home and /tmp together, and `files`.
    """
    linux.mount(None, "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _NEW_ROOT, "tmpfs", _PLAIN, "size=1m,nr_inodes=1k,mode=755")
    for path in shown:
        _show(path, path)
    _make_devices(devices)
    _make_proc()
    for name, target in _READ_ONLY:
        _show(f"{spool}/{name}", target)
    for name, target in _WRITABLE:
        _bind(f"{spool}/{name}", target, _PLAIN | linux.MS_NOEXEC)
    if data is not None:
        _show(*data)
    _make_disk(limits["disk_bytes"], limits["files"])
    linux.pivot_root(_NEW_ROOT)
    for path in ("/", "/dev"):
        linux.restrict_mount(path, linux.MS_RDONLY)
    linux.set_hostname("sandbox")
    _raise_loopback()


def _make_disk(size, files):
    """One small file system in memory for all that a student may write: its size is the limit on the disk."""
    shared = f"{_NEW_ROOT}/dev/shm"  # noqa: S108
    os.mkdir(shared)
    _mount_memory(shared, _SHARED_MEMORY_BYTES, files, 0o1777)
    scratch = _NEW_ROOT + _SCRATCH
    os.makedirs(scratch)
    _mount_memory(scratch, size, files, 0o755)
    for target, mode in (("/home/student", 0o700), ("/tmp", 0o1777)):  # noqa: S108
        source = f"{scratch}/{os.path.basename(target)}"
        os.mkdir(source)
        os.chmod(source, mode)
        os.makedirs(_NEW_ROOT + target)
        linux.mount(source, _NEW_ROOT + target, flags=linux.MS_BIND)
        linux.restrict_mount(_NEW_ROOT + target, _PLAIN)
    linux.unmount_lazily(scratch)
    os.rmdir(scratch)


def _mount_memory(target, size, files, mode):
    linux.mount("tmpfs", target, "tmpfs", _PLAIN, f"size={size},nr_inodes={files},mode={mode:o}")


def _make_devices(devices):
    folder = f"{_NEW_ROOT}/dev"
    os.mkdir(folder)
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID, "size=64k,nr_inodes=256,mode=755")
    for path in [*(f"/dev/{name}" for name in _DEVICES), *devices]:
        _bind(path, path, linux.MS_NOSUID | linux.MS_NOEXEC)
    os.mkdir(f"{folder}/pts")
    flags = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", f"{folder}/pts", "devpts", flags, "newinstance,ptmxmode=0666,mode=620,max=64")
    for name, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        os.symlink(target, f"{folder}/{name}")


def _make_proc():
    """A /proc of this pid namespace, with what concerns the whole machine read-only."""
    folder = f"{_NEW_ROOT}/proc"
    os.mkdir(folder)
    linux.mount("proc", folder, "proc", _PLAIN | linux.MS_NOEXEC)
    for name in ("sys", "sysrq-trigger", "irq", "bus"):
        path = f"{folder}/{name}"
        if os.path.exists(path):
            linux.mount(path, path, flags=linux.MS_BIND | linux.MS_REC)
            linux.restrict_mount(path, linux.MS_RDONLY | _PLAIN | linux.MS_NOEXEC, recursive=True)


def _show(source, target):
    """Bind read-only; a link is made anew."""
    if os.path.islink(source):
        os.makedirs(os.path.dirname(_NEW_ROOT + target), exist_ok=True)
        os.symlink(os.readlink(source), _NEW_ROOT + target)
    else:
        _bind(source, target, _PLAIN | linux.MS_RDONLY)


def _bind(source, target, flags):
    place = _NEW_ROOT + target
    if os.path.isdir(source):
        os.makedirs(place, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o444))
    linux.mount(source, place, flags=linux.MS_BIND | linux.MS_REC)
    linux.restrict_mount(place, flags, recursive=True)


def _raise_loopback():
    """Let programs of the sandbox talk to each other over 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(handle, _INTERFACE_FLAGS, request))[1]
        fcntl.ioctl(handle, _SET_INTERFACE_FLAGS, struct.pack("16sH22x", b"lo", flags | _UP))
