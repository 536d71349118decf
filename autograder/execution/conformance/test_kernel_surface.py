"""What a process inside may ask of the kernel. One kernel.

Each call carries arguments with which it would do nothing: the system looks at the caller's rights first, so that
"not permitted" is a promise kept, and "no such file" or "bad argument" is one that is broken.
"""

from __future__ import annotations

from autograder.execution.conformance.attempts import Outcome, attempt
from autograder.execution.conformance.bait import NAMESPACES, Bait


@attempt("{name: value for name, value in fields('/proc/self/status').items() if name.startswith('Cap')}")
def test_there_are_no_capabilities(outcome: Outcome) -> None:
    """All five sets of capabilities are empty, so that none can be regained."""
    assert len(outcome.value or ()) == 5, outcome
    assert {int(bits, 16) for bits in outcome.value.values()} == {0}, outcome


@attempt("fields('/proc/self/status')['NoNewPrivs']")
def test_no_privileges_can_be_gained(outcome: Outcome) -> None:
    """No program that is started can have more rights than the one that starts it."""
    assert outcome.value == "1", outcome


@attempt("fields('/proc/self/status')['Seccomp']")
def test_system_calls_are_filtered(outcome: Outcome) -> None:
    """A filter on system calls is in force."""
    assert outcome.value == "2", outcome


@attempt("[*os.getresuid(), *os.getresgid(), *os.getgroups()]")
def test_it_is_not_root(outcome: Outcome) -> None:
    """Neither user nor any group is root's, inside."""
    assert outcome.value, outcome
    assert 0 not in outcome.value, outcome


@attempt("{name: os.readlink(f'/proc/self/ns/{name}') for name in BAIT['namespaces']}")
def test_namespaces_are_its_own(bait: Bait, outcome: Outcome) -> None:
    """Users, processes, mounts, network, shared memory, host name and control groups are the sandbox's own."""
    outside = bait.told()["namespaces"]
    assert isinstance(outside, dict)
    assert [name for name in NAMESPACES if (outcome.value or outside)[name] == outside[name]] == [], outcome


@attempt("in_child(lambda: call('unshare', NEW_USER))")
def test_user_namespaces_cannot_be_made(outcome: Outcome) -> None:
    """No user namespace can be made, in which a process would have all capabilities again."""
    assert outcome.refused, outcome


@attempt("succeeding(lambda kind: in_child(lambda: call('unshare', kind)), [NEW_NET, NEW_NS, NEW_PID])")
def test_other_namespaces_cannot_be_made(outcome: Outcome) -> None:
    """Neither networks nor mounts nor process trees can be set apart."""
    assert outcome.value == [], outcome


@attempt("""
    def cloned():
        if call("clone", NEW_USER | 17, 0, 0, 0, 0) == 0:
            os._exit(0)
        os.wait()
    return in_child(cloned)
""")
def test_namespaces_cannot_be_made_by_clone(outcome: Outcome) -> None:
    """A new process cannot be given namespaces of its own."""
    assert outcome.refused, outcome


@attempt("""
    arguments = (ctypes.c_uint64 * 8)(NEW_USER, 0, 0, 0, 17)
    def cloned():
        if call("clone3", ctypes.byref(arguments), 64) == 0:
            os._exit(0)
        os.wait()
    return in_child(cloned)
""")
def test_namespaces_cannot_be_made_by_clone3(outcome: Outcome) -> None:
    """The newer call for that, whose arguments a filter cannot see, does not exist."""
    assert outcome.refused, outcome


@attempt("""
    def joined():
        with open("/proc/1/ns/net") as namespace:
            call("setns", namespace.fileno(), NEW_NET)
    return in_child(joined)
""")
def test_namespaces_cannot_be_joined(outcome: Outcome) -> None:
    """No other namespace can be entered."""
    assert outcome.refused, outcome


@attempt("call('mount', b'x', b'/tmp', b'nosuchfs', 0, None)")
def test_nothing_can_be_mounted(outcome: Outcome) -> None:
    """No file system can be mounted."""
    assert outcome.denied, outcome


@attempt("in_child(lambda: call('fsopen', b'tmpfs', 0))")
def test_nothing_can_be_mounted_by_the_new_calls(outcome: Outcome) -> None:
    """No file system can be made by fsopen."""
    assert outcome.denied, outcome


