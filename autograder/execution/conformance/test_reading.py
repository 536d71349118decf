"""What can be read inside: nothing of the course, of other people or of the machine. One kernel."""

from __future__ import annotations

from autograder.execution.conformance.attempts import Outcome, attempt
from autograder.execution.conformance.bait import VARIABLE, Bait


@attempt("read(BAIT['files']['hidden test'])")
def test_hidden_tests_cannot_be_read(outcome: Outcome) -> None:
    """The hidden tests of the course cannot be read."""
    assert outcome.refused, outcome


@attempt("read(BAIT['files']['solution'])")
def test_solutions_cannot_be_read(outcome: Outcome) -> None:
    """The model solution cannot be read."""
    assert outcome.refused, outcome


@attempt("read(BAIT['files']['submission'])")
def test_other_submissions_cannot_be_read(outcome: Outcome) -> None:
    """What another student has handed in cannot be read."""
    assert outcome.refused, outcome


@attempt("read(BAIT['files']['gradebook'])")
def test_gradebook_cannot_be_read(outcome: Outcome) -> None:
    """The gradebook cannot be read."""
    assert outcome.refused, outcome


@attempt("read(BAIT['files']['withheld data'])")
def test_withheld_data_cannot_be_read(outcome: Outcome) -> None:
    """The part of the data that is kept for judging cannot be read."""
    assert outcome.refused, outcome


@attempt("read(BAIT['folder'])")
def test_course_folder_cannot_be_listed(outcome: Outcome) -> None:
    """Not even the names in the course's folder can be listed."""
    assert outcome.refused, outcome


@attempt("""
    import sys, time
    names = {os.path.basename(path) for path in BAIT["files"].values()} - {"bait.ipynb"}
    others = ("/proc", "/sys", "/usr", os.path.realpath(sys.prefix), sys.base_prefix)
    found, end = [], time.monotonic() + 5
    for top in ("/tmp", "/"):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(others)]
            found += [os.path.join(folder, name) for name in files if name in names]
            if found or time.monotonic() > end:
                return found
    return found
""")
def test_nothing_of_the_course_lies_anywhere(outcome: Outcome) -> None:
    """No file of the course is to be found under another path, by walking all that is visible."""
    assert outcome.value == [], outcome


@attempt("succeeding(read, ['/etc/shadow', '/etc/gshadow', '/etc/sudoers', '/etc/security/opasswd'])")
def test_password_hashes_cannot_be_read(outcome: Outcome) -> None:
    """The password hashes of the machine cannot be read."""
    assert outcome.value == [], outcome


@attempt("[len(open('/etc/passwd').readlines()), sorted(os.listdir('/home'))]")
def test_users_of_the_machine_are_not_told(outcome: Outcome) -> None:
    """The list of users and the folder of their homes show none of the machine's people."""
    assert isinstance(outcome.value, list), outcome
    accounts, homes = outcome.value
    assert accounts <= 3, outcome
    assert len(homes) <= 1, outcome


@attempt("""
    home = BAIT["home"]
    names = [".ssh", ".bashrc", ".profile", ".netrc", ".gitconfig", ".cache", ".config", ".jupyter", ".local"]
    return succeeding(read, [BAIT["files"]["key"], *([] if os.getcwd() == home else [f"{home}/{n}" for n in names])])
""")
def test_home_folders_cannot_be_read(outcome: Outcome) -> None:
    """Neither keys nor settings in the grader's home folder can be read."""
    assert outcome.value == [], outcome


@attempt("[dict(os.environ), read('/proc/self/environ')]")
def test_environment_of_the_grader_does_not_come_in(bait: Bait, outcome: Outcome) -> None:
    """No variable of the grader's environment is visible, in this process or in what it was started with."""
    assert outcome.value, outcome
    assert bait.secret not in str(outcome.value)
    assert VARIABLE not in str(outcome.value)


