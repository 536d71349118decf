"""What hostile code finds inside the sandbox; one kernel, about 3 s."""

import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from autograder.config import Limits
from autograder.execution import bubblewrap
from autograder.execution.sandbox import Confinement, command, environment
from autograder.execution.spool import private_spool

LOOK = """
import json, os, pathlib, socket, subprocess, sys
def attempt(action):
    try:
        return repr(action())
    except BaseException as error:
        return f"refused: {type(error).__name__}: {error}"
def connect(family, address):
    with socket.socket(family) as client:
        client.settimeout(2)
        client.connect(address)
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
found = {
    "uid": os.getuid(), "status": status, "environment": dict(os.environ), "cwd": os.getcwd(),
    "processes": [name for name in os.listdir("/proc") if name.isdigit()],
    "descriptors": {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in ("0", "1", "2")},
    "mounts": open("/proc/mounts").read(), "home": sorted(os.listdir("/home")),
    "read": {path: attempt(lambda: open(path).read() if os.path.isfile(path) else os.listdir(path)) for path in PATHS},
    "write": {path: attempt(lambda: open(path, "a").close()) for path in (
        "/x", "/usr/x", "/etc/passwd", "/opt/x", "/dev/x", "/grading/inbox/x", "/grading/etc/x", "/data/weather.csv",
        "/proc/sys/kernel/core_pattern", "/proc/self/exe", "/sys/x", sys.prefix + "/x", sys.base_prefix + "/x")},
    "may write": {path: attempt(lambda: open(path, "a").close()) for path in (
        "/home/student/x", "/tmp/x", "/dev/shm/x", "/grading/evidence/x")},
    "tcp": attempt(lambda: connect(socket.AF_INET, ("127.0.0.1", PORT))),
    "internet": attempt(lambda: connect(socket.AF_INET, ("192.0.2.1", 80))),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "abstract": attempt(lambda: connect(socket.AF_UNIX, "\\0" + ABSTRACT)),
    "unshare": subprocess.run(["/usr/bin/unshare", "-U", "true"], capture_output=True).returncode,
    "mount": subprocess.run(["mount", "-t", "tmpfs", "x", "/tmp"], capture_output=True).returncode,
    "pid 1": [open("/proc/1/environ").read(), open("/proc/1/cmdline").read()],
    "core": __import__("resource").getrlimit(__import__("resource").RLIMIT_CORE),
    "user": __import__("getpass").getuser(), "account": __import__("pwd").getpwuid(os.getuid()).pw_name,
    "data": open("/data/weather.csv").read(), "signal": attempt(lambda: os.kill(1, 9)),
}
"""
PROBE = "def probe(names, given):\n    return names['found']"


@pytest.fixture(scope="module")
def found(cold, run, tmp_path_factory):
    data = tmp_path_factory.mktemp("data") / "weather.csv"
    data.write_text("sunny")
    secret = tmp_path_factory.mktemp("secret") / "solution.py"
    secret.write_text("42")
    os.environ["AUTOGRADER_TEST_SECRET"] = "secret"
    paths = [
        str(Path(__file__).parents[2] / "autograder"),
        str(secret),
        "/etc/shadow",
        "/root/.ssh",
        "/root/.bashrc",
        str(Path.home() / ".cache"),
        "/var",
    ]
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as abstract:
        name = f"autograder-test-{os.getpid()}"
        abstract.bind("\0" + name)
        abstract.listen()
        heading = f"PATHS = {paths!r}\nPORT = {tcp.getsockname()[1]}\nABSTRACT = {name!r}\n"
        try:
            result = run(cold, {"look": heading + LOOK}, probes={"look": PROBE}, data=data)
        finally:
            del os.environ["AUTOGRADER_TEST_SECRET"]
    assert result.cell("look").error is None
    return result.evidence("look")


def test_it_is_not_root_and_has_no_capabilities(found):
    status = found["status"]
    assert found["uid"] == 1000
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert found["user"] == found["account"] == "student"


def test_nothing_of_the_host_can_be_read(found):
    assert {path: what for path, what in found["read"].items() if not what.startswith("refused")} == {}
    assert found["home"] == ["student"]
    assert len(found["processes"]) <= 6
    assert "secret" not in "".join(found["pid 1"])


def test_only_its_own_folders_can_be_written(found):
    assert {path: what for path, what in found["write"].items() if not what.startswith("refused")} == {}
    assert set(found["may write"].values()) == {"None"}


def test_there_is_no_network(found):
    assert found["tcp"].startswith("refused: ConnectionRefusedError")
    assert found["internet"].startswith("refused: OSError")
    assert found["abstract"].startswith("refused: ConnectionRefusedError")
    assert found["interfaces"] == ["lo"]