@attempt("in_child(lambda: call('open_tree', -100, b'/', 1))")
def test_mounts_cannot_be_copied(outcome: Outcome) -> None:
    """The tree of mounts cannot be copied."""
    assert outcome.denied, outcome


@attempt("call('umount2', b'/usr/bin', 0)")
def test_nothing_can_be_unmounted(outcome: Outcome) -> None:
    """Nothing that covers something else can be taken away."""
    assert outcome.denied, outcome


@attempt("call('pivot_root', b'/nowhere', b'/nowhere')")
def test_root_cannot_be_exchanged(outcome: Outcome) -> None:
    """The root of the file system cannot be exchanged."""
    assert outcome.denied, outcome


@attempt("in_child(lambda: call('chroot', b'/'))")
def test_root_cannot_be_changed(outcome: Outcome) -> None:
    """The process cannot change its root."""
    assert outcome.denied, outcome


@attempt("""
    handle = ctypes.create_string_buffer(bytes([8, 0, 0, 0, 1, 0, 0, 0]) + bytes(8))
    return call("open_by_handle_at", -100, handle, 0)
""")
def test_files_cannot_be_opened_by_number(outcome: Outcome) -> None:
    """No file can be opened past its path, by which containers were left before."""
    assert outcome.denied, outcome


@attempt("in_child(lambda: call('ptrace', 0x4206, 1, 0, 0))")
def test_first_process_cannot_be_traced(outcome: Outcome) -> None:
    """The sandbox's first process, which holds it together, cannot be traced."""
    assert outcome.denied, outcome


@attempt("""
    import time
    child = os.fork()
    if child == 0:
        time.sleep(2)
        os._exit(0)
    try:
        return in_child(lambda: call("ptrace", 0x4206, child, 0, 0))
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
""")
def test_no_process_can_be_traced(outcome: Outcome) -> None:
    """Tracing, a large part of the kernel that no homework needs, is closed altogether."""
    assert outcome.denied, outcome


@attempt("""
    import ctypes
    vector = (ctypes.c_uint64 * 2)(4096, 1)
    return call("process_vm_readv", 1, vector, 1, vector, 1, 0)
""")
def test_memory_of_others_cannot_be_read(outcome: Outcome) -> None:
    """The memory of another process cannot be read."""
    assert outcome.denied, outcome


@attempt("""
    vector = (ctypes.c_uint64 * 2)(4096, 1)
    return call("process_vm_writev", 1, vector, 1, vector, 1, 0)
""")
def test_memory_of_others_cannot_be_written(outcome: Outcome) -> None:
    """The memory of another process cannot be written."""
    assert outcome.denied, outcome


@attempt("open('/proc/1/mem', 'rb').close()")
def test_memory_of_the_first_process_is_closed(outcome: Outcome) -> None:
    """The memory of the sandbox's first process cannot be opened as a file."""
    assert outcome.refused, outcome


@attempt("call('pidfd_getfd', os.pidfd_open(1), 0, 0)")
def test_descriptors_of_others_cannot_be_taken(outcome: Outcome) -> None:
    """No descriptor can be taken from another process."""
    assert outcome.denied, outcome


@attempt("call('keyctl', 0, -3, 0)")
def test_keyrings_cannot_be_asked(outcome: Outcome) -> None:
    """The kernel's keyrings, which are not divided by namespaces, cannot be used."""
    assert outcome.denied, outcome


@attempt("call('add_key', b'user', b'conformance', b'x', 1, -2)")
def test_keys_cannot_be_kept(outcome: Outcome) -> None:
    """Nothing can be left in a keyring for another to find."""
    assert outcome.denied, outcome


@attempt("call('io_uring_setup', 1, ctypes.create_string_buffer(120))")
def test_io_uring_is_closed(outcome: Outcome) -> None:
    """io_uring, which passes by filters on system calls, is closed."""
    assert outcome.denied, outcome


@attempt("call('userfaultfd', 1)")
def test_userfaultfd_is_closed(outcome: Outcome) -> None:
    """userfaultfd, with which races in the kernel are won, is closed."""
    assert outcome.denied, outcome


@attempt("call('bpf', 0, ctypes.create_string_buffer(128), 128)")
def test_bpf_is_closed(outcome: Outcome) -> None:
    """No program can be loaded into the kernel."""
    assert outcome.denied, outcome


