"""Control groups: version 1 or 2 for real where this machine lets us, and version 2's files imitated; about 3 s."""

import subprocess
import sys
import time

import psutil
import pytest

from autograder.config import Limits
from autograder.execution import cgroup, cgroup_sites
from autograder.execution.cgroup_sites import Site, find_site
from autograder.execution.metering import ProcessMeter, Use

LINE = "31 23 0:28 {root} {point} rw,relatime shared:9 - {kind} {kind} {options}\n"
WAITS = "import sys, time\nsys.stdin.readline()\n"


def system(folder, *, own, mounts):
    """A /proc/self that says this."""
    proc = folder / "proc"
    proc.mkdir()
    (proc / "cgroup").write_text(own)
    text = "".join(
        LINE.format(root=root, point=point, kind=kind, options=options) for root, point, kind, options in mounts
    )
    (proc / "mountinfo").write_text("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + text)
    return proc


def hierarchy(folder, groups):
    """Folders of groups with what each hands on, by path."""
    for path, controllers in groups.items():
        made = folder / path
        made.mkdir(parents=True, exist_ok=True)
        (made / "cgroup.subtree_control").write_text(controllers)
        (made / "cgroup.procs").touch()
    return folder


# ---------------------------------------------------------------------- where groups can be made


def test_version_2_makes_groups_beside_the_own_one(tmp_path):
    root = hierarchy(tmp_path / "fs", {"": "cpu memory pids", "a.slice": "memory pids\n", "a.slice/me.scope": ""})
    proc = system(tmp_path, own="0::/a.slice/me.scope\n", mounts=[("/", root, "cgroup2", "rw,nsdelegate")])
    site, why = find_site(proc)
    assert site == Site(2, {"memory": root / "a.slice", "pids": root / "a.slice"})
    assert site.folders("ag-x") == (root / "a.slice" / "ag-x",)
    assert why == "version 2: memory, pids"


def test_version_2_does_without_a_controller_that_is_not_handed_on(tmp_path):
    root = hierarchy(tmp_path / "fs", {"": "memory", "me": ""})
    site, _ = find_site(system(tmp_path, own="0::/me\n", mounts=[("/", root, "cgroup2", "rw")]))
    assert set(site.parents) == {"memory"}


def test_version_2_in_a_container_sees_the_part_that_is_mounted(tmp_path):
    root = hierarchy(tmp_path / "fs", {"": "memory", "me": ""})
    site, _ = find_site(system(tmp_path, own="0::/pod/me\n", mounts=[("/pod", root, "cgroup2", "rw")]))
    assert site.parents["memory"] == root


@pytest.mark.parametrize(
    ("own", "groups", "why"),
    [
        ("0::/me\n", {"": "cpu", "me": ""}, "hands the memory controller on"),
        ("0::/../elsewhere\n", {"": "memory"}, "not among those that are mounted"),
        ("1:name=x:/\n", {"": "memory"}, "not among those that are mounted"),
    ],
)
def test_version_2_says_why_there_are_none(tmp_path, own, groups, why):
    root = hierarchy(tmp_path / "fs", groups)
    site, told = find_site(system(tmp_path, own=own, mounts=[("/", root, "cgroup2", "rw")]))
    assert site is None
    assert why in told


def test_version_2_says_how_to_get_groups_that_only_others_may_make(tmp_path, monkeypatch):
    root = hierarchy(tmp_path / "fs", {"": "memory", "me": ""})
    monkeypatch.setattr(cgroup_sites.os, "access", lambda *_: False)
    site, why = find_site(system(tmp_path, own="0::/me\n", mounts=[("/", root, "cgroup2", "rw")]))
    assert site is None
    assert "systemd-run --user --scope" in why


def test_version_1_wins_where_it_has_the_memory_controller(tmp_path):
    folders = {name: tmp_path / f"{name} fs" for name in ("memory", "pids", "cpu,cpuacct", "unified")}
    for folder in folders.values():
        (folder / "job").mkdir(parents=True)
    own = "4:memory:/job\n3:pids:/\n2:cpu,cpuacct:/job\n0::/\n"
    mounts = [
        ("/", str(folders[name]).replace(" ", r"\040"), "cgroup2" if name == "unified" else "cgroup", f"rw,{name}")
        for name in folders
    ]
    site, why = find_site(system(tmp_path, own=own, mounts=mounts))
    both = folders["cpu,cpuacct"] / "job"
    assert site == Site(1, {"memory": folders["memory"] / "job", "pids": folders["pids"], "cpuacct": both, "cpu": both})
    assert len(site.folders("ag-x")) == 3
    assert why == "version 1: memory, pids, cpuacct, cpu"


@pytest.mark.parametrize("mounts", [[], None], ids=["none mounted", "no such system"])
def test_systems_without_control_groups_say_so(tmp_path, mounts):
    proc = tmp_path / "proc" if mounts is None else system(tmp_path, own="0::/\n", mounts=mounts)
    site, why = find_site(proc)
    assert site is None
    assert "no control groups" in why


def test_no_site_is_no_group_and_no_folder(monkeypatch):
    monkeypatch.setattr(cgroup, "find_site", lambda: (None, "there are none here"))
    assert cgroup.available() == cgroup.CgroupStatus(works=False, why="there are none here")
    assert cgroup.folders("ag-x") == ()
    assert cgroup.enclose(psutil.Process(), "ag-x", Limits()) is None


# ---------------------------------------------------------------------- version 2, imitated


@pytest.fixture
def imitated(tmp_path):
    """A group of version 2 as ordinary files."""
    group = cgroup.SandboxGroup(
        Site(2, {"memory": tmp_path, "pids": tmp_path}), "ag-x", Limits(memory_mb=100, processes=30)
    )
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cgroup.procs"):
        (tmp_path / "ag-x").mkdir(exist_ok=True)
        (tmp_path / "ag-x" / name).touch()
    return group, tmp_path / "ag-x"


def test_version_2_is_set_and_read_by_its_own_files(imitated, monkeypatch):
    group, folder = imitated
    monkeypatch.setattr(type(folder), "mkdir", lambda *_: None)  # it is there: the system makes the files with it
    group.make()
    group.add([41])
    assert (folder / "memory.max").read_text() == str(100 * 2**20)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "memory.oom.group").read_text() == "1"
    assert (folder / "pids.max").read_text() == "26"
    assert (folder / "cgroup.procs").read_text() == "41"
    (folder / "memory.stat").write_text("anon 1000\nfile 9999\nkernel 5\nshmem 24\n")
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (folder / "pids.current").write_text("3\n")
    (folder / "pids.events").write_text("max 7\n")
    assert group.use() == Use(tasks=3, memory_bytes=1024, cpu_seconds=2.5, refused_tasks=7)


