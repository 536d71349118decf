"""Judging: pytest over hidden tests becomes checks, and each outcome is kept apart from the others."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from autograder.checks import Materials, judging
from autograder.errors import HiddenTestError, ReportError
from autograder.evidence import encode
from autograder.records import CellError, CellRun, LimitExceeded, ProbeRun, Run

HIDDEN_TEST = """
    import pytest
    from autograder.checks import Failure, Given, NotAssessed

    def given(rng, materials):
        return Given(x=[1, 2, 3]).keep(total=6, stride=materials.parameters["STRIDE"])

    def probe(student, given):
        return {"total": lambda: student.total(given.x)}

    @pytest.mark.weight(3)
    def test_total(given, evidence):
        \"\"\"The total is the sum
        of all numbers.\"\"\"
        if evidence["total"] != given.total:
            raise Failure(f"Expected {given.total}. Received: {evidence['total']}", hint="Week 1: sums")

    @pytest.mark.requires("test_total")
    def test_positive(evidence):
        \"\"\"The total is positive.\"\"\"

    def test_device(run):
        \"\"\"A GPU did the work.\"\"\"
        raise NotAssessed("no GPU on this machine")

    def test_picture(picture, given):
        \"\"\"A picture is attached.\"\"\"
        picture("bars", {"title": "t", "unit": "s", "rows": [{"label": "a", "value": given.stride}]})
