"""The store: a run exists wholly or not at all, and reports are replaced atomically."""

import pytest

from autograder import store
from autograder.errors import ReportError
from autograder.records import Report

REPORT = Report(assignment="a", student="student-01", status="graded", score=1.0, max_score=2.0)


def test_keys_depend_on_every_part_and_on_nothing_else():
    parts = {"notebook": "x", "limits": {"b": 1, "a": 2}, "seed": 7}
    assert store.key_of(parts) == store.key_of({"seed": 7, "limits": {"a": 2, "b": 1}, "notebook": "x"})
    for change in ({"notebook": "y"}, {"seed": 8}, {"limits": {"b": 1, "a": 3}}):
        assert store.key_of({**parts, **change}) != store.key_of(parts)


def test_a_run_exists_when_it_is_whole(tmp_path):
    with store.new_run(tmp_path, "key") as folder:
        (folder / "run.json").write_text("{}")
        assert not store.has_run(tmp_path, "key")
    assert store.has_run(tmp_path, "key")
    assert [path.name for path in store.run_folder(tmp_path, "key").parent.iterdir()] == ["key"]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), store.new_run(tmp_path, "key") as folder:
        (folder / "run.json").write_text("{}")
        raise KeyboardInterrupt
    assert not store.has_run(tmp_path, "key")
    assert list(store.run_folder(tmp_path, "key").parent.iterdir()) == []


def test_a_run_replaces_what_a_killed_grader_left_under_its_key(tmp_path):
    (store.run_folder(tmp_path, "key") / "evidence").mkdir(parents=True)
    with store.new_run(tmp_path, "key") as folder:
        (folder / "run.json").write_text("{}")
    assert store.has_run(tmp_path, "key")


def test_reports_come_back_as_they_were(tmp_path):
    folder = store.write_report(tmp_path, REPORT, notebook="{}", feedback="<html>")
    assert store.read_report(tmp_path, "a", "student-01") == REPORT
    assert sorted(path.name for path in folder.iterdir()) == ["executed.ipynb", "feedback.html", "report.json"]
    assert store.reported_students(tmp_path, "a") == ["student-01"]
    assert '"schema": 1' in (folder / "report.json").read_text()


def test_a_submission_that_no_longer_runs_leaves_no_old_notebook(tmp_path):
    folder = store.write_report(tmp_path, REPORT, notebook="{}", feedback="<html>")
    store.write_report(tmp_path, REPORT, notebook=None, feedback="<html>")
    assert not (folder / "executed.ipynb").exists()


def test_missing_and_damaged_reports_say_what_to_do(tmp_path):
    with pytest.raises(ReportError, match="autograder grade a --student student-02"):
        store.read_report(tmp_path, "a", "student-02")
    folder = store.write_report(tmp_path, REPORT, notebook=None, feedback="")
    (folder / "report.json").write_text('{"schema": 1')
    with pytest.raises(ReportError, match="damaged; grade again"):
        store.read_report(tmp_path, "a", "student-01")
