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
    assert sorted(path.name for path in folder.iterdir()) == [
        "executed.ipynb",
        "feedback.html",
        "history.jsonl",
        "report.json",
    ]
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


@pytest.mark.parametrize("name", ["", ".", "..", "../student-02", "a/b", "/etc", "a\0", "line\nbreak", "\udcff"])
def test_a_name_that_leads_elsewhere_is_no_student(tmp_path, name):
    with pytest.raises(ReportError, match="names of folders") as caught:
        store.read_report(tmp_path, "a", name)
    assert str(caught.value).isprintable()
    with pytest.raises(ReportError, match="names of folders"):
        store.write_report(tmp_path, REPORT.model_copy(update={"student": name}), notebook=None, feedback="")
    assert list(tmp_path.iterdir()) == []


def test_a_report_of_another_is_not_taken(tmp_path):
    store.write_report(tmp_path, REPORT, notebook=None, feedback="")
    (tmp_path / "reports/a/student-01").rename(tmp_path / "reports/a/student-02")
    with pytest.raises(ReportError, match="it is another's. Received: a report of student-01"):
        store.read_report(tmp_path, "a", "student-02")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", '"1e999"'])
def test_points_are_numbers(tmp_path, number):
    folder = store.write_report(tmp_path, REPORT, notebook=None, feedback="")
    path = folder / "report.json"
    path.write_text(path.read_text().replace('"score": 1.0', f'"score": {number}'))
    with pytest.raises(ReportError, match="damaged"):
        store.read_report(tmp_path, "a", "student-01")


def test_links_and_huge_files_are_no_reports(tmp_path):
    path = store.write_report(tmp_path, REPORT, notebook=None, feedback="") / "report.json"
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(ReportError, match="symbolic link"):
        store.read_report(tmp_path, "a", "student-01")
    path.unlink()
    with path.open("wb") as file:
        file.truncate(store.MAX_REPORT_BYTES + 1)
    with pytest.raises(ReportError, match="too large: 64 MB are allowed"):
        store.read_report(tmp_path, "a", "student-01")


def test_half_a_character_in_a_message_costs_no_report(tmp_path):
    """A student's exception may hold one; it used to stop the writing of the report."""
    store.write_report(tmp_path, REPORT.model_copy(), notebook=None, feedback="")
    report = Report.model_validate({**REPORT.model_dump(), "problem": "half \ud800", "repairs": ("\udcff",)})
    store.write_report(tmp_path, report, notebook=None, feedback="")
    back = store.read_report(tmp_path, "a", "student-01")
    assert (back.problem, back.repairs) == ("half ?", ("?",))


def test_what_cannot_be_written_is_told(tmp_path):
    (tmp_path / "reports").write_text("a file in place of a folder")
    with pytest.raises(ReportError, match="could not be written; check the folder"):
        store.write_report(tmp_path, REPORT, notebook=None, feedback="")
