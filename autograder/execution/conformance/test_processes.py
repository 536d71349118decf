"""Which processes can be seen and touched from inside, and what was inherited: its own, and nothing. One kernel."""

from __future__ import annotations

from autograder.execution.conformance.attempts import Outcome, attempt


@attempt("""
    from ipykernel.connect import get_connection_info
    folder = os.path.dirname(get_connection_info(unpack=True)["ip"])
    own = (os.getcwd(), "/tmp", "/dev/", folder or "/nowhere")
    found = {}
    for number in os.listdir("/proc/self/fd"):
        for link in succeeding(os.readlink, [f"/proc/self/fd/{number}"]):
            target = os.readlink(link)
            if target.startswith("/") and not target.startswith(("/memfd:", *own)):
                found[number] = target
    return found
""")
def test_descriptors_lead_to_nothing_of_the_machine(outcome: Outcome) -> None:
    """The open descriptors are devices without content, pipes, sockets and its own files: none was forgotten."""
    left = {number: path for number, path in (outcome.value or {}).items() if not path.startswith("/proc/")}
    assert left == {}, outcome
    assert not outcome.refused, outcome


@attempt("""
    import tempfile
    own = (os.getcwd(), tempfile.gettempdir(), "/dev/", "/memfd:")
    found = []
    for number in os.listdir("/proc/self/fd"):
        for link in succeeding(os.readlink, [f"/proc/self/fd/{number}"]):
            target = os.readlink(link)
            if target.startswith("/") and not target.startswith(own):
                found += [target for _ in succeeding(open_for_writing, [link])]
    return found
""")
def test_descriptors_cannot_be_opened_again_for_writing(outcome: Outcome) -> None:
    """No descriptor can be turned into one for writing through /proc/self/fd, but those of its own files."""
    assert outcome.value == [], outcome


@attempt("""
    import socket, struct
    found = []
    for number in sorted(map(int, os.listdir("/proc/self/fd"))):
        for _ in succeeding(lambda fd: socket.socket(fileno=os.dup(fd)).close(), [number]):
            with socket.socket(fileno=os.dup(number)) as copy:
                if copy.family == socket.AF_UNIX and not copy.getsockname():
                    pid, uid, gid = struct.unpack("3i", copy.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                    if pid == 0 and uid != -1:
                        found.append([number, pid, uid])
    return found
""")
def test_no_socket_to_the_grader_was_inherited(outcome: Outcome) -> None:
    """No unnamed socket leads to a process outside, through which the grader could be spoken to."""
    assert outcome.value == [], outcome


@attempt("[os.readlink(f'/proc/self/fd/{number}') for number in (0, 1, 2) if os.isatty(number)]")
def test_standard_streams_are_no_terminal(outcome: Outcome) -> None:
    """The standard streams are not somebody's terminal."""
    assert outcome.value == [], outcome


@attempt("os.close(os.open('/dev/tty', os.O_RDWR))")
def test_there_is_no_controlling_terminal(outcome: Outcome) -> None:
    """There is no terminal into which anything could be typed."""
    assert outcome.refused, outcome


@attempt("[read(f'/proc/{name}/cmdline') for name in os.listdir('/proc') if name.isdigit()]")
def test_processes_of_the_machine_are_not_seen(outcome: Outcome) -> None:
    """The list of processes shows the sandbox's own few, and none of the machine's."""
    assert len(outcome.value or "x" * 9) <= 8, outcome
    assert not any("86399" in line for line in outcome.value), outcome


@attempt("""
    if os.readlink("/proc/self/ns/pid") != BAIT["pid namespace"]:
        return []  # numbers of processes mean others here
    return succeeding(lambda pid: os.kill(pid, 0), [BAIT["pid"], os.getppid()])
""")
def test_processes_of_the_machine_cannot_be_signalled(outcome: Outcome) -> None:
    """A process outside cannot be sent a signal."""
    assert outcome.value == [], outcome


@attempt("os.getpid() < 100 and os.getppid() < 100")
def test_numbers_of_processes_are_its_own(outcome: Outcome) -> None:
    """The sandbox counts its processes by itself, so that no number means one outside."""
    assert outcome.value is True, outcome


@attempt("""
    import signal, time
    def stop_first():
        if os.readlink("/proc/self/ns/pid") != BAIT["pid namespace"]:
            os.kill(1, signal.SIGTERM), os.kill(1, signal.SIGKILL)
    succeeding(lambda _: stop_first(), [1])
    time.sleep(0.2)
    return os.readlink("/proc/self/ns/pid") != BAIT["pid namespace"]
""")
def test_first_process_cannot_be_killed(outcome: Outcome) -> None:
    """The first process of the sandbox, which ends everything in it, cannot be ended from inside."""
    assert outcome.value is True, outcome


@attempt("""
    import time
    if os.fork() == 0:
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(0.1)
                os._exit(0)
        os._exit(0)
    os.wait()
    for _ in range(30):
        time.sleep(0.1)
        states = [fields(f"/proc/{n}/status")["State"] for n in filter(str.isdigit, os.listdir("/proc"))
            if succeeding(fields, [f"/proc/{n}/status"])]
        if not any(state.startswith("Z") for state in states):
            return "none"
    return states
""")
def test_orphans_are_reaped(outcome: Outcome) -> None:
    """Processes whose parent has ended leave no zombies, which would use up the allowed number of processes."""
    assert outcome.value == "none", outcome


@attempt("[sorted(os.listdir('/dev/shm')), open('/proc/sysvipc/shm').read().count('\\n')]")
def test_shared_memory_of_the_machine_is_not_seen(outcome: Outcome) -> None:
    """Shared memory of either kind is empty at the start."""
    assert outcome.value == [[], 1], outcome


@attempt("""
    import resource
    return resource.getrlimit(resource.RLIMIT_CORE)
""")
def test_no_memory_is_dumped(outcome: Outcome) -> None:
    """A crash writes no image of the memory, which programs of the machine would read."""
    assert outcome.value == [0, 0], outcome
