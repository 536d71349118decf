"""What a stranger's file may be, and what a stranger's JSON may cost. Runs in three seconds."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from autograder import untrusted
from autograder.errors import UntrustedError
from autograder.untrusted import MAX_DEPTH, parse_json, read_bytes, shown

posix = pytest.mark.skipif(os.name == "nt", reason="links, pipes and owners of this kind are POSIX")
root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")


def refusal(path, max_bytes=100, **more):
    with pytest.raises(UntrustedError) as caught:
        read_bytes(path, max_bytes, **more)
    return caught.value


def test_a_file_comes_whole(tmp_path):
    path = tmp_path / "a.npz"
    for content in (b"", b"x" * 100):
        path.write_bytes(content)
        assert read_bytes(path, 100) == content
        assert read_bytes(path, 100, within=tmp_path.parent) == content


@posix
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    (tmp_path / "real").write_text("secret")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    server.close()
    reasons = {
        name: refusal(tmp_path / name).reason for name in ("link", "dangling", "loop", "folder", "pipe", "socket")
    }
    assert reasons == dict.fromkeys(("link", "dangling", "loop"), "link") | dict.fromkeys(
        ("folder", "pipe", "socket"), "kind"
    )
    assert refusal(tmp_path / "absent").reason == "missing"
    assert str(refusal(tmp_path / "link")) == "link is not the file itself. Received: a symbolic link"


@posix
def test_a_device_is_not_even_opened(monkeypatch):
    opened = []
    original = os.open
    monkeypatch.setattr(
        "os.open", lambda path, *args, **more: opened.append(str(path)) or original(path, *args, **more)
    )
    monkeypatch.setattr("os.supports_dir_fd", {os.open})
    assert refusal(Path("/dev/zero")).received == "a pipe, socket or device"
    assert opened == ["/dev"]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux")
@pytest.mark.parametrize("name", ["/proc/self/environ", "/proc/self/status", "/proc/kallsyms"])
def test_files_that_hold_more_than_they_say_are_refused(name):
    assert refusal(Path(name), 10**6).reason in {"changed", "unreadable"}


@posix
def test_no_folder_below_the_trusted_one_may_be_a_link(tmp_path):
    """The trusted folder itself may be one: courses lie where their instructors want them."""
    (tmp_path / "course" / "student-01" / "hw").mkdir(parents=True)
    (tmp_path / "course" / "student-01" / "hw" / "a.ipynb").write_text("x")
    (tmp_path / "course" / "student-02").symlink_to("student-01")
    (tmp_path / "course" / "student-03").mkdir()
    (tmp_path / "course" / "student-03" / "hw").symlink_to("../student-01/hw")
    (tmp_path / "here").symlink_to("course")
    within = tmp_path / "here"
    assert read_bytes(within / "student-01" / "hw" / "a.ipynb", 100, within=within) == b"x"
    for student in ("student-02", "student-03"):
        assert refusal(within / student / "hw" / "a.ipynb", within=within).reason == "link"
    for outside in (within / ".." / "course" / "student-01" / "hw" / "a.ipynb", Path("/etc/passwd"), within):
        assert "outside of the folder" in str(refusal(outside, 10**6, within=within))


@posix
@root
def test_a_second_name_of_another_users_file_is_refused(tmp_path):
    """A hard link in a student's folder to what only the grader may read; a backup's links of one owner are fine."""
    secret, own = tmp_path / "secret", tmp_path / "own"
    secret.write_text("gradebook")
    own.write_text("mine")
    home = tmp_path / "student"
    home.mkdir()
    for file in (secret, own):
        os.link(file, home / file.name)
    for path in (home, home / "own"):
        os.chown(path, 4242, 4242)
    assert refusal(home / "secret").received == "a hard link"
    assert read_bytes(home / "own", 100) == b"mine"
    assert refusal(home / "own", sole_name=True).received == "a hard link"


def test_size_is_looked_at_before_anything_is_read(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(300 * 2**30)
    start = time.perf_counter()
    error = refusal(tmp_path / "sparse", 20 * 2**20)
    assert str(error) == "sparse is too large: 20 MB are allowed. Received: 3.07e+05 MB"
    assert time.perf_counter() - start < 1


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "grows"
    path.write_bytes(b"x" * 10)

    def grow(_name, _status):
        with path.open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr(untrusted, "_expect_regular", grow)  # it is asked before opening, and once more before reading
    error = refusal(path)
    assert (error.reason, error.received) == ("changed", "14 bytes before, 18 bytes after")


@pytest.mark.parametrize("name", ["a\0b", "half \ud800", "x" * 300, "line\nbreak", "\x1b[31mred", "\udcff"])
def test_odd_names_end_as_one_printable_line(tmp_path, name):
    message = str(refusal(tmp_path / name))
    assert message.isprintable()
    assert len(message) < 250
    message.encode()


def test_names_are_shown_shortened():
    assert shown("a" * 100) == "a" * 80 + "…"
    assert shown("a\nb\x1b\u202e") == "a\N{REPLACEMENT CHARACTER}b" + "\N{REPLACEMENT CHARACTER}" * 2


# --- JSON ----------------------------------------------------------------------------------------------------------


def not_json(text, **more):
    with pytest.raises(UntrustedError) as caught:
        parse_json(text if isinstance(text, bytes) else text.encode(), "it", **more)
    return str(caught.value)


@pytest.mark.parametrize("value", [{"a": [1, -2.5, None, True, "\u00e9\U0001f600", {"[": "]{"}]}, [], 0, "\\", '"[{'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_comes_back_as_it_was(value, encoding):
    for ascii_only in (True, False):
        assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode(encoding), "it") == value


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":', "[[],"])
def test_depth_is_measured_before_parsing(opening):
    assert "nested deeper than 100 levels" in not_json(opening * 200_000)


def test_depth_counts_structure_and_not_text():
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "it") is not None
    assert "deeper" in not_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert parse_json(json.dumps(["[" * 1000, '\\"[{' * 1000]).encode(), "it")


def test_many_small_things_are_refused_before_they_are_made():
    assert "more than 500000 lists and objects" in not_json("[" + "{}," * 600_000 + "0]")
    assert "more than 3 lists" in not_json("[[],[],[]]", max_containers=3)
    assert parse_json(b"[[],[]]", "it", max_containers=3) == [[], []]


def test_long_numbers_are_refused():
    assert "number that is too long" in not_json("9" * 10**6)
    assert "number that is too long" in not_json("[0." + "1" * 10**6 + "]")
    assert parse_json(b'["' + b"9" * 10**5 + b'", ' + b"9" * 4300 + b"]", "it")


def test_constants_and_equal_keys():
    """NaN is a number, as Python writes it; of equal keys the last counts, as in Jupyter."""
    nan, infinite, large = parse_json(b"[NaN, -Infinity, 1e999]", "it")
    assert nan != nan  # noqa: PLR0124
    assert (infinite, large) == (float("-inf"), float("inf"))
    assert parse_json(b'{"a": 1, "a": 2}', "it") == {"a": 2}


@pytest.mark.parametrize(
    "text", [b'{"\\ud800": ["\\uDFFFx", {"a": "\\ud83d\\ude00"}]}', b'{"?": ["?x", {"a": "\xf0\x9f\x98\x80"}]}']
)
def test_half_characters_become_question_marks(text):
    assert parse_json(text, "it") == {"?": ["?x", {"a": "\U0001f600"}]}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"]" * 10**6,
        b'"',
        b'"\\',
        b'{"a"}',
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"nul",
        b"\0",
        b'"\n"',
        b"[1,]",
        b"'a'",
    ],
    ids=range(13),
)
def test_what_is_no_json_is_told_in_one_line(text):
    message = not_json(text)
    assert message.isprintable()
    assert len(message) < 200


@pytest.mark.parametrize(
    "piece", ['"', '\\"', '"\\', "\\", '"a', "{", "}", "[]", ",", "1", "1,", '"",', '{"', "\\ud8", "-", "."]
)
def test_time_grows_with_the_size_alone(piece):
    """Four megabytes of anything are refused or read within seconds: no pattern is tried again from every place."""
    text = (piece * (4 * 2**20 // len(piece))).encode()
    for data in (text, b'"' + text, b"[" + text):
        start = time.perf_counter()
        try:
            parse_json(data, "it")
        except UntrustedError as error:
            assert len(str(error)) < 300
        assert time.perf_counter() - start < 5


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are enforced on Linux")
def test_memory_is_bounded_by_the_size_of_the_text():
    """Sixteen megabytes of the costliest JSON are read or refused in less than a gigabyte."""
    program = textwrap.dedent(
        """
        import resource
        from autograder.errors import UntrustedError
        from autograder.untrusted import parse_json
        resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
        size = 16 * 2**20
        for piece in ('{"aa":1},', '"aa",', '[[]],', '{"a":{"b":{}}},', '"\\\\u00e9",', '"\\\\ud800",', '1.5,'):
            text = "[" + piece * (size // len(piece)) + "0]"
            try:
                parse_json(text.encode(), "it")
            except UntrustedError:
                pass
        print("bounded")
        """
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "bounded\n", done.stderr[-500:]
