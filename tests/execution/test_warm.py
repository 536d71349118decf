"""The warm process: found, started, shared, ended, replaced; about 25 s, most of it two imports of TensorFlow."""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import papermill
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.config import Limits
from autograder.errors import SandboxError, SandboxUnavailableError
from autograder.execution import bubblewrap, execute, interior, outer_view, sandbox, warm
from autograder.execution.outer_view import Environment
from autograder.execution.spool import private_spool, short_temporary_folder

# No libraries but the kernel's own: the warm process is ready in a third of a second.
BARE = Environment(preload=("ipykernel.kernelapp",))
PROBE = "def probe(names, given):\n    return names['found']"
ENDS = 15.0


def holds(condition, seconds=ENDS):
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def processes_of(folder):
    """Host pids of all processes that were started for a warm process in this folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with contextlib.suppress(psutil.NoSuchProcess):
            if str(folder) in " ".join(process.info["cmdline"] or ()):
                found += [process.pid, *(child.pid for child in process.children(recursive=True))]
    return sorted(set(found))


def servers(folder):
    """The pids of the warm processes themselves; their forks have the same command line, and another parent."""
    found = []
    for pid in processes_of(folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            program = process.cmdline()[1:2] == [f"{outer_view.PROGRAM}/_autograder_warm.py"]
            found += [pid] if program and process.parent().name() == "bwrap" else []
    return found


@pytest.fixture(autouse=True)
def works(request):
    """Warm kernels, where they work."""
    status = next(status for status in sandbox.levels() if status.level == "warm")
    if not status.works:
        pytest.skip(f"no warm kernels here: {status.why}")


@pytest.fixture
def lease(monkeypatch, tmp_path_factory):
    """A lease on a warm process of this test alone."""
    folder = tmp_path_factory.mktemp("w")
    monkeypatch.setattr(warm, "short_temporary_folder", lambda: folder)
    lease = warm.take_lease(BARE, 20)
    yield lease
    lease.connection.close()
    assert holds(lambda: not list(folder.iterdir()))


def start(lease, spool, **options):
    """A kernel, without a client."""
    spool.prepare_for(lease.uid)
    (spool.etc / "connection.json").write_text(json.dumps({"transport": "ipc", "ip": "/grading/sockets/k", "key": "x"}))
    settings = {
        "limits": interior.system_limits(Limits()),
        "environment": interior.environment(1),
        "threads": 1,
        "data": None,
        "seconds": 20,
    } | options
    return lease.start(spool.root, ["-f", "/grading/etc/connection.json"], **settings)


def test_a_kernel_is_a_fork_in_a_sandbox_and_ends_with_it(lease):
    with private_spool(lease.spools) as spool:
        kernel = start(lease, spool)
        family = [psutil.Process(kernel.pid), *psutil.Process(kernel.pid).children()]
        assert len(family) == 2
        assert kernel.poll() is None
        kernel.kill()
        assert kernel.wait(ENDS) == 128 + signal.SIGKILL
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)
        kernel.close()
        kernel.close()


def test_a_sandbox_dies_when_its_life_line_is_let_go(lease):
    with private_spool(lease.spools) as spool:
        kernel = start(lease, spool)
        pid = kernel.pid
        kernel.close()
        assert holds(lambda: not psutil.pid_exists(pid))


def test_one_warm_process_serves_all_who_need_the_same(lease):
    other = warm.take_lease(BARE, 20)
    assert other.folder == lease.folder
    assert len(servers(lease.folder)) == 1
    other.connection.close()
    assert lease.holds


def test_another_environment_gets_another_process(lease):
    other = warm.take_lease(Environment(preload=("json",)), 20)
    try:
        assert other.folder != lease.folder
    finally:
        other.connection.close()


def test_the_environment_is_more_than_its_names(monkeypatch):
    before = BARE.key()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert BARE.key() != before
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(outer_view.inside, "sources", lambda: {"_autograder_warm": "changed"})
    assert BARE.key() != before


def test_nothing_is_left_when_the_last_lease_ends(lease):
    pids = processes_of(lease.folder)
    assert pids
    lease.connection.close()
    assert holds(lambda: not lease.folder.exists())
    assert holds(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_it_starts_again_after_it_died(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    monkeypatch.setattr(warm, "short_temporary_folder", lambda: folder)
    monkeypatch.setattr(warm, "_held", {})
    first = warm.lease(BARE, 20)
    assert warm.lease(BARE, 20) is first
    for pid in processes_of(first.folder):
        os.kill(pid, signal.SIGKILL)
    assert holds(lambda: not first.holds)
    second = warm.lease(BARE, 20)
    assert second.holds
    assert second is not first
    warm.let_go()
    assert holds(lambda: not list(folder.iterdir()))


def test_a_kernel_dies_with_the_warm_process(lease):
    with private_spool(lease.spools) as spool:
        kernel = start(lease, spool)
        family = [kernel.pid, *(child.pid for child in psutil.Process(kernel.pid).children())]
        server = psutil.Process(kernel.pid).parent().parent()
        assert "_autograder_warm" in " ".join(server.cmdline())
        server.kill()
        assert holds(lambda: kernel.poll() is not None)
        assert holds(lambda: not any(psutil.pid_exists(pid) for pid in family))
        kernel.close()


def test_why_a_kernel_does_not_start_is_told(lease):
    with private_spool(lease.spools) as spool:
        spool.inbox.rmdir()
        with pytest.raises(SandboxError, match="no warm kernel could be started.*mount.*/inbox"):
            start(lease, spool)


def test_why_it_does_not_start_is_told_once(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    monkeypatch.setattr(warm, "short_temporary_folder", lambda: folder)
    broken = Environment(preload=("antigravity.nowhere",))
    sources = outer_view.inside.sources()
    raising = sources | {"_autograder_warm": "raise SystemExit('out of order')"}
    monkeypatch.setattr(outer_view.inside, "sources", lambda: raising)
    with pytest.raises(SandboxUnavailableError, match="out of order"):
        warm.lease(broken, 20)
    monkeypatch.setattr(outer_view.inside, "sources", lambda: sources)
    began = time.monotonic()
    with pytest.raises(SandboxUnavailableError, match="out of order"):
        warm.lease(broken, 20)
    assert time.monotonic() - began < 0.1
    assert holds(lambda: not list(folder.iterdir()))


def test_a_folder_of_somebody_elses_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(warm, "short_temporary_folder", lambda: tmp_path)
    base = tmp_path / f"ag-warm-{os.geteuid()}"
    base.mkdir(mode=0o777)
    base.chmod(0o777)
    with pytest.raises(SandboxUnavailableError, match="not this user's own"):
        warm.take_lease(BARE, 5)
    base.rmdir()
    base.symlink_to(tmp_path)
    with pytest.raises(SandboxUnavailableError):
        warm.take_lease(BARE, 5)


def test_what_a_killed_grader_left_is_removed_by_the_next(monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    monkeypatch.setattr(warm, "short_temporary_folder", lambda: folder)
    base = folder / f"ag-warm-{os.geteuid()}"
    for name in ("0123456789abcdef", BARE.key()):
        (base / name / "spools").mkdir(parents=True)
    base.chmod(0o700)
    taken = warm.take_lease(BARE, 20)
    assert [path.name for path in base.iterdir()] == [BARE.key()]
    taken.connection.close()
    assert holds(lambda: not list(folder.iterdir()))


def test_data_are_shared_by_reference_and_shown_read_only(lease, tmp_path):
    data = tmp_path / "weather.csv"
    data.write_text("sunny")
    inside, shown = outer_view.share(lease.folder, data)
    assert outer_view.share(lease.folder, data) == (inside, shown)
    assert shown == "/data/weather.csv"
    data.unlink()
    data.write_text("rain, and more of it")
    assert outer_view.share(lease.folder, data)[0] != inside
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "a").write_text("1")
    assert outer_view.share(lease.folder, folder)[1] == "/data/many"


def test_cold_takes_over_and_the_reason_is_in_the_record(monkeypatch, plan, tmp_path):
    monkeypatch.setattr(warm, "_held", {})
    monkeypatch.setattr(warm, "_failed", {Environment(): "the warm process does not start. Received: a test"})
    run = execute(plan("warm", {"a": "1"}), tmp_path)
    assert run.sandbox == "cold"
    assert "Received: a test" in run.sandbox_note


def test_a_notebook_that_chooses_its_backend_starts_cold(run):
    source = "import os\nos.environ['KERAS_BACKEND'] = 'numpy'\nimport sys\nfound = 'tensorflow' in sys.modules"
    result = run("warm", {"a": source}, probes={"a": PROBE})
    assert result.sandbox == "cold"
    assert "read while TensorFlow loads" in result.sandbox_note
    assert result.evidence("a") is False


def test_none_is_never_taken_for_warm(monkeypatch, plan, tmp_path):
    sandbox._status.cache_clear()
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    try:
        with pytest.raises(SandboxUnavailableError, match="not installed: bwrap"):
            execute(plan("warm", {"a": "1"}), tmp_path)
    finally:
        sandbox._status.cache_clear()


LOOK = """
import os, random, sys, numpy, tensorflow, keras, gc, locale, signal, warnings, threading
found = {
    "environment": {k: v for k, v in os.environ.items() if k != "JPY_SESSION_NAME"},
    "path": sys.path, "argv": sys.argv, "flags": str(sys.flags), "executable": sys.executable, "cwd": os.getcwd(),
    "prefix": sys.prefix, "locale": locale.getlocale(), "encoding": sys.getfilesystemencoding(), "gc": gc.get_threshold(),
    "umask": os.umask(0), "hash": hash("x"), "main": sorted(vars(sys.modules["__main__"]))[:3],
    "signals": [str(signal.getsignal(n)).split(" at ")[0] for n in (1, 2, 3, 13, 15, 17)],
    "threads": sorted(thread.name.split("-")[0].split(" ")[0] for thread in threading.enumerate()),
    "recursion": sys.getrecursionlimit(), "modules": [name for name in sys.modules if name.startswith("_autograder_") and
    name not in ("_autograder_runtime",)], "niceness": os.nice(0), "uid": os.getuid(), "pid": os.getpid(),
    "limits": [__import__("resource").getrlimit(n) for n in range(10)], "frozen": gc.get_freeze_count(),
}
numpy.random.seed(3); random.seed(3); keras.utils.set_random_seed(3)
model = keras.Sequential([keras.layers.Input((4, 2)), keras.layers.LSTM(3), keras.layers.Dense(1)])
model.compile(loss="mse", optimizer="adam")
x = numpy.random.rand(64, 4, 2)
found["loss"] = [repr(v) for v in model.fit(x, x[:, -1, :1], epochs=2, verbose=0).history["loss"]]
"""
UNSEEDED = "import random, numpy, tensorflow as tf\nfound = [random.random(), float(numpy.random.rand()), float(tf.random.normal([]))]"


def test_a_warm_kernel_is_like_a_cold_one_to_the_last_bit(run):
    """Same environment, same interpreter state, same training; only the garbage collector leaves alone what is shared."""
    cold, warm = (run(level, {"a": LOOK}, probes={"a": PROBE}).evidence("a") for level in ("cold", "warm"))
    assert set(cold["environment"].items()) == set(warm["environment"].items())
    assert (cold.pop("frozen"), warm.pop("frozen") > 100_000) == (0, True)  # a look at a page would copy it
    assert {name for name in cold if cold[name] != warm[name]} == set()


def test_forks_do_not_share_random_numbers(run):
    first, second = (run("warm", {"a": UNSEEDED}, probes={"a": PROBE}).evidence("a") for _ in range(2))
    assert not set(first) & set(second)


def test_the_warm_process_touches_no_device_and_has_one_thread():
    lease = warm.lease(Environment(), 60)
    (server,) = servers(lease.folder)
    status = Path(f"/proc/{server}/status").read_text()
    assert "\nThreads:\t1\n" in status
    assert "tensorflow" in Path(f"/proc/{server}/maps").read_text()
    opened = [str(link.readlink()) for link in Path(f"/proc/{server}/fd").iterdir()]
    assert not [path for path in opened if path.startswith("/dev/") and path != "/dev/null"]
    assert set(Path(f"/proc/{server}/environ").read_text().split("\0")) - {""} == {
        f"{name}={value}" for name, value in (interior.environment(1) | {"PWD": "/"}).items()
    }


@pytest.mark.parametrize("level", ["cold", "warm"])
def test_a_device_is_shown_to_those_alone_who_ask_for_one(monkeypatch, plan, tmp_path, level):
    """Any character device stands for an accelerator; the code path is the same but for the driver."""
    usual = {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "console")}
    node = next(
        (path for path in sorted(Path("/dev").iterdir()) if path.is_char_device() and str(path) not in usual), None
    )
    if node is None:
        pytest.skip("this machine has no character device besides those that every sandbox has")
    monkeypatch.setattr(bubblewrap, "device_nodes", lambda: (node,))
    monkeypatch.setattr(outer_view.gpu, "device_nodes", lambda: (node,))
    monkeypatch.setattr(warm, "_held", {})
    look = f"import os\nprint(os.path.exists({str(node)!r}))"
    for wanted in (False, True):
        asked = replace(plan(level, {"a": look}), gpu=wanted)
        run = execute(asked, tmp_path / str(wanted))
        assert run.sandbox == level
        assert run.devices == ()  # no driver here tells of any
        (cell,) = nbformat.read(tmp_path / str(wanted) / "executed.ipynb", as_version=4).cells
        assert cell.outputs[0]["text"] == f"{wanted}\n"
    warm.let_go()


def test_plain_papermill_uses_it(tmp_path):
    notebook = new_notebook(cells=[new_code_cell("import os; os.getuid(), os.getpid(), os.getcwd()")])
    source = tmp_path / "in.ipynb"
    nbformat.write(notebook, source)
    papermill.execute_notebook(
        source, tmp_path / "out.ipynb", engine_name="autograder", kernel_name="python3", progress_bar=False
    )
    (cell,) = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert cell.outputs[0]["data"]["text/plain"] == "(1000, 2, '/home/student')"


WORKER = """
    import sys
    sys.path.insert(0, {tests!r})
    import importlib.util, pathlib
    spec = importlib.util.spec_from_file_location("fixtures", {tests!r} + "/conftest.py")
    fixtures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fixtures)
    from autograder.execution import execute
    cells = {{"a": "import subprocess\\nsubprocess.Popen(['setsid', 'sleep', '600'])\\nprint('running', flush=True)", "b": "import time\\ntime.sleep(600)"}}
    execute(fixtures.make_plan("warm", cells), pathlib.Path({folder!r}), on_cell=lambda *news: print(news, flush=True))