def test_the_environment_is_clean(found):
    environment = found["environment"]
    assert "secret" not in environment.values()
    assert environment["HOME"] == found["cwd"] == "/home/student"
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["OMP_NUM_THREADS"] == environment["TF_NUM_INTRAOP_THREADS"] == "1"
    assert not {"NBGRADER_EXECUTION", "DISPLAY", "SSH_AUTH_SOCK", "PYTHONPATH"} & set(environment)
    assert environment["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"


def test_it_cannot_make_namespaces_or_mounts_or_core_files(found):
    assert found["unshare"] != 0
    assert found["mount"] != 0
    assert found["core"] == [0, 0]
    assert found["data"] == "sunny"


def test_pid_1_cannot_be_killed_from_inside(found):
    # The system ignores the signal or refuses it; that this evidence came back shows that the sandbox lived on.
    assert found["signal"] in {"None", "refused: PermissionError: [Errno 1] Operation not permitted"}


def test_the_host_sees_an_unprivileged_user(cold, run, monkeypatch):
    seen = []
    from autograder.execution.provisioner import SandboxProvisioner

    original = SandboxProvisioner.verify

    def verify(self):
        original(self)
        seen.extend(Path(f"/proc/{self._kernel_pid}/status").read_text().splitlines())

    monkeypatch.setattr(SandboxProvisioner, "verify", verify)
    run(cold, {"a": "1"})
    uids = next(line for line in seen if line.startswith("Uid:")).split()[1:]
    assert "0" not in uids


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another ordinary user")
def test_an_ordinary_user_needs_one_layer(cold, monkeypatch):
    """The command line that an ordinary user gets, run as one; without the Python installation, which is root's here."""
    monkeypatch.setattr(bubblewrap, "started_by_root", lambda: False)
    monkeypatch.setattr(bubblewrap, "_python_prefixes", list)
    monkeypatch.setattr(bubblewrap, "_in_venv", lambda: False)
    confinement = Confinement("cold", Limits())
    with private_spool() as spool:
        bubblewrap.prepare(spool)
        for folder in (spool.root, spool.sockets, spool.evidence, spool.inbox, spool.etc):
            os.chown(folder, 65534, 65534)
        inner = [
            "/bin/sh",
            "-c",
            "id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; ls / /grading; ulimit -u; ulimit -n",
        ]
        line = command(confinement, spool, inner)
        assert line[0].endswith("bwrap")
        assert not any("setpriv" in part for part in line)
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        done = subprocess.run(
            [*become, *line],
            env=environment(confinement, spool),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.returncode == 0, done.stderr
    words = done.stdout.split()
    assert words[0] == "1000"
    assert words[words.index("CapEff:") + 1] == "0" * 16
    assert words[words.index("NoNewPrivs:") + 1] == "1"
    assert {"evidence", "inbox", "sockets", "etc"} <= set(words)
    assert words[-1] == "1024"


def test_evidence_that_is_no_file_is_refused(cold, run, tmp_path):
    """The probe is honest here, but a thread of the student's puts a link in the place of what it wrote."""
    probe = "def probe(names, given):\n    import os\n    os.symlink('/etc/passwd', '/grading/evidence/q.npz')"
    fifo = probe.replace("os.symlink('/etc/passwd', ", "os.mkfifo(")
    large = "def probe(names, given):\n    open('/grading/evidence/q3.npz', 'wb').truncate(2 * 2**20)"
    result = run(
        cold,
        {"q": "1", "q2": "2", "q3": "3"},
        evidence_mb=1,
        probes={"q": probe, "q2": fifo.replace("/q.npz", "/q2.npz"), "q3": large},
    )
    assert [one.outcome for one in result.probes] == ["failed"] * 3
    assert "cannot be opened" in result.probe("q").message
    assert "not a regular file" in result.probe("q2").message
    assert "more than 1048576 bytes" in result.probe("q3").message
    assert not list(result.folder.rglob("*.npz"))


def test_a_later_cell_cannot_change_evidence(cold, run):
    probe = "def probe(names, given):\n    return {'x': names['x']}"
    forge = (
        "x = 2\nimport os\nleft = os.listdir('/grading/evidence')\nopen('/grading/evidence/q.npz', 'w').write('forged')"
    )
    result = run(cold, {"q": "x = 1", "forge": forge, "r": "x = left"}, probes={"q": probe, "r": probe})
    assert result.evidence("q") == {"x": 1}
    assert result.evidence("r") == {"x": []}


def test_two_sandboxes_at_once_do_not_see_each_other(cold, run):
    results = {}
    look = "import os, time\nopen('/tmp/mine', 'w').close()\ntime.sleep(1)\nseen = sorted(os.listdir('/tmp'))"
    probe = "def probe(names, given):\n    return names['seen']"

    def one(name):
        results[name] = run(cold, {"a": look.replace("mine", name)}, probes={"a": probe})

    threads = [threading.Thread(target=one, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "left" in json.dumps(results["left"].evidence("a"))
    assert "right" not in json.dumps(results["left"].evidence("a"))
    assert results["right"].cell("a").outcome == "ok"
