"""How a kernel is confined in detail; what every sandbox promises is tested by the conformance kit. About 4 s."""

import os
import subprocess

import pytest

from autograder.config import Limits
from autograder.errors import SandboxError
from autograder.execution import bubblewrap
from autograder.execution.sandbox import Confinement, command, environment
from autograder.execution.spool import private_spool

LOOK = """
import os
found = {"environment": dict(os.environ), "cwd": os.getcwd(), "data": open(DATA_PATH).read(), "path": DATA_PATH}
"""
PROBE = "def probe(names, given):\n    return names['found']"


@pytest.fixture(scope="module")
def found(cold, run, tmp_path_factory):
    data = tmp_path_factory.mktemp("data") / "weather.csv"
    data.write_text("sunny")
    cells = {"parameters": "DATA_PATH = ''", "look": LOOK}
    result = run(cold, cells, probes={"look": PROBE}, data=data, parameters={"DATA_PATH": data.name})
    assert result.cell("look").error is None
    return result.evidence("look")


def test_the_environment_is_clean(found):
    environment = found["environment"]
    assert environment["HOME"] == found["cwd"] == "/home/student"
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["OMP_NUM_THREADS"] == environment["TF_NUM_INTRAOP_THREADS"] == "1"
    assert not {"NBGRADER_EXECUTION", "DISPLAY", "SSH_AUTH_SOCK", "PYTHONPATH"} & set(environment)
    assert environment["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"


def test_data_have_a_place_of_their_own(found):
    assert found["path"] == "/data/weather.csv"
    assert found["data"] == "sunny"


def test_data_that_not_everybody_may_read_are_refused(tmp_path):
    """Kernels do not run as root, so the message says what to do about the file's mode."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's kernels run as that user")
    data = tmp_path / "weather.csv"
    data.write_text("sunny")
    data.chmod(0o600)
    with private_spool() as spool, pytest.raises(SandboxError, match="readable by everybody.*chmod"):
        command(Confinement("cold", Limits(), data=data), spool, ["true"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another ordinary user")
def test_an_ordinary_user_needs_one_layer(cold, monkeypatch):
    """The command line that an ordinary user gets, run as one; without the Python installation, which is root's here."""
    monkeypatch.setattr(bubblewrap, "started_by_root", lambda: False)
    monkeypatch.setattr(bubblewrap, "_python_prefixes", list)
    monkeypatch.setattr(bubblewrap, "in_venv", lambda: False)
    confinement = Confinement("cold", Limits())
    with private_spool() as spool:
        bubblewrap.prepare(spool, confinement.limits)
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