@attempt("""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        for part in ("environ", "cmdline"):
            found += [read(f"/proc/{name}/{part}") for _ in succeeding(read, [f"/proc/{name}/{part}"])]
    return found
""")
def test_other_processes_tell_no_secrets(bait: Bait, outcome: Outcome) -> None:
    """Environment and command line of every visible process hold nothing of the grader's, nor of the course's paths."""
    assert outcome.value, outcome
    assert bait.secret not in str(outcome.value)
    assert VARIABLE not in str(outcome.value)


@attempt("""
    paths = [path for path in BAIT["files"].values()]
    roots = [f"/proc/{name}/{link}" for name in os.listdir("/proc") if name.isdigit() for link in ("root", "cwd")]
    return succeeding(read, [root + path for root in roots for path in paths])
""")
def test_links_in_proc_do_not_lead_out(outcome: Outcome) -> None:
    """The root and working folder of no visible process lead to the course."""
    assert outcome.value == [], outcome


@attempt("succeeding(read, ['/proc/kcore', '/proc/kmsg', '/dev/mem', '/dev/kmem', '/dev/port', '/dev/kmsg'])")
def test_memory_of_the_kernel_cannot_be_read(outcome: Outcome) -> None:
    """Neither the kernel's memory nor that of the machine can be read."""
    assert outcome.value == [], outcome


@attempt("call('syslog', 3, ctypes.create_string_buffer(4096), 4096)")
def test_log_of_the_kernel_cannot_be_read(outcome: Outcome) -> None:
    """The kernel's log, which names devices and other people's programs, cannot be read."""
    assert outcome.denied, outcome


@attempt("succeeding(read, [f'/sys/{name}' for name in ('kernel', 'firmware', 'fs', 'module', 'power')])")
def test_machine_is_not_described_in_sys(outcome: Outcome) -> None:
    """/sys shows no kernel, firmware, control groups, file systems or modules."""
    assert outcome.value == [], outcome


@attempt("""
    usual = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin", "stdout",
        "stderr", "core", "console", "mqueue", "dri"}
    return [name for name in os.listdir("/dev") if name not in usual and not name.startswith("nvidia")]
""")
def test_devices_are_the_harmless_ones(outcome: Outcome) -> None:
    """/dev holds the null, zero and random devices, terminals of its own, and accelerators; no disk, no hardware."""
    assert outcome.value == [], outcome


@attempt("succeeding(read, [BAIT['shared_memory'], BAIT['folder'] + '/listener', '/var/lib', '/var/log', '/run'])")
def test_temporary_files_of_others_cannot_be_read(outcome: Outcome) -> None:
    """Shared memory, temporary files and state of other programs cannot be read."""
    assert outcome.value == [], outcome


@attempt("succeeding(read, [f'/etc/{n}' for n in ('machine-id', 'hostname', 'resolv.conf', 'ssh', 'environment')])")
def test_settings_of_the_machine_cannot_be_read(outcome: Outcome) -> None:
    """The machine's identity, keys, name servers and environment cannot be read."""
    assert outcome.value == [], outcome


@attempt("os.uname().nodename")
def test_name_of_the_machine_is_not_told(bait: Bait, outcome: Outcome) -> None:
    """The host name inside is not the machine's."""
    assert outcome.value, outcome
    assert outcome.value != bait.told()["hostname"]


@attempt("""
    import re
    with open("/proc/self/maps") as file:
        ranges = [line.split() for line in file if " rw" in line]
    found = 0
    needle = re.compile(rb"autograder[.]checks[.]judging")  # the text itself would be found in this very cell
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in ranges:
            start, end = (int(part, 16) for part in line[0].split("-"))
            if end - start < 2**26 and line[-1] not in ("[vvar]", "[vsyscall]"):
                with contextlib.suppress(OSError, OverflowError):
                    memory.seek(start)
                    found += len(needle.findall(memory.read(end - start)))
    return found
""")
def test_memory_holds_nothing_of_the_grader(outcome: Outcome) -> None:
    """The kernel's own memory, searched byte by byte, holds no trace of the part that judges."""
    assert outcome.value == 0, outcome