"""


def test_nothing_survives_a_worker_that_is_killed(tmp_path):
    """SIGKILL while a cell runs that has left a daemon behind; the temporary folder is the worker's own."""
    temporary = short_temporary_folder() / f"ag-test-{os.getpid()}"
    temporary.mkdir(mode=0o700)
    source = textwrap.dedent(WORKER).format(tests=str(Path(__file__).parent), folder=str(tmp_path / "run"))
    mounts = Path("/proc/self/mountinfo").read_text()
    worker = subprocess.Popen(
        [sys.executable, "-c", source], env=os.environ | {"TMPDIR": str(temporary)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert worker.stdout is not None
        assert "a" in worker.stdout.readline()
        pids = processes_of(temporary)
        names = [psutil.Process(pid).name() for pid in pids]
        assert "sleep" in names
        worker.kill()
        worker.wait()
        assert holds(lambda: not any(psutil.pid_exists(pid) for pid in pids)), names
        assert holds(lambda: not list(temporary.iterdir())), list(temporary.rglob("*"))
        assert Path("/proc/self/mountinfo").read_text() == mounts
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()
        temporary.rmdir()


def test_a_changed_level_is_logged_by_the_provisioner(monkeypatch, caplog, tmp_path):
    """From a kernel specification there is no record of a run to put the reason into."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    monkeypatch.setattr(warm, "_held", {})
    monkeypatch.setattr(warm, "_failed", {Environment(): "Received: a test"})
    spec = KernelSpec(
        argv=["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="Sandboxed",
        language="python",
        metadata={"kernel_provisioner": {"provisioner_name": "autograder-sandbox", "config": {"level": "warm"}}},
    )
    manager = KernelManager(kernel_name="sandboxed")
    manager._kernel_spec = spec
    with caplog.at_level(logging.WARNING, logger="autograder"):
        manager.start_kernel()
    try:
        assert "Received: a test" in caplog.text
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=30)
        reply = client.execute_interactive("import os; assert os.getcwd() == '/home/student'", timeout=20)
        assert reply["content"]["status"] == "ok"
        client.stop_channels()
    finally:
        manager.shutdown_kernel(now=True)


def test_any_kernelspec_can_use_it():
    """Interrupt, restart and shut down, as a notebook server does it."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="sandboxed")
    manager._kernel_spec = KernelSpec(
        argv=["python3", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name="Sandboxed",
        language="python",
        metadata={"kernel_provisioner": {"provisioner_name": "autograder-sandbox", "config": {"level": "warm"}}},
    )
    manager.start_kernel()
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        said = []
        client.execute_interactive(
            "import sys; print('tensorflow' in sys.modules)", timeout=20, output_hook=said.append
        )
        assert any(message["content"].get("text") == "True\n" for message in said)
        request = client.execute("import time; time.sleep(60)")
        time.sleep(0.3)
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=20)
        while reply["parent_header"].get("msg_id") != request:
            reply = client.get_shell_msg(timeout=20)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        assert client.execute_interactive("1 + 1", timeout=20)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert not manager.is_alive()


@pytest.mark.slow
def test_its_memory_does_not_grow_over_a_thousand_forks(lease):
    """Half a minute of sandboxes that are entered, locked down, verified and left."""
    (server,) = servers(lease.folder)
    with private_spool(lease.spools) as spool:
        spool.prepare_for(lease.uid)
        limits = interior.system_limits(Limits())
        for _ in range(50):
            lease.try_out(spool.root, limits, 20)
        assert holds(lambda: not psutil.Process(server).children())
        before = psutil.Process(server).memory_full_info().uss
        for _ in range(1000):
            lease.try_out(spool.root, limits, 20)
        assert holds(lambda: not psutil.Process(server).children())
        assert psutil.Process(server).memory_full_info().uss - before < 2**20
        assert psutil.Process(server).num_fds() < 20
