"""What can be written inside: its own folders, and nothing that anybody else reads. One kernel."""

from __future__ import annotations

from autograder.execution.conformance.attempts import Outcome, attempt


@attempt("""
    folders = ["/", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/etc", "/opt", "/var", "/home", "/root", "/dev"]
    return succeeding(open_for_writing, [f"{folder}/conformance-was-here" for folder in folders])
""")
def test_system_folders_are_read_only(outcome: Outcome) -> None:
    """No file can be made in the folders of the system."""
    assert outcome.value == [], outcome


@attempt("succeeding(open_for_writing, ['/etc/passwd', '/etc/group', '/etc/hosts', '/etc/ld.so.cache', '/bin/sh'])")
def test_system_files_are_read_only(outcome: Outcome) -> None:
    """Accounts, host names, the loader's cache and programs cannot be changed."""
    assert outcome.value == [], outcome


@attempt("""
    import sys, site, json.decoder, numpy
    files = [json.decoder.__file__, numpy.__file__]
    folders = [sys.prefix, sys.base_prefix, *site.getsitepackages(), os.path.dirname(numpy.__file__)]
    return succeeding(open_for_writing, [*files, *(f"{folder}/conformance.pth" for folder in folders)])
""")
def test_python_and_its_packages_are_read_only(outcome: Outcome) -> None:
    """Nothing can be added to or changed in the Python installation that later runs load."""
    assert outcome.value == [], outcome


@attempt("[read(DATA_PATH), succeeding(open_for_writing, [DATA_PATH, os.path.dirname(DATA_PATH) + '/more.csv'])]")
def test_public_data_are_read_only(outcome: Outcome) -> None:
    """The assignment's data can be read, and not changed for those who come next."""
    assert outcome.value == ["sunny\n", []], outcome


@attempt("[os.listdir(settings()['inbox']), succeeding(open_for_writing, [settings()['inbox'] + '/q.py'])]")
def test_inbox_is_read_only_and_empty(outcome: Outcome) -> None:
    """While a student's cell runs the inbox holds no probe, and none can be put there."""
    assert outcome.value == [[], []], outcome


@attempt("""
    names = ("core_pattern", "modprobe", "hotplug", "panic", "sysrq", "randomize_va_space", "kptr_restrict")
    others = ("vm/overcommit_memory", "vm/drop_caches", "fs/file-max", "net/ipv4/ip_forward")
    return succeeding(open_for_writing, [f"/proc/sys/{n}" for n in (*(f"kernel/{n}" for n in names), *others)])
""")
def test_settings_of_the_kernel_cannot_be_written(outcome: Outcome) -> None:
    """No setting of the kernel can be opened for writing: neither core_pattern nor any other."""
    assert outcome.value == [], outcome


@attempt("succeeding(open_for_writing, ['/proc/sysrq-trigger', '/proc/irq/default_smp_affinity', '/proc/bus/pci'])")
def test_switches_of_the_machine_cannot_be_written(outcome: Outcome) -> None:
    """The files in /proc that reset or steer the machine cannot be opened for writing."""
    assert outcome.value == [], outcome


@attempt("open_for_writing('/proc/self/exe')")
def test_interpreter_cannot_be_overwritten(outcome: Outcome) -> None:
    """The running interpreter cannot be opened for writing, because it is read-only and not because it is busy."""
    assert outcome.denied, outcome


@attempt("open_for_writing('/proc/1/exe')")
def test_first_process_cannot_be_overwritten(outcome: Outcome) -> None:
    """The program of the sandbox's first process cannot be opened for writing."""
    assert outcome.denied, outcome


@attempt("""
    import stat
    try:
        os.mknod("device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    finally:
        if os.path.lexists("device"):
            os.unlink("device")
""")
def test_character_devices_cannot_be_made(outcome: Outcome) -> None:
    """No character device can be made."""
    assert outcome.denied, outcome


@attempt("""
    import stat
    try:
        os.mknod("device", stat.S_IFBLK | 0o666, os.makedev(7, 0))
    finally:
        if os.path.lexists("device"):
            os.unlink("device")
""")
def test_block_devices_cannot_be_made(outcome: Outcome) -> None:
    """No disk can be made."""
    assert outcome.denied, outcome


@attempt("""
    import tempfile
    places = [os.getcwd(), tempfile.gettempdir(), "/dev/shm", settings()["outbox"]]
    return [place for place in places if not os.statvfs(place).f_flag & os.ST_NOSUID]
""")
def test_setuid_files_are_worthless(outcome: Outcome) -> None:
    """Where files can be made, their setuid bits have no effect."""
    assert outcome.value == [], outcome


@attempt("""
    import tempfile
    ST_NODEV = 4
    places = [os.getcwd(), tempfile.gettempdir(), "/dev/shm", settings()["outbox"]]
    return [place for place in places if not os.statvfs(place).f_flag & ST_NODEV]
""")
def test_device_files_are_worthless(outcome: Outcome) -> None:
    """Where files can be made, device files do not work."""
    assert outcome.value == [], outcome


@attempt("""
    open("mine", "w").close()
    try:
        os.chown("mine", 0, 0)
    finally:
        os.unlink("mine")
""")
def test_files_cannot_be_given_away(outcome: Outcome) -> None:
    """A file cannot be made another user's, root's in particular."""
    assert outcome.refused, outcome


@attempt("in_child(lambda: os.setresuid(0, 0, 0))")
def test_another_user_cannot_be_taken(outcome: Outcome) -> None:
    """The process cannot become root."""
    assert outcome.refused, outcome


@attempt("""
    import resource
    def raised():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard + 1))
    return in_child(raised)
""")
def test_limits_cannot_be_raised(outcome: Outcome) -> None:
    """A limit of the system, once set, cannot be raised."""
    assert outcome.refused, outcome


@attempt("in_child(lambda: os.nice(-5))")
def test_priority_cannot_be_raised(outcome: Outcome) -> None:
    """The process cannot make itself more important than others."""
    assert outcome.denied, outcome


@attempt("in_child(lambda: os.write(os.open('/proc/self/oom_score_adj', os.O_WRONLY), b'-1000'))")
def test_others_cannot_be_sacrificed_for_memory(outcome: Outcome) -> None:
    """The process cannot exempt itself from being ended when the machine's memory is short."""
    assert outcome.denied, outcome


@attempt("""
    import sys, tempfile
    from ipykernel.connect import get_connection_info
    sockets = os.path.dirname(get_connection_info(unpack=True)["ip"]) or "/nowhere"
    own = [os.getcwd(), tempfile.gettempdir(), "/dev/shm", settings()["outbox"], sockets]
    packages = (os.path.realpath(sys.prefix), sys.prefix, sys.base_prefix)
    skipped = ("/proc", "/sys", "/usr/share", "/usr/lib", "/dev/pts", *packages, *own)
    found, seen = [], 0
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(skipped)]
        seen += 1
        if seen > 20_000 or len(found) > 20:
            break
        if os.access(folder, os.W_OK):
            found.append(folder)
    return found
""")
def test_nothing_else_can_be_written(outcome: Outcome) -> None:
    """Home, the temporary folders, the folder of evidence and that of the sockets are all that can be written."""
    assert outcome.value == [], outcome


@attempt("""
    import tempfile
    return succeeding(open_for_writing, [f"{p}/x" for p in (os.getcwd(), tempfile.gettempdir(), "/dev/shm")])
""")
def test_own_folders_can_be_written(outcome: Outcome) -> None:
    """Homework may write: in its working folder, in the temporary folder and in shared memory."""
    assert len(outcome.value or ()) == 3, outcome