@attempt("call('perf_event_open', ctypes.create_string_buffer(128), 0, -1, -1, 0)")
def test_performance_counters_are_closed(outcome: Outcome) -> None:
    """Performance counters, which see what other programs do, are closed."""
    assert outcome.denied, outcome


@attempt("""
    import fcntl, pty
    def typed():
        os.setsid()
        master, slave = os.openpty()
        fcntl.ioctl(slave, 0x540E, 0)
        fcntl.ioctl(slave, 0x5412, b"x")
    return in_child(typed)
""")
def test_nothing_can_be_typed_into_a_terminal(outcome: Outcome) -> None:
    """Input cannot be forged in a terminal, not even in one of its own."""
    assert outcome.denied, outcome


@attempt("in_child(lambda: call('personality', 0x0400000))")
def test_protections_of_memory_cannot_be_lifted(outcome: Outcome) -> None:
    """A process cannot ask for the old ways of laying out and protecting memory."""
    assert outcome.denied, outcome


@attempt("call('kexec_load', 0, 2**20, None, 0)")
def test_another_kernel_cannot_be_loaded(outcome: Outcome) -> None:
    """The machine cannot be made to start another kernel."""
    assert outcome.denied, outcome


@attempt("call('finit_module', -1, b'', 0)")
def test_modules_cannot_be_loaded(outcome: Outcome) -> None:
    """No module can be loaded into the kernel."""
    assert outcome.denied, outcome


@attempt("call('delete_module', b'no_such_module', 0)")
def test_modules_cannot_be_removed(outcome: Outcome) -> None:
    """No module can be removed from the kernel."""
    assert outcome.denied, outcome


@attempt("call('settimeofday', None, None)")
def test_clock_cannot_be_set(outcome: Outcome) -> None:
    """The machine's clock, by which deadlines are kept, cannot be set."""
    assert outcome.denied, outcome


@attempt("call('reboot', 0, 0, 0, None)")
def test_machine_cannot_be_restarted(outcome: Outcome) -> None:
    """The machine cannot be restarted."""
    assert outcome.denied, outcome


@attempt("call('swapon', b'/nowhere', 0)")
def test_swap_cannot_be_added(outcome: Outcome) -> None:
    """No file can be made the machine's swap space."""
    assert outcome.denied, outcome


@attempt("call('swapoff', b'/nowhere')")
def test_swap_cannot_be_taken(outcome: Outcome) -> None:
    """The machine's swap space cannot be taken away."""
    assert outcome.denied, outcome


@attempt("call('acct', b'/nowhere/at/all')")
def test_accounting_cannot_be_turned_on(outcome: Outcome) -> None:
    """The machine's account of processes cannot be turned on."""
    assert outcome.denied, outcome


@attempt("call('quotactl', 0x80000400, b'/nowhere', 0, None)")
def test_quotas_cannot_be_changed(outcome: Outcome) -> None:
    """Quotas cannot be asked for or changed."""
    assert outcome.denied, outcome


@attempt("call('fanotify_init', 0x200, 0)")
def test_use_of_files_cannot_be_watched(outcome: Outcome) -> None:
    """Whole file systems cannot be watched for what others open."""
    assert outcome.denied, outcome


@attempt("call('sethostname', b'x', -1)")
def test_name_of_the_machine_cannot_be_changed(outcome: Outcome) -> None:
    """The host name cannot be changed."""
    assert outcome.denied, outcome


@attempt("""
    import mmap, platform
    if platform.machine() != "x86_64":
        return "other"
    def called():
        code = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
        # push rbx; mov eax, 310 (unshare); mov ebx, CLONE_NEWUSER; int 0x80; pop rbx; ret
        code.write(bytes.fromhex("53 b836010000 bb00000010 cd80 5b c3"))
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        return ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    return in_child(called)
""")
def test_filter_holds_for_old_system_calls(outcome: Outcome) -> None:
    """The filter cannot be passed by the calls of 32-bit programs."""
    assert outcome.refused or outcome.value == "other" or outcome.value < 0, outcome


@attempt("""
    import platform
    if platform.machine() != "x86_64":
        return "other"
    _CALLS["x32"] = 0x40000000 + _CALLS["unshare"]
    return in_child(lambda: call("x32", NEW_USER))
""")
def test_filter_holds_for_another_numbering(outcome: Outcome) -> None:
    """The filter cannot be passed by the calls of the x32 numbering."""
    assert outcome.refused or outcome.value == "other", outcome