"""


@pytest.fixture
def course(tmp_path):
    """A hidden-test file for the question `sum`, and a function that stores a run with some evidence."""
    tests = tmp_path / "solutions" / "demo" / "hidden_tests"
    tests.mkdir(parents=True)
    (tests / "test_sum.py").write_text(textwrap.dedent(HIDDEN_TEST))

    def store(values, **run):
        folder = tmp_path / "run"
        (folder / "evidence").mkdir(parents=True)
        if values is not None:
            (folder / "evidence" / "sum.npz").write_bytes(encode_tree(values))
        record = Run(assignment="demo", profile="smoke", seed=7, sandbox="none", **run)
        judging.write_run(folder, record, Materials(profile="smoke", parameters={"STRIDE": 36}))
        return folder, tests

    return store


def encode_tree(values):
    """Evidence as a probe writes it; `$raised` nodes are put into the tree as they are."""
    import io
    import zipfile

    data = encode(
        {name: None if isinstance(value, dict) and "$raised" in value else value for name, value in values.items()}
    )
    source = zipfile.ZipFile(io.BytesIO(data))
    tree = json.loads(source.read("tree.json"))
    tree.update({name: value for name, value in values.items() if isinstance(value, dict) and "$raised" in value})
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("tree.json", json.dumps(tree))
        for name in source.namelist():
            if name != "tree.json":
                archive.writestr(name, source.read(name))
    return target.getvalue()


def outcomes(judgement):
    return {check.name: check.outcome for check in judgement.checks}


def test_right_answer_passes_with_weight_title_and_picture(course):
    judgement = judging.judge(*course({"total": 6}))["sum"]
    assert outcomes(judgement) == {
        "test_total": "passed",
        "test_positive": "passed",
        "test_device": "not_assessed",
        "test_picture": "passed",
    }
    total = judgement.checks[0]
    assert (total.weight, total.title) == (3.0, "The total is the sum of all numbers.")
    assert judgement.pictures[0].data["rows"] == [{"label": "a", "value": 36}]


def test_wrong_answer_fails_with_message_hint_and_what_depends_on_it(course):
    judgement = judging.judge(*course({"total": 5}))["sum"]
    total, positive, *_ = judgement.checks
    assert (total.outcome, total.message, total.hint) == ("failed", "Expected 6. Received: 5", "Week 1: sums")
    assert positive.outcome == "failed"
    assert "The total is the sum" in positive.message


def test_students_exception_is_shown_with_its_line(course):
    raised = {
        "$raised": {"name": "TypeError", "message": "no", "function": "total", "line": 2, "source": "return x + 1"}
    }
    total = judging.judge(*course({"total": raised}))["sum"].checks[0]
    assert total.outcome == "failed"
    assert "TypeError: no (in total, line 2: `return x + 1`)" in total.message


def test_missing_name_tells_why_its_cell_stopped(course):
    raised = {"$raised": {"name": "NotDefined", "message": "`total` is not defined"}}
    cell = CellRun(index=3, grade_id="sum", outcome="error", error=CellError(name="NameError", message="numpi"))
    total = judging.judge(*course({"total": raised}, cells=(cell,)))["sum"].checks[0]
    assert total.message.startswith("`total` is not defined. The cell `sum` stopped")
    assert total.message.endswith("Received: NameError: numpi")


def test_unanswered_question_is_said_to_be_so(course):
    raised = {"$raised": {"name": "NotImplementedError", "message": ""}}
    total = judging.judge(*course({"total": raised}))["sum"].checks[0]
    assert total.outcome == "failed"
    assert "not been answered" in total.message


@pytest.mark.parametrize(
    ("run", "outcome", "words"),
    [
        ({"probes": (ProbeRun(question="sum", outcome="timeout", seconds=9),)}, "limit_exceeded", "longer than 9 s"),
        (
            {"kernel_died": True, "limits_exceeded": (LimitExceeded(limit="memory", allowed="64 MB"),)},
            "limit_exceeded",
            "memory limit exceeded: 64 MB allowed",
        ),
        ({"kernel_died": True, "cause_of_death": "signal 11 in the cell `sum`"}, "failed", "signal 11"),
    ],
)
def test_absent_evidence_is_explained_by_the_run(course, run, outcome, words):
    total = judging.judge(*course(None, **run))["sum"].checks[0]
    assert total.outcome == outcome
    assert words in total.message


def test_absent_evidence_of_a_complete_run_is_the_graders_error(course):
    assert judging.judge(*course(None))["sum"].checks[0].outcome == "error"


def test_damaged_evidence_is_never_a_lost_point(course):
    folder, tests = course({"total": 6})
    (folder / "evidence" / "sum.npz").write_bytes(b"PK not a zip")
    assert judging.judge(folder, tests)["sum"].checks[0].outcome == "error"


def test_a_plain_assert_is_an_error_of_the_hidden_test(course):
    folder, tests = course({"total": 6})
    (tests / "test_sum.py").write_text("def probe(student, given):\n    return {}\ndef test_it():\n    assert 1 == 2\n")
    check = judging.judge(folder, tests)["sum"].checks[0]
    assert check.outcome == "error"
    assert "1 == 2" not in check.message


def test_a_file_that_cannot_be_imported_is_an_error_of_its_question_alone(course):
    folder, tests = course({"total": 6})
    (tests / "test_other.py").write_text("import no_such_module\n")
    judgements = judging.judge(folder, tests)
    assert outcomes(judgements["sum"])["test_total"] == "passed"
    assert outcomes(judgements["other"]) == {"hidden_tests": "error"}


def test_a_changed_hidden_test_is_judged_anew_in_the_same_process(course):
    folder, tests = course({"total": 6})
    assert judging.judge(folder, tests)["sum"].checks[0].outcome == "passed"
    path = tests / "test_sum.py"
    path.write_text(path.read_text().replace("given.total:", "7:"))
    assert judging.judge(folder, tests)["sum"].checks[0].outcome == "failed"


def test_unknown_prerequisite_is_an_error(course):
    folder, tests = course({"total": 6})
    path = tests / "test_sum.py"
    path.write_text(path.read_text().replace('requires("test_total")', 'requires("test_totl")'))
    assert outcomes(judging.judge(folder, tests)["sum"])["test_positive"] == "error"


def test_hidden_tests_run_by_hand_show_messages_and_no_traceback(course):
    folder, tests = course({"total": 5})
    command = [
        sys.executable,
        "-m",
        "pytest",
        str(tests / "test_sum.py"),
        "--evidence",
        str(folder),
        "-p",
        "no:cacheprovider",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tests, env=environment)
    assert "2 failed, 1 passed, 1 skipped" in result.stdout, result.stdout + result.stderr
    assert "Expected 6. Received: 5" in result.stdout
    assert "Traceback" not in result.stdout


def test_missing_run_is_named(tmp_path):
    with pytest.raises(ReportError, match="no stored run"):
        judging.open_run(tmp_path)


def test_probe_source_is_the_function_alone(course, tmp_path):
    _, tests = course({"total": 6})
    loaded = judging.load_hidden_tests(tests)["sum"]
    assert loaded.probe_source.startswith("def probe(student, given):")
    assert "Expected" not in loaded.probe_source
    assert loaded.given(7, Materials("smoke", {"STRIDE": 1})).inputs == {"x": [1, 2, 3]}


def test_no_hidden_tests_is_an_error(tmp_path):
    with pytest.raises(HiddenTestError, match="no hidden tests"):
        judging.load_hidden_tests(tmp_path)
