"""Levels, spool and student errors, without kernels; about 2 s."""

import os
import shutil

import pytest

from autograder.errors import EvidenceError, SandboxError, SandboxUnavailableError
from autograder.execution import bubblewrap, execute, levels, sandbox
from autograder.execution.spool import private_spool
from autograder.execution.student_errors import cell_error


@pytest.fixture
def forgotten():
    """What the levels' trials found is forgotten before and after a test that changes the machine."""
    sandbox._status.cache_clear()
    yield
    sandbox._status.cache_clear()


def test_levels_are_tried_and_explained():
    found = {status.level: status for status in levels()}
    assert list(found) == ["warm", "cold", "none"]
    assert found["none"].works
    assert all(status.why and (status.works or status.remedy) for status in found.values())


def test_a_missing_program_is_named_with_its_remedy(monkeypatch, forgotten, plan, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "bwrap" else f"/usr/bin/{name}")
    monkeypatch.setattr(sandbox.sys, "platform", "linux")
    with pytest.raises(SandboxUnavailableError, match="not installed: bwrap.*apt-get install bubblewrap"):
        execute(plan("cold", {"a": "1"}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_bubblewrap_needs_linux(monkeypatch, forgotten):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with pytest.raises(SandboxUnavailableError, match="this is darwin"):
        sandbox.check("cold")


def test_a_trial_that_fails_tells_what_bubblewrap_said(cold, monkeypatch, forgotten):
    monkeypatch.setattr(sandbox, "command", lambda *_: ["/bin/sh", "-c", "echo setting up uid map >&2; exit 1"])
    with pytest.raises(SandboxUnavailableError, match="setting up uid map.*sysctl"):
        sandbox.check("cold")


def test_a_trial_as_root_is_no_sandbox(cold, monkeypatch, forgotten):
    monkeypatch.setattr(sandbox, "command", lambda *_: ["/bin/sh", "-c", "echo 0"])
    with pytest.raises(SandboxUnavailableError, match="ran as root"):
        sandbox.check("cold")


def test_data_that_others_may_not_read_are_refused_for_root(monkeypatch, tmp_path):
    monkeypatch.setattr(bubblewrap, "started_by_root", lambda: True)
    path = tmp_path / "secret.csv"
    path.write_text("x")
    path.chmod(0o600)
    with pytest.raises(SandboxError, match="chmod"):
        bubblewrap.readable(path)


def test_a_spool_is_private_and_goes_away():
    with private_spool() as spool:
        assert spool.root.stat().st_mode & 0o777 == 0o700
        assert len(str(spool.sockets / "k-5")) < 100
        (spool.work / "file").write_text("x")
    assert not spool.root.exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "left no evidence"),
        (lambda path: path.symlink_to("/etc/passwd"), "symbolic link"),
        (os.mkfifo, "pipe, socket or device"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.write_bytes(bytes(101)), "100 bytes are allowed"),
    ],
    ids=["missing", "link", "fifo", "folder", "large"],
)
def test_only_regular_files_of_bounded_size_are_collected(tmp_path, make, said):
    with private_spool() as spool:
        make(spool.evidence / "q.npz")
        with pytest.raises(EvidenceError, match=said):
            spool.collect("q", tmp_path / "q.npz", 100)
        assert list(spool.evidence.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_evidence_is_copied_and_the_spool_emptied(tmp_path):
    with private_spool() as spool:
        spool.put_probe("q", "def probe(): pass", b"inputs")
        assert sorted(path.name for path in spool.inbox.iterdir()) == ["q.npz", "q.py"]
        spool.clear_inbox()
        (spool.evidence / "q.npz").write_bytes(b"found")
        (spool.evidence / "other").mkdir()
        spool.collect("q", tmp_path / "deep" / "q.npz", 100)
        assert list(spool.evidence.iterdir()) == list(spool.inbox.iterdir()) == []
    assert (tmp_path / "deep" / "q.npz").read_bytes() == b"found"


def test_the_place_of_an_error_is_the_deepest_frame_in_the_notebook():
    traceback = [
        "\x1b[31mTypeError\x1b[39m",
        "Cell \x1b[1mIn[2]\x1b[0m, line 1",
        "Cell In[1], line 3, in f",
        "File x.py:7",
    ]
    error = cell_error(
        {"ename": "TypeError", "evalue": "\x1b[31mno\x1b[0m", "traceback": traceback},
        {1: "def f():\n  a\n  b()", 2: "f()"},
    )
    assert (error.name, error.message, error.line, error.source) == ("TypeError", "no", 3, "b()")


def test_an_error_that_a_kernel_made_up_is_bounded():
    error = cell_error(
        {"ename": "E" * 999, "evalue": "v" * 10**6, "traceback": ["Cell In[1], line 99999999999999"] * 99}, {}
    )
    assert len(error.name) == 100
    assert len(error.message) == 500
    assert error.line is None
    assert cell_error({"traceback": "no list"}, {}).name == "Error"
