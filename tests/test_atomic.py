"""Readers see the old file or the new one, and nothing is left beside it."""

import threading

import pytest

from autograder import atomic


def test_text_and_bytes_are_written_whole_and_folders_are_made(tmp_path):
    path = tmp_path / "student-01" / "report.json"
    atomic.write(path, "ž\n")
    assert path.read_bytes() == "ž\n".encode()
    atomic.write(path, b"\r\n")
    assert path.read_bytes() == b"\r\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["report.json"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_the_old_file_alone(tmp_path, error):
    path = tmp_path / "report.json"
    atomic.write(path, "old")
    with pytest.raises(error), atomic.replacing(path) as temporary:
        temporary.write_text("new")
        raise error
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_what_cannot_be_replaced_leaves_nothing(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="report.json"):
        atomic.write(tmp_path / "report.json", "text")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


def test_a_reader_never_sees_half_of_it(tmp_path):
    path = tmp_path / "report.json"
    contents = {"a" * 100_000, "b" * 100_000}
    atomic.write(path, "a" * 100_000)
    writers = [
        threading.Thread(target=lambda text=text: [atomic.write(path, text) for _ in range(50)]) for text in contents
    ]
    for writer in writers:
        writer.start()
    seen = {path.read_text() for _ in range(100)}
    for writer in writers:
        writer.join()
    assert seen <= contents
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]