@pytest.mark.parametrize(
    ("events", "peak", "lost", "own_limit"),
    [
        ("oom 1\noom_kill 1\noom_group_kill 1\n", 100 * 2**20, True, True),
        ("oom 0\noom_kill 1\n", 50 * 2**20, True, False),
        ("oom 0\noom_kill 0\n", 50 * 2**20, False, False),
    ],
    ids=["its own limit", "the machine's", "none"],
)
def test_version_2_tells_whose_memory_was_used_up(imitated, events, peak, lost, own_limit):
    group, folder = imitated
    (folder / "memory.events").write_text(f"low 0\nhigh 0\nmax 12\n{events}")
    (folder / "memory.peak").write_text(f"{peak}\n")
    assert (group.lost_to_memory(), group.met_memory_limit(), group.peak_bytes()) == (lost, own_limit, peak)


def test_an_older_system_without_some_files_is_measured_otherwise(imitated):
    group, _ = imitated
    assert group.use() is None
    assert group.peak_bytes() is None
    assert not group.lost_to_memory()


# ---------------------------------------------------------------------- for real


@pytest.fixture
def real(tmp_path):
    """A function that makes a group around a new process, which goes on when it is told to."""
    if not cgroup.available().works:
        pytest.skip(f"no control groups here: {cgroup.available().why}")
    started = []

    def _real(code, **limits):
        process = subprocess.Popen([sys.executable, "-c", WAITS + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        name = f"ag-{tmp_path.name[:40]}"
        group = cgroup.enclose(psutil.Process(process.pid), name, Limits(**limits))
        started.append((process, group))
        assert group.folders == cgroup.folders(name)
        assert all(folder.is_dir() for folder in group.folders)
        return process, group

    yield _real
    for process, group in started:
        process.kill()
        process.communicate()
        group.remove()
        assert not [folder for folder in group.folders if folder.exists()]


def test_a_real_group_stops_memory_at_its_limit(real):
    process, group = real("x = []\nwhile True: x.append(bytearray(10**6))", memory_mb=60)
    assert not group.lost_to_memory()
    process.communicate(b"\n")
    assert process.returncode == -9
    assert group.lost_to_memory()
    assert group.met_memory_limit()
    assert 56 * 2**20 <= group.peak_bytes() <= 60 * 2**20


def test_a_real_group_stops_processes_at_its_limit_and_counts_refusals(real):
    code = (
        "import os\nrefused = 0\nfor _ in range(20):\n    try:\n        if os.fork() == 0: time.sleep(2); os._exit(0)\n"
    )
    code += "    except OSError:\n        refused += 1\nprint(refused)"
    process, group = real(code, processes=12)
    assert process.communicate(b"\n")[0] == b"13\n"
    assert group.use().refused_tasks == 13


def test_a_real_group_counts_the_time_of_processes_that_have_ended(real):
    busy = "end = time.process_time() + 0.4\n    while time.process_time() < end: pass\n    "
    code = (
        f"import os, signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nif os.fork() == 0:\n    {busy}os._exit(0)\n"
    )
    process, group = real(
        code + "try: os.wait()\nexcept ChildProcessError: pass\nprint('on', flush=True)\ntime.sleep(5)"
    )
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"on\n"
    assert 0.4 <= group.use().cpu_seconds < 2
    assert group.use().tasks == 1


def test_a_group_that_cannot_be_filled_is_removed(real, tmp_path, caplog):
    process = subprocess.Popen([sys.executable, "-c", "0"])
    ended = psutil.Process(process.pid)
    process.wait()
    assert cgroup.enclose(ended, "ag-ended", Limits()) is None
    assert not [folder for folder in cgroup.folders("ag-ended") if folder.exists()]
    assert "without a control group" in caplog.text


def test_a_busy_group_is_left_to_the_sweeper(real, monkeypatch, caplog):
    _, group = real("")
    monkeypatch.setattr(cgroup, "_REMOVAL_SECONDS", 0.05)
    monkeypatch.setattr(cgroup, "_KILL", "no such file")
    group.remove()
    assert all(folder.is_dir() for folder in group.folders)
    assert "could not be removed yet" in caplog.text


# ---------------------------------------------------------------------- sums over processes


def test_a_meter_adds_up_a_family():
    code = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {'x = bytearray(5 * 10**7); input()'!r}])\ninput()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        meter = ProcessMeter(lambda: psutil.Process(process.pid), 10**9)
        end = time.monotonic() + 10
        while (use := meter.use()).memory_bytes < 5 * 10**7 and time.monotonic() < end:
            time.sleep(0.05)
        assert use.tasks == 2
        assert 5 * 10**7 < use.memory_bytes < 2 * 10**8
        assert 0 < use.cpu_seconds < 10
    finally:
        process.communicate(b"\n\n")


def test_a_meter_of_nothing_is_none():
    assert ProcessMeter(lambda: None, 1).use() is None
